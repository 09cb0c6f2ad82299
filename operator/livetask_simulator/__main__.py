"""`python -m livetask_simulator` is the command `livetask-simulator`."""

import sys

from livetask_simulator.cli import main

sys.exit(main())
