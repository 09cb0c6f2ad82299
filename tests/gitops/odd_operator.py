"""The operator without the patience that hides some rows of the table: it forgives a newcomer nothing, and waits long.

Nothing else differs, and nobody but a test could want it: so these are no settings.
Run as `python -m tests.gitops.odd_operator`, with the arguments of `livetask-operator`.
"""

from __future__ import annotations

import sys

from livetask_operator.cli import main
from livetask_operator.reconcile import looks
from livetask_operator.vendors.transport import Transport

LONG_S = 60.0
"""A call: so long that the last good look gets stale before a call that hangs has failed."""

PROGRAM = (sys.executable, "-m", "tests.gitops.odd_operator")

if __name__ == "__main__":
    looks.YOUNG_S = 0.0
    defaults = Transport.__init__.__kwdefaults__
    assert defaults is not None
    defaults["timeout_s"] = LONG_S
    sys.exit(main())
