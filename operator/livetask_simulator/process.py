"""Runs a simulator as a process of its own, for tests that must not share an event loop with it.

Apart from the server, which runs inside a loop.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from livetask_simulator.client import Simulator

STOP_WITHIN_S = 5.0
ANNOUNCEMENT = "livetask-simulator listens on "


@contextmanager
def simulator_process(arguments: Sequence[str] = ()) -> Iterator[Simulator]:
    """Start `livetask-simulator` with these arguments; ends it when the block ends. Its log goes to our stderr."""
    command = [sys.executable, "-m", "livetask_simulator", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own module
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line.startswith(ANNOUNCEMENT):
                raise RuntimeError(f"The simulator did not start (exit code {process.wait()}); its stderr says why.")
            yield Simulator(line.removeprefix(ANNOUNCEMENT).strip())
        finally:
            process.terminate()
            try:
                process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
