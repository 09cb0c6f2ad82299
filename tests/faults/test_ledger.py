"""The judge of the vendors' ledgers catches a leak, a wrong stop and a second one, each planted."""

from __future__ import annotations

from livetask_simulator.client import Call
from tests.faults.ledger import Due, judge
from tests.stage.processes import Cloud


def a_stop(task: str, *, took_effect: bool = True, at_s: float = 0.0) -> Call:
    """A stop in the ledger."""
    return Call(
        seq=1,
        at="",
        monotonic_s=at_s,
        vendor="alibaba",
        account="planted",
        key_id="",
        operation="StopLiveMPUTask",
        version="",
        app_id="app",
        task_id=task,
        method="POST",
        user_agent="",
        outcome="OK" if took_effect else "InvalidParam",
        http_status=200,
        request_id="",
        fault=None,
        throttled=False,
        stopped_task=took_effect,
        finished=True,
        took_s=0.0,
    )


def test_a_leak_in_the_ledger_is_found(cloud: Cloud) -> None:
    cloud.admin.add_account("planted")
    cloud.admin.start_task("planted", "app", "leaked")
    running = [task.task_id for task in cloud.admin.tasks("planted") if task.status == 1]

    found = judge({"leaked": Due.STOPPED}, running, cloud.admin.calls(account="planted"))

    assert found.all == ("leaked: leaked",)


def test_a_wrong_stop_in_the_ledger_is_found() -> None:
    due = {"deleted": Due.STOPPED, "on-air": Due.ON_AIR, "ended": Due.LEFT_ALONE}
    calls = [a_stop("deleted"), a_stop("on-air", took_effect=False), a_stop("nobodys")]

    found = judge(due, ["on-air"], calls)

    assert found.stopped_wrongly == ("nobodys", "on-air")
    assert judge(due, [], []).stopped_wrongly == ("on-air",), "it ended without a word from anybody"


def test_a_stop_that_took_effect_twice_is_found_and_one_that_found_the_task_gone_is_none() -> None:
    due = {"deleted": Due.STOPPED}

    assert judge(due, [], [a_stop("deleted"), a_stop("deleted")]).stopped_twice == ("deleted",)
    assert judge(due, [], [a_stop("deleted"), a_stop("deleted", took_effect=False)]).all == ()
