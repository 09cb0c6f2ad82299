"""Who has to go where more come to the HTTP port than there are places for: one of the address that holds the most.

Apart from the port, because it is so of connections and of those who read the metrics. Whoever reaches the port can
take any number of places; Prometheus and the kubelet take one or two each, and keep them.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence


def address(transport: asyncio.BaseTransport) -> str:
    """Whose connection it is; empty where it is gone already."""
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if peer else ""


def of_the_most(transports: Iterable[asyncio.Transport]) -> Sequence[asyncio.Transport]:
    """Those of the address that has the most of them, in their order; of two with as many, of the first one's."""
    by_address: defaultdict[str, list[asyncio.Transport]] = defaultdict(list)
    for transport in transports:
        by_address[address(transport)].append(transport)
    return max(by_address.values(), key=len, default=[])
