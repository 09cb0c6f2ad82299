"""What the status of a living object says after good looks, edits, a suspension and a restart."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from livetask_operator.reconcile.looks import review_at_s
from livetask_operator.reconcile.reasons import Reason
from livetask_operator.reconcile.settle import Seen
from livetask_operator.reconcile.status import RelayTaskStatus
from livetask_operator.reconcile.trouble import Trouble
from livetask_operator.vendors.contract import State
from tests.reconcile.checker import contradictions
from tests.reconcile.given import KEY, OTHER_KEY, Life, at, body_of, relay_task, seen, shown, told, trouble, with_status
from tests.reconcile.kstatus import kstatus

GROWN_S = 600.0
"""An age at which nothing is forgiven any more."""
THROTTLED = trouble(Reason.THROTTLED)


@pytest.mark.parametrize(
    ("state", "conditions", "health"),
    [
        (State.PENDING, "Ready=Unknown/Pending Reconciling=True/Pending", "InProgress"),
        (State.RUNNING, "Ready=True/Running", "Current"),
        (State.PAUSED, "Ready=False/Paused", "InProgress"),
        (State.STOPPED, "Ready=False/Stopped", "InProgress"),
        (State.FAILED, "Ready=False/TaskFailed Stalled=True/TaskFailed", "Failed"),
        (State.NOT_FOUND, "Ready=False/TaskNotFound Stalled=True/TaskNotFound", "Failed"),
        (State.UNKNOWN, "Ready=Unknown/UnknownVendorStatus", "InProgress"),
    ],
)
def test_each_state_has_its_row_in_the_table(state: State, conditions: str, health: str) -> None:
    task = relay_task()

    status = told(task, (GROWN_S, seen(state, "7")))

    assert shown(status) == conditions
    assert (status.state, status.vendor_status) == (state.value, "7")
    body = body_of(with_status(task, status))
    assert kstatus(body) == health
    assert contradictions(body) == []


def test_a_good_look_fills_the_whole_status() -> None:
    starts, ends = datetime(2026, 11, 21, 21, 0, tzinfo=UTC), datetime(2026, 11, 21, 23, 30, tzinfo=UTC)

    status = told(relay_task(), (5, seen(scheduled_start=starts, scheduled_end=ends, meaning="relaying")))

    assert status.to_body() == {
        "observedGeneration": 1,
        "vendor": "AlibabaCloud",
        "taskId": "relay-1",
        "state": "Running",
        "vendorStatus": "1",
        "scheduledStartTime": "2026-11-21T21:00:00Z",
        "scheduledEndTime": "2026-11-21T23:30:00Z",
        "seenWithKeyHash": KEY,
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "reason": "Running",
                "message": "Alibaba Cloud says 1 (relaying).",
                "lastTransitionTime": "2026-11-21T20:00:05Z",
                "observedGeneration": 1,
            }
        ],
    }


def test_scheduled_times_go_when_the_vendor_tells_them_no_more() -> None:
    starts = datetime(2026, 11, 21, 21, 0, tzinfo=UTC)

    status = told(relay_task(), (5, seen(scheduled_start=starts)), (35, seen()))

    assert status.scheduled_start_time is None


def test_a_vendors_word_is_cut_at_128_characters_and_the_advice_after_it_is_not() -> None:
    status = told(relay_task(), (5, seen(State.UNKNOWN, "y" * 5_000)))

    assert status.vendor_status == "y" * 128
    assert status.conditions[0].message.endswith("`statusWords` in the operator's configuration can name it.")


@pytest.mark.parametrize(
    ("age_s", "conditions"),
    [
        pytest.param(0, "Ready=False/TaskNotFound Reconciling=True/TaskNotFound", id="newborn"),
        pytest.param(119.999, "Ready=False/TaskNotFound Reconciling=True/TaskNotFound", id="nearly two minutes old"),
        pytest.param(120, "Ready=False/TaskNotFound Stalled=True/TaskNotFound", id="two minutes old"),
    ],
)
def test_a_task_that_is_not_there_yet_is_forgiven_for_two_minutes(age_s: float, conditions: str) -> None:
    status = told(relay_task(), (age_s, seen(State.NOT_FOUND)))

    assert shown(status) == conditions


def test_when_the_grace_ends_the_status_is_reviewed_without_another_look() -> None:
    life = Life(relay_task(pollIntervalSeconds=3600))
    life.now_s = 20.0
    life.look(seen(State.NOT_FOUND))

    due = review_at_s(life.task, life.track, at(20))

    assert due == at(120).mono
    life.now_s = 120.0
    assert shown(life.review()) == "Ready=False/TaskNotFound Stalled=True/TaskNotFound"


@pytest.mark.parametrize(
    ("seen_with", "looked_with", "reason"),
    [
        pytest.param(None, KEY, "TaskNotFound", id="no key ever saw it"),
        pytest.param(KEY, KEY, "TaskNotFound", id="the key that saw it sees it no more"),
        pytest.param(OTHER_KEY, KEY, "TaskNotVisible", id="another key saw it"),
    ],
)
def test_not_found_is_gone_only_for_the_key_that_could_see_the_task(
    seen_with: str | None, looked_with: str, reason: str
) -> None:
    task = relay_task(status={"observedGeneration": 1, "state": "Running"} | _seen_with(seen_with))

    status = told(task, (GROWN_S, seen(State.NOT_FOUND, key=looked_with)))

    assert [each.reason for each in status.conditions] == [reason, reason]
    assert status.conditions[1].type == "Stalled"
    assert status.state == ("Running" if reason == "TaskNotVisible" else "NotFound")
    assert status.seen_with_key_hash == seen_with, "a key that does not see the task is not the one that saw it"


def _seen_with(key: str | None) -> dict[str, str]:
    return {} if key is None else {"seenWithKeyHash": key}


def test_a_task_not_visible_is_not_forgiven_while_its_object_is_young() -> None:
    status = told(relay_task(), (1, seen(key=OTHER_KEY)), (31, seen(State.NOT_FOUND, key=KEY)))

    assert shown(status) == "Ready=Unknown/TaskNotVisible Stalled=True/TaskNotVisible"


def test_a_rotated_key_that_sees_the_task_is_the_one_that_saw_it_last() -> None:
    status = told(relay_task(), (1, seen(key=OTHER_KEY)), (31, seen(key=KEY)))

    assert status.seen_with_key_hash == KEY
    assert shown(status) == "Ready=True/Running"


def test_a_suspended_object_keeps_what_was_seen_and_follows_its_generation() -> None:
    life = Life(relay_task())
    life.look(seen())

    life.task = replace(life.task, suspend=True, generation=2)
    status = life.review()

    assert shown(status) == "Ready=Unknown/Suspended"
    assert (status.state, status.vendor_status, status.observed_generation) == ("Running", "1", 2)
    assert review_at_s(life.task, life.track, at(life.now_s)) is None, "nothing gets stale that is not looked at"
    life.now_s = 10_000.0
    assert life.review() == status


def test_an_object_that_was_born_suspended_has_no_state() -> None:
    status = told(relay_task(suspend=True), (0, None))

    assert shown(status) == "Ready=Unknown/Suspended"
    assert status.state is None


def test_a_request_waits_while_the_object_is_suspended() -> None:
    status = told(relay_task(suspend=True, requested_at="now"), (0, None))

    assert status.last_handled_requested_at is None


def _resumed(suspended_for_s: float) -> Life:
    life = Life(relay_task())
    life.look(seen())
    life.task = replace(life.task, suspend=True, generation=2)
    life.review()
    life.task = replace(life.task, suspend=False, generation=3)
    life.now_s = suspended_for_s
    return life


def test_a_resumed_object_is_ready_again_with_its_first_good_look() -> None:
    life = _resumed(suspended_for_s=3_000)

    status = life.look(seen())

    assert shown(status) == "Ready=True/Running"
    assert status.observed_generation == 3


@pytest.mark.parametrize("suspended_for_s", [10, 3_000])
def test_a_resumed_object_does_not_say_suspended_when_its_first_look_fails(suspended_for_s: float) -> None:
    life = _resumed(suspended_for_s)

    status = life.look(THROTTLED)

    assert shown(status) == "Ready=Unknown/Throttled Reconciling=True/Throttled"
    assert contradictions(body_of(life.task)) == []


def test_a_new_process_lets_an_old_status_stand_until_it_has_looked() -> None:
    life = Life(relay_task())
    before = life.look(seen())

    life.now_s = 1_000.0
    life.restart()

    assert life.review() == before
    assert review_at_s(life.task, life.track, at(1_000)) == at(1_090).mono


def test_a_new_process_that_does_not_get_to_look_says_stale_after_three_intervals() -> None:
    life = Life(relay_task())
    life.look(seen())
    life.now_s = 1_000.0
    life.restart()

    life.now_s = 1_089.999
    young = shown(life.review())
    life.now_s = 1_090.0
    status = life.review()

    assert young == "Ready=True/Running"
    assert shown(status) == "Ready=Unknown/Stale Reconciling=True/Stale"
    assert status.state == "Running", "the state stays as last seen"


def test_a_new_process_forgives_its_first_failed_look() -> None:
    life = Life(relay_task())
    before = life.look(seen())
    life.now_s = 1_000.0
    life.restart()

    assert life.look(THROTTLED) == before
    assert shown(life.look(THROTTLED)) == "Ready=True/Running Reconciling=True/Throttled"


def test_an_object_that_nobody_looked_at_yet_gets_no_status_however_long_it_takes() -> None:
    task = relay_task()

    status = told(task, (0, None), (10_000, None))

    assert status == task.status
    assert kstatus(body_of(task)) == "InProgress"


def test_looks_that_the_accounts_quota_slows_down_get_stale_later() -> None:
    life = Life(relay_task(pollIntervalSeconds=5))
    life.track = replace(life.track, interval_s=40.0)
    life.look(seen())

    life.now_s = 119.0

    assert shown(life.review()) == "Ready=True/Running"
    life.now_s = 120.0
    assert shown(life.review()) == "Ready=Unknown/Stale Reconciling=True/Stale"


@pytest.mark.parametrize(
    "outcome", [seen(), THROTTLED, trouble(Reason.SECRET_NOT_FOUND)], ids=["good", "may pass", "no Secret"]
)
@pytest.mark.parametrize("was_seen", [True, False], ids=["seen before", "never seen"])
def test_a_request_is_handled_by_a_look_whether_it_goes_well_or_not(outcome: Seen | Trouble, was_seen: bool) -> None:
    life = Life(relay_task(requested_at="2026-11-21 20:00"))
    if was_seen:
        life.look(seen())

    status = life.look(outcome, request="2026-11-21 20:00")

    assert status.last_handled_requested_at == "2026-11-21 20:00"


def test_a_handled_request_stays_handled_after_looks_that_nobody_asked_for_and_after_a_restart() -> None:
    life = Life(relay_task(requested_at="first"))
    life.look(seen(), request="first")

    life.look(seen(State.PAUSED))
    life.restart()
    status = life.look(seen())

    assert status.last_handled_requested_at == "first"


def test_a_handled_request_is_told_by_the_next_write_where_its_own_failed() -> None:
    life = Life(relay_task(requested_at="first"))
    life.track = life.track.after(seen(), at(0).mono, "first")

    status = life.look(seen())

    assert status.last_handled_requested_at == "first"


@pytest.mark.parametrize(
    "outcome", [seen(), THROTTLED, trouble(Reason.CREDENTIALS_REJECTED)], ids=["good", "may pass", "a person must act"]
)
def test_the_observed_generation_follows_an_edit_whether_or_not_the_look_goes_well(
    outcome: Seen | Trouble,
) -> None:
    life = Life(relay_task())
    life.look(seen())

    life.task = replace(life.task, generation=4)
    status = life.look(outcome)

    assert status.observed_generation == 4
    assert {each.observed_generation for each in status.conditions} == {4}


def test_a_look_that_says_the_same_again_changes_nothing() -> None:
    first = told(relay_task(), (5, seen()))

    again = told(relay_task(), (5, seen()), (35, seen()), (65, seen()))

    assert again.patch_from(first) == {}


def test_a_transition_time_moves_only_with_the_conditions_status() -> None:
    def since(status: RelayTaskStatus) -> str:
        return status.conditions[0].last_transition_time

    paused = told(relay_task(), (5, seen(State.PAUSED)))
    stopped = told(relay_task(), (5, seen(State.PAUSED)), (35, seen(State.STOPPED)))
    running = told(relay_task(), (5, seen(State.PAUSED)), (35, seen(State.STOPPED)), (65, seen()))

    assert since(paused) == since(stopped) == "2026-11-21T20:00:05Z"
    assert since(running) == "2026-11-21T20:01:05Z"


def test_a_condition_of_somebody_else_or_of_a_later_version_stays() -> None:
    task = relay_task()
    first = told(task, (5, seen()))
    theirs = replace(first.conditions[0], type="example.com/Approved", reason="Approved")
    marked = with_status(task, replace(first, conditions=(*first.conditions, theirs)))

    status = told(marked, (35, seen(State.FAILED, "6")))

    assert shown(replace(status, conditions=status.conditions[:2])) == "Ready=False/TaskFailed Stalled=True/TaskFailed"
    assert status.conditions[2:] == (theirs,)
