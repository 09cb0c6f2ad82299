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
    per_task = (
        ("patches-created", "PATCHes for a created task", created, 2.0),
        ("patches-changed", "PATCHes for a status change", changed, 1.0),
        ("patches-deleted", "PATCHes for a deletion (2 where not let go within 1 s)", deleted, owed / CREATED),
    )
    return [
        Row(key=key, figure=figure, ours=len(writes) / CREATED, target=Target(target), note=words(writes))
        for key, figure, writes, target in per_task
    ]


async def _all_are_stopped(stage: Stage, count: int) -> None:
    path = "/apis/livetask.dev/v1alpha1/namespaces/samples/relaytasks?fieldSelector=status.state=Stopped"
    deadline_s = time.monotonic() + WITHIN_S
    while (stopped := len((await stage.api.get(path))["items"])) < count:
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"{stopped} of {count} objects are Stopped after {WITHIN_S:g} s")
        await asyncio.sleep(0.5)
    await asyncio.sleep(1)
