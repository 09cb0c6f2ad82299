"""The one HTTP port: /healthz and /readyz for the kubelet's probes, /metrics for Prometheus, /explain for a person.

All of it may be read by whoever reaches the port, so none tells more of an object than /metrics does.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from contextlib import aclosing
from dataclasses import dataclass

from aiohttp import web

from livetask_operator.observability.enquiries import Enquiries
from livetask_operator.observability.health import Health
from livetask_operator.observability.metrics import CONTENT_TYPE, Metrics
from livetask_operator.observability.places import address as address_of
from livetask_operator.observability.places import of_the_most

CLOSE_WITHIN_S = 0.5
CONNECTIONS_AT_ONCE = 64
"""Prometheus and the kubelet have one or two each. One that says nothing costs some KiB, and would be kept for an hour;
of those that all ask at once each is served before the loop turns to a stop."""
SCRAPES_AT_ONCE = 8
"""Who reads slowly keeps a list of all objects in memory meanwhile."""
SCRAPE_WITHIN_S = 60.0
"""Prometheus gives up after its scrape_timeout, 10 seconds as a rule."""

log = logging.getLogger("livetask.http")


class ListenError(ValueError):
    """An address that cannot be listened on. One line: the flag, what happened, what to do."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str
    port: int
    """0: any free port."""

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str, flag: str = "--listen") -> Address:
    """An address as in `0.0.0.0:8080`, `[::1]:8080` or `:8080` (all of IPv4). Raises ListenError with the flag."""
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    is_port = port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65535
    if not colon or not is_port or bracketed != (":" in host) or (bracketed and not _is_ipv6(host)) or " " in host:
        raise ListenError(f"{flag} is {text!r}; write it as host:port, for example 0.0.0.0:8080 or [::1]:8080")
    return Address(host or "0.0.0.0", int(port))  # noqa: S104 - the kubelet and Prometheus ask from outside the pod


class ObservabilityServer:
    """Serves until it is closed."""

    def __init__(self, health: Health, metrics: Metrics, enquiries: Enquiries | None = None) -> None:
        self._health = health
        self._metrics = metrics
        self._reading: dict[asyncio.Transport, None] = {}
        self._enquiries = enquiries or Enquiries()
        self._enquiry = asyncio.Lock()
        self._listening: asyncio.Server | None = None
        application = web.Application()
        application.router.add_get("/healthz", self._healthz)
        application.router.add_get("/readyz", self._readyz)
        application.router.add_get("/metrics", self._show_metrics)
        application.router.add_get("/explain/{plural}/{namespace}/{name}", self._explain)
        self._runner = web.AppRunner(
            application,
            access_log=None,
            shutdown_timeout=CLOSE_WITHIN_S,
            lingering_time=0.0,  # nothing here takes a body: who sends one is not waited for
        )

    async def start(self, address: Address, flag: str = "--listen") -> Address:
        """Listen. Returns the address with the port that was got. Raises ListenError where it is taken or not ours."""
        await self._runner.setup()
        try:
            loop = asyncio.get_running_loop()
            self._listening = await loop.create_server(self._received, address.host, address.port)
        except OSError as error:
            await self._runner.cleanup()
            problem = (error.strerror or str(error)).lower()
            raise ListenError(f"{flag} {address} cannot be listened on ({problem}); choose another") from None
        return Address(address.host, self._listening.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening; requests under way have half a second to end."""
        if self._listening is not None:
            self._listening.close()
        await self._runner.cleanup()

    def _received(self) -> asyncio.Protocol:
        """Somebody connects: see to it that there is a place."""
        server = self._runner.server
        if server is None:
            raise RuntimeError("listened before it was set up")
        transports = [handler.transport for handler in server.connections]
        connected = [each for each in transports if each is not None and not each.is_closing()]
        while len(connected) >= CONNECTIONS_AT_ONCE:
            oldest = of_the_most(connected)[0]
            oldest.abort()
            connected.remove(oldest)
        return server()

    async def _healthz(self, _: web.Request) -> web.Response:
        healthy, lines = self._health.report(self._health.monotonic())
        return _text(200 if healthy else 503, "\n".join(["ok" if healthy else "not healthy", *lines]))

    async def _readyz(self, _: web.Request) -> web.Response:
        if self._health.ready:
            return _text(200, "\n".join(["ready", *self._health.notes]))
        return _text(503, "\n".join([f"not ready: {self._health.not_ready_because}", *self._health.notes]))

    async def _show_metrics(self, request: web.Request) -> web.StreamResponse:
        """Send them part by part: of thousands of objects they are never whole in memory."""
        if request.method == "HEAD":
            return web.Response(headers={"Content-Type": CONTENT_TYPE})
        transport = request.transport
        if transport is None or not self._has_place(transport):
            return _text(503, f"{SCRAPES_AT_ONCE} others are reading the metrics; try again in a moment")
        self._reading[transport] = None
        response = web.StreamResponse(headers={"Content-Type": CONTENT_TYPE})
        try:
            async with asyncio.timeout(SCRAPE_WITHIN_S), aclosing(self._metrics.parts()) as parts:
                await response.prepare(request)
                async for part in parts:
                    await response.write(part)
                await response.write_eof()
        except ConnectionError:
            log.debug("who was reading the metrics has gone away")
        except TimeoutError:
            log.warning("who was reading the metrics had not read them after %g s", SCRAPE_WITHIN_S)
            transport.abort()  # what was sent must not pass for all of it
        finally:
            self._reading.pop(transport, None)
        return response

    def _has_place(self, transport: asyncio.Transport) -> bool:
        """Whether it may read the metrics; where all places are taken, whoever takes more of them has to leave one."""
        if len(self._reading) < SCRAPES_AT_ONCE:
            return True
        most = of_the_most(self._reading)
        if sum(address_of(each) == address_of(transport) for each in self._reading) >= len(most):
            return False
        most[0].abort()
        del self._reading[most[0]]
        return True

    async def _explain(self, request: web.Request) -> web.Response:
        """404: not followed. 503: another process leads."""
        asked = request.match_info
        async with self._enquiry:  # each looks through all objects: one, and then others in the loop have their turn
            await asyncio.sleep(0)
            answer = self._enquiries.answer
            if answer is None:
                return _text(503, "this process does not lead")
            known = answer(asked["plural"], asked["namespace"], asked["name"])
        if known is None:
            return _text(404, "not followed")
        return web.json_response(known, headers={"Cache-Control": "no-store"})


def _text(status: int, words: str) -> web.Response:
    return web.Response(status=status, text=f"{words}\n", headers={"Cache-Control": "no-store"})


def _is_ipv6(host: str) -> bool:
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return True
