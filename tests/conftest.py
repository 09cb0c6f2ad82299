"""What every test can ask for: a control plane, the CRDs on it, a namespace of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.controlplane import ControlPlane
from tests.gitops.table import complaints
from tests.stage.witness import Witness

ROOT = Path(__file__).parent.parent
OWN_NAMESPACE = "livetask-system"
_NUMBERS = itertools.count(1)


def with_crds(cluster: ControlPlane) -> ControlPlane:
    """Both CRDs established on a control plane."""
    cluster.kubectl("apply", "-k", str(ROOT / "crds"))
    for kind in ("relaytasks", "preloadtasks"):
        cluster.wait_until_established(f"crd/{kind}.livetask.dev")
    return cluster


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """A real control plane, one per test session. Fails, never skips, where it cannot be had."""
    with ControlPlane() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def crds(control_plane: ControlPlane) -> Iterator[ControlPlane]:
    """The control plane with both CRDs established.

    Every status that an operator writes there is seen. At the end the real kstatus and Argo CD's code are asked about
    each, and must read it as the design's table says; and no operator may have changed more than that and its own
    finalizer. What is wrong is an error of the session's last test, with the names of all objects.
    """
    with Witness(with_crds(control_plane)) as witness:
        yield control_plane
    assert sorted(witness.trespasses) == []
    assert complaints(witness.bodies.values()) == []


@pytest.fixture(scope="session")
def installed(crds: ControlPlane) -> ControlPlane:
    """The control plane with everything that `kubectl apply -k manifests/` brings."""
    crds.kubectl("apply", "-k", str(ROOT / "manifests"))
    return crds


@pytest.fixture(scope="session")
def kubeconfig(installed: ControlPlane) -> Path:
    """Acts as the operator's own ServiceAccount, with the rights that manifests/ gives it and no more."""
    return installed.kubeconfig_of(OWN_NAMESPACE, "livetask-operator")


@pytest.fixture
def namespace(control_plane: ControlPlane) -> str:
    """A namespace of the test's own."""
    name = f"test-{next(_NUMBERS)}"
    control_plane.kubectl("create", "namespace", name)
    return name
