"""What a quiet poll costs at 200 a second: of the first thousand objects alone, as plain kopf follows them, too."""

from __future__ import annotations

from tests.bench.beside import beside_bare
from tests.bench.report import Row
from tests.bench.scenes.quiet import AT_LEAST_S, cpu_row
from tests.bench.stage import Stage

NAMESPACE = "thousand"


async def play(stage: Stage) -> list[Row]:
    ours = await stage.followed(NAMESPACE)
    stage.say("measuring quiet polls at 200 a second beside the bare loop")
    found = await beside_bare(stage, ours, stage.polls_per_s(stage.of(NAMESPACE)), AT_LEAST_S)
    stage.say(found.words)
    return [
        cpu_row(200, found),
        Row(key="poll-us", figure="CPU per quiet poll, 1,000 tasks, 200/s", unit="us", ours=found.poll_us),
        Row(key="memory-1000", figure="resident memory, 1,000 tasks", unit="MiB", ours=ours.resident_mib),
    ]
