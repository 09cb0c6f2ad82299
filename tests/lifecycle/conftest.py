"""Clusters that start empty, a node in each that runs the operator's Pods, and one vendor cloud that all share."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from tests.controlplane import ControlPlane
from tests.lifecycle.kubelet import Kubelet
from tests.lifecycle.page import Shell
from tests.stage.objects import Objects
from tests.stage.processes import Cloud
from tests.stage.tenant import Tenant

_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Place:
    """A cluster of the test's own, as who works with it has it."""

    cluster: ControlPlane
    node: Kubelet
    objects: Objects
    cloud: Cloud

    def tenant(self, namespace: str) -> Tenant:
        """A namespace here, whose account at the vendor is the same from every cluster."""
        self.objects.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
        return Tenant(namespace, self.objects, self.cloud.admin)

    def kinds(self) -> str:
        """The kinds that the cluster serves of this project; empty after an uninstall."""
        return self.cluster.kubectl("api-resources", "--api-group=livetask.dev", "-o", "name").stdout


class Places(Protocol):
    """Makes an empty cluster. `to_vendors`: its operator asks the vendors' own addresses, not the simulated cloud's."""

    def __call__(self, name: str, *, to_vendors: bool = False) -> Place: ...


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """The simulated vendor cloud, strict as ever."""
    cloud = Cloud(tmp_path_factory.mktemp("lifecycle-cloud"))
    yield cloud
    cloud.stop()


@pytest.fixture
def places(cloud: Cloud, tmp_path: Path) -> Iterator[Places]:
    """Makes empty clusters."""
    with ExitStack() as stack:

        def make(name: str, *, to_vendors: bool = False) -> Place:
            cluster = stack.enter_context(ControlPlane())
            cloud_url = "" if to_vendors else cloud.url
            node = stack.enter_context(Kubelet(cluster, tmp_path / f"node-{name}", cloud_url))
            return Place(cluster, node, stack.enter_context(Objects(cluster)), cloud)

        yield make


@pytest.fixture
def place(places: Places) -> Place:
    """One empty cluster."""
    return places("one")


@pytest.fixture
def shell(place: Place, tmp_path: Path) -> Shell:
    """A prompt with that cluster."""
    return Shell(tmp_path, {"one": place.cluster})


@pytest.fixture
def sports() -> str:
    """A namespace of the test's own, and so an account of its own at the vendor, which all tests share."""
    return f"sports-{next(_NUMBERS)}"
