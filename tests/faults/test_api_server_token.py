"""A token that is refused while its file holds a new one: the new one is used with the next request."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from kubernetes.aio import client

from livetask_operator.kube.token import TokenFile, named_in
from tests.controlplane import ControlPlane
from tests.faults.proxy import Proxy, in_front_of_api_server
from tests.stage.objects import Objects, wait_for
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import Tenant

HOME = "livetask-system"
REFUSED_WITHIN_S = 20.0
"""The API server remembers for 10 s that a token was good."""


def bound_token(cluster: ControlPlane, name: str) -> str:
    """A token of the operator's account that is good for as long as a Secret is there."""
    cluster.kubectl("-n", HOME, "create", "secret", "generic", name)
    bound = ("--bound-object-kind=Secret", f"--bound-object-name={name}", "--duration=1h")
    return cluster.kubectl("-n", HOME, "create", "token", "livetask-operator", *bound).stdout.strip()


class Account:
    """The operator's account, with a token in a file, behind a proxy."""

    def __init__(self, cluster: ControlPlane, kubeconfig: Path, folder: Path) -> None:
        self._cluster = cluster
        self.proxy, self.kubeconfig = in_front_of_api_server(kubeconfig, folder)
        self.file = folder / "token"
        config = yaml.safe_load(self.kubeconfig.read_text())
        config["users"][0]["user"] = {"tokenFile": "token"}
        self.kubeconfig.write_text(yaml.safe_dump(config))
        cluster_entry = yaml.safe_load(kubeconfig.read_text())["clusters"][0]["cluster"]
        trust = ssl.create_default_context(cafile=cluster_entry["certificate-authority"])
        self._client = httpx.Client(base_url=cluster.url, verify=trust, trust_env=False)

    def gets(self, name: str) -> str:
        """Another token, as a volume gets it: the file is exchanged as a whole."""
        token = bound_token(self._cluster, name)
        new = self.file.with_name("token.new")
        new.write_text(f"{token}\n")
        os.replace(new, self.file)
        return token

    def loses(self, tokens: Mapping[str, str]) -> None:
        """Tokens, by the Secrets that they are bound to, are refused from now on."""
        self._cluster.kubectl("-n", HOME, "delete", "secret", *tokens)
        for token in tokens.values():
            wait_for(partial(self._refuses, token), "refused", REFUSED_WITHIN_S)

    def _refuses(self, token: str) -> bool:
        return self._client.get("/api", headers={"Authorization": f"Bearer {token}"}).status_code == 401

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def account(installed: ControlPlane, kubeconfig: Path, tmp_path: Path) -> Iterator[Account]:
    account = Account(installed, kubeconfig, tmp_path / "account")
    with account.proxy:
        yield account
    account.close()


def bearers(proxy: Proxy, since: int) -> set[str]:
    return {each.headers.get("Authorization", "") for each in proxy.trace[since:]}


def test_a_new_token_in_the_file_is_used_also_where_the_old_one_was_refused_first(
    account: Account, namespace: str, objects: Objects, cloud: Cloud, tmp_path: Path
) -> None:
    tenant, proxy = Tenant(namespace, objects, cloud.admin, labels={"operator": "own"}), account.proxy
    first = account.gets("first-token")
    tenant.starts("deleted")
    tenant.starts("edited")
    arguments = ("--no-leader-elect", "--namespace", namespace)
    operator = Operator(account.kubeconfig, cloud.url, tmp_path / "operator", arguments=arguments)
    try:
        deleted, edited = tenant.relay("deleted"), tenant.relay("edited", pollIntervalSeconds=3600)
        deleted.reaches("Running")
        edited.reaches("Running")

        second = account.gets("second-token")  # as in good order: the new one is there before the old one ends
        since = len(proxy.trace)
        edited.edit(pollIntervalSeconds=60)
        wait_for(lambda: bearers(proxy, since) == {f"Bearer {second}"}, "the second token alone", 10)
        account.loses({"first-token": first, "second-token": second})  # and in none
        proxy.cut()
        deleted.delete()
        wait_for(lambda: [each for each in proxy.trace if each.status == 401], "a refusal", 15)
        account.gets("third-token")

        deleted.is_gone(within_s=20)
        assert [call.stopped_task for call in tenant.stops("deleted")] == [True]
        generation = edited.body()["metadata"]["generation"]
        wait_for(lambda: edited.status()["observedGeneration"] == generation, "the edit", 10)
        assert "first-token" not in operator.log.read_text()
        assert not [token for token in (first, second) if token in operator.log.read_text()]
    finally:
        assert operator.stop() == 0


def configuration() -> client.Configuration:
    configuration = client.Configuration()
    configuration.api_key["BearerToken"] = "Bearer first"
    return configuration


def test_a_file_that_is_away_or_empty_for_a_moment_costs_no_token(tmp_path: Path) -> None:
    file, ours = tmp_path / "token", configuration()
    newest = TokenFile(file)

    newest(ours)
    assert ours.api_key == {"BearerToken": "Bearer first"}
    file.write_text("\n")
    newest(ours)
    assert ours.api_key == {"BearerToken": "Bearer first"}
    file.write_text("second\n")
    newest(ours)
    assert ours.api_key == {"BearerToken": "Bearer second"}


def test_a_pods_token_is_the_newest_when_its_volume_is_exchanged(tmp_path: Path) -> None:
    """As the kubelet does it: the file is a link through `..data`, which is moved to another folder."""
    for name in ("first", "second"):
        (tmp_path / f"..{name}").mkdir()
        (tmp_path / f"..{name}" / "token").write_text(name)
    (tmp_path / "..data").symlink_to("..first")
    (tmp_path / "token").symlink_to("..data/token")
    newest, ours = TokenFile(tmp_path / "token"), configuration()
    newest(ours)

    (tmp_path / "..data.new").symlink_to("..second")
    os.replace(tmp_path / "..data.new", tmp_path / "..data")
    newest(ours)

    assert ours.api_key == {"BearerToken": "Bearer second"}


def test_a_kubeconfigs_token_file_is_found_beside_it() -> None:
    documents: list[tuple[Path, dict[str, Any]]] = [
        (Path("/here/one"), {"users": [{"name": "operator", "user": {"tokenFile": "token"}}]}),
        (
            Path("/there/two"),
            {"users": [{"name": "operator", "user": {"token": "t"}}, {"name": "other", "user": None}]},
        ),
    ]

    assert named_in(documents, "operator") == Path("/here/token")
    assert named_in(documents, "other") is None
    assert named_in(documents, "nobody") is None
