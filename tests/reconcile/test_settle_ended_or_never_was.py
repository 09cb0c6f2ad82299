"""A vendor with one word for "has ended" and "never was": what it means for an object, by whether the task was seen."""

from __future__ import annotations

import pytest

from livetask_operator.reconcile.reasons import Reason
from livetask_operator.reconcile.settle import Seen
from livetask_operator.reconcile.stopping import LetGo, after_accepted_stop, after_unsettled_stop
from livetask_operator.reconcile.trouble import Trouble
from livetask_operator.vendors.contract import Observation, State
from tests.reconcile.checker import contradictions
from tests.reconcile.given import KEY, OTHER_KEY, Life, body_of, relay_task, seen, shown, told, trouble, with_status
from tests.reconcile.kstatus import kstatus

GROWN_S = 600.0
ENDED = Observation(State.STOPPED, "NotExist", "the task has ended", "For the next run make a new object.")


def not_there(key: str = KEY) -> Seen:
    return seen(State.NOT_FOUND, "NotExist", key=key, advice="Check the task id.", if_seen=ENDED)


def test_a_task_that_was_seen_has_ended() -> None:
    task = relay_task()

    status = told(task, (5, seen()), (GROWN_S, not_there()))

    assert shown(status) == "Ready=False/Stopped"
    assert (status.state, status.vendor_status) == ("Stopped", "NotExist")
    assert status.conditions[0].message == (
        "Alibaba Cloud says NotExist (the task has ended). For the next run make a new object."
    )
    body = body_of(with_status(task, status))
    assert contradictions(body) == []
    assert kstatus(body) == "InProgress"


def test_a_task_that_nobody_saw_is_not_found() -> None:
    status = told(relay_task(), (GROWN_S, not_there()))

    assert shown(status) == "Ready=False/TaskNotFound Stalled=True/TaskNotFound"
    assert (status.state, status.seen_with_key_hash) == ("NotFound", None)
    assert status.conditions[0].message == "Alibaba Cloud does not know task relay-1 of arena. Check the task id."


def test_it_stays_what_it_is_however_often_it_is_looked_at_and_by_whichever_process() -> None:
    life = Life(relay_task())
    life.look(seen())
    life.now_s = 30.0
    first = life.look(not_there())

    life.now_s = 60.0
    life.restart()
    again = life.look(not_there())

    assert again == first


def test_a_task_that_comes_back_is_what_it_is_now() -> None:
    status = told(relay_task(), (5, seen()), (35, not_there()), (65, seen()))

    assert shown(status) == "Ready=True/Running"


def test_a_key_that_never_saw_the_task_does_not_end_it() -> None:
    status = told(relay_task(), (5, seen(key=OTHER_KEY)), (GROWN_S, not_there(KEY)))

    assert shown(status) == "Ready=Unknown/TaskNotVisible Stalled=True/TaskNotVisible"
    assert status.state == "Running"


def test_a_task_whose_end_was_seen_stays_ended_after_a_rotation() -> None:
    status = told(relay_task(), (5, seen(key=OTHER_KEY)), (35, not_there(OTHER_KEY)), (GROWN_S, not_there(KEY)))

    assert shown(status) == "Ready=False/Stopped"
    assert status.seen_with_key_hash == OTHER_KEY, "a key that does not see the task is not the one that saw it"


SEEN_BY_ANOTHER = {"observedGeneration": 1, "state": "Running", "seenWithKeyHash": OTHER_KEY}
ENDED_FOR_ANOTHER = SEEN_BY_ANOTHER | {"state": "Stopped"}


@pytest.mark.parametrize(
    ("status", "goes"),
    [
        pytest.param(None, True, id="never seen"),
        pytest.param(SEEN_BY_ANOTHER | {"seenWithKeyHash": KEY}, True, id="seen with this key"),
        pytest.param(SEEN_BY_ANOTHER, False, id="seen with another key"),
        pytest.param(ENDED_FOR_ANOTHER, True, id="seen with another key, and seen to end"),
    ],
)
def test_a_deleted_object_goes_when_its_task_is_not_there_unless_only_another_key_could_tell(
    status: dict[str, object] | None, goes: bool
) -> None:
    task = relay_task(deleted_after_s=60, status=status)

    accepted = after_accepted_stop(task, not_there())
    unsettled = after_unsettled_stop(task, not_there(), trouble(Reason.INVALID_REQUEST))

    assert isinstance(accepted, LetGo) is isinstance(unsettled, LetGo) is goes
    if not goes:
        assert isinstance(unsettled, Trouble)
        assert unsettled.reason is Reason.TASK_NOT_VISIBLE
