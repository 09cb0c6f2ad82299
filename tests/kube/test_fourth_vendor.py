"""A vendor that the operator has never heard of takes one class and one line: all that is promised holds for it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.controlplane.process import ChildProcess
from tests.kube.made_up_cloud import PASSWORD
from tests.reconcile.checker import contradictions
from tests.stage.tenant import Relay, Tenant


class Folder:
    """The made-up cloud, and a tenant of it."""

    def __init__(self, tenant: Tenant, path: Path) -> None:
        self.tenant = tenant
        self.path = path
        path.mkdir()
        (path / PASSWORD).write_text("open sesame")
        self.put_secret("open sesame")

    def put_secret(self, password: str) -> None:
        self.tenant.put_secret("nimbus", **{PASSWORD: password})

    def becomes(self, task: str, word: str) -> None:
        (self.path / task).write_text(word)

    def says(self, task: str) -> str:
        return (self.path / task).read_text()

    def relay(self, task: str) -> Relay:
        block = {"sdkAppId": 1, "region": "ap-singapore", "taskId": task}
        return self.tenant.relay(
            task, alibabaCloud=None, tencentCloud=block, credentialsSecretRef={"name": "nimbus"}, pollIntervalSeconds=5
        )


@pytest.fixture
def folder(own_tenant: Tenant, kubeconfig: Path, tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(own_tenant, tmp_path / "nimbus")
    command = [sys.executable, "-m", "tests.kube.made_up_cloud", str(folder.path), own_tenant.namespace]
    env = {**os.environ, "KUBECONFIG": str(kubeconfig), "PYTHONPATH": str(ROOT)}
    operator = ChildProcess("made-up-cloud", command, tmp_path / "operator.log", env)
    yield folder
    operator.send(signal.SIGTERM)
    assert operator.wait(15) == 0, (tmp_path / "operator.log").read_text()


def test_a_fourth_vendor_is_followed_stopped_and_told_of_like_the_others(folder: Folder) -> None:
    for task in ("watched", "stopped", "blocked"):
        folder.becomes(task, "on air")
    watched, stopped, blocked, unknown = (folder.relay(task) for task in ("watched", "stopped", "blocked", "unknown"))
    for relay in (watched, stopped, blocked):
        status = relay.reaches("Running", "Running")
        assert (status["vendor"], status["vendorStatus"]) == ("NimbusCloud", "on air")
    unknown.reaches("NotFound", "TaskNotFound")

    folder.becomes("watched", "encore")
    stopped.delete()
    unknown.delete()

    stopped.is_gone()
    unknown.is_gone()
    assert folder.says("stopped") == "over"
    stopped.tells("StopAccepted", "Normal")
    unknown.tells("AlreadyGone", "Normal")
    watched.reaches("Unknown", "UnknownVendorStatus")
    assert "Nimbus Cloud says encore, a word that this operator does not know." in watched.condition()["message"]

    folder.put_secret("open barley")
    watched.reaches(reason="CredentialsRejected")
    blocked.delete()

    held = blocked.holds("Stalled", "CredentialsRejected")
    assert "Nimbus Cloud does not accept the key in Secret" in held["message"]
    assert contradictions(watched.body()) == []
    assert folder.says("blocked") == "on air"
    folder.put_secret("open sesame")
    blocked.is_gone(within_s=8)
    assert folder.says("blocked") == "over"
