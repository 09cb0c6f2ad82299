"""Where the CPU of a quiet poll goes: the operator under cProfile, which makes everything about twice as dear."""

from __future__ import annotations

import asyncio
import io
import os
import pstats
import signal

from tests.bench.operators import LOOK_AGAIN_S
from tests.bench.report import Row
from tests.bench.stage import Stage

COUNTED_S = 30.0
SHOWN = 40


async def play(stage: Stage) -> list[Row]:
    await stage.populate()
    file = stage.folder / "operator.profile"
    os.environ["PROFILE"] = str(file)
    ours = await stage.followed(profile=True)
    await asyncio.sleep(5)
    polls = stage.cloud.admin.tally().calls
    ours.process.send(signal.SIGUSR1)
    await asyncio.sleep(COUNTED_S)
    ours.process.send(signal.SIGUSR2)
    polls = stage.cloud.admin.tally().calls - polls
    while not file.exists():
        ours.check()
        await asyncio.sleep(LOOK_AGAIN_S)
    await asyncio.sleep(1)
    words = io.StringIO()
    pstats.Stats(str(file), stream=words).sort_stats("tottime").print_stats(SHOWN)
    stage.say(f"{polls:,} polls in {COUNTED_S:g} s, {ours.resident_mib:.1f} MiB resident; by own time:")
    stage.say(words.getvalue())
    return []
