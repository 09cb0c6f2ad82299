"""Where the manifests are tried: what kubectl makes of them, and the kinds that the API server has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.controlplane import ControlPlane


def rendered(cluster: ControlPlane, folder: Path) -> list[dict[str, Any]]:
    """The objects of a kustomization, as kubectl makes them."""
    return list(yaml.safe_load_all(cluster.kubectl("kustomize", str(folder)).stdout))


@pytest.fixture(scope="session")
def cluster_scoped(crds: ControlPlane) -> set[str]:
    """The kinds that are in no namespace."""
    lines = crds.kubectl("api-resources", "--namespaced=false", "--no-headers").stdout.splitlines()
    return {line.split()[-1] for line in lines}
