"""The samples are accepted as they stand, and fit together."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from livetask_operator.vendors.alibaba.relay import AlibabaRelay
from livetask_operator.vendors.huawei.relay import HuaweiRelay
from livetask_operator.vendors.tencent.relay import TencentRelay
from tests.conftest import ROOT
from tests.controlplane import ControlPlane

SAMPLES = ROOT / "manifests" / "samples"


@pytest.fixture(scope="module")
def samples() -> list[dict[str, Any]]:
    names = yaml.safe_load((SAMPLES / "kustomization.yaml").read_text())["resources"]
    return [each for name in names for each in yaml.safe_load_all((SAMPLES / name).read_text())]


def of_kind(samples: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each for each in samples if each["kind"] == kind]


def test_the_api_server_accepts_the_samples(crds: ControlPlane) -> None:
    # A dry run, which needs the namespace to be there: an operator of another test must not find them.
    crds.kubectl("apply", "-f", str(SAMPLES / "namespace.yaml"))

    run = crds.kubectl("apply", "-k", str(SAMPLES), "--dry-run=server")

    assert run.stderr == ""
    assert "relaytask.livetask.dev/cup-final created (server dry run)" in run.stdout


VENDORS: dict[str, type[AlibabaRelay | TencentRelay | HuaweiRelay]] = {
    "alibabaCloud": AlibabaRelay,
    "tencentCloud": TencentRelay,
    "huaweiCloud": HuaweiRelay,
}


def test_each_sample_uses_a_secret_that_has_the_keys_its_vendor_needs(samples: list[dict[str, Any]]) -> None:
    keys = {secret["metadata"]["name"]: set(secret["stringData"]) for secret in of_kind(samples, "Secret")}

    for task in [*of_kind(samples, "RelayTask"), *of_kind(samples, "PreloadTask")]:
        (vendor,) = [vendor for block, vendor in VENDORS.items() if block in task["spec"]]
        assert keys[task["spec"]["credentialsSecretRef"]["name"]] == set(vendor.secret_keys)


def test_both_kinds_and_all_vendors_are_shown_and_each_follows_a_task_of_its_own(
    samples: list[dict[str, Any]],
) -> None:
    tasks = of_kind(samples, "RelayTask")
    followed = [(block, task["spec"][block]["taskId"]) for task in tasks for block in VENDORS if block in task["spec"]]

    assert {block for block, _ in followed} == set(VENDORS)
    assert len(set(followed)) == len(tasks)
    assert of_kind(samples, "PreloadTask")
    assert {task["metadata"]["namespace"] for task in tasks} == {"live"}


def test_both_ways_to_survive_a_rename_in_git_are_shown(samples: list[dict[str, Any]]) -> None:
    tasks = of_kind(samples, "RelayTask")

    assert any(task["spec"].get("stopDelaySeconds", 0) > 0 for task in tasks)
    assert any("PruneLast=true" in str(task["metadata"].get("annotations")) for task in tasks)
