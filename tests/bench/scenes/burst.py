"""200 deletions at once, while 500 polls a second go on."""

from __future__ import annotations

import asyncio
from functools import partial

from tests.bench.api import Watch, many
from tests.bench.measure import percentile
from tests.bench.report import Row, Target
from tests.bench.stage import ACCOUNTS, Member, Stage

DELETED = 200
WITHIN_S = 60.0
SETTLED_S = 6.0


async def play(stage: Stage) -> list[Row]:
    ours = await stage.followed()
    members = [Member("samples", f"b-{number}", number % ACCOUNTS, 30) for number in range(DELETED)]
    stage.say(f"creating {DELETED} more objects, and deleting them at once")
    await stage.start_tasks(members, stage.cloud)
    async with Watch(stage.api, "samples") as watch:
        await many([partial(watch.create, member.body, WITHIN_S) for member in members])
        await asyncio.sleep(SETTLED_S)
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        took_s = await many([partial(watch.delete, member.name, WITHIN_S) for member in members], DELETED)
        all_s = loop.time() - began_s
    ours.check()
    title = f"{DELETED} deletions at once, at 500 polls/s"
    return [
        Row(
            key="burst-p50",
            figure=f"{title}: gone, p50",
            unit="s",
            ours=percentile(took_s, 50),
            target=Target(1.5, stretch=1.0),
        ),
        Row(key="burst-all", figure=f"{title}: all gone", unit="s", ours=all_s, target=Target(5.0, stretch=3.0)),
    ]
