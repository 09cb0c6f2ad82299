"""What a poll costs that finds nothing new, that it writes nothing, and what memory all objects take."""

from __future__ import annotations

from tests.bench.audit import words
from tests.bench.beside import Beside, beside_bare
from tests.bench.report import Row, Target
from tests.bench.stage import Stage

TIMES = Target(2.3, stretch=2.0)
AT_LEAST_S = 10.0


async def play(stage: Stage) -> list[Row]:
    ours = await stage.followed()
    interval_s = max(member.interval_s for member in stage.members)
    stage.say("measuring quiet polls at 500 a second beside the bare loop")
    place = stage.place()
    found = await beside_bare(stage, ours, stage.polls_per_s(stage.members), max(interval_s, AT_LEAST_S))
    writes = stage.writes(place)
    stage.say(found.words)
    return [
        cpu_row(500, found),
        Row(
            key="quiet-writes",
            figure="API-server writes while nothing changes",
            ours=len(writes),
            target=Target(0),
            note=words(writes),
        ),
        Row(
            key="memory",
            figure=f"resident memory, {len(stage.members):,} tasks",
            unit="MiB",
            ours=ours.resident_mib,
            target=Target(185),
        ),
    ]


def cpu_row(per_second: int, found: Beside) -> Row:
    """What a poll costs at a rate, in the bare loop's calls."""
    return Row(
        key=f"cpu-{per_second}",
        figure=f"CPU per quiet poll at {per_second}/s, in bare loop's calls",
        unit="x",
        ours=found.times,
        target=TIMES,
        note=found.words,
    )
