"""The scenes, in the order in which they are played: each measures some figures and returns them as rows.

The first find the operator as it follows all objects since their creation; the later ones restart it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from tests.bench.report import Row
from tests.bench.scenes import (
    burst,
    creation,
    huawei,
    memory,
    million,
    plain,
    profile,
    quiet,
    restart,
    saturation,
    scrape,
    thousand,
)
from tests.bench.stage import Stage

Scene = Callable[[Stage], Awaitable[list[Row]]]

SCENES: Mapping[str, Scene] = {
    "creation": creation.play,
    "quiet": quiet.play,
    "memory": memory.play,
    "scrape": scrape.play,
    "burst": burst.play,
    "restart": restart.play,
    "thousand": thousand.play,
    "saturation": saturation.play,
    "huawei": huawei.play,
    "plain": plain.play,
    "million": million.play,
}

ALL: Mapping[str, Scene] = {**SCENES, "profile": profile.play}
"""With those that are played only by name: they answer a question, and measure no figure."""
