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

CLOSE_WITHIN_S = 0.5
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
        self._scrapes = 0
        self._enquiries = enquiries or Enquiries()
        application = web.Application()
        application.router.add_get("/healthz", self._healthz)
        application.router.add_get("/readyz", self._readyz)
        application.router.add_get("/metrics", self._show_metrics)
        application.router.add_get("/explain/{plural}/{namespace}/{name}", self._explain)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=CLOSE_WITHIN_S)

    async def start(self, address: Address, flag: str = "--listen") -> Address:
        """Listen. Returns the address with the port that was got. Raises ListenError where it is taken or not ours."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, address.host, address.port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            problem = (error.strerror or str(error)).lower()
            raise ListenError(f"{flag} {address} cannot be listened on ({problem}); choose another") from None
        return Address(address.host, self._runner.addresses[0][1])

    async def close(self) -> None:
        """Stop listening; requests under way have half a second to end."""
        await self._runner.cleanup()

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
        if self._scrapes >= SCRAPES_AT_ONCE:
            return _text(503, f"{SCRAPES_AT_ONCE} others are reading the metrics; try again in a moment")
        self._scrapes += 1
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
            if request.transport is not None:
                request.transport.abort()  # what was sent must not pass for all of it
        finally:
            self._scrapes -= 1
        return response

    async def _explain(self, request: web.Request) -> web.Response:
        """404: not followed. 503: another process leads."""
        if self._enquiries.answer is None:
            return _text(503, "this process does not lead")
        asked = request.match_info
        known = self._enquiries.answer(asked["plural"], asked["namespace"], asked["name"])
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
