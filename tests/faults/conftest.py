"""The stage of these tests: the session's control plane with the operator's rights, and one simulated cloud.

There is no operator: each test starts its own, through a proxy where it needs one, and breaks it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.controlplane import ControlPlane
from tests.faults.proxy import Proxy, in_front_of_api_server
from tests.stage.objects import Objects
from tests.stage.processes import Cloud


@pytest.fixture(scope="package")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """The simulated vendor cloud, strict as ever."""
    cloud = Cloud(tmp_path_factory.mktemp("cloud"))
    yield cloud
    cloud.stop()


@pytest.fixture(scope="package")
def objects(control_plane: ControlPlane) -> Iterator[Objects]:
    """The administrator's own way to the API server, past all proxies."""
    with Objects(control_plane) as objects:
        yield objects


@pytest.fixture
def api_proxy(kubeconfig: Path, tmp_path: Path) -> Iterator[tuple[Proxy, Path]]:
    """A proxy in front of the API server, and the operator's kubeconfig that leads through it."""
    proxy, through = in_front_of_api_server(kubeconfig, tmp_path / "proxy")
    with proxy:
        yield proxy, through


@pytest.fixture
def cloud_proxy(cloud: Cloud) -> Iterator[Proxy]:
    """A proxy in front of the simulated cloud."""
    with Proxy(cloud.url) as proxy:
        yield proxy
