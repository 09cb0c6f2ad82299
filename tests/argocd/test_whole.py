"""CRDs, operator and tasks in one Application: up in the order of their waves, and down in reverse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.argocd.application import Application, Repository
from tests.argocd.conftest import PAGE
from tests.argocd.installation import ArgoCD
from tests.argocd.programs import Programs
from tests.argocd.test_samples import ACCOUNT, APP, DELAY_S, TASKS
from tests.controlplane import ControlPlane
from tests.controlplane.cluster import CONTROLLERS
from tests.lifecycle.kubelet import Kubelet
from tests.lifecycle.page import Shell
from tests.stage.objects import Objects, live_tasks, wait_for
from tests.stage.processes import Cloud

PATIENCE_S = 330
"""Argo CD was seen to miss that a CRD of the first wave was established, until its next look two minutes later."""
REPOSITORY = "https://git.example.com/platform/livetask-operator.git"


@pytest.fixture
def empty() -> Iterator[ControlPlane]:
    """A cluster with nothing on it, whose disruption budgets have a controller: Argo CD waits for their status."""
    with ControlPlane(controllers=(*CONTROLLERS, "disruption-controller")) as cluster:
        yield cluster


def test_the_operator_comes_before_the_tasks_and_goes_when_they_have_gone(
    empty: ControlPlane, programs: Programs, cloud: Cloud, tmp_path: Path
) -> None:
    cloud.admin.add_account(ACCOUNT)
    cloud.admin.add_key(ACCOUNT, "yourAccessKeyId", "yourAccessKeySecret")
    for name in TASKS:
        cloud.admin.start_task(ACCOUNT, APP, name)
    cloud.admin.add_preload(ACCOUNT, "play.example.com", "rtmp://play.example.com/live/cup-final", task_id="2")
    shell = Shell(tmp_path, {"one": empty})
    committed(shell, tmp_path / "platform")

    with (
        Objects(empty) as objects,
        Kubelet(empty, tmp_path / "node", cloud.url) as node,
        ArgoCD(empty, programs, tmp_path / "argocd"),
    ):
        app = Application("livetask", objects)
        shell.type_all(PAGE.blocks("All in one"))

        app.reaches("Synced", "Healthy", within_s=PATIENCE_S)
        app.ends("Succeeded")
        assert deployment(objects)["metadata"]["creationTimestamp"] <= task(objects)["metadata"]["creationTimestamp"]
        assert len(node.running()) == 2

        app.delete()
        app.confirm()
        wait_for(lambda: "deletionTimestamp" in task(objects)["metadata"], "the cup final's deletion", 90)
        assert task(objects)["status"]["conditions"][0]["reason"] in {"Running", "StopPending"}
        assert objects.get("/api/v1/namespaces/live/secrets/alibaba") is not None
        assert "deletionTimestamp" not in deployment(objects)["metadata"]
        app.is_gone(within_s=DELAY_S + PATIENCE_S)
        assert deployment(objects) is None
        assert objects.get("/api/v1/namespaces/live/secrets/alibaba") is None
        assert objects.get(live_tasks("RelayTask", "live"))["items"] == []
        assert [each.task_id for each in cloud.admin.tasks(ACCOUNT) if each.status == 1] == []
        assert "deletionTimestamp" not in objects.get("/api/v1/namespaces/live")["metadata"]
        assert objects.get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/relaytasks.livetask.dev")


def committed(shell: Shell, folder: Path) -> None:
    """Put this checkout into a Git repository, and have the Application name that."""
    repository = Repository(folder)
    files = {
        path.relative_to(shell.folder).as_posix(): path.read_text().replace("Seconds: 120", f"Seconds: {DELAY_S}")
        for path in shell.folder.rglob("*.yaml")
        if "chart" not in path.parts
    }
    repository.commits(files)
    application = shell.folder / "manifests" / "argocd" / "application.yaml"
    application.write_text(application.read_text().replace(REPOSITORY, repository.url))


def deployment(objects: Objects) -> Any:
    return objects.get("/apis/apps/v1/namespaces/livetask-system/deployments/livetask-operator")


def task(objects: Objects) -> Any:
    return objects.get(live_tasks("RelayTask", "live", "cup-final"))
