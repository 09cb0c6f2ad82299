"""`python -m livetask_operator`: the same as the command livetask-operator."""

import sys

from livetask_operator.cli import main

sys.exit(main())
