"""The operator with less patience, for tests: what it does after minutes it does after seconds.

Nothing else differs, and nobody but a test could want it: so these are no settings.
Run as `python -m tests.faults.impatient`, with the arguments of `livetask-operator`.
"""

from __future__ import annotations

import sys

from livetask_operator.cli import main
from livetask_operator.kube import follow, hearing, reach, watching
from tests.stage.processes import Operator

SILENT_S = 2.0
DEAF_AFTER_S = 7.0


class Impatient(Operator):
    """`livetask-operator run`, in a hurry."""

    def start(self) -> None:
        program = [sys.executable, "-m", "tests.faults.impatient"]
        self._command = [*program, *self._command[self._command.index("run") :]]
        super().start()


def hurry() -> None:
    """Shorten what is waited for."""
    watching.WATCH_SILENT_S = SILENT_S
    watching.LOGIN_AGAIN_S = 0.5
    watching.AGAIN_S, watching.AGAIN_CAP_S = 0.2, 0.5
    hearing.DEAF_AFTER_S, hearing.CHECK_EVERY_S = DEAF_AFTER_S, 0.5
    follow.SWEEP_AFTER_LISTING_S = follow.SWEEP_AFTER_START_S = 1.0
    reach.CHECK_EVERY_S, reach.CHECK_AGAIN_S = 2.0, 1.0


if __name__ == "__main__":
    hurry()
    sys.exit(main())
