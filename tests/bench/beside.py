"""What a poll costs, beside the bare loop: both at the same rate in the same seconds, so neighbours hit both alike."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from tests.bench.measure import percentile
from tests.bench.operators import Measured
from tests.bench.stage import Stage

WINDOWS = 3
WARM_UP_S = 3.0


@dataclass(frozen=True, slots=True)
class Window:
    """What both did in the same seconds."""

    polls_per_s: float
    poll_us: float
    bare_per_s: float
    bare_us: float

    @property
    def times(self) -> float:
        return self.poll_us / self.bare_us


@dataclass(frozen=True, slots=True)
class Beside:
    """What came of all windows: the medians."""

    polls_per_s: float
    poll_us: float
    bare_per_s: float
    bare_us: float
    times: float

    @property
    def words(self) -> str:
        ours = f"{self.poll_us:.0f} us a poll at {self.polls_per_s:.0f} polls/s"
        return f"{ours}, the bare loop {self.bare_us:.0f} us a call at {self.bare_per_s:.0f} calls/s"


async def beside_bare(
    stage: Stage, follower: Measured, per_second: float, window_s: float, windows: int = WINDOWS
) -> Beside:
    """Measure a follower that polls, beside a bare loop at a rate."""
    async with stage.bare_loop(per_second) as bare:
        await asyncio.sleep(WARM_UP_S)
        found = [await _window(stage, follower, bare, window_s) for _ in range(windows)]
    return Beside(
        polls_per_s=percentile([window.polls_per_s for window in found], 50),
        poll_us=percentile([window.poll_us for window in found], 50),
        bare_per_s=percentile([window.bare_per_s for window in found], 50),
        bare_us=percentile([window.bare_us for window in found], 50),
        times=percentile([window.times for window in found], 50),
    )


async def _window(stage: Stage, follower: Measured, bare: Measured, window_s: float) -> Window:
    began = _now(stage, follower, bare)
    await asyncio.sleep(window_s)
    took_s, polls, bare_calls, cpu_s, bare_cpu_s = (
        after - before for after, before in zip(_now(stage, follower, bare), began, strict=True)
    )
    follower.check()
    bare.check()
    return Window(polls / took_s, _us(cpu_s, polls), bare_calls / took_s, _us(bare_cpu_s, bare_calls))


def _now(stage: Stage, follower: Measured, bare: Measured) -> tuple[float, float, float, float, float]:
    calls = stage.cloud.admin.tally().calls
    bare_calls = stage.bare_cloud.admin.tally().calls
    return time.monotonic(), calls, bare_calls, follower.cpu_s, bare.cpu_s


def _us(cpu_s: float, calls: float) -> float:
    return cpu_s / calls * 1e6 if calls else float("inf")
