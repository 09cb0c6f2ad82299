"""What it costs to be read by Prometheus: how long others are held up, how long it takes, and what memory it leaves.

Beside it, in a process of its own: prometheus_client with a Gauge child for each object (`naive_metrics.py`).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass

import aiohttp

from tests.bench.measure import percentile
from tests.bench.operators import Ours
from tests.bench.report import Row, Target
from tests.bench.stage import Stage
from tests.conftest import ROOT

SCRAPES = 10
EVERY_S = 3.0
HELD_UP_MS = 50.0
PROBE_EVERY_S = 0.002
NAIVE = "tests.bench.naive_metrics"


@dataclass(frozen=True)
class Scrape:
    """One reading of the metrics."""

    seconds: float
    size: int
    longest_s: float
    """The longest answer of /healthz meanwhile: for so long, and its own way, somebody was held up."""


async def play(stage: Stage) -> list[Row]:
    ours = await stage.followed()
    await asyncio.sleep(EVERY_S)
    before_mib = ours.resident_mib
    stage.say(f"reading the metrics of {len(stage.members):,} objects {SCRAPES} times, while they are polled")
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=4)) as session:
        idle_s = [await _longest_answer(session, ours, asyncio.create_task(asyncio.sleep(0.3))) for _ in range(SCRAPES)]
        scrapes = [await _scrape(session, ours) for _ in range(SCRAPES)]
    naive = await _naive(len(stage.members))
    held_ms = max(each.longest_s for each in scrapes) * 1000
    size_mib = scrapes[-1].size / 2**20
    note = (
        f"{percentile([each.longest_s * 1000 for each in scrapes], 50):.0f} ms in the median of {SCRAPES}; "
        f"{max(idle_s) * 1000:.0f} ms while nobody read them; a whole one takes "
        f"{percentile([each.seconds * 1000 for each in scrapes], 50):.0f} ms and is {size_mib:.1f} MiB"
    )
    return [
        Row(
            key="scrape-held-up",
            figure=f"a scrape of {len(stage.members):,} tasks holds others up",
            unit="ms",
            ours=held_ms,
            target=Target(HELD_UP_MS),
            note=f"{note}; a Gauge child for each, as it comes: {naive['held_up_ms']:.0f} ms",
        ),
        Row(
            key="scrape-memory",
            figure="memory that being scraped leaves",
            unit="MiB",
            ours=ours.resident_mib - before_mib,
            target=Target(2.0),
            note=f"from {before_mib:.1f} MiB; a Gauge child for each, as it comes: {naive['mib']:.0f} MiB",
        ),
    ]


async def _scrape(session: aiohttp.ClientSession, ours: Ours) -> Scrape:
    """Read the metrics, asking for /healthz all the while."""
    await asyncio.sleep(EVERY_S)
    began_s = time.monotonic()
    reading = asyncio.create_task(_size(session, ours))
    longest_s = await _longest_answer(session, ours, reading)
    return Scrape(time.monotonic() - began_s, await reading, longest_s)


async def _size(session: aiohttp.ClientSession, ours: Ours) -> int:
    size = 0
    async with session.get(f"http://127.0.0.1:{ours.port}/metrics") as answer:
        answer.raise_for_status()
        async for chunk in answer.content.iter_any():
            size += len(chunk)
    return size


async def _longest_answer(session: aiohttp.ClientSession, ours: Ours, meanwhile: asyncio.Task[object]) -> float:
    longest_s = 0.0
    while not meanwhile.done():
        began_s = time.monotonic()
        async with session.get(f"http://127.0.0.1:{ours.port}/healthz") as answer:
            await answer.read()
        longest_s = max(longest_s, time.monotonic() - began_s)
        await asyncio.sleep(PROBE_EVERY_S)
    return longest_s


async def _naive(objects: int) -> dict[str, float]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", NAIVE, str(objects), stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"{NAIVE} ended with {process.returncode}")
    found: dict[str, float] = json.loads(output)
    return found
