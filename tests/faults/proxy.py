"""A pass-through proxy in front of the API server or the simulated cloud: what went through, and faults on command.

It runs in a thread with an event loop of its own, so that a test says in plain calls what is to happen to which
request. Nothing is forwarded for a sender that is gone: a request that is held while its process is killed is lost.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Coroutine, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Self, TypeVar

import aiohttp
import yaml
import yarl
from aiohttp import web

from tests.controlplane.certificates import Authority
from tests.controlplane.ports import free_ports
from tests.faults.exchange import Exchange as Exchange
from tests.faults.exchange import Matches as Matches
from tests.faults.exchange import everything as everything

T = TypeVar("T")
HOST = "127.0.0.1"
HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"})
CLOSED_AFTER_TURNS = 5
"""Without a connection: nobody comes any more."""
TURN_S = 0.005
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER on, for 0 s: a close sends a reset, not a good-bye."""


class _What(Enum):
    HOLD_BEFORE = "hold before"
    HOLD_AFTER = "hold after"
    ANSWER = "answer"
    RESET = "reset"
    SILENCE = "silence"


class Rule:
    """One fault, for the requests that match, until it is let go or has caught as many as it may."""

    def __init__(
        self,
        proxy: Proxy,
        what: _What,
        matches: Matches,
        times: int | None,
        answer: tuple[int, Mapping[str, str], bytes] = (0, {}, b""),
    ) -> None:
        self.caught: list[Exchange] = []
        self.what = what
        self.answer = answer
        self._proxy = proxy
        self._matches = matches
        self._times = times
        self._catches = threading.Condition()
        self._free = asyncio.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go()

    def takes(self, exchange: Exchange) -> bool:
        """Whether this request is caught, which it is from now on."""
        if self._free.is_set() or not self._matches(exchange):
            return False
        with self._catches:
            if exchange not in self.caught:
                if self._times is not None and len(self.caught) >= self._times:
                    return False
                self.caught.append(exchange)
                self._catches.notify_all()
        return True

    def wait(self, count: int = 1, within_s: float = 15.0) -> Exchange:
        """Wait until so many requests were caught. Returns the last of them. Raises AssertionError."""
        with self._catches:
            if not self._catches.wait_for(lambda: len(self.caught) >= count, within_s):
                raise AssertionError(f"not within {within_s} s: {count} requests to {self.what.value}: {self.caught}")
            return self.caught[count - 1]

    @property
    def is_over(self) -> bool:
        """Whether a request that was caught waits no more: it went on, or its sender is gone."""
        return any(self._proxy.is_over(exchange) for exchange in self.caught)

    def let_go(self) -> None:
        """The fault is over: what is held goes on, where its sender is still there."""
        self._proxy.drop(self)

    def free(self) -> None:
        """In the proxy's loop."""
        self._free.set()

    async def freed(self) -> None:
        await self._free.wait()


class Proxy:
    """Passes on what comes in at `url` to the server behind, for as long as the `with` lasts."""

    def __init__(
        self,
        behind: str,
        *,
        trust: ssl.SSLContext | None = None,
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        """behind: `scheme://host:port`. trust: for its TLS. certificate and key: for TLS of the proxy's own."""
        self._behind = behind
        self._trust = trust
        self._tls: ssl.SSLContext | None = None
        if certificate is not None:
            self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._tls.load_cert_chain(*certificate)
        (self.port,) = free_ports(1)
        self.url = f"{'http' if certificate is None else 'https'}://{HOST}:{self.port}"
        self.trace: list[Exchange] = []
        """All requests so far, in the order in which they arrived."""
        self._numbers = itertools.count()
        self._rules: list[Rule] = []
        self._under_way: dict[Exchange, web.BaseRequest] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy to {behind}", daemon=True)
        self._listening: asyncio.Server | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # What a test says

    def hold_before(self, matches: Matches, times: int | None = 1) -> Rule:
        """Requests wait in front of the server: it has not seen them."""
        return self._add(_What.HOLD_BEFORE, matches, times)

    def hold_after(self, matches: Matches, times: int | None = 1) -> Rule:
        """The server has answered, and the sender has not got the answer yet."""
        return self._add(_What.HOLD_AFTER, matches, times)

    def answer(
        self,
        matches: Matches,
        status: int,
        body: bytes | str = b"",
        headers: Mapping[str, str] | None = None,
        times: int | None = None,
    ) -> Rule:
        """Requests get this answer, and the server never sees them."""
        text = body.encode() if isinstance(body, str) else body
        return self._add(_What.ANSWER, matches, times, (status, headers or {}, text))

    def refuse_as_kubernetes(
        self,
        matches: Matches,
        status: int,
        reason: str,
        message: str = "refused by the test",
        headers: Mapping[str, str] | None = None,
        times: int | None = None,
    ) -> Rule:
        """Requests get a refusal in the API server's own shape: 403 `Forbidden`, 429 `TooManyRequests`, 409 …"""
        said = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        body = json.dumps({**said, "message": message, "reason": reason, "code": status})
        return self.answer(matches, status, body, {"Content-Type": "application/json", **(headers or {})}, times)

    def reset(self, matches: Matches = everything, times: int | None = None) -> Rule:
        """The connections of these requests are reset, and the server never sees them."""
        return self._add(_What.RESET, matches, times)

    def silence(self, matches: Matches = everything, times: int | None = None) -> Rule:
        """Connections stay open and nothing more comes through them: new requests, and watches that are open already.

        What the server said meanwhile is handed on when the rule is let go.
        """
        return self._add(_What.SILENCE, matches, times)

    def refuse(self) -> None:
        """Nobody listens any more: connections are refused, and those that are open are reset."""
        self._do(self._shut())

    def listen(self) -> None:
        """Somebody listens again, at the same port."""
        self._do(self._open())

    def cut(self, matches: Matches = everything) -> None:
        """Reset the connections of requests that are under way, watches first of all."""
        self._loop.call_soon_threadsafe(self._cut, matches)

    def is_over(self, exchange: Exchange) -> bool:
        """Whether no more happens to a request."""
        return exchange not in self._under_way

    def forget(self) -> None:
        """The trace begins anew: for long runs."""
        self.trace.clear()

    def let_all_go(self) -> None:
        for rule in tuple(self._rules):
            rule.let_go()

    def drop(self, rule: Rule) -> None:
        if rule in self._rules:
            self._rules.remove(rule)
        self._loop.call_soon_threadsafe(rule.free)

    # What goes on in the loop

    def _add(
        self,
        what: _What,
        matches: Matches,
        times: int | None,
        answer: tuple[int, Mapping[str, str], bytes] = (0, {}, b""),
    ) -> Rule:
        rule = Rule(self, what, matches, times, answer)
        self._rules.append(rule)
        return rule

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(15)

    async def _open(self) -> None:
        # A sender that goes ends what is done for it: what was held for it is not forwarded, a watch ends behind, too.
        self._server = web.Server(self._handle, handler_cancellation=True, access_log=None, keepalive_timeout=600)
        connector = aiohttp.TCPConnector(limit=0, ssl=self._trust or True, force_close=self._trust is None)
        self._session = aiohttp.ClientSession(
            connector=connector,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(),
        )
        self._listening = await self._loop.create_server(self._server, HOST, self.port, ssl=self._tls, backlog=1024)

    async def _shut(self) -> None:
        if self._listening is None:
            return
        for each in self._listening.sockets:
            self._loop.remove_reader(each.fileno())  # closed at once, it would lose those that it has just accepted
        turns_without = 0
        while turns_without < CLOSED_AFTER_TURNS:  # some were being accepted, or shook hands
            connections, tasks = tuple(self._server.connections), asyncio.all_tasks() - {asyncio.current_task()}
            turns_without = 0 if connections or tasks else turns_without + 1
            for connection in connections:
                _reset(connection.transport)  # which cancels what is done for it
            await asyncio.sleep(TURN_S)
        self._listening.close()
        self._listening = None
        await self._server.shutdown(0)
        await self._session.close()
        await asyncio.sleep(TURN_S)

    async def _close(self) -> None:
        for rule in tuple(self._rules):
            rule.free()
        await self._shut()

    def _cut(self, matches: Matches) -> None:
        for exchange, request in tuple(self._under_way.items()):
            if matches(exchange):
                _reset(request.transport)

    def _caught_by(self, exchange: Exchange, *what: _What) -> Rule | None:
        return next((rule for rule in tuple(self._rules) if rule.what in what and rule.takes(exchange)), None)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        arrived_s = time.monotonic()
        body = b"".join([chunk async for chunk in request.content.iter_any()])
        number = next(self._numbers)
        exchange = Exchange(number, request.method, request.raw_path, dict(request.headers), body, arrived_s)
        self.trace.append(exchange)
        self._under_way[exchange] = request
        try:
            return await self._pass(exchange, request)
        except (aiohttp.ClientError, OSError):
            return await self._abort(request)
        finally:
            del self._under_way[exchange]

    async def _pass(self, exchange: Exchange, request: web.BaseRequest) -> web.StreamResponse:
        rule = self._caught_by(exchange, _What.ANSWER, _What.RESET, _What.SILENCE, _What.HOLD_BEFORE)
        if rule is not None and rule.what is _What.ANSWER:
            status, headers, text = rule.answer
            exchange.status, exchange.answered_s = status, time.monotonic()
            return web.Response(status=status, headers=headers, body=text)
        if rule is not None and rule.what is _What.RESET:
            return await self._abort(request)
        if rule is not None:
            await rule.freed()
        exchange.forwarded_s = time.monotonic()
        url = yarl.URL(self._behind + exchange.target, encoded=True)
        headers = {name: value for name, value in exchange.headers.items() if name.lower() not in HOP_BY_HOP}
        async with self._session.request(
            exchange.method,
            url,
            headers=headers,
            data=exchange.body or None,
            allow_redirects=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        ) as answer:
            return await self._hand_on(exchange, request, answer)

    async def _hand_on(
        self, exchange: Exchange, request: web.BaseRequest, answer: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        first = b"" if exchange.is_watch else await answer.read()
        exchange.status, exchange.answered_s = answer.status, time.monotonic()
        rule = self._caught_by(exchange, _What.HOLD_AFTER, _What.SILENCE)
        if rule is not None:
            await rule.freed()
        response = web.StreamResponse(status=answer.status, reason=answer.reason)
        for name, value in answer.headers.items():
            if name.lower() not in HOP_BY_HOP:
                response.headers.add(name, value)
        await response.prepare(request)
        await response.write(first)
        async for chunk in answer.content.iter_any():
            rule = self._caught_by(exchange, _What.SILENCE)
            if rule is not None:
                await rule.freed()
            await response.write(chunk)
        await response.write_eof()
        return response

    async def _abort(self, request: web.BaseRequest) -> web.StreamResponse:
        _reset(request.transport)
        await asyncio.Event().wait()  # the lost connection cancels this
        raise AssertionError("unreachable")


def _reset(transport: asyncio.BaseTransport | None) -> None:
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    assert isinstance(transport, asyncio.Transport)
    transport.abort()


def in_front_of_api_server(kubeconfig: Path, folder: Path) -> tuple[Proxy, Path]:
    """A proxy with TLS of its own in front of a kubeconfig's server, and the kubeconfig that leads through it."""
    config = yaml.safe_load(kubeconfig.read_text())
    cluster = config["clusters"][0]["cluster"]
    folder.mkdir(parents=True, exist_ok=True)
    authority = Authority(folder)
    trust = ssl.create_default_context(cafile=cluster["certificate-authority"])
    proxy = Proxy(cluster["server"], trust=trust, certificate=authority.server("proxy", (HOST, "localhost")))
    cluster |= {"server": proxy.url, "certificate-authority": str(authority.certificate)}
    through = folder / "through-proxy.kubeconfig"
    through.touch(mode=0o600)
    through.write_text(yaml.safe_dump(config))
    return proxy, through
