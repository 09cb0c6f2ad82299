"""An event loop whose clock jumps to the next timer: minutes of waiting pass in milliseconds, and always the same."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Jumping(selectors.SelectSelector):
    """A selector that does not wait: it moves the clock on by as long as it was told to."""

    now_s = 1_000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("everybody waits, and nothing is going to happen")
        if not ready and timeout is not None:
            self.now_s += timeout
        return ready


class FakeTimeLoop(asyncio.SelectorEventLoop):
    """`time()` starts at 1000 s."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now_s


def run(story: Coroutine[Any, Any, T]) -> T:
    """Run a story to its end in fake time."""
    with asyncio.Runner(loop_factory=FakeTimeLoop) as runner:
        return runner.run(story)


def now_s() -> float:
    """The fake time, in seconds."""
    return asyncio.get_running_loop().time()
