"""How many random examples the tests of faults play: the same ones each time, or, with LIVES=20, twenty times as many.

Then they are others each time, and a failure prints the seed that repeats it (`pytest --hypothesis-seed=…`).
"""

from __future__ import annotations

import os

from hypothesis import settings

MORE = int(os.environ.get("LIVES", "1"))
EXAMPLES = settings(max_examples=MORE, derandomize=MORE == 1, deadline=None, database=None, print_blob=True)
"""A test multiplies `max_examples` by its own number."""
