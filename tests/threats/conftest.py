"""The stage of these tests: a control plane of their own, as they put load on it, and one operator for all tenants.

`victim` is an honest tenant, `mallory` the one who attacks.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, with_crds
from tests.controlplane import ControlPlane
from tests.controlplane.cluster import CONTROLLERS
from tests.stage.objects import Objects
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import Tenant
from tests.threats.mallory import Mallory

STOPS_PER_SECOND = 5
"""An account's quota for them here, far below the vendor's: so many deletions wait that it matters who goes first."""

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="package")
def plane() -> Iterator[ControlPlane]:
    """A control plane with the operator installed, and with the controller of ResourceQuotas."""
    with ControlPlane(controllers=(*CONTROLLERS, "resourcequota-controller")) as plane:
        with_crds(plane).kubectl("apply", "-k", str(ROOT / "manifests"))
        yield plane


@pytest.fixture(scope="package")
def admin(plane: ControlPlane) -> Iterator[Objects]:
    with Objects(plane) as objects:
        yield objects


@pytest.fixture(scope="package")
def sky(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """The simulated vendor cloud."""
    cloud = Cloud(tmp_path_factory.mktemp("sky"))
    yield cloud
    cloud.stop()


@pytest.fixture(scope="package")
def operators_kubeconfig(plane: ControlPlane) -> Path:
    """Acts as the operator, with the rights that manifests/ gives it."""
    return plane.kubeconfig_of("livetask-system", "livetask-operator")


@pytest.fixture(scope="package")
def operator(operators_kubeconfig: Path, sky: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """One operator that follows everybody's objects, as in production."""
    config = {"quotas": {"alibabaCloud": {"StopLiveMPUTask": STOPS_PER_SECOND}}}
    operator = Operator(operators_kubeconfig, sky.url, tmp_path_factory.mktemp("operator"), config=config)
    yield operator
    assert operator.process.returncode is None, "no attack ended it"
    operator.process.stop()


@pytest.fixture
def victim(plane: ControlPlane, admin: Objects, sky: Cloud, operator: Operator) -> Tenant:
    namespace = f"victim-{next(_NUMBERS)}"
    plane.kubectl("create", "namespace", namespace)
    return Tenant(namespace, admin, sky.admin)


@pytest.fixture
def mallory(plane: ControlPlane, sky: Cloud, operator: Operator) -> Iterator[Mallory]:
    mallory = Mallory.moves_in(f"mallory-{next(_NUMBERS)}", plane, sky.admin)
    yield mallory
    mallory.leaves()
