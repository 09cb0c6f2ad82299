"""Where a vendor throttles for minutes: nobody waits in its line for what needs no vendor, or needs another."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial

from livetask_operator.config import Config
from livetask_operator.polling.quota import Lane, Limit
from livetask_operator.polling.scheduler import IN_LINE
from livetask_operator.reconcile.resource import FINALIZER
from livetask_operator.vendors.contract import Throttled
from tests.kube.small_world import World, alibaba, run, within, world
from tests.polling.fake_time import now_s

LONG_S = 120.0
MANY = 40


async def fill(stage: World, count: int, interval_s: int = 3600) -> list[str]:
    """So many objects of one account, all Running."""
    uids = [
        stage.server.create(f"task-{number}", block={"taskId": f"task-{number}"}, pollIntervalSeconds=interval_s)
        for number in range(count)
    ]
    await within(60, lambda: all(stage.server.ready(uid) == "True/Running" for uid in uids), "Running")
    return uids


def is_adopted(stage: World, uid: str) -> bool:
    return FINALIZER in stage.server.body(uid)["metadata"]["finalizers"]


def is_there(stage: World, uid: str) -> bool:
    return any(body["metadata"]["uid"] == uid for body in stage.server.bodies.values())


def test_what_a_vendor_that_throttles_every_call_hides_is_not_ready_for_long() -> None:
    async def story() -> float:
        async with world(alibaba()) as stage:
            uids = await fill(stage, 100, 30)
            await asyncio.sleep(60)
            stage.vendor.fails, began_s = Throttled("too much"), now_s()
            hidden = ("Unknown/Throttled", "Unknown/Stale")  # the latter where there was not even a turn for it
            await within(1200, lambda: all(stage.server.ready(uid) in hidden for uid in uids), "not Ready")
            return now_s() - began_s

    assert run(story()) < 240


def test_a_finalizer_does_not_wait_in_the_vendors_line() -> None:
    async def story() -> int:
        async with world(alibaba()) as stage:
            await fill(stage, 1)
            stage.vendor.fails = Throttled("too much", retry_after_s=LONG_S)
            new = [stage.server.create(f"new-{number}", adopted=False) for number in range(MANY)]
            await asyncio.sleep(5)
            return sum(is_adopted(stage, uid) for uid in new)

    assert run(story()) == MANY


def test_a_finalizer_does_not_wait_behind_another_namespaces_hundreds() -> None:
    async def story() -> int:
        async with world(alibaba()) as stage:
            others = [
                stage.server.create(f"new-{number}", "crowd", adopted=False, block={"taskId": f"new-{number}"})
                for number in range(300)
            ]
            one = stage.server.create("cup-final", "sports", adopted=False)
            has_finalizer = [partial(is_adopted, stage, uid) for uid in (one, *others)]
            await within(60, has_finalizer[0], "the finalizer")
            return sum(adopted() for adopted in has_finalizer[1:])

    assert run(story()) <= 2 * IN_LINE[Lane.PERSON]


def test_orphan_does_not_wait_behind_stops_in_a_throttled_line_and_all_say_what_they_wait_for() -> None:
    async def story() -> tuple[float, set[str]]:
        async with world(alibaba()) as stage:
            uids = await fill(stage, 2 * MANY)
            stage.vendor.stop_fails = Throttled("too much", retry_after_s=LONG_S)
            for uid in uids:
                stage.server.delete(uid)
            await asyncio.sleep(10)
            stage.server.edit(uids[-1], deletionPolicy="Orphan")
            began_s = now_s()
            await within(60, lambda: not is_there(stage, uids[-1]), "let go")
            return now_s() - began_s, {stage.server.ready(uid).partition("/")[0] for uid in uids[:-1]}

    took_s, ready = run(story())

    assert took_s < 2
    assert "True" not in ready


def test_whoever_asks_without_end_leaves_turns_to_the_polls_of_the_account() -> None:
    quotas = {"AlibabaCloud": {"GetMPUTaskStatus": Limit(5.0), "StopLiveMPUTask": Limit(5.0)}}

    async def story() -> int:
        async with world(alibaba(), replace(Config.default(), quotas=quotas)) as stage:
            quiet = await fill(stage, 10, 30)
            restless = [stage.server.create(f"restless-{number}", "news") for number in range(6)]
            stage.secrets.data["news/alibaba"] = stage.secrets.data["sports/alibaba"]
            for second in range(200):
                for uid in restless:
                    stage.server.edit(uid, pollIntervalSeconds=30 + second % 7)
                await asyncio.sleep(1)
            oldest_s = min(stage.follow._records[uid].track.good_s or 0.0 for uid in quiet)
            return int(now_s() - oldest_s)

    assert run(story()) < 60


def test_a_new_key_is_used_at_once_by_who_stands_in_a_throttled_line() -> None:
    async def story() -> float:
        async with world(alibaba()) as stage:
            uids = await fill(stage, MANY)
            stage.vendor.stop_fails = Throttled("too much", retry_after_s=LONG_S)
            for uid in uids:
                stage.server.delete(uid)
            await asyncio.sleep(5)
            stage.vendor.stop_fails, began_s = None, now_s()
            stage.secrets.data["sports/alibaba"] = {"id": "key-2", "key": "new"}
            await within(60, lambda: not stage.server.bodies, "all stopped with the new key")
            return now_s() - began_s

    assert run(story()) < 15
