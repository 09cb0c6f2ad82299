"""How often the operator writes: for a created object, for a change at the vendor, for a deletion."""

from __future__ import annotations

import asyncio
import time
from functools import partial

from tests.bench.api import Watch, many
from tests.bench.audit import words
from tests.bench.report import Row, Target
from tests.bench.stage import ACCOUNTS, APP, Member, Stage, account_of

CREATED = 100
WITHIN_S = 30.0
LET_GO_SOON_S = 1.0
STOPPED = 2
"""Alibaba Cloud's word for a task that has stopped."""


async def play(stage: Stage) -> list[Row]:
    ours = await stage.followed()
    members = [Member("samples", f"w-{number}", number % ACCOUNTS, 5) for number in range(CREATED)]
    await stage.start_tasks(members, stage.cloud)

    stage.say(f"creating {CREATED} objects, changing their state at the vendor, deleting them")
    async with Watch(stage.api, "samples") as watch:
        place = stage.place()
        for member in members:
            await watch.create(member.body, WITHIN_S)
        await asyncio.sleep(1)
        created = stage.writes(place)

        place = stage.place()
        for member in members:
            stage.cloud.admin.set_task(account_of(member.account), APP, member.name, status=STOPPED)
        await _all_are_stopped(stage, len(members))
        changed = stage.writes(place)

        for member in members:
            stage.cloud.admin.set_task(account_of(member.account), APP, member.name, status=1)
        await stage.all_have_a_status(ours, "samples")
        place = stage.place()
        took_s = await many([partial(watch.delete, member.name, WITHIN_S) for member in members], at_once=4)
        await asyncio.sleep(1)
        deleted = stage.writes(place)
    ours.check()

    owed = sum(1 if each <= LET_GO_SOON_S else 2 for each in took_s)
    return [
        Row(
            key="patches-created",
            figure="PATCHes for a created task",
            ours=len(created) / CREATED,
            target=Target(2),
            note=words(created),
        ),
        Row(
            key="patches-changed",
            figure="PATCHes for a status change",
            ours=len(changed) / CREATED,
            target=Target(1),
            note=words(changed),
        ),
        Row(
            key="patches-deleted",
            figure="PATCHes for a deletion (2 where not let go within 1 s)",
            ours=len(deleted) / CREATED,
            target=Target(owed / CREATED),
            note=words(deleted),
        ),
    ]


async def _all_are_stopped(stage: Stage, count: int) -> None:
    path = "/apis/livetask.dev/v1alpha1/namespaces/samples/relaytasks?fieldSelector=status.state=Stopped"
    deadline_s = time.monotonic() + WITHIN_S
    while (stopped := len((await stage.api.get(path))["items"])) < count:
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"{stopped} of {count} objects are Stopped after {WITHIN_S:g} s")
        await asyncio.sleep(0.5)
    await asyncio.sleep(1)
