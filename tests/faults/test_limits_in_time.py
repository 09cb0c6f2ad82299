"""How many calls of an account may be under way where its vendor hangs, in simulated time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, fields

from livetask_operator.config import Config
from livetask_operator.config.settings import Endpoints
from livetask_operator.kube.asking import UNDER_WAY
from livetask_operator.kube.follow import POLLS_AT_ONCE_S
from livetask_operator.vendors.contract import CALL_TIMEOUT_S, Credential, StopAnswer, TaskRef, VendorUnavailable
from livetask_operator.vendors.transport import MAX_CONNECTIONS, MAX_CONNECTIONS_PER_HOST
from tests.kube.small_world import Vendor, World, alibaba, run, within, world
from tests.polling.fake_time import now_s

MANY = 400
USUAL_FILES, OWN_FILES = 1024, 128
"""What a process may open by the usual limit, and what it opens besides its calls to vendors."""


@dataclass
class Hanging(Vendor):
    """A vendor that answers no stop until the call's time is over; `most` were under way together."""

    hangs: bool = True
    under_way: int = 0
    most: int = 0

    async def stop(self, credential: Credential, task: TaskRef) -> StopAnswer:
        if not self.hangs or credential.key_id == "key-2":
            return await super().stop(credential, task)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await asyncio.sleep(CALL_TIMEOUT_S)
        finally:
            self.under_way -= 1
        raise VendorUnavailable("no answer")


def hanging() -> Hanging:
    like = alibaba()
    names = ("name", "title", "block", "application_field", "look_call", "stop_call")
    return Hanging(**{name: getattr(like, name) for name in names})


async def deleted(stage: World) -> list[str]:
    """Many objects whose stops hang."""
    uids = [
        stage.server.create(f"task-{number}", block={"taskId": str(number)}, pollIntervalSeconds=3600)
        for number in range(MANY)
    ]
    await within(60, lambda: all(stage.server.ready(uid) == "True/Running" for uid in uids), "Running")
    for uid in uids:
        stage.server.delete(uid)
    await asyncio.sleep(8)
    return uids


def test_deletions_whose_stops_hang_gather_few_connections_and_each_says_what_it_waits_for() -> None:
    async def story() -> tuple[int, set[str]]:
        vendor = hanging()
        async with world(vendor) as stage:
            uids = await deleted(stage)
            return vendor.most, {stage.server.ready(uid).partition("/")[0] for uid in uids}

    most, ready = run(story())

    assert most == UNDER_WAY
    assert "True" not in ready


def test_another_accounts_deletion_is_not_held_up_by_them() -> None:
    async def story() -> float:
        async with world(hanging()) as stage:
            stage.secrets.data["news/alibaba"] = {"id": "key-2", "key": "secret"}
            other = stage.server.create("other", "news", block={"taskId": "other"}, pollIntervalSeconds=3600)
            await within(8, lambda: stage.server.ready(other) == "True/Running", "Running")
            await deleted(stage)
            stage.server.delete(other)
            began_s = now_s()
            await within(30, lambda: "news/other" not in stage.server.bodies, "gone")
            return now_s() - began_s

    assert run(story()) < 2


def test_a_vendor_that_hangs_leaves_connections_to_other_accounts_and_to_other_vendors() -> None:
    limit = Config.default().limit("AlibabaCloud", "account", "GetMPUTaskStatus")
    polls = POLLS_AT_ONCE_S * limit.rate

    assert polls + UNDER_WAY < MAX_CONNECTIONS_PER_HOST, "one account, all of whose looks hang"
    assert MAX_CONNECTIONS_PER_HOST * len(fields(Endpoints)) <= MAX_CONNECTIONS < USUAL_FILES - OWN_FILES


def test_orphan_is_not_held_up_by_them_either() -> None:
    async def story() -> float:
        async with world(hanging()) as stage:
            last = (await deleted(stage))[-1]
            stage.server.edit(last, deletionPolicy="Orphan")
            began_s = now_s()
            await within(60, lambda: len(stage.server.bodies) < MANY, "gone")
            return now_s() - began_s

    assert run(story()) < 2
