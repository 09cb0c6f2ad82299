"""The checker catches what it is there for: each contradiction is planted once, and sound objects pass."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.reconcile.checker import contradictions
from tests.reconcile.given import relay_body
from tests.reconcile.kstatus import kstatus

Body = dict[str, Any]
TIME = "2026-11-21T20:00:00Z"


def condition(kind: str, status: str, reason: str, message: str = "Alibaba Cloud says so.") -> Body:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": TIME,
        "observedGeneration": 1,
    }


def sound(state: str | None, *conditions: Body, **more: Any) -> Body:
    status = {"observedGeneration": 1, "conditions": list(conditions)} | ({"state": state} if state else {})
    return relay_body(status=status, **more)


RUNNING = sound("Running", condition("Ready", "True", "Running"))
PENDING = sound("Pending", condition("Ready", "Unknown", "Pending"), condition("Reconciling", "True", "Pending"))
PAUSED = sound("Paused", condition("Ready", "False", "Paused"))
STOPPED = sound("Stopped", condition("Ready", "False", "Stopped"))
FAILED = sound("Failed", condition("Ready", "False", "TaskFailed"), condition("Stalled", "True", "TaskFailed"))
NOT_FOUND = sound("NotFound", condition("Ready", "False", "TaskNotFound"), condition("Stalled", "True", "TaskNotFound"))
UNKNOWN = sound("Unknown", condition("Ready", "Unknown", "UnknownVendorStatus"))
SUSPENDED = sound("Running", condition("Ready", "Unknown", "Suspended"), suspend=True)
NEW = relay_body()
KEPT = sound("Running", condition("Ready", "True", "Running"), condition("Reconciling", "True", "Throttled"))
REFUSED = sound(
    "Running", condition("Ready", "Unknown", "PermissionDenied"), condition("Stalled", "True", "PermissionDenied")
)
STALE = sound("Running", condition("Ready", "Unknown", "Stale"), condition("Reconciling", "True", "Stale"))
DUE_LATER = sound(
    "Running",
    condition("Ready", "False", "StopPending", "Will be stopped at 21:04:10Z."),
    condition("Reconciling", "True", "StopPending", "Will be stopped at 21:04:10Z."),
    deleted_after_s=60,
)
BLOCKED = sound(
    "Running",
    condition("Ready", "Unknown", "SecretNotFound", "Not stopped yet. There is no Secret."),
    condition("Stalled", "True", "SecretNotFound", "Not stopped yet. There is no Secret."),
    deleted_after_s=60,
)
JUST_DELETED = sound("Running", condition("Ready", "True", "Running"), deleted_after_s=60)


@pytest.mark.parametrize(
    ("body", "health"),
    [
        pytest.param(NEW, "InProgress", id="not looked at yet"),
        pytest.param(PENDING, "InProgress", id="Pending"),
        pytest.param(RUNNING, "Current", id="Running"),
        pytest.param(PAUSED, "InProgress", id="Paused"),
        pytest.param(STOPPED, "InProgress", id="Stopped"),
        pytest.param(FAILED, "Failed", id="Failed"),
        pytest.param(NOT_FOUND, "Failed", id="NotFound"),
        pytest.param(UNKNOWN, "InProgress", id="Unknown"),
        pytest.param(SUSPENDED, "InProgress", id="suspended"),
        pytest.param(KEPT, "InProgress", id="looks fail, Ready kept"),
        pytest.param(REFUSED, "Failed", id="a person must act"),
        pytest.param(STALE, "InProgress", id="stale"),
        pytest.param(DUE_LATER, "Terminating", id="the delay runs"),
        pytest.param(BLOCKED, "Terminating", id="something is in the way of the stop"),
        pytest.param(JUST_DELETED, "Terminating", id="just deleted"),
    ],
)
def test_a_sound_object_passes_and_kstatus_reads_it_as_the_table_says(body: Body, health: str) -> None:
    assert contradictions(body) == []
    assert kstatus(body) == health


def test_an_object_without_any_status_is_the_trap_that_the_default_generation_closes() -> None:
    bare = relay_body(status={})

    assert kstatus(bare) == "Current"
    assert kstatus(NEW) == "InProgress"


def test_a_ready_of_an_older_generation_is_in_progress() -> None:
    edited = copy.deepcopy(RUNNING)
    edited["metadata"]["generation"] = 2

    assert kstatus(edited) == "InProgress"
    assert contradictions(edited) == []


def ready(body: Body) -> Body:
    found: Body = body["status"]["conditions"][0]
    return found


def beside(body: Body) -> Body:
    found: Body = body["status"]["conditions"][1]
    return found


Plant = Callable[[Body], object]
PLANTED: list[tuple[str, Body, Plant, str]] = [
    (
        "both True",
        FAILED,
        lambda body: body["status"]["conditions"].append(condition("Reconciling", "True", "Throttled")),
        "Reconciling and Stalled are both True",
    ),
    ("no Ready", RUNNING, lambda body: body["status"]["conditions"].clear(), "Ready is missing"),
    ("twice", RUNNING, lambda body: body["status"]["conditions"].append(ready(body)), "Ready is there twice"),
    ("another condition", PENDING, lambda body: beside(body).update(type="Healthy"), "Healthy is no condition"),
    ("another status", RUNNING, lambda body: ready(body).update(status="Yes"), "Ready is Yes"),
    (
        "ahead of the object",
        RUNNING,
        lambda body: body["status"].update(observedGeneration=2),
        "observedGeneration 2 is ahead of generation 1",
    ),
    ("condition ahead", RUNNING, lambda body: ready(body).update(observedGeneration=2), "Ready is of generation 2"),
    ("condition behind", PENDING, lambda body: beside(body).update(observedGeneration=0), "is of generation 0, not 1"),
    ("no time", RUNNING, lambda body: ready(body).pop("lastTransitionTime"), "no lastTransitionTime"),
    (
        "a time with fractions",
        RUNNING,
        lambda body: ready(body).update(lastTransitionTime="2026-11-21T20:00:00.5Z"),
        "no lastTransitionTime",
    ),
    (
        "a time that is none",
        RUNNING,
        lambda body: ready(body).update(lastTransitionTime="2026-13-41T20:00:00Z"),
        "no lastTransitionTime",
    ),
    ("a new word", RUNNING, lambda body: ready(body).update(reason="Happy"), "reason Happy, which is not on the list"),
    ("an Event's word", RUNNING, lambda body: ready(body).update(reason="LeftRunning"), "is not on the list"),
    ("no message", RUNNING, lambda body: ready(body).update(message=""), "a message of 0 characters"),
    ("a long message", RUNNING, lambda body: ready(body).update(message="x" * 1025), "a message of 1025 characters"),
    (
        "a request id",
        RUNNING,
        lambda body: ready(body).update(message="said 8C2D9E53-64D5-4E26-8E0C-1BD0CD6F3B35"),
        "holds a request id",
    ),
    (
        "a request id without hyphens",
        RUNNING,
        lambda body: ready(body).update(message="said 0123456789abcdef0123456789abcdef"),
        "holds a request id",
    ),
    (
        "a time of day",
        RUNNING,
        lambda body: ready(body).update(message="last seen 2026-11-21T20:00:00Z"),
        "holds a time that changes by itself",
    ),
    (
        "an age",
        RUNNING,
        lambda body: ready(body).update(message="last seen 31 s ago"),
        "holds a time that changes by itself",
    ),
    ("Ready, not running", RUNNING, lambda body: body["status"].update(state="Paused"), "Ready is True and the state"),
    (
        "stalled by what may pass",
        REFUSED,
        lambda body: (ready(body).update(reason="Throttled"), beside(body).update(reason="Throttled")),
        "Stalled is True for Throttled",
    ),
    ("Pending, not reconciling", PENDING, lambda body: body["status"]["conditions"].pop(), "nothing is True beside"),
    ("Pending and False", PENDING, lambda body: ready(body).update(status="False"), "Ready is False for Pending"),
    (
        "Running and reconciling",
        RUNNING,
        lambda body: body["status"]["conditions"].append(condition("Reconciling", "True", "Running")),
        "Reconciling is True beside Ready's Running",
    ),
    ("Paused and Unknown", PAUSED, lambda body: ready(body).update(status="Unknown"), "Ready is Unknown for Paused"),
    ("Stopped and Unknown", STOPPED, lambda body: ready(body).update(status="Unknown"), "is Unknown for Stopped"),
    ("Failed, not stalled", FAILED, lambda body: body["status"]["conditions"].pop(), "beside Ready's TaskFailed"),
    ("Failed, reconciling", FAILED, lambda body: beside(body).update(type="Reconciling"), "beside Ready's TaskFailed"),
    ("NotFound, not stalled", NOT_FOUND, lambda body: body["status"]["conditions"].pop(), "Ready's TaskNotFound"),
    ("Unknown and False", UNKNOWN, lambda body: ready(body).update(status="False"), "Ready is False for Unknown"),
    ("two causes", REFUSED, lambda body: beside(body).update(reason="ClockSkew"), "Stalled says ClockSkew"),
    ("another state", PAUSED, lambda body: body["status"].update(state="Stopped"), "the state is Stopped"),
    ("refused, not stalled", REFUSED, lambda body: body["status"]["conditions"].pop(), "Ready's PermissionDenied"),
    ("stale, not reconciling", STALE, lambda body: body["status"]["conditions"].pop(), "beside Ready's Stale"),
    ("suspended unsaid", RUNNING, lambda body: body["spec"].update(suspend=True), "spec.suspend is True"),
    ("suspended no more", SUSPENDED, lambda body: body["spec"].update(suspend=False), "spec.suspend is False"),
    ("not deleted", DUE_LATER, lambda body: body["metadata"].pop("deletionTimestamp"), "is not being deleted"),
    ("deleted and Unknown", DUE_LATER, lambda body: ready(body).update(status="Unknown"), "for StopPending, not False"),
    ("blocked and False", BLOCKED, lambda body: ready(body).update(status="False"), "for SecretNotFound, not Unknown"),
    ("blocked, not stalled", BLOCKED, lambda body: body["status"]["conditions"].pop(), "Stalled is not True beside"),
    ("blocked by two", BLOCKED, lambda body: beside(body).update(reason="ClockSkew"), "Stalled says ClockSkew"),
]


@pytest.mark.parametrize(("body", "plant", "caught"), [pytest.param(*row[1:], id=row[0]) for row in PLANTED])
def test_a_planted_contradiction_is_caught(body: Body, plant: Plant, caught: str) -> None:
    planted = copy.deepcopy(body)

    plant(planted)

    assert any(caught in found for found in contradictions(planted)), contradictions(planted)


def test_a_task_whose_own_id_looks_like_a_request_id_is_no_contradiction() -> None:
    task_id = "7864b3dc-e92f-42db-a754-08e627b6d8dd"

    body = sound("Running", condition("Ready", "True", "Running", f"Task {task_id} runs."), block={"taskId": task_id})

    assert contradictions(body) == []
