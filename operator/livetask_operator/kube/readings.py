"""Readings under way: who may join one, and how its answer comes to all whom it serves.

Apart from `sharing.py`, which says what is read together, because who may join is one rule for all that is read:

- Somebody who asks (a new object, an edit, a request) joins a reading only while its first request has not been sent:
  an answer from before the question is none. A reading that has been sent is not waited for either.
- A poll joins any that serves it, unless something newer than that reading is known already.
- Nobody who asks waits in the polls' line.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from livetask_operator.polling.quota import Lane

POLLS_AT_ONCE = 1
"""Of one list; the next begins when this one is over."""
PEOPLES_AT_ONCE = 2
"""A long one, of many new objects, and one beside it, so that a single question need not wait until that is over.
No more: each would get less of the quota, and what all have to read would be read once more by each."""
SLICE = 100
"""So many objects are told before others in the event loop have their turn: some milliseconds."""

W = TypeVar("W", bound=Hashable)
"""What an object wants to have read."""
A = TypeVar("A")
"""What a reading answers: to all of its objects together."""


@dataclass(slots=True, eq=False)
class Reading(Generic[W, A]):
    """One reading of a list, from when the first wants it until all are told."""

    lane: Lane
    forced: bool
    """A person asks: a standing refusal is tried all the same."""
    wanted: dict[W, None] = field(default_factory=dict)
    """Grows until the reading is sent."""
    sent_s: float | None = None
    """When its first request could be sent; None: not yet."""
    is_read: bool = False
    """The answer is there, and is being told."""
    waiting: list[asyncio.Future[A]] = field(default_factory=list)

    def send(self, now_s: float, along: Iterable[W] = ()) -> None:
        """Its first request can be sent. `along`: what is read with it, as it costs little now."""
        if self.sent_s is None:
            self.wanted.update(dict.fromkeys(along))
            self.sent_s = now_s

    def takes(self, wants: W, lane: Lane, *, forced: bool, known_s: float) -> bool:
        """Whether somebody may join. `known_s`: when what they know was told to them."""
        if self.sent_s is None and not self.is_read and lane is self.lane and (self.forced or not forced):
            return True
        is_news = self.sent_s is None or known_s <= self.sent_s
        return lane is Lane.POLL and wants in self.wanted and is_news


class Readings(Generic[W, A]):
    """All that are under way, by what is read."""

    def __init__(self, spawn: Callable[[Coroutine[Any, Any, Any]], asyncio.Task[Any]]) -> None:
        self._spawn = spawn
        self._under_way: defaultdict[Hashable, dict[Reading[W, A], asyncio.Task[None]]] = defaultdict(dict)

    async def answer(
        self,
        what: Hashable,
        wants: W,
        lane: Lane,
        *,
        forced: bool,
        known_s: float,
        joined: Callable[[], None],
        read: Callable[[Reading[W, A]], Coroutine[Any, Any, A]],
        tell: Callable[[Reading[W, A], A], Iterable[None]],
    ) -> A:
        """The answer of a reading that serves what is wanted: one that may be joined, or else a new one.

        read: reads; has to call `Reading.send` when the first request can be sent. tell: tells others what was read,
        one at each step. joined: called when nobody stands in a line for this caller alone. Raises what `read` does.
        """
        while (reading := self._joinable(what, wants, lane, forced=forced, known_s=known_s)) is None:
            rivals = [work for each, work in self._under_way[what].items() if each.lane is lane]
            if len(rivals) < (POLLS_AT_ONCE if lane is Lane.POLL else PEOPLES_AT_ONCE):
                reading = Reading(lane, forced)
                self._under_way[what][reading] = self._spawn(self._run(what, reading, read, tell))
                break
            joined()
            await asyncio.wait(rivals, return_when=asyncio.FIRST_COMPLETED)
        else:
            joined()
        if wants not in reading.wanted:
            reading.wanted[wants] = None
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        reading.waiting.append(answer)
        return await answer  # given up with the one who asked; the reading goes on, as others may wait for it

    def _joinable(self, what: Hashable, wants: W, lane: Lane, *, forced: bool, known_s: float) -> Reading[W, A] | None:
        under_way = self._under_way.get(what, {})
        return next((each for each in under_way if each.takes(wants, lane, forced=forced, known_s=known_s)), None)

    async def _run(
        self,
        what: Hashable,
        reading: Reading[W, A],
        read: Callable[[Reading[W, A]], Coroutine[Any, Any, A]],
        tell: Callable[[Reading[W, A], A], Iterable[None]],
    ) -> None:
        try:
            answer = await read(reading)
            reading.is_read = True
            for number, _ in enumerate(tell(reading, answer), 1):
                await _breathe(number)
            # Last, and who came meanwhile with them: their steps end now, and who is due next has been told by then.
            for number, each in enumerate(reading.waiting, 1):
                if not each.done():
                    each.set_result(answer)
                await _breathe(number)
        except asyncio.CancelledError:
            for each in reading.waiting:
                each.cancel()
            raise
        except Exception as error:
            waiting = [each for each in reading.waiting if not each.done()]
            if not waiting:
                raise
            for each in waiting:
                each.set_exception(error)
        finally:
            self._over(what, reading)

    def _over(self, what: Hashable, reading: Reading[W, A]) -> None:
        """Nobody joins it any more."""
        under_way = self._under_way[what]
        under_way.pop(reading, None)
        if not under_way:
            del self._under_way[what]


async def _breathe(number: int) -> None:
    if number % SLICE == 0:
        await asyncio.sleep(0)
