"""Listening sockets that answer as badly as a test wants, and keep what they were sent."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Peer:
    """A server on loopback."""

    port: int = 0
    heads: list[bytes] = field(default_factory=list)
    """The head of each request, as it came over the wire."""
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def header(self, name: str, request: int = -1) -> str | None:
        """A header of a request; None where it was not sent."""
        lines = self.heads[request].decode().split("\r\n")[1:]
        found = [value for key, _, value in (line.partition(": ") for line in lines) if key.lower() == name.lower()]
        return found[0] if found else None

    @property
    def target(self) -> str:
        """What the last request asked for: path and query."""
        return self.heads[-1].split(b" ")[1].decode()


@contextlib.asynccontextmanager
async def peer(behave: Behaviour, tls: ssl.SSLContext | None = None) -> AsyncIterator[Peer]:
    """Serves every request by `behave`, which may close the connection or never come back."""
    listening = Peer()
    open_connections: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        listening.connections += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError), contextlib.closing(writer):
            while not writer.is_closing():
                listening.heads.append(await reader.readuntil(b"\r\n\r\n"))
                await behave(reader, writer)
                await writer.drain()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)  # a conversation that is cancelled before it begins closes nothing
        task = asyncio.create_task(converse(reader, writer))
        open_connections.add(task)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    listening.port = server.sockets[0].getsockname()[1]
    try:
        yield listening
    finally:
        server.close()
        for task in open_connections:
            task.cancel()
        await asyncio.gather(*open_connections, return_exceptions=True)
        for writer in writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)
        await server.wait_closed()


def says(raw: bytes) -> Behaviour:
    """Always these bytes."""

    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)

    return behave


def answers(body: bytes, status: str = "200 OK", *headers: str) -> Behaviour:
    """A well-formed HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return says("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def hangs_up(after: bytes = b"") -> Behaviour:
    """Says something, or nothing, and closes."""

    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(after)
        writer.close()

    return behave


async def resets(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Breaks the connection so that the other side sees a reset."""
    writer.transport.abort()


async def hangs(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    """Never answers."""
    await asyncio.Event().wait()


async def drips(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A body that always goes on and never ends."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.005)


async def floods(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A body without an end, as fast as it can."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        await writer.drain()
