"""A control plane without an operator, which would follow what is made here, and a namespace for each file of tests."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.conftest import with_crds
from tests.controlplane import ControlPlane

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="package")
def control_plane() -> Iterator[ControlPlane]:
    with ControlPlane() as cluster:
        yield cluster


@pytest.fixture(scope="package")
def crds(control_plane: ControlPlane) -> ControlPlane:
    return with_crds(control_plane)


@pytest.fixture(scope="module")
def room(crds: ControlPlane) -> Iterator[str]:
    name = f"crds-{next(_NUMBERS)}"
    crds.kubectl("create", "namespace", name)
    yield name
    crds.kubectl("delete", "namespace", name, "--wait=false")
