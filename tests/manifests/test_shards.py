"""The sample of two shards fits together: each object has one, each shard its Lease, and no account is asked more."""

from __future__ import annotations

from typing import Any

import pytest

from livetask_operator.config import Config, load
from tests.conftest import ROOT
from tests.controlplane import ControlPlane
from tests.manifests.conftest import rendered

SHARDS = ROOT / "manifests/shards"
REST, B = "livetask-operator", "livetask-operator-b"


@pytest.fixture(scope="module")
def objects(crds: ControlPlane) -> list[dict[str, Any]]:
    return rendered(crds, SHARDS)


def named(objects: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    (found,) = [each for each in objects if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def option(deployment: dict[str, Any], name: str, otherwise: str = "") -> str:
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    values = [arg.split("=", 1)[1] for arg in container["args"] if arg.startswith(f"--{name}=")]
    return values[0] if values else otherwise


def test_each_object_has_exactly_one_shard_whatever_its_label(
    objects: list[dict[str, Any]], crds: ControlPlane, namespace: str
) -> None:
    for name, labels in {"none": "", "b": "livetask.dev/shard=b", "other": "livetask.dev/shard=B"}.items():
        crds.kubectl("-n", namespace, "create", "configmap", name)
        crds.kubectl("-n", namespace, "label", "configmap", name, "made=here", *filter(None, [labels]))

    def followed(shard: str) -> set[str]:
        selector = f"made=here,{option(named(objects, 'Deployment', shard), 'selector')}"
        return set(crds.kubectl("-n", namespace, "get", "configmap", "-l", selector, "-o", "name").stdout.split())

    assert followed(B) == {"configmap/b"}
    assert followed(REST) == {"configmap/none", "configmap/other"}


def test_each_shard_has_a_lease_of_its_own_and_the_right_to_it(objects: list[dict[str, Any]]) -> None:
    leases = [option(named(objects, "Deployment", shard), "lease-name", "livetask-operator") for shard in (REST, B)]
    (_, rule) = named(objects, "Role", "livetask-operator")["rules"]

    assert leases == [REST, B]
    assert rule["resourceNames"] == leases
    for shard in (REST, B):
        account = named(objects, "Deployment", shard)["spec"]["template"]["spec"]["serviceAccountName"]
        assert account == "livetask-operator"


@pytest.mark.parametrize("kind", ["Deployment", "PodDisruptionBudget"])
def test_no_shard_counts_the_pods_of_another(objects: list[dict[str, Any]], kind: str) -> None:
    for shard in (REST, B):
        selector = named(objects, kind, shard)["spec"]["selector"]["matchLabels"]
        labels = [named(objects, "Deployment", name)["spec"]["template"]["metadata"]["labels"] for name in (REST, B)]
        assert [selector.items() <= each.items() for each in labels] == [shard == REST, shard == B]


def test_together_the_shards_ask_no_more_than_one_operator_would() -> None:
    alone = Config.default()
    shares = [load(path) for path in sorted(SHARDS.glob("*/config.yaml"))]

    for vendor, calls in alone.quotas.items():
        for call, limit in calls.items():
            together = sum(share.limit(vendor, "any", call).rate for share in shares)
            assert 0.9 * limit.rate <= together <= limit.rate, (vendor, call)


def test_the_api_server_accepts_the_sample_without_a_warning(crds: ControlPlane) -> None:
    # A dry run, which needs the namespace to be there.
    crds.kubectl("apply", "-f", str(ROOT / "manifests/cluster-wide/namespace.yaml"))

    assert crds.kubectl("apply", "-k", str(SHARDS), "--dry-run=server").stderr == ""
