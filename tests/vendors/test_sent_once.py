"""One `send` is one request on the wire, whatever its method and however the connection ends.

Apart from the transport's other tests, because HTTP libraries hold it right to send some methods again.
"""

from __future__ import annotations

import asyncio

import pytest

from livetask_operator.vendors.contract import VendorUnavailable
from livetask_operator.vendors.transport import Request, Transport
from tests.vendors.peers import Behaviour, answers, hangs_up, peer, resets

METHODS = ["DELETE", "GET", "POST", "PUT"]
ENDINGS: dict[str, Behaviour] = {"closes": hangs_up(), "resets": resets}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS.keys())
async def test_a_request_on_a_fresh_connection_that_breaks_is_not_sent_again(ending: Behaviour, method: str) -> None:
    async with peer(ending) as vendor, Transport("livetask-operator/0.1.0 (test)") as transport:
        with pytest.raises(VendorUnavailable, match="was refused or broke"):
            await transport.send(Request(method, vendor.url, {}))

        assert (len(vendor.heads), vendor.connections) == (1, 1)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS.keys())
async def test_a_request_on_a_kept_connection_that_breaks_is_not_sent_again(ending: Behaviour, method: str) -> None:
    async def first_answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await (answers(b"{}") if len(vendor.heads) == 1 else ending)(reader, writer)

    async with peer(first_answers) as vendor, Transport("livetask-operator/0.1.0 (test)") as transport:
        await transport.send(Request("GET", vendor.url, {}))
        with pytest.raises(VendorUnavailable, match="was refused or broke"):
            await transport.send(Request(method, vendor.url, {}))

        assert (len(vendor.heads), vendor.connections) == (2, 1)
