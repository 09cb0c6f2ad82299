"""A restart while nothing has changed: how soon all is looked at again, at what cost, and that nothing is written."""

from __future__ import annotations

import asyncio
import math
import time

from tests.bench.audit import words
from tests.bench.operators import Ours
from tests.bench.report import Row, Target
from tests.bench.stage import RESTARTED, Stage

NAMESPACES = ("thousand", "thousands")
ALL_LOOKED_AT_S = 10.0
CPU_S, CPU_STRETCH_S = 8.0, 6.0
GIVEN_UP_S = 90.0
SAMPLE_S = 0.02

Sample = tuple[float, float]
"""A monotonic time and the CPU seconds used until then."""


async def play(stage: Stage) -> list[Row]:
    await stage.followed(*NAMESPACES)
    members = stage.of(*NAMESPACES)
    await stage.nobody_follows()
    await asyncio.sleep(2)
    stage.say(f"restarting with {len(members):,} unchanged objects")
    since, place = stage.cloud.admin.tally().calls, stage.place()
    ours = await stage.follow(*NAMESPACES, fresh=True)
    samples: list[Sample] = []
    sampling = asyncio.create_task(_sample(ours, samples))
    try:
        all_looked_at_s = await stage.all_looked_at(ours, members, GIVEN_UP_S, since)
    finally:
        sampling.cancel()
    await asyncio.sleep(2)
    writes = stage.writes(place)
    share = len(members) / RESTARTED
    title = f"restart with {len(members):,} unchanged"
    return [
        Row(
            key="restart",
            figure=f"{title}: all looked at again",
            unit="s",
            ours=all_looked_at_s - ours.began_s,
            target=Target(ALL_LOOKED_AT_S),
        ),
        Row(
            key="restart-cpu",
            figure=f"{title}: CPU until then",
            unit="s",
            ours=cpu_at(samples, all_looked_at_s),
            target=Target(CPU_S * share, stretch=CPU_STRETCH_S * share),
        ),
        Row(
            key="restart-writes",
            figure=f"{title}: writes",
            ours=len(writes),
            target=Target(0),
            note=words(writes),
        ),
        Row(key="restart-memory", figure=f"{title}: resident memory after it", unit="MiB", ours=ours.resident_mib),
    ]


def cpu_at(samples: list[Sample], at_s: float) -> float:
    """The CPU time that was used at a moment: the first sample's that is not before it."""
    return next((cpu_s for sampled_s, cpu_s in samples if sampled_s >= at_s), math.inf)


async def _sample(ours: Ours, samples: list[Sample]) -> None:
    while True:
        samples.append((time.monotonic(), ours.cpu_s))
        await asyncio.sleep(SAMPLE_S)
