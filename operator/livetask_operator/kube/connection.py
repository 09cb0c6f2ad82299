"""One way to the API server for both clients: kopf's watching and our own reads and writes."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import kopf
import yaml
from kubernetes.aio import client, config

from livetask_operator.kube.hearing import listening
from livetask_operator.kube.token import TokenFile, named_in

KOPF_CONNECTIONS = 64
"""kopf's own session is unbounded: 1300 sockets at the start of 5000 objects."""
API_CONNECTIONS = 32
"""Writes at once: more would only wait in the API server, before everybody else's."""
USUAL_KUBECONFIG = Path("~/.kube/config")
IN_CLUSTER = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class NoCluster(Exception):
    """Neither a kubeconfig nor an in-cluster account. The message says what to do."""


@dataclass(frozen=True)
class Connection:
    """Where the API server is and who we are there."""

    api: client.ApiClient
    lease_api: client.ApiClient
    """With connections of its own: a burst of writes must not keep the Lease from being renewed."""
    user_agent: str
    own_namespace: str

    def kopf_session(self, heard: Callable[[str], None]) -> kopf.AiohttpSession:
        """A session for kopf that sends the newest token with each request: kopf alone would read it once.

        heard: told the path of whatever comes in.
        """
        configuration = self.api.configuration

        async def authorise(
            request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
        ) -> aiohttp.ClientResponse:
            for setting in (await configuration.auth_settings()).values():
                request.headers[setting["key"]] = setting["value"]
            return await handler(request)

        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=KOPF_CONNECTIONS, ssl=self.api.rest_client.ssl_context),
            headers={"User-Agent": self.user_agent},
            middlewares=(listening(heard), authorise),
            proxy=configuration.proxy or None,  # a kubeconfig's `proxy-url`, as for our own; HTTPS_PROXY is for vendors
        )
        return kopf.AiohttpSession(
            server=configuration.host, aiohttp_session=session, default_namespace=self.own_namespace
        )


@asynccontextmanager
async def connect(user_agent: str) -> AsyncIterator[Connection]:
    """The connection that KUBECONFIG names, else the in-cluster account's, else ~/.kube/config. Raises NoCluster."""
    configuration = client.Configuration()
    configuration.connection_pool_maxsize = API_CONNECTIONS
    namespace = os.environ.get("POD_NAMESPACE", "")
    try:
        if not os.environ.get("KUBECONFIG") and "KUBERNETES_SERVICE_HOST" in os.environ:
            config.load_incluster_config(client_configuration=configuration, try_refresh_token=False)  # type: ignore[no-untyped-call]
            _keep_newest(configuration, IN_CLUSTER / "token")
            namespace = namespace or _in_cluster_namespace()
        else:
            documents = _read_files()
            named = os.environ.get("KUBECONFIG") or None  # said here, as the library knows it from its import on
            await config.load_kube_config(named, client_configuration=configuration, persist_config=False)  # type: ignore[no-untyped-call]
            context = _context()
            if (token := named_in(documents, str(context.get("user", "")))) is not None:
                _keep_newest(configuration, token)
            namespace = namespace or str(context.get("namespace", ""))
    except (config.ConfigException, OSError, KeyError, TypeError, AttributeError) as error:  # the last: of its shape
        raise NoCluster(
            f"There is no way to a cluster: {_words(error)}. Set KUBECONFIG to a kubeconfig file that kubectl takes, "
            "or run in a pod."
        ) from error
    async with client.ApiClient(configuration) as api, client.ApiClient(configuration) as lease_api:
        api.user_agent = lease_api.user_agent = user_agent
        yield Connection(api, lease_api, user_agent, namespace or "default")


def _keep_newest(configuration: client.Configuration, token: Path) -> None:
    configuration.refresh_api_key_hook = TokenFile(token)  # type: ignore[assignment]  # the library's type is None


def _read_files() -> list[tuple[Path, dict[str, Any]]]:
    """The kubeconfig files. Raises OSError, in words: the client's own would be no such, or a traceback."""
    named = [Path(path) for path in os.environ.get("KUBECONFIG", "").split(os.pathsep) if path]
    if not named and not USUAL_KUBECONFIG.expanduser().exists():
        raise OSError(f"KUBECONFIG is not set, there is no {USUAL_KUBECONFIG}, and this is no pod")
    documents = []
    for path in named or [USUAL_KUBECONFIG.expanduser()]:
        if not path.is_file():
            raise OSError(f"KUBECONFIG names {path}, which is no file")
        try:
            document = yaml.safe_load(path.read_text())
        except (yaml.YAMLError, UnicodeDecodeError):
            raise OSError(f"{path} is no YAML") from None
        if not isinstance(document, dict):
            raise OSError(f"{path} is no kubeconfig")
        documents.append((path, document))
    return documents


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename} cannot be read ({error.strerror.lower()})"
    if isinstance(error, config.ConfigException | OSError):
        return str(error).removesuffix(".")
    return f"the kubeconfig is not as it should be ({type(error).__name__}: {error})"


def _in_cluster_namespace() -> str:
    return (IN_CLUSTER / "namespace").read_text().strip()


def _context() -> dict[str, Any]:
    contexts: Any = config.list_kube_config_contexts(os.environ.get("KUBECONFIG") or None)  # type: ignore[no-untyped-call]
    return dict(contexts[1]["context"])
