"""Ports for servers that start a moment later.

Not from where the kernel takes them for whoever asks for any: by then one could have been given to somebody else, as to
another test that runs at the same time.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Sequence
from contextlib import suppress

BELOW_THE_KERNELS = range(12_000, 30_000)
TRIES = 100


def free_ports(count: int) -> Sequence[int]:
    """So many ports on which nobody listens. Raises RuntimeError where there seem to be none."""
    found = []
    for port in random.SystemRandom().sample(BELOW_THE_KERNELS, TRIES):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            found.append(port)
        if len(found) == count:
            return found
    raise RuntimeError(f"of {TRIES} ports there are no {count} free")
