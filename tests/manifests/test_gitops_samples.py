"""The samples for Git are accepted, and have the settings that their comments argue for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.controlplane import ControlPlane
from tests.manifests.conftest import rendered

SAMPLES = ROOT / "manifests" / "samples" / "gitops"
WHOLE = ROOT / "manifests" / "argocd" / "whole"
OPTIONS, WAVE = "argocd.argoproj.io/sync-options", "argocd.argoproj.io/sync-wave"
MAY_STOP_ANY_TIME = {"rehearsal"}


@pytest.fixture(scope="module")
def samples(crds: ControlPlane) -> list[dict[str, Any]]:
    return rendered(crds, SAMPLES)


def of_kind(bodies: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in bodies if each["kind"] == kind}


def options(body: dict[str, Any]) -> set[str]:
    return set(body["metadata"].get("annotations", {}).get(OPTIONS, "").split(",")) - {""}


def wave(body: dict[str, Any]) -> int:
    return int(body["metadata"].get("annotations", {}).get(WAVE, "0"))


@pytest.mark.parametrize("folder", [SAMPLES, WHOLE / "tasks"], ids=["samples", "the example's tasks"])
def test_the_api_server_accepts_the_samples_for_git(crds: ControlPlane, folder: Path) -> None:
    # A dry run, which needs the namespace to be there: an operator of another test must not find them.
    crds.kubectl("apply", "-f", str(SAMPLES / "namespace.yaml"))

    run = crds.kubectl("apply", "-k", str(folder), "--dry-run=server")

    assert run.stderr == ""
    assert "relaytask.livetask.dev/cup-final created (server dry run)" in run.stdout


def test_git_leaves_to_people_what_they_may_have_to_override(samples: list[dict[str, Any]]) -> None:
    for task in of_kind(samples, "RelayTask").values():
        assert not {"suspend", "deletionPolicy"} & task["spec"].keys(), task["metadata"]["name"]


def test_each_task_that_matters_survives_a_rename_in_git(samples: list[dict[str, Any]]) -> None:
    tasks = of_kind(samples, "RelayTask")
    safe = {
        name
        for name, task in tasks.items()
        if "PruneLast=true" in options(task) or task["spec"].get("stopDelaySeconds", 0) > 0
    }

    assert safe == tasks.keys() - MAY_STOP_ANY_TIME
    assert options(tasks["cup-final"]) == {"PruneLast=true", "Prune=confirm", "Delete=confirm"}


def test_keys_come_before_the_tasks_and_are_not_pruned_before_them(samples: list[dict[str, Any]]) -> None:
    tasks = of_kind(samples, "RelayTask").values()

    for secret in of_kind(samples, "Secret").values():
        assert all(wave(secret) < wave(task) for task in tasks)
        assert "PruneLast=true" in options(secret)


def test_the_whole_comes_up_in_the_order_crds_operator_tasks(crds: ControlPlane) -> None:
    bodies = rendered(crds, WHOLE)
    (last_of_crds,) = {wave(each) for each in of_kind(bodies, "CustomResourceDefinition").values()}
    in_system = [each for each in bodies if each["metadata"].get("namespace") == "livetask-system"]
    (operator,) = {wave(each) for each in [*in_system, *of_kind(bodies, "ClusterRole").values()]}
    live = [each for each in bodies if each["metadata"].get("namespace") == "live"]

    assert last_of_crds < operator < wave(of_kind(bodies, "Namespace")["live"]) < min(wave(each) for each in live)
    assert max(wave(each) for each in live) == wave(of_kind(bodies, "RelayTask")["cup-final"])


def test_no_tool_prunes_what_would_take_tasks_with_it(crds: ControlPlane) -> None:
    bodies = rendered(crds, WHOLE)
    takes_tasks = [*of_kind(bodies, "CustomResourceDefinition").values(), of_kind(bodies, "Namespace")["live"]]

    for each in takes_tasks:
        assert options(each) == {"Prune=false", "Delete=false"}
        assert each["metadata"]["annotations"]["kustomize.toolkit.fluxcd.io/prune"] == "disabled"
