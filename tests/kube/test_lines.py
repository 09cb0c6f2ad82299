"""Many objects of one account, more than its quota serves at once."""

from __future__ import annotations

import asyncio

from livetask_operator.vendors.contract import CredentialsRejected
from tests.kube.small_world import alibaba, run, within, world

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
