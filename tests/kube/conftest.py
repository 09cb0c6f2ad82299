"""The stage of these tests: one simulated cloud and one operator for the session, a tenant of its own for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.controlplane import ControlPlane
from tests.stage.objects import Objects
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import Tenant


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """The simulated vendor cloud, strict as ever."""
    cloud = Cloud(tmp_path_factory.mktemp("cloud"))
    yield cloud
    cloud.stop()


@pytest.fixture(scope="session")
def operator(kubeconfig: Path, cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """One operator for all tests that do not end it."""
    arguments = ("--no-leader-elect", "--selector", "operator!=own")
    operator = Operator(kubeconfig, cloud.url, tmp_path_factory.mktemp("operator"), arguments=arguments)
    yield operator
    assert operator.stop() == 0


@pytest.fixture(scope="session")
def objects(control_plane: ControlPlane) -> Iterator[Objects]:
    with Objects(control_plane) as objects:
        yield objects


@pytest.fixture
def tenant(operator: Operator, namespace: str, objects: Objects, cloud: Cloud) -> Tenant:
    """A namespace with a Secret that holds a good key, followed by the shared operator."""
    return Tenant(namespace, objects, cloud.admin)


@pytest.fixture
def neighbour(operator: Operator, namespace: str, objects: Objects, cloud: Cloud) -> Callable[[str], Tenant]:
    """Makes more tenants like `tenant`, each with a namespace and an account of its own."""

    def settle(name: str) -> Tenant:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"{namespace}-{name}"}}
        objects.create("/api/v1/namespaces", body)
        return Tenant(f"{namespace}-{name}", objects, cloud.admin)

    return settle


@pytest.fixture
def own_tenant(installed: ControlPlane, namespace: str, objects: Objects, cloud: Cloud) -> Tenant:
    """A tenant whose objects the shared operator passes over: for tests with operators of their own."""
    return Tenant(namespace, objects, cloud.admin, labels={"operator": "own"})


@pytest.fixture
def own_operator(kubeconfig: Path, cloud: Cloud, namespace: str, tmp_path: Path) -> Iterator[Callable[..., Operator]]:
    """Starts operators of the test's own, which follow the objects of its own tenant alone."""
    started: list[Operator] = []

    def start(**settings: Any) -> Operator:
        arguments = ("--no-leader-elect", "--namespace", namespace, *settings.pop("arguments", ()))
        operator = Operator(kubeconfig, cloud.url, tmp_path / str(len(started)), arguments=arguments, **settings)
        started.append(operator)
        return operator

    yield start
    for operator in started:
        operator.process.stop()
