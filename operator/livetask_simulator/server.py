"""The HTTP side: takes requests in, writes them down, has the vendor handle them, and lets faults strike.

Apart from the vendors, which know nothing of HTTP servers. `running` runs a simulator inside an event loop;
`livetask_simulator.process` runs one as a process of its own.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from aiohttp import web

from livetask_simulator.admin import admin_routes
from livetask_simulator.exchange import Identity, Received, Reply, Vendor
from livetask_simulator.faults import Fault, FaultKind
from livetask_simulator.ledger import Call
from livetask_simulator.misbehaviour import Strike, misbehave, respond
from livetask_simulator.world import World

BODY_BYTES_MAX = 4 * 1024 * 1024
HEADER_BYTES_MAX = 64 * 1024  # parameters travel in the query: a hundred URLs do not fit into aiohttp's 8 KiB
SHUTDOWN_S = 0.3
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Running:
    """A simulator that is listening."""

    url: str
    world: World


@asynccontextmanager
async def running(world: World | None = None, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Running]:
    """Run a simulator inside this event loop. Port 0 picks a free one.

    A blocking client in the same loop would wait for itself: call it in a thread, or change the `world` directly.
    """
    world = world or World()
    runner = web.AppRunner(
        application(world),
        access_log=None,
        handler_cancellation=True,  # a client that gives up frees a hanging answer
        shutdown_timeout=SHUTDOWN_S,
        max_line_size=HEADER_BYTES_MAX,
        max_field_size=HEADER_BYTES_MAX,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        listens_at = runner.addresses[0]
        yield Running(url=f"http://{host}:{listens_at[1]}", world=world)
    finally:
        await runner.cleanup()


def application(world: World) -> web.Application:
    """The web application: the admin API under /_admin, the clouds everywhere else."""
    app = web.Application(client_max_size=BODY_BYTES_MAX)
    app.add_routes(admin_routes(world))
    app.router.add_route("*", "/{path:.*}", _Front(world).serve)
    return app


class _Front:
    """Takes one request after the other to its vendor."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def serve(self, request: web.Request) -> web.StreamResponse:
        received = await _receive(request)
        vendor = self._world.vendor_of(received)
        identity = vendor.identify(received)
        call = self._world.ledger.open(identity, received)
        try:
            return await self._answer(request, received, vendor, identity, call)
        finally:
            self._world.ledger.close(call)
            log.debug("%s %s: %s %s", call.operation, call.task_id, call.http_status, call.outcome)

    async def _answer(
        self, request: web.Request, received: Received, vendor: Vendor, identity: Identity, call: Call
    ) -> web.StreamResponse:
        fault = self._world.faults.strike(identity)
        if fault is None:
            reply = vendor.handle(received, identity)
            call.settle(reply)
            return respond(reply)

        call.fault = fault.kind
        if not fault.after_effect:
            await asyncio.sleep(fault.delay_s)
        reply_or_none = vendor.handle(received, identity) if fault.takes_effect else None
        if reply_or_none is not None:
            call.settle(reply_or_none)
            call.http_status = None  # no answer yet
        if fault.after_effect:
            await asyncio.sleep(fault.delay_s)
        if fault.kind in (FaultKind.ERROR, FaultKind.THROTTLE):
            reply_or_none = _made_to_order(vendor, identity, fault, reply_or_none)
            call.settle(reply_or_none)
        response = await misbehave(Strike(request, fault, reply_or_none))
        call.http_status = None if fault.kind is FaultKind.RESET else response.status
        return response


def _made_to_order(vendor: Vendor, identity: Identity, fault: Fault, carried_out: Reply | None) -> Reply:
    """The vendor's error that a fault asks for; what the operation did before stays on record."""
    throttle = fault.kind is FaultKind.THROTTLE
    reply = vendor.refuse(
        identity,
        code=fault.code or (vendor.throttling_code if throttle else "InternalError"),
        status=fault.status or 0,
        message=fault.message,
        retry_after_ms=fault.retry_after_ms,
    )
    headers = {**reply.headers, **fault.headers}
    stopped = reply.stopped_task if carried_out is None else carried_out.stopped_task
    return replace(reply, headers=headers, stopped_task=stopped)


async def _receive(request: web.Request) -> Received:
    """The request with its target as it came over the wire, not as a framework would tidy it."""
    target = urlsplit(request.raw_path) if request.raw_path.startswith("http") else None
    path, _, query = request.raw_path.partition("?")
    if target is not None:
        path, query = target.path or "/", target.query
    names = {name.lower() for name in request.headers}
    return Received(
        method=request.method,
        path=path,
        query=query,
        headers={name: ",".join(request.headers.getall(name)) for name in names},
        body=await request.read(),
    )
