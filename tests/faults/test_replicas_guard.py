"""What changes something at a vendor passes the leader's guard in the very step that hands it over, not before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from livetask_operator.vendors.contract import NotSent, guarded
from livetask_operator.vendors.transport import Request, Transport

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Guard:
    """Open until it is shut."""

    def __init__(self) -> None:
        self.is_open = True

    def __call__(self) -> None:
        if not self.is_open:
            raise NotSent("not the leader any more")


@asynccontextmanager
async def vendor() -> AsyncIterator[tuple[str, list[bytes]]]:
    """Somebody who answers at an address. What was said to him is in the list."""
    heard: list[bytes] = []

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while words := await reader.read(65536):
            heard.append(words)
            writer.write(ANSWER)
        writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", heard


def shut_while_connecting(monkeypatch: pytest.MonkeyPatch, guard: Guard) -> None:
    """The leader's time is over while a connection is being made."""
    connect = asyncio.get_running_loop().create_connection

    async def slow_connect(*args: object, **settings: object) -> object:
        made = await connect(*args, **settings)  # type: ignore[call-overload]
        guard.is_open = False
        return made

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", slow_connect)


@pytest.mark.parametrize("body", [b"", b'{"TaskId":"cup-final"}'], ids=["without a body", "with a body"])
async def test_a_stop_whose_connection_was_made_too_late_is_not_sent(
    monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    guard = Guard()
    async with vendor() as (url, heard), Transport("livetask-operator") as transport:
        shut_while_connecting(monkeypatch, guard)

        with pytest.raises(NotSent, match="not the leader"), guarded(guard):
            await transport.send(Request("POST", url, {}, body))

        assert heard == []


async def test_a_body_that_is_written_in_a_later_step_is_guarded_in_that_step() -> None:
    guard = Guard()
    async with vendor() as (url, heard), Transport("livetask-operator") as transport:
        asked = 0

        def shuts_after(times: int) -> Callable[[], None]:
            def check() -> None:
                nonlocal asked
                asked += 1
                if asked > times:
                    guard.is_open = False
                guard()

            return check

        with pytest.raises(NotSent, match="not the leader"), guarded(shuts_after(2)):
            await transport.send(Request("POST", url, {}, b'{"TaskId":"cup-final"}'))

        assert heard == []


async def test_what_the_guard_lets_pass_is_sent_and_what_changes_nothing_needs_none() -> None:
    guard = Guard()
    async with vendor() as (url, heard), Transport("livetask-operator") as transport:
        with guarded(guard):
            first = await transport.send(Request("POST", url, {}, b"stop"))
        guard.is_open = False
        second = await transport.send(Request("POST", url, {}, b"look"))

        assert (first.status, second.status) == (200, 200)
        assert [words.rpartition(b"\r\n")[2] for words in heard] == [b"stop", b"look"]


async def test_the_guard_is_asked_again_for_a_second_request() -> None:
    """A vendor's client may ask twice, where the first time its clock was refused."""
    guard = Guard()
    async with vendor() as (url, heard), Transport("livetask-operator") as transport:
        with guarded(guard):
            await transport.send(Request("POST", url, {}))
            guard.is_open = False
            with pytest.raises(NotSent):
                await transport.send(Request("POST", url, {}))

        assert len(heard) == 1
