"""The samples are accepted as they stand, and fit together."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from livetask_operator.vendors.alibaba.relay import AlibabaRelay
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


def test_the_samples_secret_has_the_keys_that_the_vendor_needs(samples: list[dict[str, Any]]) -> None:
    (secret,) = of_kind(samples, "Secret")

    assert set(secret["stringData"]) == set(AlibabaRelay.secret_keys)


def test_each_sample_follows_a_task_of_its_own_with_the_samples_secret(samples: list[dict[str, Any]]) -> None:
    tasks = of_kind(samples, "RelayTask")

    assert {task["spec"]["credentialsSecretRef"]["name"] for task in tasks} == {"alibaba"}
    assert {task["metadata"]["namespace"] for task in tasks} == {"live"}
    assert len({task["spec"]["alibabaCloud"]["taskId"] for task in tasks}) == len(tasks)


def test_both_ways_to_survive_a_rename_in_git_are_shown(samples: list[dict[str, Any]]) -> None:
    tasks = of_kind(samples, "RelayTask")

    assert any(task["spec"].get("stopDelaySeconds", 0) > 0 for task in tasks)
    assert any("PruneLast=true" in str(task["metadata"].get("annotations")) for task in tasks)
