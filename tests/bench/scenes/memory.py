"""Whether memory grows with polls."""

from __future__ import annotations

import asyncio

from tests.bench.report import Row, Target
from tests.bench.stage import Stage

GROWTH_MIB = 2.0
TOLD_EVERY_S = 60.0


async def play(stage: Stage) -> list[Row]:
    ours = await stage.followed()
    polls = stage.options.polls
    stage.say(f"waiting for {polls:,} more polls, to see whether memory grows")
    began, began_mib = stage.cloud.admin.tally().calls, ours.resident_mib
    told_s = loop_s = asyncio.get_running_loop().time()
    while (made := stage.cloud.admin.tally().calls - began) < polls:
        ours.check()
        await asyncio.sleep(1)
        loop_s = asyncio.get_running_loop().time()
        if loop_s - told_s > TOLD_EVERY_S:
            told_s = loop_s
            stage.say(f"{made:,} polls, {ours.resident_mib - began_mib:+.1f} MiB")
    grown_mib = ours.resident_mib - began_mib
    return [
        Row(
            key="growth",
            figure=f"growth of memory over {polls:,} polls",
            unit="MiB",
            ours=grown_mib,
            target=Target(GROWTH_MIB),
            note=f"from {began_mib:.1f} MiB",
        )
    ]
