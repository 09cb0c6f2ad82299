"""The checker catches a PreloadTask's contradictions too: each is planted once, and sound objects pass."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.reconcile.checker import contradictions
from tests.reconcile.kstatus import kstatus
from tests.reconcile.preload_given import preload_body
from tests.reconcile.test_checker import TIME, beside, condition, ready

Body = dict[str, Any]


def sound(state: str, ready_says: str, reason: str, *others: Body, row_state: str | None = None, **more: Any) -> Body:
    """An object with one preload that is in this state."""
    row_state = row_state or state
    status: Body = {
        "observedGeneration": 1,
        "state": state,
        "progress": 50,
        "total": 1,
        "succeeded": int(row_state == "Succeeded"),
        "failed": int(row_state == "Failed"),
        "tasks": [{"taskId": "t-1", "state": row_state}],
        "conditions": [condition("Ready", ready_says, reason), *others, condition("Succeeded", ready_says, reason)],
    }
    ended = {"completionTime": TIME} if state in ("Succeeded", "Failed", "Expired") else {}
    return preload_body(status=status | ended, **more)


def reconciling(reason: str) -> Body:
    return condition("Reconciling", "True", reason)


def stalled(reason: str) -> Body:
    return condition("Stalled", "True", reason)


PRELOADING = sound("Preloading", "Unknown", "Preloading", reconciling("Preloading"))
SUCCEEDED = sound("Succeeded", "True", "Succeeded")
FAILED = sound("Failed", "False", "PreloadFailed", stalled("PreloadFailed"))
EXPIRED = sound("Expired", "False", "Expired", stalled("Expired"))
NOT_FOUND = sound("NotFound", "False", "TaskNotFound", stalled("TaskNotFound"))
UNKNOWN = sound("Unknown", "Unknown", "UnknownVendorStatus")
KEPT = sound("Preloading", "Unknown", "Preloading", reconciling("Throttled"))
SUSPENDED = sound("Preloading", "Unknown", "Suspended", suspend=True)
SUSPENDED_AFTER_ITS_END = sound("Succeeded", "True", "Succeeded", suspend=True)


@pytest.mark.parametrize(
    ("body", "health"),
    [
        pytest.param(preload_body(), "InProgress", id="not looked at yet"),
        pytest.param(PRELOADING, "InProgress", id="Preloading"),
        pytest.param(SUCCEEDED, "Current", id="Succeeded"),
        pytest.param(FAILED, "Failed", id="Failed"),
        pytest.param(EXPIRED, "Failed", id="Expired"),
        pytest.param(NOT_FOUND, "Failed", id="NotFound"),
        pytest.param(UNKNOWN, "InProgress", id="Unknown"),
        pytest.param(KEPT, "InProgress", id="looks fail, Ready kept"),
        pytest.param(SUSPENDED, "InProgress", id="suspended"),
        pytest.param(SUSPENDED_AFTER_ITS_END, "Current", id="suspended after its end"),
    ],
)
def test_a_sound_preload_passes_and_kstatus_reads_it_as_the_table_says(body: Body, health: str) -> None:
    assert contradictions(body) == []
    assert kstatus(body) == health


def echo(body: Body) -> Body:
    found: Body = body["status"]["conditions"][-1]
    return found


Plant = Callable[[Body], object]
PLANTED: list[tuple[str, Body, Plant, str]] = [
    ("no echo", SUCCEEDED, lambda body: body["status"]["conditions"].pop(), "Succeeded is None and Ready is True"),
    ("another echo", PRELOADING, lambda body: echo(body).update(status="True"), "Succeeded is True and Ready is Unk"),
    ("a relay's word", PRELOADING, lambda body: ready(body).update(reason="Running"), "Running, which is not on the"),
    ("True and not all", SUCCEEDED, lambda body: body["status"]["tasks"][0].update(state="Failed"), "and not all have"),
    (
        "True and Failed",
        SUCCEEDED,
        lambda body: body["status"].update(state="Failed"),
        "Ready is True and the state is",
    ),
    ("Failed too early", FAILED, lambda body: body["status"]["tasks"][0].update(state="Pending"), "not all have ended"),
    ("no end", FAILED, lambda body: body["status"].pop("completionTime"), "and the completion time None"),
    ("an early end", PRELOADING, lambda body: body["status"].update(completionTime=TIME), "the completion time 2026"),
    ("a wrong total", PRELOADING, lambda body: body["status"].update(total=2), "total is 2, and there are 1"),
    ("a wrong count", FAILED, lambda body: body["status"].update(failed=0), "failed is 0, and there are 1"),
    ("101 percent", PRELOADING, lambda body: body["status"].update(progress=101), "the progress is 101"),
    ("not reconciling", PRELOADING, lambda body: body["status"]["conditions"].pop(1), "nothing is True beside"),
    ("Failed, reconciling", FAILED, lambda body: beside(body).update(type="Reconciling"), "takes it back"),
    (
        "a result taken back",
        SUCCEEDED,
        lambda body: [each.update(status="Unknown", reason="Suspended") for each in body["status"]["conditions"]],
        "the state Succeeded is final",
    ),
    ("suspended unsaid", PRELOADING, lambda body: body["spec"].update(suspend=True), "spec.suspend is True"),
]


@pytest.mark.parametrize(("body", "plant", "caught"), [pytest.param(*each[1:], id=each[0]) for each in PLANTED])
def test_a_planted_contradiction_of_a_preload_is_caught(body: Body, plant: Plant, caught: str) -> None:
    planted = copy.deepcopy(body)

    plant(planted)

    assert any(caught in found for found in contradictions(planted)), contradictions(planted)
