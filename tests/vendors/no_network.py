"""A vendor in memory, in the place of the network: it sees each request with its whole URL."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx

Answering = Callable[[httpx.Request], httpx.Response] | Callable[[httpx.Request], Awaitable[httpx.Response]]


class NoNetwork(httpx.MockTransport):
    """Answers as `answering` says. What the operator asks for is in a request's extension `target`."""

    def __init__(self, answering: Answering) -> None:
        super().__init__(answering)  # type: ignore[arg-type]  # httpx's own words for the same

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        target = request.extensions["target"].decode("ascii")
        return await super().handle_async_request(
            httpx.Request(
                request.method,
                f"{request.url.scheme}://{request.url.netloc.decode()}{target}",
                headers=request.headers,
                content=b"".join([chunk async for chunk in request.stream]),
            )
        )
