"""Who reads the metrics over a real socket: at once, slowly, half of them, or not at all. Nobody else is held up."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Callable, Iterator

import aiohttp
import pytest

from livetask_operator.observability import http
from livetask_operator.observability.health import Health
from livetask_operator.observability.http import Address
from livetask_operator.observability.metrics import Metrics, View
from tests.observability.test_http import get, serving

PARTS, LINES = 400, 250
END_OF_CHUNKS = b"0\r\n\r\n"
LAST = f'livetask_many{{part="{PARTS - 1}",line="{LINES - 1}"}}'


class Many(View):
    """A view of 100,000 series, 8 MiB of them: more than what sockets keep of an answer that nobody reads."""

    def __init__(self) -> None:
        self.under_way = self.at_most = self.written = 0
        self.breaks_at: int | None = None

    def account_label(self, vendor: str, account: str) -> str:
        return account

    def now_s(self) -> float:
        return time.monotonic()

    def parts(self) -> Iterator[str]:
        self.under_way += 1
        self.at_most = max(self.at_most, self.under_way)
        try:
            for part in range(PARTS):
                if part == self.breaks_at:
                    raise RuntimeError("a fault in the operator")
                self.written += 1
                yield "".join(f'livetask_many{{part="{part}",line="{line}"}} {"1" * 40}\n' for line in range(LINES))
        finally:
            self.under_way -= 1


@pytest.fixture
def many() -> Many:
    return Many()


@pytest.fixture
def metrics(many: Many) -> Metrics:
    metrics = Metrics()
    metrics.begin(many)
    return metrics


async def until(condition: Callable[[], bool]) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the condition is another's, who tells nobody
            await asyncio.sleep(0.001)


async def until_none_is_read(many: Many) -> None:
    await until(lambda: many.under_way == 0)


def reader_of(address: Address, at: str = "127.0.0.1") -> socket.socket:
    """A connection that has asked for the metrics, and of whose answer nothing was read. `at`: its own address."""
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.bind((at, 0))
    reader.connect((address.host, address.port))
    reader.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
    return reader


def rest_of(reader: socket.socket) -> bytes:
    """What can still be read until the other side has closed the connection."""
    reader.settimeout(10)
    read = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while chunk := reader.recv(1 << 20):
            read += chunk
    return bytes(read)


async def stuck(many: Many) -> None:
    """Wait until all that can be written for a reader that does not read has been."""
    written = -1
    while not many.under_way or many.written != written:
        written = many.written
        await asyncio.sleep(0.1)
    assert written < PARTS


async def test_two_who_read_at_once_get_all_of_it_and_others_are_served_meanwhile(many: Many, metrics: Metrics) -> None:
    async with serving(Health(time.monotonic), metrics) as address:
        both = [asyncio.create_task(get(address, "/metrics")) for _ in range(2)]
        await until(lambda: many.under_way == 2)
        healthy = await get(address, "/healthz")
        still_reading = many.under_way
        texts = [text for _, text in await asyncio.gather(*both)]

    assert healthy[0] == 200
    assert still_reading == 2
    assert texts[0].count("livetask_many") == texts[1].count("livetask_many") == PARTS * LINES


async def test_who_goes_away_in_the_middle_leaves_nothing_behind(
    many: Many, metrics: Metrics, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(Health(time.monotonic), metrics) as address:
        reader = reader_of(address)
        await stuck(many)

        reader.close()

        await until_none_is_read(many)
        assert LAST in (await get(address, "/metrics"))[1]
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


async def test_who_does_not_read_on_is_cut_off_and_holds_nobody_up(
    many: Many, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "SCRAPE_WITHIN_S", 2.0)
    async with serving(Health(time.monotonic), metrics) as address:
        with reader_of(address) as reader:
            await stuck(many)

            assert LAST in (await get(address, "/metrics"))[1]
            await until_none_is_read(many)

            read = await asyncio.to_thread(rest_of, reader)
    assert LAST.encode() not in read
    assert not read.endswith(END_OF_CHUNKS), "a part must not pass for all of it"


async def test_more_than_a_few_at_once_are_sent_away(many: Many, metrics: Metrics) -> None:
    async with serving(Health(time.monotonic), metrics) as address:
        readers = [reader_of(address) for _ in range(http.SCRAPES_AT_ONCE)]
        await until(lambda: many.under_way == http.SCRAPES_AT_ONCE)

        status, text = await get(address, "/metrics")

        assert (status, text) == (503, "8 others are reading the metrics; try again in a moment\n")
        assert many.at_most == http.SCRAPES_AT_ONCE
        for reader in readers:
            reader.close()
        await until_none_is_read(many)
        assert (await get(address, "/metrics"))[0] == 200


async def test_who_takes_all_places_and_reads_none_of_it_leaves_one_to_prometheus(many: Many, metrics: Metrics) -> None:
    async with serving(Health(time.monotonic), metrics) as address:
        readers = [reader_of(address, "127.0.0.2") for _ in range(http.SCRAPES_AT_ONCE)]
        await until(lambda: many.under_way == http.SCRAPES_AT_ONCE)

        status, text = await get(address, "/metrics")

        assert status == 200
        assert LAST in text
        for reader in readers:
            reader.close()
        await until_none_is_read(many)


async def test_a_part_of_the_metrics_does_not_pass_for_all_of_them(many: Many, metrics: Metrics) -> None:
    many.breaks_at = 20
    async with serving(Health(time.monotonic), metrics) as address:
        with pytest.raises(aiohttp.ClientError):
            await get(address, "/metrics")

        many.breaks_at = None
        assert LAST in (await get(address, "/metrics"))[1]


async def test_who_asks_for_the_head_alone_gets_no_body(many: Many, metrics: Metrics) -> None:
    async with (
        serving(Health(time.monotonic), metrics) as address,
        aiohttp.ClientSession() as session,
        session.head(f"http://{address}/metrics") as answer,
    ):
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert await answer.read() == b""
    assert many.written == 0
