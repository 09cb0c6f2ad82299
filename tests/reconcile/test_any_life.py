"""What holds for every object, whatever happens to it and in whatever order."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from livetask_operator.reconcile import stopping
from livetask_operator.reconcile.looks import is_young, review_at_s
from livetask_operator.reconcile.reasons import MAY_PASS, NEEDS_PERSON, Reason
from livetask_operator.reconcile.resource import Instant, RelayTask
from livetask_operator.reconcile.settle import Seen, settle
from livetask_operator.reconcile.status import RelayTaskStatus
from livetask_operator.reconcile.trouble import Trouble
from livetask_operator.vendors.contract import Credential, State
from tests.reconcile.checker import contradictions
from tests.reconcile.given import (
    ALIBABA,
    BOOTED_S,
    HUAWEI,
    REQUEST_ID,
    Life,
    at,
    body_of,
    merged,
    relay_task,
    seen,
    trouble,
    with_status,
)

KEYS = [Credential("LTAI5tKeyOne", "secret-one"), Credential("LTAI5tKeyTwo", "secret-two", "token-two")]
NEVER_SAID = [REQUEST_ID, *(part for key in KEYS for part in (key.key_id, key.secret, key.token) if part)]
"""What stands in looks, errors and Secrets and may not stand in a status."""

tasks = st.builds(
    relay_task,
    vendor=st.sampled_from([ALIBABA, HUAWEI]),
    pollIntervalSeconds=st.sampled_from([5, 30, 3600]),
    suspend=st.booleans(),
)
looks = st.builds(
    seen,
    st.sampled_from(State),
    st.sampled_from(["1", "enable", "y" * 300]),
    key=st.sampled_from([key.key_hash for key in KEYS]),
    meaning=st.sampled_from(["", "relaying"]),
    scheduled_start=st.sampled_from([None, at(900).wall]),
)
troubles = st.builds(
    trouble,
    st.sampled_from(sorted((NEEDS_PERSON | MAY_PASS) - {Reason.TASK_NOT_VISIBLE})),
    detail=st.sampled_from(["", "it answered with 503", "no answer in 10 s"]),
    code=st.sampled_from(["", "Throttling.User"]),
)

Event = tuple[str, Any]
events: st.SearchStrategy[Event] = st.one_of(
    st.tuples(st.just("look"), looks),
    st.tuples(st.just("look"), troubles),
    st.tuples(st.just("asked-for look"), looks | troubles),
    st.tuples(st.just("time passes"), st.sampled_from([0.4, 1, 15, 29, 30, 61, 90, 120, 10_800])),
    st.tuples(st.just("suspend or resume"), st.none()),
    st.tuples(st.just("edit"), st.none()),
    st.tuples(st.just("restart"), st.none()),
)
lives = st.lists(events, min_size=1, max_size=12)


def happen(life: Life, event: Event) -> None:
    """One thing happens to an object; its status is not settled yet."""
    what, detail = event
    match what:
        case "look":
            life.track = life.track.after(detail, at(life.now_s).mono, None)
        case "asked-for look":
            life.track = life.track.after(detail, at(life.now_s).mono, f"at {life.now_s}")
        case "time passes":
            life.now_s += detail
        case "suspend or resume":
            life.task = replace(life.task, suspend=not life.task.suspend, generation=life.task.generation + 1)
        case "edit":
            life.task = replace(life.task, generation=life.task.generation + 1)
        case "restart":
            life.restart()


def assert_sound(task: RelayTask, old: RelayTaskStatus, new: RelayTaskStatus) -> None:
    """What must hold for every write of a status."""
    assert contradictions(body_of(with_status(task, new))) == []
    assert merged(old.to_body(), new.patch_from(old)) == new.to_body()
    for condition in new.conditions:
        before = old.condition(condition.type)
        if before is not None and before.status == condition.status:
            assert condition.last_transition_time == before.last_transition_time
    written = json.dumps(new.to_body())
    assert not [word for word in NEVER_SAID if word in written]


@given(tasks, lives)
@settings(max_examples=250, deadline=None)
def test_no_life_leads_to_a_contradiction_and_settling_twice_changes_nothing(
    task: RelayTask, life_events: list[Event]
) -> None:
    life = Life(task)

    for event in life_events:
        happen(life, event)
        old = life.task.status
        new = life.review()

        assert_sound(life.task, old, new)
        assert settle(life.task, life.track, at(life.now_s)).patch_from(new) == {}


@given(tasks, lives, looks | troubles, st.sampled_from([0.0, 4.9]))
@settings(max_examples=250, deadline=None)
def test_a_look_that_says_the_same_again_writes_nothing(
    task: RelayTask, life_events: list[Event], outcome: Seen | Trouble, later_s: float
) -> None:
    life = Life(task)
    for event in life_events:
        happen(life, event)
        life.review()
    life.look(outcome)
    told = life.look(outcome)  # what may pass is told from the second in a row
    grown_up_between = is_young(life.task, at(life.now_s)) and not is_young(life.task, at(life.now_s + later_s))

    life.now_s += 0.0 if grown_up_between else later_s
    again = life.look(outcome)

    stale_between = isinstance(outcome, Trouble) and at(life.now_s).mono >= life.track.stale_at_s
    assert again.patch_from(told) == {} or stale_between


@given(tasks, lives)
@settings(max_examples=250, deadline=None)
def test_time_alone_changes_a_status_only_at_the_moment_it_is_reviewed(
    task: RelayTask, life_events: list[Event]
) -> None:
    life = Life(task)
    for event in life_events:
        happen(life, event)
        life.review()
    told, due_s = life.task.status, review_at_s(life.task, life.track, at(life.now_s))

    before_s = 20_000.0 if due_s is None else (due_s - BOOTED_S - life.now_s) * 0.999
    life.now_s += before_s

    assert life.review().patch_from(told) == {}


@given(tasks, lives)
@settings(max_examples=150, deadline=None)
def test_ready_is_never_true_of_a_task_that_was_not_seen_for_three_intervals(
    task: RelayTask, life_events: list[Event]
) -> None:
    life = Life(replace(task, suspend=False))
    for event in life_events:
        happen(life, event)
        life.review()

    life.now_s += 3 * task.poll_interval_s
    status = life.review()

    ready = status.condition("Ready")
    assert ready is None or ready.status != "True"


deletion_steps = st.lists(st.sampled_from(["pending", "stopping", "held", "unconfirmed"]) | troubles, max_size=6)


@given(tasks, lives, deletion_steps)
@settings(max_examples=250, deadline=None)
def test_no_deletion_leads_to_a_contradiction_and_retries_write_nothing(
    task: RelayTask, life_events: list[Event], steps: list[str | Trouble]
) -> None:
    life = Life(task)
    for event in life_events:
        happen(life, event)
        life.review()
    deleted = replace(life.task, deleted=at(life.now_s).wall, generation=life.task.generation + 1)
    due = at(life.now_s).wall + timedelta(seconds=30)

    for number, step in enumerate(steps):
        new = _deletion_status(deleted, step, due, at(life.now_s + number))
        assert_sound(deleted, deleted.status, new)
        assert all(condition.status != "True" for condition in new.conditions if condition.type == "Ready")
        deleted = with_status(deleted, new)
        assert _deletion_status(deleted, step, due, at(life.now_s + number + 1)).patch_from(new) == {}


def _deletion_status(task: RelayTask, step: str | Trouble, due: datetime, now: Instant) -> RelayTaskStatus:
    match step:
        case Trouble():
            return stopping.blocked_status(task, step, now)
        case "pending":
            return stopping.pending_status(task, due, now)
        case "stopping":
            return stopping.stopping_status(task, now)
        case "held":
            return stopping.held_status(task, now)
        case _:
            return stopping.unconfirmed_status(task, now)


@given(tasks, lives)
@settings(max_examples=100, deadline=None)
def test_a_status_is_read_back_as_it_was_written(task: RelayTask, life_events: list[Event]) -> None:
    life = Life(task)
    for event in life_events:
        happen(life, event)
        life.review()

    assert RelayTaskStatus.from_body(json.loads(json.dumps(life.task.status.to_body()))) == life.task.status
