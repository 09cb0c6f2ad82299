"""`explain --operator URL`: whatever stands between splits answers as it likes."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from livetask_operator.kube.api import Unavailable
from livetask_operator.kube.finding_out import read_url
from livetask_operator.kube.port_forward import MAX_ANSWER_BYTES


async def in_pieces(*pieces: bytes) -> tuple[int, bytes]:
    """What is read of an answer that comes piece by piece."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
            await asyncio.sleep(0.05)  # or the pieces would come as one
        return response

    application = web.Application()
    application.router.add_get("/", answer)
    async with TestServer(application) as server:
        return await read_url(str(server.make_url("/")))


async def test_an_answer_in_pieces_is_read_whole() -> None:
    assert await in_pieces(b'{"uid": ', b'"u-1"}') == (200, b'{"uid": "u-1"}')


async def test_one_that_is_too_long_is_refused() -> None:
    with pytest.raises(Unavailable, match="too long"):
        await in_pieces(b"x" * MAX_ANSWER_BYTES, b"x")
