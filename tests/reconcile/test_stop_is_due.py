"""Whether a deleted task is stopped now, later, left to its other owner, held, or let go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from livetask_operator.reconcile.resource import RelayTask
from livetask_operator.reconcile.stopping import (
    Decision,
    Hold,
    LeaveRunning,
    LookFirst,
    Orphan,
    Stop,
    Wait,
    stop_due,
    stop_is_due,
)
from tests.reconcile.given import CREATED, HUAWEI, KEY, at, relay_task

DELETED_S = 60.0

LOOKED = {"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "Unknown", "reason": "TaskNotFound"}]}
BUSY = {"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "Unknown", "reason": "Throttled"}]}
SAW = LOOKED | {"state": "Running", "seenWithKeyHash": KEY}
SUSPENDED = {"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "Unknown", "reason": "Suspended"}]}


def deleted(**more: Any) -> RelayTask:
    return relay_task(deleted_after_s=DELETED_S, **more)


def decide(
    task: RelayTask,
    *others: RelayTask,
    now_s: float = DELETED_S,
    default_delay_s: int = 0,
    crd_deleted: bool = False,
    stops_held: bool = False,
    waited_s: float = 0.0,
) -> Decision:
    return stop_is_due(
        task,
        others,
        at(now_s),
        due=stop_due(task, default_delay_s),
        crd_deleted=crd_deleted,
        stops_held=stops_held,
        waited_s=waited_s,
    )


HERE = relay_task("semi-final")
"""Another object of the same namespace that names the same task, and has not been looked at."""


@pytest.mark.parametrize(
    ("other", "decision"),
    [
        # In the same namespace naming the task is enough.
        pytest.param(HERE, LeaveRunning("semi-final"), id="same namespace"),
        pytest.param(
            relay_task("semi-final", suspend=True), LeaveRunning("semi-final"), id="same namespace, suspended"
        ),
        pytest.param(relay_task("semi-final", status=LOOKED), LeaveRunning("semi-final"), id="same namespace, unseen"),
        pytest.param(relay_task("semi-final", secret="other"), LeaveRunning("semi-final"), id="with another Secret"),
        pytest.param(relay_task("semi-final", deletionPolicy="Orphan"), Stop(), id="same namespace, Orphan"),
        pytest.param(relay_task("semi-final", deleted_after_s=30), Stop(), id="both are deleted"),
        pytest.param(relay_task("semi-final", deleted_after_s=90), Stop(), id="the other is deleted later"),
        pytest.param(relay_task(), Stop(), id="it is the object itself"),
        # In another its own key must have seen it.
        pytest.param(relay_task(namespace="news", status=SAW), LeaveRunning(None), id="other namespace, seen"),
        pytest.param(
            relay_task(namespace="news", status=SAW, suspend=True), LeaveRunning(None), id="seen, then suspended"
        ),
        pytest.param(relay_task(namespace="news", status=LOOKED), Stop(), id="other namespace, looked and not seen"),
        pytest.param(relay_task(namespace="news"), LookFirst(("news/cup-final",)), id="other namespace, not looked"),
        pytest.param(
            relay_task(namespace="news", status=BUSY), LookFirst(("news/cup-final",)), id="other namespace, throttled"
        ),
        pytest.param(relay_task(namespace="news", suspend=True), Stop(), id="other namespace, suspended, not looked"),
        pytest.param(
            relay_task(namespace="news", suspend=True, status=SUSPENDED),
            Stop(),
            id="born suspended in another namespace",
        ),
        pytest.param(
            relay_task(namespace="news", generation=2, status=SUSPENDED),
            LookFirst(("news/cup-final",)),
            id="born suspended in another namespace, and just resumed",
        ),
        pytest.param(
            relay_task(namespace="news", status=SAW, deletionPolicy="Orphan"), Stop(), id="other namespace, Orphan"
        ),
        pytest.param(
            relay_task(namespace="news", status=SAW, deleted_after_s=1), Stop(), id="other namespace, deleted too"
        ),
        pytest.param(relay_task(uid="sports/cup-final", namespace="news", status=SAW), Stop(), id="the same uid"),
        # Another task that only has the same id.
        pytest.param(relay_task("semi-final", block={"appId": "other"}), Stop(), id="another application"),
        pytest.param(relay_task("semi-final", block={"taskId": "Relay-1"}), Stop(), id="another task"),
        pytest.param(
            relay_task("semi-final", vendor=HUAWEI, block={"region": "cn-north-4"}), Stop(), id="another vendor"
        ),
    ],
)
def test_a_task_is_left_running_only_for_another_owner(other: RelayTask, decision: Decision) -> None:
    assert decide(deleted(), other) == decision


def test_a_huawei_task_is_the_same_task_in_whatever_region_an_object_names() -> None:
    other = relay_task("semi-final", vendor=HUAWEI, block={"region": "cn-south-1"})

    assert decide(deleted(vendor=HUAWEI, block={"region": "cn-north-4"}), other) == LeaveRunning("semi-final")


def test_an_owner_among_many_others_is_found() -> None:
    strangers = [relay_task(f"other-{number}", block={"appId": str(number)}) for number in range(20)]

    assert decide(deleted(), *strangers, HERE, *strangers) == LeaveRunning("semi-final")


@pytest.mark.parametrize("waited_s", [0.0, 29.9])
def test_owners_in_other_namespaces_that_have_not_looked_are_all_looked_at_first(waited_s: float) -> None:
    others = [relay_task(namespace=namespace) for namespace in ("news", "arts")]

    assert decide(deleted(), *others, waited_s=waited_s) == LookFirst(("news/cup-final", "arts/cup-final"))


def test_after_30_seconds_nobody_elses_first_look_is_waited_for() -> None:
    assert decide(deleted(), relay_task(namespace="news"), waited_s=30.0) == Stop()


def test_a_proven_owner_counts_though_another_has_not_looked_yet() -> None:
    unproven, proven = relay_task(namespace="news"), relay_task(namespace="arts", status=SAW)

    assert decide(deleted(), unproven, proven) == decide(deleted(), proven, unproven) == LeaveRunning(None)


def test_a_proven_owner_counts_after_the_wait_too() -> None:
    assert decide(deleted(), relay_task(namespace="news", status=SAW), waited_s=31.0) == LeaveRunning(None)


def test_an_object_alone_is_stopped_at_once_whatever_was_last_seen() -> None:
    never_seen, running = deleted(), deleted(status=SAW)

    assert decide(never_seen) == decide(running) == Stop()


@pytest.mark.parametrize(
    ("own_s", "default_s", "due_s"),
    [
        pytest.param(None, 0, 0, id="neither"),
        pytest.param(None, 20, 20, id="the configuration's"),
        pytest.param(45, 20, 45, id="its own is longer"),
        pytest.param(10, 20, 10, id="its own is shorter"),
        pytest.param(0, 20, 0, id="its own is zero"),
    ],
)
def test_the_delay_is_the_objects_own_or_else_the_configurations(own_s: int | None, default_s: int, due_s: int) -> None:
    task = deleted() if own_s is None else deleted(stopDelaySeconds=own_s)

    due = stop_due(task, default_s)

    assert due == CREATED + timedelta(seconds=DELETED_S + due_s)
    assert decide(task, default_delay_s=default_s, now_s=DELETED_S + due_s) == Stop()
    if due_s:
        assert decide(task, default_delay_s=default_s, now_s=DELETED_S + due_s - 0.1) == Wait(due)


def test_a_delay_that_is_edited_while_it_runs_counts_from_the_deletion() -> None:
    shortened = deleted(stopDelaySeconds=5)
    lengthened = deleted(stopDelaySeconds=600)

    assert decide(shortened, now_s=DELETED_S + 30) == Stop()
    assert decide(lengthened, now_s=DELETED_S + 30) == Wait(CREATED + timedelta(seconds=DELETED_S + 600))


def test_while_the_delay_runs_another_owner_is_not_asked_for() -> None:
    assert isinstance(decide(deleted(stopDelaySeconds=60), HERE), Wait)


def test_an_object_that_is_not_deleted_is_never_due() -> None:
    with pytest.raises(ValueError, match="RelayTask sports/cup-final is not being deleted"):
        stop_due(relay_task(), 0)


def test_held_stops_hold_what_is_due_and_what_is_not() -> None:
    assert decide(deleted(), stops_held=True) == Hold()
    assert decide(deleted(stopDelaySeconds=60), stops_held=True) == Hold()


ORPHAN = deleted(deletionPolicy="Orphan")


@pytest.mark.parametrize(
    ("task", "circumstances"),
    [
        pytest.param(ORPHAN, {}, id="alone"),
        pytest.param(ORPHAN, {"stops_held": True}, id="stops are held"),
        pytest.param(ORPHAN, {"crd_deleted": True}, id="the CRD goes too"),
        pytest.param(deleted(deletionPolicy="Orphan", stopDelaySeconds=60), {}, id="the delay runs"),
    ],
)
def test_orphan_lets_go_whatever_else_there_is(task: RelayTask, circumstances: dict[str, bool]) -> None:
    assert decide(task, HERE, **circumstances) == Orphan(uninstall=False)


@pytest.mark.parametrize(
    ("task", "circumstances"),
    [
        pytest.param(deleted(), {}, id="due"),
        pytest.param(deleted(stopDelaySeconds=60), {}, id="the delay runs"),
        pytest.param(deleted(), {"stops_held": True}, id="stops are held"),
    ],
)
def test_an_uninstall_stops_nothing(task: RelayTask, circumstances: dict[str, bool]) -> None:
    assert decide(task, crd_deleted=True, **circumstances) == Orphan(uninstall=True)


def test_the_same_question_has_the_same_answer_in_any_time_zone() -> None:
    task = deleted(stopDelaySeconds=60)

    assert stop_due(task, 0) == datetime(2026, 11, 21, 20, 2, 0, tzinfo=UTC)
