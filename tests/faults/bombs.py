"""What a vendor, or whatever answers in its place, may send to use up the operator's memory or its time.

Each is a server's behaviour for `tests/vendors/peers.py`, and holds little in memory itself, so that what is measured
is the operator.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Mapping

from livetask_operator.vendors.contract import MAX_ANSWER_BYTES
from tests.vendors.peers import Behaviour, drips, hangs, hangs_up

MIB = 1024 * 1024
FLOOD = 50 * MIB
PIECE = b" " * 65_536
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def sends(head: bytes, piece: bytes, size: int = FLOOD) -> Behaviour:
    """A head, and then a piece again and again, as fast as it is taken."""

    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        for _number in range(size // len(piece)):
            writer.write(piece)
            await writer.drain()

    return behave


def answers_with(
    piece: bytes, *, opening: bytes = b"", closing: bytes = b"", size: int = MAX_ANSWER_BYTES
) -> Behaviour:
    """A sound answer of this size, or a little less: an opening, a piece again and again, and a closing."""
    times = (size - len(opening) - len(closing)) // len(piece)
    body = opening + piece * times + closing
    return sends(OK + b"Content-Length: %d\r\n\r\n" % len(body), body, len(body))


async def _drips_its_head(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        writer.write(b"y")
        await writer.drain()
        await asyncio.sleep(0.02)


async def _says_to_wait(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 102 Processing\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


async def _half_a_head(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Le")
    await writer.drain()
    await asyncio.Event().wait()


async def _half_a_body(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b'Content-Length: 60\r\n\r\n{"Status": 2')
    await writer.drain()
    await asyncio.Event().wait()


_CHUNK = b"10000\r\n" + PIECE + b"\r\n"

FLOODS: Mapping[str, Behaviour] = {
    "50 MB in chunks": sends(CHUNKED, _CHUNK),
    "50 MB, announced": sends(OK + b"Content-Length: %d\r\n\r\n" % FLOOD, PIECE),
    "50 MB until the end": sends(OK + b"Connection: close\r\n\r\n", PIECE),
    "chunks of a byte": sends(CHUNKED, b"1\r\n \r\n" * 5_000 + b"0\r\n\r\n", 30_005),
    "a compression bomb": answers_with(gzip.compress(b"0" * FLOOD), size=100_000),
    "a compression bomb that says so": sends(
        OK + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", b"c35a\r\n" + gzip.compress(b"0" * FLOOD)
    ),
    "a head without an end": sends(b"HTTP/1.1 200 OK\r\n", b"X-Padding: yyyyyyyyyyyyyyyyyyyyyyyyy\r\n" * 1000),
    "a header without an end": sends(b"HTTP/1.1 200 OK\r\nX-Padding: ", b"y" * 65_536),
    "a chunk's extension without an end": sends(CHUNKED + b"5;", b"y" * 65_536),
    "a trailer without an end": sends(CHUNKED + b"0\r\n", b"X-Padding: yyyyyyyyyyyyyyyyyyyyyyyy\r\n" * 1000),
    "thousands of interim answers": sends(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 50, MIB // 4),
    "thousands of answers": sends(b"", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}" * 50, MIB // 4),
    # A megabyte is taken. What Python makes of it is more.
    "a megabyte of opening brackets": answers_with(b"["),
    "a megabyte of empty objects": answers_with(b"{},", opening=b'{"Status": [', closing=b"{}]}"),
    "names without an end": answers_with(b'"a":1,', opening=b"{", closing=b'"b":1}', size=MAX_ANSWER_BYTES // 8),
    "a megabyte of digits": answers_with(b"9", opening=b'{"Status": ', closing=b"}"),
    "a megabyte of rows": answers_with(b'{"task_id":"t"},', opening=b'{"total":1,"task_infos":[', closing=b"{}]}"),
    "a megabyte of a word": answers_with(b"y", opening=b'{"Status": "', closing=b'"}'),
}  # fmt: skip
"""What is more than it should be."""

SLOW: Mapping[str, Behaviour] = {
    "no answer": hangs,
    "a body by drips": drips,
    "a head by drips": _drips_its_head,
    "half a head": _half_a_head,
    "half a body": _half_a_body,
    "one interim answer after the other": _says_to_wait,
    "a connection that dies": hangs_up(),
}
"""What takes longer than it may."""
