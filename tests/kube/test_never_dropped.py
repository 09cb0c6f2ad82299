"""Whatever happens between two steps, an object stays in the rounds, and no round spins."""

from __future__ import annotations

import asyncio

import pytest

from livetask_operator.kube.api import Conflict, ObjectGone, Unavailable
from livetask_operator.reconcile.resource import RELAY_TASKS
from livetask_operator.vendors.contract import CredentialsRejected, State
from tests.kube.small_world import World, alibaba, run, within, world
from tests.polling.fake_time import now_s


async def runs(stage: World, uid: str) -> None:
    await within(8, lambda: stage.server.ready(uid) == "True/Running", "Running")


def test_a_deletion_in_the_moment_in_which_a_look_begins_is_not_lost() -> None:
    async def story() -> int:
        async with world(watch=False, run=False) as stage:
            uid = stage.server.create()
            stage.follow.changed(RELAY_TASKS, stage.server.copy(uid))
            stage.follow._turns._ask()  # its first line runs in the loop's next round; the deletion comes now
            stage.server.delete(uid)
            stage.follow.changed(RELAY_TASKS, stage.server.copy(uid))
            running = asyncio.create_task(stage.follow.run())
            await within(5, lambda: not stage.server.bodies, "gone")
            running.cancel()
            return len(stage.vendor.stops)

    assert run(story()) == 1


def test_a_finalizer_that_a_policy_of_the_cluster_forbids_is_not_tried_without_a_pause() -> None:
    async def story() -> list[str]:
        async with world() as stage:
            stage.server.refuses["add"] = Conflict("422: denied by a ValidatingAdmissionPolicy")
            stage.server.create(adopted=False)
            await asyncio.sleep(60)
            return stage.server.requests

    assert 4 <= run(story()).count("add") <= 12


def test_an_object_whose_name_another_has_by_now_is_forgotten() -> None:
    async def story() -> tuple[list[str], int]:
        async with world(watch=False) as stage:
            old = stage.server.create(adopted=False, uid="old")
            stage.follow.changed(RELAY_TASKS, stage.server.copy(old))
            stage.server.create(adopted=False, uid="new")
            await asyncio.sleep(30)
            return stage.server.requests, len(stage.vendor.looks)

    requests, looks = run(story())

    assert len(requests) <= 3
    assert looks == 0


def test_a_finalizer_that_a_policy_keeps_on_is_not_tried_without_a_pause() -> None:
    async def story() -> list[str]:
        async with world() as stage:
            uid = stage.server.create()
            await runs(stage, uid)
            stage.server.refuses["remove"] = Conflict("422: denied by a ValidatingAdmissionPolicy")
            stage.server.delete(uid)
            await asyncio.sleep(60)
            assert len(stage.vendor.stops) == 1
            return stage.server.requests

    assert 4 <= run(story()).count("remove") <= 12


def test_an_object_that_was_dropped_by_mistake_is_taken_over_again() -> None:
    async def story() -> None:
        async with world() as stage:
            uid = stage.server.create()
            await runs(stage, uid)
            stage.server.refuses["get"] = stage.server.refuses["status"] = ObjectGone("a replica that lags behind")
            stage.server.edit(uid, pollIntervalSeconds=60)
            await within(5, lambda: uid not in stage.follow._records, "dropped")
            stage.server.refuses.clear()

            await within(310, lambda: stage.server.body(uid)["status"]["observedGeneration"] == 2, "taken over again")

    run(story())


def test_a_change_that_the_watch_swallowed_is_noticed_in_the_end() -> None:
    async def story() -> None:
        async with world() as stage:
            uid = stage.server.create(pollIntervalSeconds=3600)
            await runs(stage, uid)
            stage.server.watched = None
            stage.server.delete(uid)

            await within(310, lambda: not stage.server.bodies, "gone")
            assert len(stage.vendor.stops) == 1

    run(story())


def test_what_vanishes_while_all_objects_are_listed_does_not_come_back() -> None:
    async def story() -> list[str]:
        async with world(run=False) as stage:
            uid = stage.server.create()
            stage.follow.changed(RELAY_TASKS, stage.server.copy(uid))
            sweep = asyncio.create_task(stage.follow._sweep())
            await asyncio.sleep(0)
            stage.follow.vanished(uid)
            await sweep
            return list(stage.follow._records)

    assert run(story()) == []


def test_what_happens_to_an_object_during_its_step_is_dealt_with_right_after_it() -> None:
    async def story() -> float:
        async with world(run=False) as stage:
            uid = stage.server.create()
            stage.follow.changed(RELAY_TASKS, stage.server.copy(uid))
            record = stage.follow._records[uid]
            stage.follow._turns._ask()
            assert record.step is not None

            stage.follow.step_soon(uid)

            await within(5, lambda: record.step is None, "its step")
            due_s = stage.follow._turns._scheduler.due_at(uid)
            assert due_s is not None
            return due_s - now_s()

    assert run(story()) <= 0.1


@pytest.mark.parametrize("error", [Unavailable("503"), ObjectGone("404")])
def test_an_api_server_that_is_away_is_asked_ever_less_often(error: Exception) -> None:
    async def story() -> int:
        async with world() as stage:
            for verb in ("add", "get", "status", "list"):
                stage.server.refuses[verb] = error  # type: ignore[assignment]
            stage.server.create(adopted=False)
            await asyncio.sleep(120)
            return len(stage.server.requests)

    assert run(story()) <= 20


def test_a_field_that_an_older_crd_drops_is_not_written_with_each_look() -> None:
    async def story() -> tuple[int, str]:
        async with world() as stage:
            stage.server.drops = {"vendorStatus"}
            uid = stage.server.create(pollIntervalSeconds=5)
            await runs(stage, uid)
            await asyncio.sleep(60)
            writes = stage.server.requests.count("status")
            stage.vendor.state = State.FAILED
            await within(
                8, lambda: stage.server.ready(uid) == "False/TaskFailed", "what is new is written all the same"
            )
            return writes, stage.server.ready(uid)

    assert run(story())[0] == 1


def test_a_deletion_that_waits_is_shown_by_a_metric() -> None:
    async def story() -> str:
        async with world(alibaba(stop_fails=CredentialsRejected("it does not know this access key"))) as stage:
            uid = stage.server.create()
            await runs(stage, uid)
            stage.server.delete(uid)
            await within(20, lambda: stage.server.ready(uid) == "Unknown/CredentialsRejected", "refused")
            await asyncio.sleep(10)
            return stage.metrics.text().decode()

    assert 'livetask_deletions_waiting{reason="CredentialsRejected"} 1.0' in run(story())


def test_a_refused_key_of_a_deleted_object_is_tried_sparingly() -> None:
    async def story() -> int:
        rejected = CredentialsRejected("it does not know this access key")
        async with world(alibaba(stop_fails=rejected)) as stage:
            uid = stage.server.create()
            await runs(stage, uid)
            stage.server.delete(uid)
            await asyncio.sleep(120)
            return len(stage.vendor.stops)

    assert run(story()) == 5, "at once and 5, 15, 30 and 60 seconds later"
