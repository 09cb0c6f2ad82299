"""`kubectl apply -k manifests/` on a real API server: accepted as it stands, also by its own restricted namespace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from livetask_operator.config import Config, load
from tests.conftest import ROOT
from tests.controlplane import ControlPlane

MANIFESTS = ROOT / "manifests"
NAMESPACE = "livetask-system"


@pytest.fixture(scope="module")
def installed(crds: ControlPlane) -> ControlPlane:
    """The control plane with the operator installed; its Pod waits for a node for ever."""
    applied = crds.kubectl("apply", "-k", str(MANIFESTS))
    assert "Warning" not in applied.stderr
    return crds


def pod_of(deployment: dict[str, Any]) -> dict[str, Any]:
    template = deployment["spec"]["template"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "dry-run", "labels": template["metadata"]["labels"]},
        "spec": template["spec"],
    }


def create(cluster: ControlPlane, pod: dict[str, Any]) -> tuple[int, str]:
    run = cluster.kubectl("-n", NAMESPACE, "create", "--dry-run=server", "-f", "-", stdin=json.dumps(pod), check=False)
    return run.returncode, run.stderr


def test_the_restricted_namespace_accepts_the_operators_pod(installed: ControlPlane) -> None:
    deployment = installed.get("-n", NAMESPACE, "deployment/livetask-operator")

    assert create(installed, pod_of(deployment)) == (0, "")


def test_the_restricted_namespace_refuses_a_pod_with_more_rights(installed: ControlPlane) -> None:
    pod = pod_of(installed.get("-n", NAMESPACE, "deployment/livetask-operator"))
    pod["spec"]["containers"][0]["securityContext"] = {}

    code, words = create(installed, pod)

    assert code == 1
    assert 'violates PodSecurity "restricted' in words


def test_the_pods_configuration_is_the_file_that_it_is_started_with(installed: ControlPlane, tmp_path: Path) -> None:
    spec = installed.get("-n", NAMESPACE, "deployment/livetask-operator")["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    (volume,) = spec["volumes"]
    path = Path(container["args"][container["args"].index("--config") + 1])
    config_map = installed.get("-n", NAMESPACE, f"configmap/{volume['configMap']['name']}")

    assert str(path.parent) == container["volumeMounts"][0]["mountPath"]
    mounted = tmp_path / path.name
    mounted.write_text(config_map["data"][path.name])
    assert load(mounted) == Config.default()


def test_the_settings_shown_in_comments_are_the_defaults(tmp_path: Path) -> None:
    shown = [
        line.removeprefix("# ") if line.startswith(("# ", "#  ")) and not line.endswith(".") else line
        for line in (MANIFESTS / "base" / "config.yaml").read_text().splitlines()
    ]
    document = yaml.safe_load("\n".join(shown))
    del document["accounts"], document["statusWords"]  # examples, not defaults
    uncommented = tmp_path / "config.yaml"
    uncommented.write_text(yaml.safe_dump(document))

    assert set(document) == {"endpoints", "alibabaCloud", "quotas", "stopDelaySeconds", "stops", "clusterName"}
    assert load(uncommented) == Config.default()
