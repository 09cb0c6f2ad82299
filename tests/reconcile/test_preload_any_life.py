"""What holds for every PreloadTask, whatever happens to it and in whatever order."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from livetask_operator.reconcile.looks import is_young, review_at_s
from livetask_operator.reconcile.preload_resource import PreloadTask
from livetask_operator.reconcile.preload_settle import settle_preload
from livetask_operator.reconcile.preload_status import PreloadTaskStatus, is_final
from livetask_operator.reconcile.reasons import MAY_PASS, NEEDS_PERSON, Reason
from livetask_operator.vendors.contract import PreloadRow, PreloadRows, RowState
from tests.reconcile.accepted import refusals
from tests.reconcile.checker import contradictions
from tests.reconcile.given import BOOTED_S, CREATED, REQUEST_ID, at, merged
from tests.reconcile.preload_given import (
    DAY_S,
    FINAL,
    OPENING,
    PreloadLife,
    body_of_preload,
    preload_task,
    preload_trouble,
    row,
    rows,
    with_preload_status,
)

MAX_STATUS_BYTES = 450_000
"""etcd stores 1.5 MB of an object; a spec with 100 URLs has a fifth of it."""

tasks = st.builds(
    preload_task,
    task_ids=st.sampled_from([[], ["t-1"], ["t-2", "t-1"]]),
    play_urls=st.sampled_from([[], [OPENING], [FINAL, OPENING]]),
    pollIntervalSeconds=st.sampled_from([5, 30, 3600]),
    suspend=st.booleans(),
)
rows_told = st.builds(
    row,
    st.sampled_from(RowState),
    st.one_of(st.none(), st.integers(0, 100)),
    url=st.sampled_from([OPENING, FINAL, "rtmp://other/a/b"]),
    task_id=st.sampled_from(["t-1", "t-2", "t-3"]),
    said=st.sampled_from(["", "Success", "failed"]),
    made_at_s=st.sampled_from([None, -DAY_S, -60, 0, 60]),
)
readings = st.builds(PreloadRows, st.lists(rows_told, max_size=4).map(tuple), st.booleans())
troubles = st.builds(
    preload_trouble,
    st.sampled_from(sorted((NEEDS_PERSON | MAY_PASS) - {Reason.TASK_NOT_VISIBLE})),
    detail=st.sampled_from(["", "it answered with 503"]),
)

Event = tuple[str, Any]
events: st.SearchStrategy[Event] = st.one_of(
    st.tuples(st.just("look"), readings),
    st.tuples(st.just("look"), troubles),
    st.tuples(st.just("asked-for look"), readings | troubles),
    st.tuples(st.just("time passes"), st.sampled_from([0.4, 15, 30, 90, 120, 10_800, 3 * DAY_S])),
    st.tuples(st.just("suspend or resume"), st.none()),
    st.tuples(st.just("edit"), st.none()),
    st.tuples(st.just("restart"), st.none()),
)
lives = st.lists(events, min_size=1, max_size=12)


def happen(life: PreloadLife, event: Event) -> None:
    """One thing happens to an object; its status is not settled yet. What has ended is looked at only on request."""
    what, detail = event
    match what:
        case "look" if life.task.is_polled:
            life.track = life.track.after(detail, at(life.now_s).mono, None)
        case "asked-for look" if not life.task.suspend:
            life.track = life.track.after(detail, at(life.now_s).mono, f"at {life.now_s}")
        case "time passes":
            life.now_s += detail
        case "suspend or resume":
            life.task = replace(life.task, suspend=not life.task.suspend, generation=life.task.generation + 1)
        case "edit":
            life.task = replace(life.task, generation=life.task.generation + 1)
        case "restart":
            life.restart()


def assert_sound(task: PreloadTask, old: PreloadTaskStatus, new: PreloadTaskStatus) -> None:
    """What must hold for every write of a status."""
    assert contradictions(body_of_preload(with_preload_status(task, new))) == []
    assert refusals("PreloadTask", new.to_body()) == []
    assert merged(old.to_body(), new.patch_from(old)) == new.to_body()
    assert PreloadTaskStatus.from_body(json.loads(json.dumps(new.to_body()))) == new
    for condition in new.conditions:
        before = old.condition(condition.type)
        if before is not None and before.status == condition.status:
            assert condition.last_transition_time == before.last_transition_time
    assert REQUEST_ID not in json.dumps(new.to_body())


@given(tasks, lives)
@settings(max_examples=300, deadline=None)
def test_no_life_leads_to_a_contradiction_and_settling_twice_changes_nothing(
    task: PreloadTask, life_events: list[Event]
) -> None:
    life = PreloadLife(task)

    for event in life_events:
        happen(life, event)
        old = life.task.status
        new = life.review()

        assert_sound(life.task, old, new)
        assert settle_preload(life.task, life.track, at(life.now_s)).patch_from(new) == {}


@given(tasks, lives, readings, st.sampled_from([0.0, 4.9]))
@settings(max_examples=200, deadline=None)
def test_a_look_that_says_the_same_again_writes_nothing(
    task: PreloadTask, life_events: list[Event], outcome: PreloadRows, later_s: float
) -> None:
    life = PreloadLife(replace(task, suspend=False))
    for event in life_events:
        happen(life, event)
        life.review()
    told = life.look(outcome)
    grown_up_between = is_young(life.task, at(life.now_s)) and not is_young(life.task, at(life.now_s + later_s))

    life.now_s += 0.0 if grown_up_between else later_s
    again = life.look(outcome)

    assert again.patch_from(told) == {}


@given(tasks, lives)
@settings(max_examples=200, deadline=None)
def test_a_result_is_not_taken_back_but_by_a_look_that_was_asked_for(
    task: PreloadTask, life_events: list[Event]
) -> None:
    life = PreloadLife(task)
    for event in life_events:
        before = life.task.status
        happen(life, event)
        life.review()

        if is_final(before) and event[0] != "asked-for look":
            generation = life.task.status.observed_generation
            assert life.task.status == before.at_generation(generation)


@given(tasks, lives)
@settings(max_examples=200, deadline=None)
def test_time_alone_changes_a_status_only_at_the_moment_it_is_reviewed(
    task: PreloadTask, life_events: list[Event]
) -> None:
    life = PreloadLife(task)
    for event in life_events:
        happen(life, event)
        life.review()
    told, due_s = life.task.status, review_at_s(life.task, life.track, at(life.now_s))

    life.now_s += 20_000.0 if due_s is None else (due_s - BOOTED_S - life.now_s) * 0.999

    assert life.review().patch_from(told) == {}


@given(tasks, lives)
@settings(max_examples=150, deadline=None)
def test_succeeded_is_never_said_while_one_was_not_seen_to_succeed(task: PreloadTask, life_events: list[Event]) -> None:
    life = PreloadLife(task)
    for event in life_events:
        happen(life, event)
        status = life.review()

        succeeded = status.condition("Succeeded")
        if succeeded is not None and succeeded.status == "True":
            assert {each.state for each in status.tasks} == {"Succeeded"}
            assert all(each.was_seen for each in status.tasks)


texts = st.text(st.characters(codec=None, exclude_categories=()), max_size=2_000) | st.sampled_from(
    ["流" * 2_000, "𝄞" * 900, "\ud800", "\x00\x1b[31m", "…" * 43]
)
moments = st.none() | st.datetimes(timezones=st.just(UTC), allow_imaginary=False)


@given(
    st.builds(
        PreloadRow,
        task_id=st.just("t-1"),
        play_url=texts,
        state=st.sampled_from(RowState),
        area=texts,
        progress=st.none() | st.integers(0, 100),
        vendor_status=texts,
        description=texts,
        create_time=moments,
        start_time=moments,
        end_time=moments,
    )
)
@settings(max_examples=300, deadline=None)
def test_whatever_the_vendor_writes_the_status_is_accepted_and_read_back(told: PreloadRow) -> None:
    life = PreloadLife(preload_task(task_ids=["t-1"]))

    for reading in (rows(told), rows(told), rows()):
        assert_sound(life.task, life.task.status, life.look(reading))

    assert life.task.status.tasks[0].was_seen


def test_the_largest_status_there_can_be_fits_into_the_store() -> None:
    urls = [f"rtmp://live.example.com/{number}/".ljust(1024, "x") for number in range(100)]
    ids = [f"{number:0128}" for number in range(100)]
    longest: dict[str, Any] = {"said": "流" * 128, "area": "流" * 64, "description": "流" * 256}
    long_time = datetime(2026, 11, 21, 20, 0, 59, 999_999, tzinfo=UTC)
    told = [
        row(
            RowState.SUCCEEDED,
            100,
            url=url,
            task_id=f"{number:x>128}",
            start_time=long_time,
            end_time=CREATED,
            **longest,
        )
        for number, url in enumerate(urls)
    ] + [
        row(
            RowState.SUCCEEDED,
            100,
            url="rtmp://live.example.com/" + "流" * 1_000,
            task_id=each,
            end_time=CREATED,
            **longest,
        )
        for each in ids
    ]

    life = PreloadLife(preload_task(task_ids=ids, play_urls=urls))
    status = life.look(rows(*told))

    assert (status.state, status.total) == ("Succeeded", 200)
    assert refusals("PreloadTask", status.to_body()) == []
    assert len(json.dumps(status.to_body(), ensure_ascii=False).encode()) < MAX_STATUS_BYTES


def test_a_schema_that_refuses_is_heard() -> None:
    assert refusals("PreloadTask", {"progress": 101, "tasks": [{"state": "x" * 65}], "mood": "good"}) == [
        "status.progress: 101",
        "status.tasks[0].state has characters: 65",
        "status.mood is dropped",
    ]
