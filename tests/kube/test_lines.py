"""Many objects of one account, more than its quota serves at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from livetask_operator.config import Config
from livetask_operator.polling.quota import Limit
from livetask_operator.reconcile.resource import RELAY_TASKS
from livetask_operator.reconcile.words import SLOWED
from livetask_operator.vendors.contract import CredentialsRejected
from tests.kube.small_world import alibaba, run, within, world
from tests.polling.fake_time import now_s

MANY = 300
QUOTA = 53
"""Calls of GetMPUTaskStatus in a second, the configuration's default."""


def test_a_key_that_is_switched_off_is_not_tried_by_a_whole_line() -> None:
    async def story() -> int:
        async with world(alibaba(takes_s=0.2)) as stage:
            for number in range(MANY):
                stage.server.create(f"task-{number}", block={"taskId": str(number)})
            await within(5, lambda: len(stage.vendor.looks) > QUOTA, "a key that is known to be good, and a line")
            stage.vendor.fails = CredentialsRejected("it does not know this access key")
            looks = len(stage.vendor.looks)
            await asyncio.sleep(4.5)
            return len(stage.vendor.looks) - looks

    assert run(story()) <= QUOTA, "those on their way when it was refused, and no more"


def test_an_account_with_more_objects_than_its_quota_serves_in_time_does_not_flap() -> None:
    quotas = {"AlibabaCloud": {"GetMPUTaskStatus": Limit(5.0), "StopLiveMPUTask": Limit(5.0)}}

    async def story() -> tuple[int, float]:
        async with world(alibaba(), replace(Config.default(), quotas=quotas)) as stage:
            for number in range(100):
                stage.server.create(f"task-{number}", block={"taskId": str(number)}, pollIntervalSeconds=5)
            await asyncio.sleep(90)
            return stage.server.requests.count("status"), len(stage.vendor.looks) / 90

    writes, looks_per_s = run(story())

    assert writes == 100, "each is asked every 20 seconds, which is later than three of its own intervals"
    assert 4.5 < looks_per_s <= 5.1


def test_an_oversubscribed_account_says_so_in_coarse_steps_and_without_a_storm_of_writes() -> None:
    quotas = {"AlibabaCloud": {"GetMPUTaskStatus": Limit(10.0), "StopLiveMPUTask": Limit(5.0)}}

    async def story() -> tuple[list[str], list[int]]:
        async with world(alibaba(), replace(Config.default(), quotas=quotas)) as stage:
            for number in range(200):
                stage.server.create(f"task-{number}", block={"taskId": str(number)}, pollIntervalSeconds=5)
            writes = []
            for _ in range(600):
                before = stage.server.requests.count("status")
                await asyncio.sleep(1)
                writes.append(stage.server.requests.count("status") - before)
            ready = [body["status"]["conditions"][0] for body in stage.server.bodies.values()]
            assert {each["status"] for each in ready} == {"True"}
            return [each["message"] for each in ready], writes

    messages, writes = run(story())

    assert {message.partition(". ")[2] for message in messages} == {
        "Looked at about every 20 s instead of 5 s: its account has more tasks than its quota allows."
    }
    assert sum(writes) == 2 * 200, "the first status, and the one step"
    assert max(writes[60:]) <= 6


def test_a_restart_takes_nothing_back_that_was_said_of_an_oversubscribed_account() -> None:
    async def story() -> int:
        async with world() as stage:
            uid = stage.server.create(pollIntervalSeconds=5)
            await within(8, lambda: stage.server.ready(uid) == "True/Running", "Running")
            said = stage.server.body(uid)["status"]["conditions"][0]
            said["message"] += f" Looked at about every 5 minutes instead of 5 s: {SLOWED}."
            stage.follow.vanished(uid)
            stage.follow.changed(RELAY_TASKS, stage.server.copy(uid))
            before = stage.server.requests.count("status")
            await asyncio.sleep(240)
            return stage.server.requests.count("status") - before

    assert run(story()) == 0


def test_ready_is_taken_away_all_the_same_where_nothing_is_seen_for_three_of_the_real_intervals() -> None:
    async def story() -> float:
        async with world() as stage:
            uid = stage.server.create(pollIntervalSeconds=5)
            await within(8, lambda: stage.server.ready(uid) == "True/Running", "Running")
            await asyncio.sleep(30)
            stage.vendor.takes_s = 1000.0
            began_s = now_s()
            await within(60, lambda: stage.server.ready(uid) == "Unknown/Stale", "Stale")
            return now_s() - began_s

    assert 10 <= run(story()) <= 16


@pytest.mark.parametrize("batch", [1, 100])
def test_an_edited_object_does_not_wait_behind_its_own_poll(batch: int) -> None:
    quotas = {"AlibabaCloud": {"GetMPUTaskStatus": Limit(1.0), "StopLiveMPUTask": Limit(1.0)}}

    async def story() -> float:
        async with world(alibaba(look_batch=batch), replace(Config.default(), quotas=quotas)) as stage:
            for number in range(30):
                block = {"appId": f"app-{number}", "taskId": str(number)}
                stage.server.create(f"task-{number}", block=block, pollIntervalSeconds=5)
            uid = stage.server.create("edited", pollIntervalSeconds=5)
            record_of = stage.follow._records.get
            await asyncio.sleep(60)
            await within(60, lambda: not (record := record_of(uid)) or not record.asks, "its turn")
            await within(60, lambda: (record := record_of(uid)) and record.asks, "the end of the line")
            stage.server.edit(uid, pollIntervalSeconds=6)
            edited_s = now_s()
            await within(90, lambda: stage.server.body(uid)["status"]["observedGeneration"] == 2, "acted on")
            return now_s() - edited_s

    assert run(story()) < 3


def test_nobody_uses_up_an_accounts_budget_by_naming_its_key() -> None:
    quotas = {"AlibabaCloud": {"GetMPUTaskStatus": Limit(5.0), "StopLiveMPUTask": Limit(5.0)}}

    async def story() -> tuple[int, int]:
        async with world(alibaba(), replace(Config.default(), quotas=quotas)) as stage:
            uid = stage.server.create("owner", block={"taskId": "owner"}, pollIntervalSeconds=3600)
            await within(8, lambda: stage.server.ready(uid) == "True/Running", "Running")
            stage.vendor.rejects = "wrong"
            for number in range(MANY):
                name = f"secret-{number}"
                stage.secrets.data[f"news/{name}"] = {"id": "key-1", "key": f"wrong-{number}"}
                stage.server.create(
                    f"task-{number}", "news", block={"taskId": str(number)}, credentialsSecretRef={"name": name}
                )
            turnstile = stage.follow._asking._quotas.of("AlibabaCloud", "key-1", "GetMPUTaskStatus")
            longest = 0
            for _ in range(100):
                await asyncio.sleep(0.1)
                longest = max(longest, turnstile.waiting)
            return len(stage.vendor.looks), longest

    looks, longest = run(story())

    assert looks > MANY
    assert longest == 0
