"""The plain kopf way on the same first thousand objects: capped, and as it comes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from tests.bench.api import Watch, many
from tests.bench.beside import beside_bare
from tests.bench.measure import percentile
from tests.bench.operators import PlainKopf
from tests.bench.report import Row, Target
from tests.bench.scenes import thousand
from tests.bench.stage import ACCOUNTS, FIRST, FIRST_INTERVAL_S, PLAIN_USER, Member, Stage

CONNECTIONS = 8
NAMESPACE = "thousand"
LOOKED_AT_WITHIN_S = 45.0
"""Nine times as long as one round should take."""
SETTLED_S = 15.0
WINDOW_S = 10.0
SAMPLES = 20
WITHIN_S = 60.0
SHARE = Target(0.2)

Column = Literal["capped", "as_it_comes"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of plain kopf's, for the row of the operator's that has this key."""

    key: str
    title: str
    unit: str
    value: float

    def row(self, column: Column) -> Row:
        row = Row(key=self.key, figure=self.title, unit=self.unit)
        return replace(row, capped=self.value) if column == "capped" else replace(row, as_it_comes=self.value)


async def play(stage: Stage) -> list[Row]:
    ours = next((row for row in stage.measured if row.key == "poll-us"), None)
    before: list[Row] = []
    if ours is None:
        before = await thousand.play(stage)
        ours = next(row for row in before if row.key == "poll-us")
    capped = await _measure(stage, CONNECTIONS)
    as_it_comes = await _measure(stage, None)
    poll_us = next(figure.value for figure in capped if figure.key == "poll-us")
    assert ours.ours is not None
    share = Row(
        key="share",
        figure="CPU per quiet poll, 1,000 tasks, of plain kopf's (capped)",
        unit="x",
        ours=ours.ours / poll_us,
        target=SHARE,
        capped=1.0,
    )
    rows = [figure.row("capped") for figure in capped] + [figure.row("as_it_comes") for figure in as_it_comes]
    return [*before, share, *rows]


async def _measure(stage: Stage, connections: int | None) -> list[Figure]:
    how = "as it comes" if connections is None else f"capped at {connections} connections"
    stage.say(f"plain kopf, {how}, follows the same {FIRST:,} objects")
    since = stage.cloud.admin.tally().calls
    plain = await stage.plain_kopf(NAMESPACE, connections)
    try:
        all_s = await stage.all_looked_at(plain, stage.of(NAMESPACE), LOOKED_AT_WITHIN_S, since) - plain.began_s
        await asyncio.sleep(SETTLED_S)
        place = stage.place()
        found = await beside_bare(stage, plain, FIRST / FIRST_INTERVAL_S, WINDOW_S, windows=2)
        writes = len(stage.writes(place, PLAIN_USER))
        stage.say(found.words)
        figures = [
            Figure("poll-us", "CPU per quiet poll, 1,000 tasks, 200/s", "us", found.poll_us),
            Figure("polls-200", "polls/s of the 200 that 1,000 tasks wish for", "/s", found.polls_per_s),
            Figure("cpu-200", "", "", found.times),
            Figure("quiet-writes", "API-server writes while nothing changes", "", writes),
            Figure("memory-1000", "resident memory, 1,000 tasks", "MiB", plain.resident_mib),
            Figure("restart-1000", "restart with 1,000: all looked at again", "s", all_s),
        ]
        return figures + (await _people(stage, plain) if connections is not None else [])
    finally:
        await plain.end()


async def _people(stage: Stage, plain: PlainKopf) -> list[Figure]:
    """Create and delete some objects, and count what plain kopf writes for them."""
    members = [Member(NAMESPACE, f"p-{number}", number % ACCOUNTS, FIRST_INTERVAL_S) for number in range(SAMPLES)]
    await stage.start_tasks(members, stage.cloud)
    async with Watch(stage.api, NAMESPACE) as watch:
        place = stage.place()
        await many([partial(watch.create, member.body, WITHIN_S) for member in members], at_once=1)
        await asyncio.sleep(2 * FIRST_INTERVAL_S)
        created = len(stage.writes(place, PLAIN_USER))
        place = stage.place()
        took_s = await many([partial(watch.delete, member.name, WITHIN_S) for member in members], at_once=4)
        await asyncio.sleep(1)
        deleted = len(stage.writes(place, PLAIN_USER))
    plain.check()
    return [
        Figure("patches-created", "PATCHes for a created task", "", created / SAMPLES),
        Figure("patches-deleted", "PATCHes for a deletion", "", deleted / SAMPLES),
        Figure("plain-gone-p50", "delete to gone, 1,000 tasks, no account saturated, p50", "s", percentile(took_s, 50)),
    ]
