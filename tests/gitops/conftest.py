"""The stage of these tests: Argo CD's code and kstatus to ask, a control plane with the operator's rights, a cloud."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.controlplane import ControlPlane
from tests.gitops.customizations import CUSTOMIZATIONS, GROUP
from tests.gitops.gitopscheck import GitopsCheck
from tests.stage.objects import Objects
from tests.stage.processes import Cloud

OWN_NAMESPACE = "livetask-system"
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="package")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitopsCheck]:
    """Argo CD and kstatus; fails, never skips, where they cannot be built."""
    with GitopsCheck(tmp_path_factory.mktemp("gitopscheck")) as check:
        yield check


@pytest.fixture
def argo(asked: GitopsCheck) -> GitopsCheck:
    """An Argo CD that has our scripts."""
    asked.customize({f"{GROUP}/{each.kind}": each.override() for each in CUSTOMIZATIONS})
    return asked


@pytest.fixture(scope="module")
def plain_argo(asked: GitopsCheck, installed: ControlPlane) -> GitopsCheck:
    """An Argo CD as it is installed, without a word of ours, on the tests' control plane."""
    namespace = f"plain-argocd-{next(_NUMBERS)}"
    installed.kubectl("create", "namespace", namespace)
    installed.kubectl("-n", namespace, "create", "configmap", "argocd-cm")
    installed.kubectl("-n", namespace, "label", "configmap", "argocd-cm", "app.kubernetes.io/part-of=argocd")
    asked.connect(installed.kubeconfig)
    asked.settings_of(namespace)
    return asked


@pytest.fixture(scope="package")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """The simulated vendor cloud, strict as ever."""
    cloud = Cloud(tmp_path_factory.mktemp("cloud"))
    yield cloud
    cloud.stop()


@pytest.fixture(scope="package")
def installed(crds: ControlPlane) -> ControlPlane:
    """The control plane with everything that `kubectl apply -k manifests/` brings."""
    crds.kubectl("apply", "-k", str(ROOT / "manifests"))
    return crds


@pytest.fixture(scope="package")
def kubeconfig(installed: ControlPlane) -> Path:
    """Acts as the operator's own ServiceAccount, with the rights that manifests/ gives it and no more."""
    return installed.kubeconfig_of(OWN_NAMESPACE, "livetask-operator")


@pytest.fixture(scope="package")
def objects(control_plane: ControlPlane) -> Iterator[Objects]:
    with Objects(control_plane) as objects:
        yield objects
