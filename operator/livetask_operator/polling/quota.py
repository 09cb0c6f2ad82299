"""How often an account may be asked: a budget per (account, call), and the line of those who wait for it."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from enum import IntEnum

THROTTLED_FIRST_S = 1.0
THROTTLED_CAP_S = 60.0
UNPROVEN_PER_S = 1.0
MAX_UNPROVEN = 10_000


class Lane(IntEnum):
    """Who goes first: the lower number."""

    DELETION = 0
    PERSON = 1
    POLL = 2


class Budget:
    """At most so many calls in any second, and evenly spread. Pure: it is told the time, in monotonic seconds.

    Not in bursts: the vendor counts when calls arrive, and of two bursts a second apart the first may be late by as
    long as connecting takes.
    """

    def __init__(self, per_second: float) -> None:
        self._count = max(1, int(per_second))
        self._window_s = max(1.0, self._count / per_second)  # of 2.5 a second there may be two in any second
        self._sent: deque[float] = deque(maxlen=self._count)
        self._paused_until_s = 0.0
        self._throttled_in_a_row = 0

    @property
    def pace_s(self) -> float:
        """Seconds from one call to the next, where there is always somebody in line."""
        return self._window_s / self._count

    def free_at(self, now_s: float) -> float:
        """When the next call may go out; now or later."""
        window_free = self._sent[0] + self._window_s if len(self._sent) == self._count else now_s
        pace_free = self._sent[-1] + self.pace_s if self._sent else now_s
        return max(now_s, window_free, pace_free, self._paused_until_s)

    def spend(self, now_s: float) -> None:
        self._sent.append(now_s)

    def throttled(self, now_s: float, retry_after_s: float | None) -> None:
        """The vendor said that it is too much: pause, longer each time in a row."""
        asked_s = min(retry_after_s or 0.0, THROTTLED_CAP_S)
        if now_s < self._paused_until_s:  # answers to calls that were under way before the pause
            self._paused_until_s = max(self._paused_until_s, now_s + asked_s)
            return
        self._throttled_in_a_row += 1
        own_s = min(THROTTLED_CAP_S, THROTTLED_FIRST_S * 2.0 ** min(self._throttled_in_a_row - 1, 10))
        self._paused_until_s = now_s + max(own_s, asked_s)

    def answered(self, now_s: float) -> None:
        """The vendor let a call through; during a pause that says nothing, as it was sent before."""
        if now_s >= self._paused_until_s:
            self._throttled_in_a_row = 0


class Turnstile:
    """Lets callers through as a budget allows, the lower lane first, then in the order of their coming."""

    def __init__(self, per_second: float, monotonic: Callable[[], float]) -> None:
        self.budget = Budget(per_second)
        self._monotonic = monotonic
        self._line: list[tuple[int, int, asyncio.Future[None]]] = []
        self._sequence = 0
        self._timer: asyncio.TimerHandle | None = None

    async def enter(self, lane: Lane) -> None:
        """Wait for the turn. It is spent when this returns."""
        turn = asyncio.get_running_loop().create_future()
        self._sequence += 1
        heapq.heappush(self._line, (lane, self._sequence, turn))
        self._let_through()
        await turn

    def throttled(self, retry_after_s: float | None) -> None:
        self.budget.throttled(self._monotonic(), retry_after_s)

    @property
    def line_s(self) -> float:
        """How long the last in line has to wait, about: those who gave up count until their turn comes."""
        return len(self._line) * self.budget.pace_s

    @property
    def waiting(self) -> int:
        return sum(1 for _, _, turn in self._line if not turn.done())

    def _let_through(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._line:
            now_s = self._monotonic()
            free_s = self.budget.free_at(now_s)
            if free_s > now_s:
                self._timer = asyncio.get_running_loop().call_later(free_s - now_s, self._let_through)
                return
            turn = heapq.heappop(self._line)[2]
            if not turn.done():  # else its caller gave up
                self.budget.spend(now_s)
                turn.set_result(None)


class Quotas:
    """The turnstile of each account and call.

    `limits(vendor, account, call)` tells calls per second, `account_of(vendor, key)` which keys are one account.
    """

    def __init__(
        self,
        limits: Callable[[str, str, str], float],
        account_of: Callable[[str, str], str],
        monotonic: Callable[[], float],
    ) -> None:
        self._limits = limits
        self._account_of = account_of
        self._monotonic = monotonic
        self._turnstiles: dict[tuple[str, str, str], Turnstile] = {}
        self._unproven: dict[str, Turnstile] = {}

    def of(self, vendor: str, key_or_project: str, call: str) -> Turnstile:
        key = (vendor, self._account_of(vendor, key_or_project), call)
        if key not in self._turnstiles:
            self._turnstiles[key] = Turnstile(self._limits(*key), self._monotonic)
        return self._turnstiles[key]

    def of_unproven(self, fingerprint: str) -> Turnstile:
        """The small budget of a credential that no vendor has accepted yet.

        Nobody uses up an account's budget, or has it paused, by naming that account's key with a wrong secret.
        """
        if fingerprint not in self._unproven:
            if len(self._unproven) >= MAX_UNPROVEN:
                self._unproven.clear()  # whoever stands in one of these lines still has it
            self._unproven[fingerprint] = Turnstile(UNPROVEN_PER_S, self._monotonic)
        return self._unproven[fingerprint]

    def proven(self, fingerprint: str) -> None:
        """A vendor has accepted this credential."""
        self._unproven.pop(fingerprint, None)
