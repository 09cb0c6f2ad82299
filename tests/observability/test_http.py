"""The three pages, asked over a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from livetask_operator.observability import http
from livetask_operator.observability.enquiries import Enquiries
from livetask_operator.observability.health import Health
from livetask_operator.observability.http import Address, ListenError, ObservabilityServer, parse_address
from livetask_operator.observability.metrics import Metrics


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@contextlib.asynccontextmanager
async def serving(health: Health, metrics: Metrics | None = None, host: str = "127.0.0.1") -> AsyncIterator[Address]:
    server = ObservabilityServer(health, metrics or Metrics())
    try:
        yield await server.start(Address(host, 0))
    finally:
        await server.close()


async def get(address: Address, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://{address}{path}") as answer:
        return answer.status, await answer.text()


async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """What answers on a connection that stays open: the first line."""
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
    return (await reader.readuntil(b"\nok\n")).partition(b"\r\n")[0]


async def nothing_more(reader: asyncio.StreamReader) -> bool:
    """Whether the other side has cut it off; waits for that."""
    with contextlib.suppress(ConnectionResetError):
        return await reader.read(1) == b""
    return True


async def test_a_process_that_starts_is_not_ready_and_says_why() -> None:
    health = Health(Clock())
    async with serving(health) as address:
        assert await get(address, "/readyz") == (503, "not ready: starting\n")

        health.become_ready()

        assert await get(address, "/readyz") == (200, "ready\n")

        health.note("namespace sports", "namespace sports does not exist", work_goes_on=True)

        assert await get(address, "/readyz") == (200, "ready\nnamespace sports does not exist\n")


async def test_a_part_that_hangs_makes_the_process_unhealthy() -> None:
    clock = Clock()
    health = Health(clock)
    health.require("scheduler", within_s=10)
    async with serving(health) as address:
        status, text = await get(address, "/healthz")
        assert (status, text.splitlines()[0]) == (200, "ok")

        clock.now_s += 11

        status, text = await get(address, "/healthz")
        assert status == 503
        assert "scheduler: LATE" in text


async def test_prometheus_finds_the_metrics() -> None:
    metrics = Metrics()
    metrics.leader.set(1)
    async with (
        serving(Health(Clock()), metrics) as address,
        aiohttp.ClientSession() as session,
        session.get(f"http://{address}/metrics") as answer,
    ):
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert "livetask_leader 1.0" in await answer.text()


async def test_nothing_else_is_served() -> None:
    async with serving(Health(Clock())) as address:
        assert (await get(address, "/"))[0] == 404


async def test_it_listens_on_ipv6() -> None:
    async with serving(Health(Clock()), host="::1") as address:
        assert str(address).startswith("[::1]:")
        assert (await get(address, "/healthz"))[0] == 200


async def test_it_closes_within_a_second_although_somebody_stays_connected() -> None:
    server = ObservabilityServer(Health(Clock()), Metrics())
    address = await server.start(Address("127.0.0.1", 0))
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")

    began_s = time.monotonic()
    await server.close()

    assert time.monotonic() - began_s < 1
    writer.close()


async def test_who_opens_connections_without_end_loses_them_and_others_keep_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "CONNECTIONS_AT_ONCE", 8)
    async with serving(Health(Clock())) as address:
        prometheus, to_prometheus = await asyncio.open_connection(address.host, address.port)
        assert (await asked(prometheus, to_prometheus)).startswith(b"HTTP/1.1 200")

        idle = [
            await asyncio.open_connection(address.host, address.port, local_addr=("127.0.0.2", 0)) for _ in range(50)
        ]

        assert (await get(address, "/healthz"))[0] == 200
        async with asyncio.timeout(20):
            ended = [await nothing_more(reader) for reader, _ in idle[: 50 - 8]]
        assert all(ended)
        assert (await asked(prometheus, to_prometheus)).startswith(b"HTTP/1.1 200")
        for _, writer in [*idle, (prometheus, to_prometheus)]:
            writer.close()


async def test_a_port_that_is_taken_is_named_with_its_flag() -> None:
    async with serving(Health(Clock())) as taken:
        server = ObservabilityServer(Health(Clock()), Metrics())

        with pytest.raises(
            ListenError, match=rf"^--listen 127\.0\.0\.1:{taken.port} cannot be listened on .*; choose another$"
        ):
            await server.start(taken)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0.0.0.0:8080", Address("0.0.0.0", 8080)),
        (":8080", Address("0.0.0.0", 8080)),
        ("127.0.0.1:0", Address("127.0.0.1", 0)),
        ("[::1]:8080", Address("::1", 8080)),
        ("localhost:65535", Address("localhost", 65535)),
    ],
)
def test_an_address_is_a_host_and_a_port(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8080",
        "host",
        "host:",
        "host:http",
        "host:65536",
        "host:-1",
        "::1:8080",
        "[::1]",
        "[a]:1",
        "a b:1",
        "host:٣",
    ],
)
def test_what_is_no_address_is_refused_with_the_flag(text: str) -> None:
    with pytest.raises(ListenError, match=r"^--listen is .*; write it as host:port"):
        parse_address(text)


async def test_what_is_known_of_an_object_is_told_by_who_leads() -> None:
    enquiries = Enquiries()
    server = ObservabilityServer(Health(Clock()), Metrics(), enquiries)
    address = await server.start(Address("127.0.0.1", 0))
    try:
        assert await get(address, "/explain/relaytasks/sports/cup-final") == (503, "this process does not lead\n")

        enquiries.answer = lambda *asked: {"uid": "u1"} if asked == ("relaytasks", "sports", "cup-final") else None

        assert await get(address, "/explain/relaytasks/sports/cup-final") == (200, '{"uid": "u1"}')
        assert await get(address, "/explain/relaytasks/sports/another") == (404, "not followed\n")
    finally:
        await server.close()
