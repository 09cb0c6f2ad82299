"""What a poll costs that finds nothing new, and that it writes nothing."""

from __future__ import annotations

from tests.bench.beside import beside_bare
from tests.bench.report import Row, Target
from tests.bench.stage import FIRST_INTERVAL_S, Stage

TIMES = Target(2.3, stretch=2.0)
AT_LEAST_S = 10


async def play(stage: Stage) -> list[Row]:
    return [*await at_500_a_second(stage), *await at_200_a_second(stage)]


async def at_500_a_second(stage: Stage) -> list[Row]:
    """All objects, as they were created."""
    await stage.populate()
    ours = await stage.follow()
    interval_s = max(member.interval_s for member in stage.members)
    stage.say("measuring quiet polls at 500 a second beside the bare loop")
    place = stage.place()
    found = await beside_bare(stage, ours, stage.polls_per_s(stage.members), max(interval_s, AT_LEAST_S))
    writes = stage.writes(place)
    stage.say(found.words)
    return [
        Row(
            key="cpu-500",
            figure="CPU per quiet poll at 500/s, in bare loop's calls",
            unit="x",
            ours=found.times,
            target=TIMES,
            note=found.words,
        ),
        Row(key="quiet-writes", figure="API-server writes while nothing changes", ours=len(writes), target=Target(0)),
        Row(
            key="memory",
            figure=f"resident memory, {len(stage.members):,} tasks",
            unit="MiB",
            ours=ours.resident_mib,
            target=Target(185),
        ),
    ]


async def at_200_a_second(stage: Stage) -> list[Row]:
    """The first thousand alone."""
    await stage.populate()
    since = stage.cloud.admin.tally().calls
    ours = await stage.follow("thousand")
    await ours.ready()
    await stage.all_looked_at(ours, stage.of("thousand"), 60, since)
    stage.say("measuring quiet polls at 200 a second beside the bare loop")
    found = await beside_bare(
        stage, ours, stage.polls_per_s(stage.of("thousand")), max(2 * FIRST_INTERVAL_S, AT_LEAST_S)
    )
    stage.say(found.words)
    return [
        Row(
            key="cpu-200",
            figure="CPU per quiet poll at 200/s, in bare loop's calls",
            unit="x",
            ours=found.times,
            target=TIMES,
            note=found.words,
        ),
        Row(key="poll-us", figure="CPU per quiet poll, 1,000 tasks, 200/s", unit="us", ours=found.poll_us),
        Row(key="memory-1000", figure="resident memory, 1,000 tasks", unit="MiB", ours=ours.resident_mib),
    ]
