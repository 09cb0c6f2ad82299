"""The soak's judge catches what it is there to catch: each of its numbers, with the fault planted."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from livetask_simulator.client import Call
from tests.faults.test_ledger import a_stop
from tests.soak.operators import AT_LEAST_BETWEEN_S, LED_BEFORE_FIRST_S, WINDOW, Memory
from tests.soak.verdict import Owed, Verdict, leaked, status_is_wrong, stopped_wrongly

RUNNING = frozenset({"Running"})


def a_body() -> dict[str, Any]:
    """A RelayTask with which all is well."""
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "Running",
        "message": "Alibaba Cloud says 1 (relaying).",
        "lastTransitionTime": "2026-11-21T18:00:00Z",
        "observedGeneration": 2,
    }
    return {
        "kind": "RelayTask",
        "metadata": {"namespace": "sports", "name": "cup-final", "generation": 2},
        "spec": {"alibabaCloud": {"appId": "app", "taskId": "t"}, "credentialsSecretRef": {"name": "alibaba"}},
        "status": {"observedGeneration": 2, "state": "Running", "conditions": [ready]},
    }


def stop_at(seconds: float, task: str = "t") -> Call:
    return a_stop(task, at_s=seconds)


def test_a_task_that_runs_after_its_last_owner_went_is_a_leak() -> None:
    owed = [
        Owed("followed", {"a"}),
        Owed("deleted", deleted_s=5.0),
        Owed("ended", deleted_s=5.0),
        Owed("orphaned", deleted_s=5.0, orphaned=True),
    ]

    assert leaked(owed, ["followed", "deleted", "orphaned"]) == ["deleted"]


@pytest.mark.parametrize(
    ("owed", "is_wrong"),
    [
        (Owed("t", {"a"}), True),
        (Owed("t", deleted_s=9.0), False),
        (Owed("t", deleted_s=11.0), True),
        (Owed("t", {"b"}, deleted_s=9.0), True),
        (Owed("t", deleted_s=9.0, orphaned=True), True),
    ],
    ids=["followed", "deleted before", "deleted after", "another owner", "orphaned"],
)
def test_a_stop_is_wrong_unless_the_last_owner_went_before(owed: Owed, is_wrong: bool) -> None:
    found = stopped_wrongly({"t": owed}, [stop_at(10.0)])

    assert found == (["t"] if is_wrong else [])


def test_a_stop_of_a_task_that_nobody_named_is_wrong() -> None:
    assert stopped_wrongly({}, [stop_at(10.0)]) == ["t"]


def test_a_status_that_says_what_the_vendor_has_is_right() -> None:
    assert status_is_wrong(a_body(), RUNNING) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("status", "state"), "Stopped"),
        (("status", "observedGeneration"), 1),
        (("status", "conditions", 0, "status"), "Unknown"),
        (("status", "conditions", 0, "reason"), "Stale"),
        (("status", "conditions"), []),
        (("spec", "suspend"), True),
        (("metadata", "deletionTimestamp"), "2026-11-21T18:00:00Z"),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_a_status_that_says_anything_else_is_wrong(path: tuple[Any, ...], value: object) -> None:
    body = copy.deepcopy(a_body())
    place: Any = body
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value

    assert status_is_wrong(body, RUNNING) != []


@pytest.mark.parametrize(
    "wrong",
    [
        {"leaked": ["t"]},
        {"stopped_wrongly": ["t"]},
        {"wrong_statuses": ["t"]},
        {"unplanned_exits": ["t"]},
        {"writes_when_quiet": ["t"]},
        {"memory_growth": 0.06},
        {"memory_growth": None},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_each_number_alone_fails_a_soak(wrong: dict[str, Any]) -> None:
    assert Verdict(memory_growth=0.04).holds
    verdict = Verdict(**{"memory_growth": 0.04, **wrong})

    assert not verdict.holds
    assert verdict.table().count("NO") == 1


def test_memory_is_compared_in_one_process_that_led_long_enough() -> None:
    memory = Memory()
    for second in range(int(LED_BEFORE_FIRST_S)):
        memory.sample(50.0, second)
    for second in range(WINDOW):
        memory.sample(100.0, LED_BEFORE_FIRST_S + second)
    assert memory.growth is None, "it has only begun"

    for second in range(WINDOW):
        memory.sample(110.0, LED_BEFORE_FIRST_S + WINDOW + AT_LEAST_BETWEEN_S + second)

    assert memory.growth == pytest.approx(0.1)
