"""A namespace for each file of tests, gone when the file is done: nothing is left for the tests of others to find."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.controlplane import ControlPlane

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def room(crds: ControlPlane) -> Iterator[str]:
    name = f"crds-{next(_NUMBERS)}"
    crds.kubectl("create", "namespace", name)
    yield name
    crds.kubectl("delete", "namespace", name, "--wait=false")
