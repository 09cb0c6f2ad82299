"""Whether the watches still hear: a word of each kind and place within some minutes, or a reason why there is none.

A watch that stays open and silent looks like one of a quiet cluster, but for the API server's bookmarks, one a minute.
kopf connects again after a while without a word. Where that does not help either this process is deaf: it follows what
it knows, and learns of no edit and no deletion before its next sweep. Then it is not healthy, and is to be restarted.

An API server that does not answer at all makes nobody deaf: to start again would change nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Protocol, cast

import aiohttp

from livetask_operator.kube.api import ObjectApi, Place
from livetask_operator.observability.health import Health
from livetask_operator.reconcile.resource import GROUP, VERSION

WATCHES = "watches"
DEAF_AFTER_S = 180.0
"""Two connections in a row without a word, of 70 s each, and a rest."""
CHECK_EVERY_S = 5.0


class Excuse(Protocol):
    """Until when (monotonic) nothing could be heard of a place for another reason."""

    def __call__(self, place: Place) -> float: ...


class Hearing:
    """When each watch was last heard of."""

    def __init__(self, kinds: Sequence[ObjectApi], health: Health, excuse: Excuse) -> None:
        self._health = health
        self._excuse = excuse
        self._places = {path_of(kind.plural, place): place for kind in kinds for place in kind.places}
        self._heard_s: dict[str, float] = {}

    def heard(self, path: str) -> None:
        """A page of a list came, or anything through a watch."""
        if path in self._places:
            self._heard_s[path] = self._health.monotonic()

    async def run(self) -> None:
        """Tell the health of the watch that was heard of least, from now on."""
        now_s = self._health.monotonic()
        self._heard_s = dict.fromkeys(self._places, now_s)
        self._health.require(WATCHES, DEAF_AFTER_S)
        while True:
            self._health.beat(WATCHES, min(map(self._last_s, self._places)))
            await asyncio.sleep(CHECK_EVERY_S)

    def _last_s(self, path: str) -> float:
        return max(self._heard_s[path], self._excuse(self._places[path]))


def path_of(plural: str, place: Place) -> str:
    """The path under which a kind is listed and watched."""
    within = "" if place is None else f"namespaces/{place}/"
    return f"/apis/{GROUP}/{VERSION}/{within}{plural}"


def listening(heard: Callable[[str], None]) -> aiohttp.ClientMiddlewareType:
    """A middleware that tells of each word that comes in by its path."""

    async def listen(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        answer = await handler(request)
        if answer.status == 200:
            path = request.url.path
            if "watch" in request.url.query:
                answer.content = cast("aiohttp.StreamReader", _Heard(answer.content, lambda: heard(path)))
            else:
                heard(path)
        return answer

    return listen


class _Heard:
    """A body as it is read. All but that is the body's own."""

    def __init__(self, content: aiohttp.StreamReader, heard: Callable[[], None]) -> None:
        self._content = content
        self._told = heard

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """As kopf reads a watch."""
        async for chunk in self._content.iter_chunked(size):
            self._told()
            yield chunk
