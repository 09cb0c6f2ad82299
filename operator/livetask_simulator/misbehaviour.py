"""Faults over the wire: resets, hangs, garbage, endless and half answers.

Apart from the server, because each of these breaks HTTP in its own way and is nothing that an ordinary answer needs.
"""

import asyncio
import functools
import gzip
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from livetask_simulator.exchange import Reply
from livetask_simulator.faults import Fault, FaultKind

HUGE_BYTES = 64 * 1024 * 1024
BOMB_BYTES = 64 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
GARBAGE = "<html><body>upstream\x00 said \ufffd{"
ELSEWHERE = "/elsewhere"  # on the simulator itself: a followed redirect shows in the ledger


@dataclass(frozen=True)
class Strike:
    """A fault, the request that it strikes, and the true reply (None: the operation was not carried out)."""

    request: web.Request
    fault: Fault
    reply: Reply | None

    def headers(self, default: Mapping[str, str]) -> dict[str, str]:
        """The headers to send: a default, and what the fault says."""
        return {**default, **self.fault.headers}


def respond(reply: Reply) -> web.Response:
    """An ordinary answer."""
    return web.Response(status=reply.status, body=reply.body, headers=reply.headers)


async def misbehave(strike: Strike) -> web.StreamResponse:
    """Answer as the fault says."""
    return await _WAYS[strike.fault.kind](strike)


async def _as_it_is(strike: Strike) -> web.StreamResponse:
    """The reply: a delay has passed already, an error was made by the vendor."""
    return respond(_required(strike))


async def _answer(strike: Strike) -> web.StreamResponse:
    fault = strike.fault
    return web.Response(
        status=fault.status or 200,
        body=(fault.body or "").encode(),
        headers=strike.headers({"Content-Type": "application/json;charset=utf-8"}),
    )


async def _reset(strike: Strike) -> web.StreamResponse:
    _drop(strike.request, reset=True)
    return web.Response()


async def _hang(strike: Strike) -> web.StreamResponse:
    """Never answer; ends when the client gives up or the simulator is stopped."""
    await asyncio.Event().wait()
    return web.Response()


async def _garbage(strike: Strike) -> web.StreamResponse:
    body = GARBAGE if strike.fault.body is None else strike.fault.body
    headers = strike.headers({"Content-Type": "application/json;charset=utf-8"})
    return web.Response(status=strike.fault.status or 200, body=body.encode(), headers=headers)


async def _huge(strike: Strike) -> web.StreamResponse:
    """Well-formed JSON that goes on and on."""
    opening, closing = b'{"RequestId": "', b'", "Status": 1}'
    left = max(0, (strike.fault.size_bytes or HUGE_BYTES) - len(opening) - len(closing))
    response = await _begin(strike, strike.fault.status or 200, {"Content-Type": "application/json;charset=utf-8"})
    await response.write(opening)
    while left > 0:
        await response.write(b"A" * min(left, CHUNK_BYTES))
        left -= CHUNK_BYTES
    await response.write(closing)
    return response


async def _redirect(strike: Strike) -> web.StreamResponse:
    return web.Response(status=strike.fault.status or 302, headers=strike.headers({"Location": ELSEWHERE}))


async def _gzip_bomb(strike: Strike) -> web.StreamResponse:
    """Small on the wire, large once unpacked."""
    body = await asyncio.to_thread(_bomb, strike.fault.size_bytes or BOMB_BYTES)
    headers = {"Content-Type": "application/json;charset=utf-8", "Content-Encoding": "gzip"}
    return web.Response(status=strike.fault.status or 200, body=body, headers=strike.headers(headers))


async def _truncated(strike: Strike) -> web.StreamResponse:
    """Half of the body that the Content-Length promises; then the connection ends."""
    reply = _required(strike)
    length = {"Content-Length": str(len(reply.body))}
    response = await _begin(strike, reply.status, {**reply.headers, **length})
    await response.write(reply.body[: len(reply.body) // 2])
    _drop(strike.request, reset=False)
    return response


async def _drip(strike: Strike) -> web.StreamResponse:
    """A byte at a time."""
    reply = _required(strike)
    response = await _begin(strike, reply.status, reply.headers)
    for byte in reply.body:
        await response.write(bytes([byte]))
        await asyncio.sleep(strike.fault.interval_s)
    return response


async def _cookie(strike: Strike) -> web.StreamResponse:
    reply = _required(strike)
    headers = strike.headers({**reply.headers, "Set-Cookie": "session=simulated; Path=/"})
    return web.Response(status=reply.status, body=reply.body, headers=headers)


async def _content_type(strike: Strike) -> web.StreamResponse:
    reply = _required(strike)
    headers = strike.headers({**reply.headers, "Content-Type": "text/html;charset=gbk"})
    return web.Response(status=reply.status, body=reply.body, headers=headers)


async def _begin(strike: Strike, status: int, headers: Mapping[str, str]) -> web.StreamResponse:
    response = web.StreamResponse(status=status, headers=strike.headers(headers))
    await response.prepare(strike.request)
    return response


@functools.cache
def _bomb(size_bytes: int) -> bytes:
    return gzip.compress(b'{"Status": 1, "RequestId": "' + b"A" * size_bytes + b'"}')


def _drop(request: web.Request, *, reset: bool) -> None:
    """End the connection: with a reset, or with a plain close after what was written."""
    transport = request.transport
    if transport is None:
        return
    if reset:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    else:
        transport.close()


def _required(strike: Strike) -> Reply:
    if strike.reply is None:
        raise ValueError(f"A fault of kind {strike.fault.kind} needs a reply; the server did not make one.")
    return strike.reply


_WAYS: dict[FaultKind, Callable[[Strike], Awaitable[web.StreamResponse]]] = {
    FaultKind.ERROR: _as_it_is,
    FaultKind.THROTTLE: _as_it_is,
    FaultKind.DELAY: _as_it_is,
    FaultKind.ANSWER: _answer,
    FaultKind.RESET: _reset,
    FaultKind.HANG: _hang,
    FaultKind.GARBAGE: _garbage,
    FaultKind.HUGE: _huge,
    FaultKind.REDIRECT: _redirect,
    FaultKind.GZIP_BOMB: _gzip_bomb,
    FaultKind.TRUNCATED: _truncated,
    FaultKind.DRIP: _drip,
    FaultKind.COOKIE: _cookie,
    FaultKind.CONTENT_TYPE: _content_type,
}
