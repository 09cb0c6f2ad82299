"""What the look after a stop means, and what a deleted object's status says while it is still there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from livetask_operator.reconcile import stopping
from livetask_operator.reconcile.reasons import MAY_PASS, NEEDS_PERSON, Reason
from livetask_operator.reconcile.resource import Instant, RelayTask
from livetask_operator.reconcile.status import RelayTaskStatus
from livetask_operator.reconcile.stopping import (
    LetGo,
    StillThere,
    after_accepted_stop,
    after_gone,
    after_unsettled_stop,
)
from livetask_operator.reconcile.trouble import Trouble
from livetask_operator.vendors.contract import State
from tests.reconcile.checker import contradictions
from tests.reconcile.given import (
    CREATED,
    KEY,
    OTHER_KEY,
    at,
    body_of,
    relay_task,
    seen,
    shown,
    told,
    trouble,
    with_status,
)
from tests.reconcile.kstatus import kstatus

DELETED = relay_task(deleted_after_s=60, status={"observedGeneration": 1, "state": "Running", "seenWithKeyHash": KEY})
NEVER_SEEN = relay_task(deleted_after_s=60)

ALIVE = [State.PENDING, State.RUNNING, State.PAUSED]
GONE = [State.STOPPED, State.FAILED, State.NOT_FOUND]
TROUBLES = sorted((NEEDS_PERSON | MAY_PASS) - {Reason.TASK_NOT_VISIBLE})


@pytest.mark.parametrize("state", GONE)
def test_an_accepted_stop_and_a_task_that_is_gone_let_the_object_go(state: State) -> None:
    verdict = after_accepted_stop(DELETED, seen(state))

    assert isinstance(verdict, LetGo)
    assert verdict.reason is Reason.STOP_ACCEPTED
    assert verdict.message.endswith("does not show it running any more.")


@pytest.mark.parametrize("state", ALIVE)
def test_an_accepted_stop_of_a_task_that_still_runs_is_not_the_end(state: State) -> None:
    assert isinstance(after_accepted_stop(DELETED, seen(state)), StillThere)


@pytest.mark.parametrize("reason", TROUBLES)
def test_after_an_accepted_stop_a_look_that_fails_is_not_waited_for(reason: Reason) -> None:
    verdict = after_accepted_stop(DELETED, trouble(reason))

    assert isinstance(verdict, LetGo)
    assert verdict.reason is Reason.STOP_ACCEPTED
    assert "could not be seen" in verdict.message


def test_after_an_accepted_stop_an_unknown_word_is_no_proof_of_life_and_none_of_the_end() -> None:
    verdict = after_accepted_stop(DELETED, seen(State.UNKNOWN, "99"))

    assert isinstance(verdict, LetGo)
    assert "could not be seen" in verdict.message


@pytest.mark.parametrize(("key", "reason"), [(KEY, Reason.ALREADY_GONE), (OTHER_KEY, Reason.TASK_NOT_VISIBLE)])
def test_a_stop_that_is_answered_with_gone_is_believed_of_the_key_that_saw_the_task(key: str, reason: Reason) -> None:
    verdict = after_gone(DELETED, key)

    assert not isinstance(verdict, StillThere)
    assert verdict.reason is reason
    assert isinstance(after_gone(NEVER_SEEN, key), LetGo)


@pytest.mark.parametrize("judge", ["accepted", "unsettled"])
def test_another_accounts_not_found_does_not_let_the_object_go(judge: str) -> None:
    hidden = seen(State.NOT_FOUND, key=OTHER_KEY)
    refusal = trouble(Reason.INVALID_REQUEST)

    verdict = (
        after_accepted_stop(DELETED, hidden) if judge == "accepted" else after_unsettled_stop(DELETED, hidden, refusal)
    )

    assert isinstance(verdict, Trouble)
    assert verdict.reason is Reason.TASK_NOT_VISIBLE


@pytest.mark.parametrize("state", GONE)
@pytest.mark.parametrize("task", [DELETED, NEVER_SEEN], ids=["seen before", "never seen"])
def test_a_refused_stop_of_a_task_that_is_gone_lets_the_object_go(task: RelayTask, state: State) -> None:
    verdict = after_unsettled_stop(task, seen(state), trouble(Reason.INVALID_REQUEST))

    assert isinstance(verdict, LetGo)
    assert verdict.reason is Reason.ALREADY_GONE


@pytest.mark.parametrize("state", [*ALIVE, State.UNKNOWN])
def test_a_refused_stop_of_a_task_that_may_run_is_a_refusal(state: State) -> None:
    refusal = trouble(Reason.INVALID_REQUEST)

    assert after_unsettled_stop(DELETED, seen(state), refusal) is refusal


@pytest.mark.parametrize("reason", TROUBLES)
def test_a_refused_stop_and_a_look_that_fails_settle_nothing(reason: Reason) -> None:
    failed = trouble(reason)

    assert after_unsettled_stop(DELETED, failed, trouble(Reason.INVALID_REQUEST)) is failed


DUE = CREATED + timedelta(seconds=90)


@pytest.mark.parametrize(
    ("write", "conditions"),
    [
        pytest.param(
            lambda task, now: stopping.pending_status(task, DUE, now),
            "Ready=False/StopPending Reconciling=True/StopPending",
            id="the delay runs",
        ),
        pytest.param(stopping.stopping_status, "Ready=False/Stopping Reconciling=True/Stopping", id="being stopped"),
        pytest.param(stopping.held_status, "Ready=Unknown/StopsHeld Reconciling=True/StopsHeld", id="stops are held"),
        pytest.param(
            stopping.unconfirmed_status,
            "Ready=Unknown/StopNotConfirmed Reconciling=True/StopNotConfirmed",
            id="accepted, and it still runs",
        ),
    ],
)
def test_a_deleted_objects_status_says_how_far_it_has_come(
    write: Callable[[RelayTask, Instant], RelayTaskStatus], conditions: str
) -> None:
    task = with_status(DELETED, told(relay_task(), (0, seen())))

    status = write(task, at(60))

    assert shown(status) == conditions
    assert (status.state, status.seen_with_key_hash) == ("Running", KEY), "what was seen stays"
    body = body_of(with_status(task, status))
    assert contradictions(body) == []
    assert kstatus(body) == "Terminating"
    again = write(with_status(task, status), at(65))
    assert again.patch_from(status) == {}, "said again it is not written again"


@pytest.mark.parametrize("reason", sorted(NEEDS_PERSON))
def test_a_stop_that_a_person_must_help_is_stalled(reason: Reason) -> None:
    status = stopping.blocked_status(DELETED, trouble(reason), at(61))

    assert shown(status) == f"Ready=Unknown/{reason} Stalled=True/{reason}"
    assert contradictions(body_of(with_status(DELETED, status))) == []


@pytest.mark.parametrize("reason", sorted(MAY_PASS))
def test_a_stop_that_may_go_better_is_reconciling_from_the_first_refusal(reason: Reason) -> None:
    status = stopping.blocked_status(DELETED, trouble(reason), at(61))

    assert shown(status) == f"Ready=Unknown/{reason} Reconciling=True/{reason}"
    assert contradictions(body_of(with_status(DELETED, status))) == []


@pytest.mark.parametrize("reason", sorted(NEEDS_PERSON | MAY_PASS))
def test_what_blocks_a_stop_is_told_with_the_way_out(reason: Reason) -> None:
    status = stopping.blocked_status(DELETED, trouble(reason), at(61))

    for condition in status.conditions:
        more = f" More: crds/reasons.md#{reason.lower()}" if condition.type == "Stalled" else ""
        assert condition.message.startswith("Not stopped yet. ")
        assert condition.message.endswith(
            "To let it go without a stop: "
            'kubectl -n sports patch rlt cup-final --type merge -p \'{"spec":{"deletionPolicy":"Orphan"}}\''
            f"{more}"
        )


def test_the_way_out_is_whole_however_long_the_names_are() -> None:
    longest = relay_task(
        "n" * 253,
        "s" * 63,
        deleted_after_s=60,
        block={"appId": "a" * 64, "taskId": "t" * 512},
        credentialsSecretRef={"name": "k" * 253},
    )

    for reason in sorted(NEEDS_PERSON | MAY_PASS):
        status = stopping.blocked_status(longest, trouble(reason, longest), at(61))

        assert contradictions(body_of(with_status(longest, status))) == []
        assert status.conditions[0].message.endswith('--type merge -p \'{"spec":{"deletionPolicy":"Orphan"}}\'')


def test_retries_of_a_stop_in_an_outage_with_many_faces_write_once() -> None:
    first = stopping.blocked_status(DELETED, trouble(Reason.VENDOR_UNAVAILABLE, detail="answered with 503"), at(61))

    again = stopping.blocked_status(
        with_status(DELETED, first), trouble(Reason.VENDOR_UNAVAILABLE, detail="no answer in 10 s"), at(63)
    )

    assert again.patch_from(first) == {}


def test_an_outage_that_was_told_of_looks_is_told_again_of_the_stop() -> None:
    down = trouble(Reason.VENDOR_UNAVAILABLE)
    looked = told(relay_task(), (0, down), (5, down))

    status = stopping.blocked_status(with_status(DELETED, looked), down, at(61))

    assert status.conditions[0].message.startswith("Not stopped yet. ")


def test_another_cause_is_told() -> None:
    first = stopping.blocked_status(DELETED, trouble(Reason.VENDOR_UNAVAILABLE), at(61))

    then = stopping.blocked_status(with_status(DELETED, first), trouble(Reason.SECRET_NOT_FOUND), at(63))

    assert shown(then) == "Ready=Unknown/SecretNotFound Stalled=True/SecretNotFound"
    assert then.conditions[0].last_transition_time == first.conditions[0].last_transition_time


def test_what_a_person_must_mend_is_told_anew_when_it_is_something_else() -> None:
    first, second = (
        Trouble.secret_unusable(DELETED, f"has no key {key}; add it") for key in ("accessKeyId", "accessKeySecret")
    )
    told_first = stopping.blocked_status(DELETED, first, at(61))

    then = stopping.blocked_status(with_status(DELETED, told_first), second, at(63))

    assert "has no key accessKeySecret" in then.conditions[0].message


def test_a_request_is_handled_by_the_stop_it_hastens() -> None:
    task = relay_task(deleted_after_s=60, requested_at="try again")

    status = stopping.blocked_status(task, trouble(Reason.THROTTLED), at(61))

    assert status.last_handled_requested_at == "try again"


def test_an_edit_while_deleting_is_followed() -> None:
    task = relay_task(deleted_after_s=60, generation=3, status={"observedGeneration": 1})

    assert stopping.stopping_status(task, at(61)).observed_generation == 3
