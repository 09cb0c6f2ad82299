"""Objects on the API server as a test sees them: quick plain requests, and waits for what should become true."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import httpx
import yaml

from tests.controlplane import ControlPlane

LOOK_AGAIN_S = 0.05


class Objects:
    """A client of the API server with the administrator's rights."""

    def __init__(self, control_plane: ControlPlane) -> None:
        config = yaml.safe_load(control_plane.kubeconfig.read_text())
        user, cluster = config["users"][0]["user"], config["clusters"][0]["cluster"]
        self._client = httpx.Client(
            base_url=cluster["server"],
            verify=_trust(cluster["certificate-authority"], user["client-certificate"], user["client-key"]),
            timeout=20,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, path: str) -> Any:
        """The object at a path, or None."""
        answer = self._client.get(path)
        return None if answer.status_code == 404 else _checked(answer)

    def events(self, path: str, query: Mapping[str, str], *, for_s: int) -> Iterator[Any]:
        """What is told by a watch of the objects under a path, for some seconds."""
        asked = {**query, "watch": "true", "timeoutSeconds": str(for_s)}
        with self._client.stream("GET", path, params=asked) as answer:
            for line in answer.iter_lines():
                yield json.loads(line)

    def create(self, path: str, body: Mapping[str, Any]) -> Any:
        return _checked(self._client.post(path, json=body))

    def merge(self, path: str, patch: Mapping[str, Any]) -> Any:
        headers = {"Content-Type": "application/merge-patch+json"}
        return _checked(self._client.patch(path, json=patch, headers=headers))

    def apply(self, path: str, body: Mapping[str, Any], *, by: str) -> Any:
        """Server-side apply, as a manager that takes what it applies from all others."""
        headers = {"Content-Type": "application/apply-patch+yaml"}
        return _checked(self._client.patch(f"{path}?fieldManager={by}&force=true", json=body, headers=headers))

    def replace(self, path: str, body: Mapping[str, Any]) -> Any:
        """Put another in the object's place, all of it but its status."""
        return _checked(self._client.put(path, json=body))

    def delete(self, path: str, propagation: str = "Background") -> None:
        url = httpx.URL(path).copy_merge_params({"propagationPolicy": propagation})  # beside what the path asks for
        answer = self._client.delete(url)
        if answer.status_code != 404:
            _checked(answer)


def live_tasks(kind: str, namespace: str, name: str = "") -> str:
    """The path of a namespace's RelayTasks or PreloadTasks, or of one."""
    return f"/apis/livetask.dev/v1alpha1/namespaces/{namespace}/{kind.lower()}s" + (f"/{name}" if name else "")


def secrets(namespace: str, name: str = "") -> str:
    return f"/api/v1/namespaces/{namespace}/secrets" + (f"/{name}" if name else "")


def wait_for(condition: Callable[[], Any], what: str | Callable[[], str], within_s: float) -> Any:
    """The first truthy value of a condition. Raises AssertionError, with what was waited for, when time is up."""
    deadline = time.monotonic() + within_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what() if callable(what) else what}")
        time.sleep(LOOK_AGAIN_S)


def _trust(authority: str, certificate: str, key: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority)
    context.load_cert_chain(certificate, key)
    return context


def _checked(answer: httpx.Response) -> Any:
    if answer.is_error:
        raise RuntimeError(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text}")
    return answer.json()
