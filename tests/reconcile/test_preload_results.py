"""A PreloadTask's result: seen once, it stays, whatever anybody does or the vendor forgets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from livetask_operator.reconcile.looks import review_at_s
from livetask_operator.reconcile.reasons import MAY_PASS, NEEDS_PERSON, Reason
from livetask_operator.reconcile.trouble import Trouble
from livetask_operator.vendors.contract import PreloadRows
from tests.reconcile.checker import contradictions
from tests.reconcile.given import at
from tests.reconcile.preload_given import (
    DAY_S,
    FINAL,
    GROWN_S,
    LATE_S,
    OPENING,
    PreloadLife,
    body_of_preload,
    done,
    failed,
    preload_task,
    preload_trouble,
    row,
    rows,
)

Story = list[tuple[float, PreloadRows | Trouble | None]]
SEEN = rows(row())


RESULTS: dict[str, Story] = {
    "Succeeded": [(0, SEEN), (GROWN_S, rows(done()))],
    "Failed": [(0, SEEN), (GROWN_S, rows(failed()))],
    "Expired": [(0, SEEN), (LATE_S, rows())],
}


def ended(state: str) -> PreloadLife:
    """A life up to its result."""
    life = PreloadLife(preload_task())
    for seconds, outcome in RESULTS[state]:
        life.now_s = seconds
        assert outcome is not None
        life.look(outcome)
    assert life.task.status.state == state
    return life


@pytest.mark.parametrize("state", RESULTS)
def test_a_result_has_the_time_when_it_was_seen_and_keeps_it(state: str) -> None:
    life = ended(state)
    completed = life.task.status.completion_time

    life.now_s += 3_000
    life.restart()
    life.look(life.track.latest or rows())

    assert completed == {"Expired": "2026-11-24T20:00:00Z"}.get(state, "2026-11-21T20:10:00Z")
    assert life.task.status.completion_time == completed


@pytest.mark.parametrize("state", RESULTS)
def test_a_result_does_not_get_stale(state: str) -> None:
    life = ended(state)
    result = life.task.status

    due = review_at_s(life.task, life.track, at(life.now_s))
    life.now_s += 30 * DAY_S

    assert due is None
    assert life.review() == result
    life.restart()
    life.now_s += 30 * DAY_S
    assert life.review() == result


@pytest.mark.parametrize("state", RESULTS)
@pytest.mark.parametrize("suspend", [True, False])
@pytest.mark.parametrize("restarted", [True, False])
def test_no_edit_and_no_suspension_takes_a_result_back(state: str, suspend: bool, restarted: bool) -> None:
    life = ended(state)
    result = life.task.status
    if restarted:
        life.restart()

    life.task = replace(life.task, suspend=suspend, secret="another", generation=2)
    status = life.review()

    assert status == result.at_generation(2)
    assert contradictions(body_of_preload(life.task)) == []


@pytest.mark.parametrize("state", RESULTS)
@pytest.mark.parametrize("reason", sorted((NEEDS_PERSON | MAY_PASS) - {Reason.TASK_NOT_VISIBLE}))
def test_a_look_on_request_that_fails_is_handled_and_takes_no_result_back(state: str, reason: Reason) -> None:
    life = ended(state)
    result = life.task.status

    status = life.look(preload_trouble(reason), request="again")

    assert status == replace(result, last_handled_requested_at="again")


@pytest.mark.parametrize("state", RESULTS)
def test_a_look_on_request_finds_nothing_any_more_and_takes_no_result_back(state: str) -> None:
    life = ended(state)
    result = life.task.status

    life.now_s += 4 * DAY_S
    status = life.look(rows(), request="again")

    assert status == replace(result, last_handled_requested_at="again")


def test_a_look_on_request_tells_of_a_preload_that_was_made_since() -> None:
    life = ended("Failed")

    again = life.look(rows(failed(), row(task_id="t-2", made_at_s=700)), request="again")
    life.now_s = 900.0
    at_last = life.look(rows(failed(), done(task_id="t-2", made_at_s=700)))

    assert (again.state, again.completion_time) == ("Preloading", None)
    assert (at_last.state, at_last.completion_time) == ("Succeeded", "2026-11-21T20:15:00Z")


def test_another_result_has_a_time_of_its_own() -> None:
    life = ended("Failed")

    life.now_s = 900.0
    status = life.look(rows(failed(), done(task_id="t-2", made_at_s=700)), request="again")

    assert (status.state, status.completion_time) == ("Succeeded", "2026-11-21T20:15:00Z")


def test_a_look_that_comes_back_after_the_suspension_does_not_change_the_result() -> None:
    life = ended("Failed")
    result = life.task.status

    life.task = replace(life.task, suspend=True, generation=2)
    status = life.look(rows(done(task_id="t-2", made_at_s=700)))

    assert status == result.at_generation(2)


def test_a_result_counts_only_when_all_have_ended() -> None:
    life = PreloadLife(preload_task(play_urls=[OPENING, FINAL]))

    first = life.look(rows(failed(), row(url=FINAL, task_id="t-2")))
    second = life.look(rows(failed(), done(url=FINAL, task_id="t-2")))

    assert (first.state, first.failed, first.completion_time) == ("Preloading", 1, None)
    assert (second.state, second.failed, second.succeeded) == ("Failed", 1, 1)
