"""The stage of these tests: a control plane of their own with a node, and the operator as a Pod on it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import pytest

from livetask_operator.cli import main
from tests.conftest import ROOT, with_crds
from tests.controlplane import ControlPlane
from tests.explain.kubelet import Kubelet
from tests.stage.objects import Objects, wait_for
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import Tenant

HOME = "livetask-system"
CROWDED = {"name": "crowded", "vendor": "alibabaCloud", "keyIds": ["LTAIcrowded"], "quotas": {"GetMPUTaskStatus": 1}}


@dataclass(frozen=True)
class Said:
    """What a command came to."""

    code: int
    lines: list[str]
    error: str

    @property
    def text(self) -> str:
        """In single spaces, as lines are broken anywhere."""
        return " ".join(" ".join(self.lines).split())

    def under(self, label: str) -> str:
        """What is said under one of its words, in single spaces."""
        found: list[str] = []
        for line in self.lines:
            if line[:1] != " ":
                taken = line.startswith(label)
                line = line.removeprefix(label) if taken else line
            if taken:
                found.append(line)
        return " ".join(" ".join(found).split())


Ask = Callable[..., Said]


@pytest.fixture
def ask(stage: Stage) -> Ask:
    """Types `livetask-operator explain`, as the cluster's administrator unless told otherwise."""

    def typed(*arguments: str, kubeconfig: Path | None = None) -> Said:
        return said(stage.plane, *arguments, kubeconfig=kubeconfig)

    return typed


def said(plane: ControlPlane, *arguments: str, kubeconfig: Path | None = None) -> Said:
    out, err = StringIO(), StringIO()
    as_whom = patch.dict(os.environ, KUBECONFIG=str(kubeconfig or plane.kubeconfig))
    with as_whom, redirect_stdout(out), redirect_stderr(err):
        code = main(["explain", *arguments])
    return Said(code, out.getvalue().splitlines(), err.getvalue().strip())


@dataclass
class Stage:
    plane: ControlPlane
    objects: Objects
    cloud: Cloud
    kubelet: Kubelet
    operator: Operator
    pod: str

    def tenant(self, namespace: str, app: str | None = None) -> Tenant:
        """A new namespace, with a Secret that holds a good key."""
        self.objects.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
        return Tenant(namespace, self.objects, self.cloud.admin, app=app)

    def viewer(self, namespace: str) -> Path:
        """Somebody with Kubernetes' own role `view` in a namespace, and no other right."""
        self.plane.kubectl("-n", namespace, "create", "serviceaccount", "viewer")
        account = f"--serviceaccount={namespace}:viewer"
        self.plane.kubectl("-n", namespace, "create", "rolebinding", "viewer", "--clusterrole=view", account)
        return self.plane.kubeconfig_of(namespace, "viewer")


@pytest.fixture(scope="package")
def bare_plane() -> Iterator[ControlPlane]:
    """A control plane without the CRDs, until `stage` is asked for."""
    with ControlPlane() as plane:
        yield plane


@pytest.fixture(scope="package")
def said_before_crds(bare_plane: ControlPlane) -> Said:
    """What is said before they are there, whichever test comes first."""
    return said(bare_plane, "sports/cup-final")


@pytest.fixture(scope="package")
def stage(
    bare_plane: ControlPlane,
    said_before_crds: Said,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    """Everything is installed, `explain` was typed before, and the process runs that would be in a Pod."""
    folder = tmp_path_factory.mktemp("explain")
    with_crds(bare_plane).kubectl("apply", "-k", str(ROOT / "manifests"))
    with ExitStack() as ends:
        cloud = Cloud(folder)
        ends.callback(cloud.stop)
        objects = ends.enter_context(Objects(bare_plane))
        kubelet = ends.enter_context(Kubelet(bare_plane, objects, folder / "kubelet"))
        pods = f"/api/v1/namespaces/{HOME}/pods"
        pod = wait_for(lambda: objects.get(pods)["items"], "the Deployment's Pods", 30)[0]["metadata"]["name"]
        rights = bare_plane.kubeconfig_of(HOME, "livetask-operator")
        with patch.dict(os.environ, POD_NAME=pod):
            arguments = ("--lease-namespace", HOME)
            operator = Operator(rights, cloud.url, folder, config={"accounts": [CROWDED]}, arguments=arguments)
        ends.callback(operator.process.stop)
        kubelet.take_on(HOME, pod, operator.port)
        yield Stage(bare_plane, objects, cloud, kubelet, operator, pod)
