"""What every test can ask for: a control plane, the CRDs on it, a namespace of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.controlplane import ControlPlane

ROOT = Path(__file__).parent.parent
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """A real control plane, one per test session. Fails, never skips, where it cannot be had."""
    with ControlPlane() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def crds(control_plane: ControlPlane) -> ControlPlane:
    """The control plane with both CRDs established."""
    control_plane.kubectl("apply", "-k", str(ROOT / "crds"))
    control_plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd/relaytasks.livetask.dev")
    control_plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd/preloadtasks.livetask.dev")
    return control_plane


@pytest.fixture
def namespace(control_plane: ControlPlane) -> str:
    """A namespace of the test's own."""
    name = f"test-{next(_NUMBERS)}"
    control_plane.kubectl("create", "namespace", name)
    return name
