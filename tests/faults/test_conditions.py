"""The histories catch what they are there for: each fault between two versions is planted once, and sound ones pass."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from livetask_operator.reconcile.status import timestamp
from tests.faults.conditions import REQUESTED_AT, Histories
from tests.reconcile.given import CREATED, relay_body
from tests.reconcile.kstatus import kstatus

Body = dict[str, Any]
NOW = CREATED + timedelta(seconds=100)


def condition(kind: str, status: str, reason: str, at_s: float = 10) -> Body:
    moment = timestamp(CREATED + timedelta(seconds=at_s))
    said = {"type": kind, "status": status, "reason": reason, "message": "It says so."}
    return {**said, "lastTransitionTime": moment, "observedGeneration": 1}


def version(state: str, *conditions: Body, **more: Any) -> Body:
    body = relay_body(status={"observedGeneration": 1, "state": state, "conditions": list(conditions)}, **more)
    body["metadata"]["creationTimestamp"] = timestamp(CREATED)
    return body


NEW = relay_body()
RUNNING = version("Running", condition("Ready", "True", "Running"))
FAILED = version(
    "Failed", condition("Ready", "False", "TaskFailed", 50), condition("Stalled", "True", "TaskFailed", 50)
)
AGAIN = version("Running", condition("Ready", "True", "Running", 80))
DELETED = version("Running", condition("Ready", "True", "Running", 80), deleted_after_s=90)


def complaints(*versions: Body) -> list[str]:
    histories = Histories()
    for body in versions:
        histories.add(copy.deepcopy(body), NOW)
    return histories.complaints


def test_a_sound_history_passes() -> None:
    assert complaints(NEW, RUNNING, FAILED, AGAIN, AGAIN, DELETED) == []


Plant = Callable[[Body], object]


def of_ready(**fields: str) -> Plant:
    return lambda body: body["status"]["conditions"][0].update(fields)


PLANTED: list[tuple[str, tuple[Body, ...], Body, Plant, str]] = [
    ("a contradiction", (), RUNNING, of_ready(status="False"), "Ready is False for Running"),
    ("a time to come", (), RUNNING, of_ready(lastTransitionTime="2026-11-22T20:00:00Z"), "which is to come"),
    ("a time before its life", (), RUNNING, of_ready(lastTransitionTime="2026-11-20T20:00:00Z"), "before there was"),
    ("not stalled", (), FAILED, lambda body: body["status"]["conditions"].pop(), "the table says Failed"),
    (
        "a request of nobody",
        (),
        RUNNING,
        lambda body: body["status"].update(lastHandledRequestedAt="now"),
        "which nobody asked for",
    ),
    (
        "a transition that moves",
        (RUNNING,),
        RUNNING,
        of_ready(lastTransitionTime="2026-11-21T20:00:20Z"),
        "Ready stays True, and its transition moves",
    ),
    ("a transition back in time", (AGAIN,), FAILED, lambda _: None, "before its last change"),
    (
        "a generation that falls",
        (RUNNING,),
        RUNNING,
        lambda body: (
            body["status"].update(observedGeneration=0),
            body["status"]["conditions"][0].update(observedGeneration=0),
        ),
        "observedGeneration falls from 1 to 0",
    ),
    ("conditions that are lost", (RUNNING,), RUNNING, lambda body: body["status"].pop("conditions"), "are lost"),
    ("a deletion taken back", (DELETED,), RUNNING, lambda _: None, "its deletion was taken back"),
]


@pytest.mark.parametrize(("before", "body", "plant", "caught"), [pytest.param(*row[1:], id=row[0]) for row in PLANTED])
def test_a_planted_fault_is_caught(before: tuple[Body, ...], body: Body, plant: Plant, caught: str) -> None:
    planted = copy.deepcopy(body)

    plant(planted)

    assert any(caught in said for said in complaints(*before, planted)), complaints(*before, planted)


def test_what_was_asked_for_may_be_handled() -> None:
    asked = copy.deepcopy(RUNNING)
    asked["metadata"]["annotations"] = {REQUESTED_AT: "now"}
    asked["status"]["lastHandledRequestedAt"] = "now"

    assert complaints(asked) == []


@pytest.mark.parametrize(
    ("conditions", "health"),
    [
        ([condition("Stalled", "True", "x"), condition("Reconciling", "True", "x")], "Failed"),
        ([condition("Reconciling", "True", "x"), condition("Stalled", "True", "x")], "InProgress"),
        ([condition("Stalled", "False", "x"), condition("Ready", "False", "x")], "InProgress"),
        ([condition("Ready", "Perhaps", "x")], "Current"),
        ([], "Current"),
    ],
    ids=["stalled first", "reconciling first", "not ready", "no word that it knows", "nothing said"],
)
def test_kstatus_reads_conditions_in_its_own_order(conditions: list[Body], health: str) -> None:
    assert kstatus(version("Running", *conditions)) == health
