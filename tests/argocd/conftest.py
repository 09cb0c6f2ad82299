"""The stage of these tests: one Argo CD, operator and simulated cloud; for each test a team with a repository."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.argocd.application import APPLICATIONS, Application, Repository, application
from tests.argocd.installation import ArgoCD
from tests.argocd.programs import Programs, obtain
from tests.controlplane import ControlPlane
from tests.lifecycle.page import Page, Shell
from tests.stage.objects import Objects
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import Relay, Tenant


@pytest.fixture(scope="session")
def programs() -> Programs:
    """Argo CD's programs. Fails, never skips, where they cannot be had."""
    return obtain()


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """The simulated vendor cloud, strict as ever."""
    cloud = Cloud(tmp_path_factory.mktemp("argocd-cloud"))
    yield cloud
    cloud.stop()


@pytest.fixture(scope="session")
def operator(kubeconfig: Path, cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """The operator that follows what Argo CD creates."""
    operator = Operator(kubeconfig, cloud.url, tmp_path_factory.mktemp("argocd-operator"))
    yield operator
    assert operator.stop() == 0


@pytest.fixture(scope="session")
def objects(control_plane: ControlPlane) -> Iterator[Objects]:
    with Objects(control_plane) as objects:
        yield objects


@pytest.fixture(scope="session")
def argocd(installed: ControlPlane, programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArgoCD]:
    with ArgoCD(installed, programs, tmp_path_factory.mktemp("argocd")) as argocd:
        yield argocd


PAGE = Page("manifests/argocd/README.md")


class Team(Tenant):
    """A tenant whose tasks are declared in a Git repository and brought to the cluster by Argo CD."""

    def __init__(self, namespace: str, objects: Objects, cloud: Cloud, folder: Path) -> None:
        super().__init__(namespace, objects, cloud.admin)
        self.repository = Repository(folder / "repository")
        self.application = Application(namespace, objects)

    def task(
        self, name: str, task: str | None = None, *, wave: int = 0, options: str = "", **spec: Any
    ) -> dict[str, Any]:
        """A RelayTask for Git. `options`: its own sync options."""
        annotations = {"argocd.argoproj.io/sync-options": options} if options else {}
        if wave:
            annotations["argocd.argoproj.io/sync-wave"] = str(wave)
        return {
            "apiVersion": "livetask.dev/v1alpha1",
            "kind": "RelayTask",
            "metadata": {"name": name, "annotations": annotations} if annotations else {"name": name},
            "spec": {
                "alibabaCloud": {"appId": self.app, "taskId": task or name},
                "credentialsSecretRef": {"name": "alibaba"},
                "pollIntervalSeconds": 5,
                **spec,
            },
        }

    def secret(self, name: str, *, options: str = "") -> dict[str, Any]:
        """A Secret for Git with the good key, in a wave before the tasks. `options`: its own sync options."""
        annotations = {"argocd.argoproj.io/sync-wave": "-1"}
        if options:
            annotations["argocd.argoproj.io/sync-options"] = options
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "annotations": annotations},
            "stringData": {"accessKeyId": self.key_id, "accessKeySecret": self.secret_key},
        }

    def deploys(self, *bodies: Mapping[str, Any], options: tuple[str, ...] = (), **policy: Any) -> Application:
        """Commit these objects and make an Application that syncs them, with these sync options."""
        self.repository.has(*bodies)
        body = application(self.namespace, self.repository, self.namespace, syncOptions=list(options), **policy)
        self.objects.create(APPLICATIONS, body)
        return self.application

    def commits(self, *bodies: Mapping[str, Any]) -> str:
        """Commit that Git has these objects and no others, and tell Argo CD. Returns the revision."""
        revision = self.repository.has(*bodies)
        self.application.refresh()
        return revision

    def ends_sync(self, shell: Shell) -> None:
        """Type what the page says against a sync that waits, and see it end."""
        (block,) = PAGE.blocks("End a sync that waits")
        shell.type(block.replace("application live", f"application {self.application.name}"))
        self.application.says("Operation terminated")
        assert self.application.operation["phase"] == "Failed"

    def relays(self, name: str) -> Relay:
        """The object of this name on the cluster."""
        return Relay(self, name)

    def runs(self, task: str) -> bool:
        """Whether a task is on the air."""
        found = self.cloud.task(self.account, self.app, task)
        return found is not None and found.status == 1


@pytest.fixture
def shell(control_plane: ControlPlane, tmp_path: Path) -> Shell:
    """A prompt with the cluster, to type what the page says."""
    return Shell(tmp_path, {"one": control_plane})


@pytest.fixture
def team(
    argocd: ArgoCD, operator: Operator, namespace: str, objects: Objects, cloud: Cloud, tmp_path: Path
) -> Iterator[Team]:
    """A team with a namespace, an account at the vendor, a Secret with its key, and an empty repository."""
    team = Team(namespace, objects, cloud, tmp_path)
    yield team
    if team.application.body() is not None:
        # Without its finalizer it goes at once and leaves what it brought; an operation that waits would hold it.
        team.application.merge({"metadata": {"finalizers": None}})
        team.application.delete()
