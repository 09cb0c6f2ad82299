"""Who goes first where many namespaces stand in one line: each in its turn, so that no tenant fills it for the others.

Apart from the quotas: those divide what a vendor's account may be asked, which is its owner's own affair. Here is what
all tenants share: the reads of Secrets and the posting of Events.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from livetask_operator.polling.quota import Gate, Lane

T = TypeVar("T")


class LinesInTurn(Generic[T]):
    """A line for each namespace, served in turn. Within one line the first comes first. Pure."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str, deque[T]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._lines)

    def waiting(self, namespace: str) -> int:
        """How many of a namespace stand in line."""
        return len(self._lines.get(namespace, ()))

    def put(self, namespace: str, item: T) -> None:
        self._lines.setdefault(namespace, deque()).append(item)

    def take(self) -> T:
        """The first of the namespace whose turn it is; then it is another's. Raises KeyError where nobody waits."""
        namespace, line = self._lines.popitem(last=False)
        item = line.popleft()
        if line:
            self._lines[namespace] = line
        return item

    def drop_first(self, namespace: str) -> None:
        """Forget whoever has stood in a namespace's line for the longest."""
        line = self._lines[namespace]
        line.popleft()
        if not line:
            del self._lines[namespace]


class FairTurnstile(Gate):
    """Lets callers through as a budget allows, namespace by namespace.

    Who waits for something goes before who looks after what is there; where both stand in line, every second turn at
    least is of the latter: else a tenant with thousands of new objects could keep all others' Secrets from being read
    again.
    """

    def __init__(self, per_second: float, monotonic: Callable[[], float]) -> None:
        super().__init__(per_second, monotonic)
        self._people: LinesInTurn[asyncio.Future[None]] = LinesInTurn()
        self._others: LinesInTurn[asyncio.Future[None]] = LinesInTurn()
        self._person_went_last = False

    async def enter(self, namespace: str, lane: Lane) -> None:
        """Wait for the turn. It is spent when this returns."""
        turn = asyncio.get_running_loop().create_future()
        (self._others if lane is Lane.POLL else self._people).put(namespace, turn)
        self._let_through()
        await turn

    @property
    def _is_empty(self) -> bool:
        return not (self._people or self._others)

    def _next(self) -> asyncio.Future[None]:
        self._person_went_last = bool(self._people) and not (self._person_went_last and self._others)
        return (self._people if self._person_went_last else self._others).take()


class FairPlaces:
    """So many at once, and the others namespace by namespace."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: LinesInTurn[asyncio.Future[None]] = LinesInTurn()

    @asynccontextmanager
    async def place(self, namespace: str) -> AsyncIterator[None]:
        """Wait for a place, and have it for as long as the `async with` lasts."""
        if self._free:
            self._free -= 1
        else:
            await self._turn(namespace)
        try:
            yield
        finally:
            self._pass_on()

    async def _turn(self, namespace: str) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.put(namespace, turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it was given a place in the same moment
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        while self._waiting:
            turn = self._waiting.take()
            if not turn.cancelled():
                turn.set_result(None)
                return
        self._free += 1
