"""Runs the operator under cProfile: SIGUSR1 begins to count, SIGUSR2 ends it and writes to the file in PROFILE."""

from __future__ import annotations

import cProfile
import os
import signal
import sys
import time
from types import FrameType

from livetask_operator.cli import main

_PROFILE = cProfile.Profile(time.process_time)  # not the time that neighbours take


def _begin(_number: int, _frame: FrameType | None) -> None:
    _PROFILE.enable()


def _end(_number: int, _frame: FrameType | None) -> None:
    _PROFILE.disable()
    _PROFILE.dump_stats(os.environ["PROFILE"])


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, _begin)
    signal.signal(signal.SIGUSR2, _end)
    sys.exit(main(sys.argv[1:]))
