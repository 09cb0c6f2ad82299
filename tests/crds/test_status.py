"""The status a new object has, and what the operator can write to it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from livetask_operator.reconcile.preload_status import PreloadTaskStatus, TaskRow
from livetask_operator.reconcile.status import (
    MAX_MESSAGE,
    MAX_VENDOR_STATUS,
    Condition,
    RelayTaskStatus,
    Status,
)
from tests.controlplane import ControlPlane
from tests.crds.schema import field, fields
from tests.crds.verdict import Refusal, assert_refused

ACCEPTED = Path(__file__).parent / "accepted"
MOMENT = "2026-11-21T18:00:00Z"

FULL_RELAY_STATUS = RelayTaskStatus(
    observed_generation=1,
    vendor="HuaweiCloud",
    task_id="7864b3dc-e92f-42db-a754-08e627b6d8dd",
    state="Running",
    vendor_status="enable",
    scheduled_start_time=MOMENT,
    scheduled_end_time=MOMENT,
    last_handled_requested_at="now",
    seen_with_key_hash="3f9a3f9a3f9a3f9a",
    conditions=(Condition("Ready", "True", "Running", "Huawei Cloud says enable.", MOMENT, 1),),
)

FULL_PRELOAD_STATUS = PreloadTaskStatus(
    observed_generation=1,
    last_handled_requested_at="now",
    state="Preloading",
    progress=62,
    total=4,
    succeeded=2,
    failed=1,
    tasks=(
        TaskRow(
            task_id="yourTaskId",
            play_url="rtmp://live.example.com/app/opening",
            area="overseas",
            state="Preloading",
            progress=62,
            vendor_status="preloading",
            description="Successfully",
            create_time=MOMENT,
            start_time=MOMENT,
            end_time=MOMENT,
        ),
    ),
    completion_time=MOMENT,
    conditions=(Condition("Ready", "Unknown", "Preloading", "62 %", MOMENT, 1),),
)

FULL = {
    "RelayTask": ("rlt", "alibaba", FULL_RELAY_STATUS.to_body()),
    "PreloadTask": ("plt", "url", FULL_PRELOAD_STATUS.to_body()),
}


@pytest.fixture
def relay(crds: ControlPlane, namespace: str) -> str:
    """The namespace of a RelayTask `alibaba` and a PreloadTask `url`, both just made."""
    for name in ("relay-alibaba", "preload-url"):
        crds.kubectl("-n", namespace, "create", "-f", str(ACCEPTED / f"{name}.yaml"))
    return namespace


def write_status(
    cluster: ControlPlane, namespace: str, target: tuple[str, str], status: Any, check: bool = True
) -> Any:
    patch = json.dumps({"status": status})
    return cluster.kubectl(
        "-n", namespace, "patch", *target, "--subresource=status", "--type=merge", "-p", patch, check=check
    )


def test_a_new_object_has_its_defaults_and_was_not_looked_at(crds: ControlPlane, relay: str) -> None:
    found = crds.get("-n", relay, "rlt", "alibaba")

    assert found["spec"] == {
        "alibabaCloud": {"appId": "yourAppId", "taskId": "yourTaskId"},
        "credentialsSecretRef": {"name": "vendor-key"},
        "pollIntervalSeconds": 30,
        "deletionPolicy": "Stop",
        "suspend": False,
    }
    assert found["status"] == {"observedGeneration": -1}


def test_a_new_preload_has_its_defaults_and_was_not_looked_at(crds: ControlPlane, relay: str) -> None:
    found = crds.get("-n", relay, "plt", "url")

    assert found["spec"] == {
        "alibabaCloud": {"domainName": "live.example.com", "playUrls": ["rtmp://live.example.com/app/opening"]},
        "credentialsSecretRef": {"name": "vendor-key"},
        "pollIntervalSeconds": 30,
        "suspend": False,
    }
    assert found["status"] == {"observedGeneration": -1}


def test_a_status_in_a_manifest_is_not_believed(crds: ControlPlane, namespace: str) -> None:
    manifest = (ACCEPTED / "relay-alibaba.yaml").read_text() + "status:\n  state: Running\n  observedGeneration: 1\n"

    crds.kubectl("-n", namespace, "apply", "-f", "-", stdin=manifest)

    assert crds.get("-n", namespace, "rlt", "alibaba")["status"] == {"observedGeneration": -1}


@pytest.mark.parametrize("kind", FULL)
@pytest.mark.parametrize("emptied", [None, {"observedGeneration": None}], ids=["status", "generation"])
def test_minus_one_comes_back_when_it_is_taken_away(
    crds: ControlPlane, relay: str, kind: str, emptied: dict[str, None] | None
) -> None:
    short, name, _ = FULL[kind]
    write_status(crds, relay, (short, name), {"observedGeneration": 1})

    write_status(crds, relay, (short, name), emptied)

    assert crds.get("-n", relay, short, name)["status"] == {"observedGeneration": -1}


@pytest.mark.parametrize("kind", FULL)
def test_every_field_that_the_operator_writes_is_kept(crds: ControlPlane, relay: str, kind: str) -> None:
    short, name, status = FULL[kind]

    run = write_status(crds, relay, (short, name), status)

    assert run.stderr == ""
    assert crds.get("-n", relay, short, name)["status"] == status


@pytest.mark.parametrize("full", [FULL_RELAY_STATUS, FULL_PRELOAD_STATUS, FULL_PRELOAD_STATUS.tasks[0]])
def test_the_status_that_is_tried_has_every_field_of_the_operator(full: Status | TaskRow) -> None:
    unset = [each.name for each in dataclasses.fields(full) if not getattr(full, each.name)]

    assert unset == []


@pytest.mark.parametrize("kind", FULL)
def test_the_status_that_is_tried_has_every_field_of_the_schema(kind: str) -> None:
    _, _, status = FULL[kind]

    assert sorted(_paths("status", status)) == sorted(
        each.path for each in fields(kind) if each.path.startswith("status") and not each.is_item
    )


def test_a_field_that_the_crd_lacks_is_dropped_with_a_warning(crds: ControlPlane, relay: str) -> None:
    run = write_status(crds, relay, ("rlt", "alibaba"), {"mood": "good"})

    assert 'unknown field "status.mood"' in run.stderr
    assert "mood" not in crds.get("-n", relay, "rlt", "alibaba")["status"]


@pytest.mark.parametrize("kind", FULL)
def test_a_newer_operators_word_is_taken(crds: ControlPlane, relay: str, kind: str) -> None:
    short, name, _ = FULL[kind]
    condition = Condition("Rehearsed", "True", "Rehearsing", "…", MOMENT, 1).to_body()

    write_status(crds, relay, (short, name), {"state": "Rehearsing", "conditions": [condition]})

    assert crds.get("-n", relay, short, name)["status"]["state"] == "Rehearsing"


def test_the_longest_texts_that_the_operator_writes_fit(crds: ControlPlane, relay: str) -> None:
    condition = Condition("Ready", "False", "TaskFailed", "流" * MAX_MESSAGE, MOMENT, 1).to_body()
    longest = {"vendorStatus": "流" * MAX_VENDOR_STATUS, "lastHandledRequestedAt": "x" * 256, "conditions": [condition]}

    write_status(crds, relay, ("rlt", "alibaba"), longest)

    found = crds.get("-n", relay, "rlt", "alibaba")["status"]
    assert found == longest | {"observedGeneration": -1}


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        ({"vendorStatus": "x" * 129}, Refusal("status.vendorStatus", "may not be more than 128 bytes")),
        ({"lastHandledRequestedAt": "x" * 257}, Refusal("status.lastHandledRequestedAt", "more than 256 bytes")),
        ({"scheduledStartTime": "2026-11-21 18:00"}, Refusal("status.scheduledStartTime", "of type date-time")),
        ({"observedGeneration": -2}, Refusal("status.observedGeneration", "greater than or equal to -1")),
        (
            {"conditions": [Condition("Ready", "Maybe", "Running", "", MOMENT, 1).to_body()]},
            Refusal("status.conditions[0].status", 'supported values: "True", "False", "Unknown"'),
        ),
        (
            {"conditions": [Condition("Ready", "True", "Two Words", "", MOMENT, 1).to_body()]},
            Refusal("status.conditions[0].reason", "should match"),
        ),
        (
            {"conditions": [Condition("Ready", "True", "Running", "", MOMENT, 1).to_body()] * 2},
            Refusal("status.conditions[1]", "Duplicate value"),
        ),
    ],
    ids=["vendorStatus", "lastHandledRequestedAt", "time", "generation", "condition", "reason", "two-of-a-type"],
)
def test_a_status_that_breaks_the_contract_is_refused(
    crds: ControlPlane, relay: str, status: dict[str, Any], refusal: Refusal
) -> None:
    run = write_status(crds, relay, ("rlt", "alibaba"), status, check=False)

    assert_refused(run, [refusal])


def test_who_writes_the_status_cannot_change_the_spec(crds: ControlPlane, relay: str) -> None:
    patch = '{"spec":{"deletionPolicy":"Orphan"},"status":{"state":"Running"}}'

    crds.kubectl("-n", relay, "patch", "rlt", "alibaba", "--subresource=status", "--type=merge", "-p", patch)

    found = crds.get("-n", relay, "rlt", "alibaba")
    assert (found["spec"]["deletionPolicy"], found["status"]["state"]) == ("Stop", "Running")


def test_two_hundred_rows_of_a_preload_fit(crds: ControlPlane, relay: str) -> None:
    row = FULL_PRELOAD_STATUS.tasks[0].to_body()
    rows = [row | {"taskId": f"{number:0128}", "playUrl": "x" * 1024} for number in range(200)]

    run = crds.kubectl(
        "-n", relay, "replace", "--subresource=status", "-f", "-",
        stdin=json.dumps(crds.get("-n", relay, "plt", "url") | {"status": {"tasks": rows}}),
        check=False,
    )  # fmt: skip

    assert run.returncode == 0, run.stderr
    assert len(crds.get("-n", relay, "plt", "url")["status"]["tasks"]) == 200


def test_the_crd_gives_room_for_what_the_operator_cuts_at() -> None:
    assert field("RelayTask", "status.vendorStatus").schema["maxLength"] == MAX_VENDOR_STATUS
    assert field("RelayTask", "status.conditions[].message").schema["maxLength"] >= MAX_MESSAGE


def _paths(path: str, value: Any) -> set[str]:
    """The dotted paths that a body sets, lists written as in a schema."""
    if isinstance(value, dict):
        return {path}.union(*(_paths(f"{path}.{name}", below) for name, below in value.items()))
    if isinstance(value, list):
        return {path}.union(*(_paths(f"{path}[]", below) - {f"{path}[]"} for below in value))
    return {path}
