"""How often an account may be asked: a budget per (account, call), and the line of those who wait for it."""

from __future__ import annotations

import asyncio
import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

WAY_S = 0.02
"""Calls may arrive so much closer together than they were sent: a second is kept as 1.02 s, a minute as 60.02 s."""
LATE_S = 0.005
"""So late are timers as a rule. Calls are spaced for a second that is so much longer, lest the window shifts them."""
CATCH_UP_S = 0.05
"""A call that goes out late, by no more than this, does not make those in line behind it late."""
THROTTLED_FIRST_S = 1.0
THROTTLED_CAP_S = 60.0
RETRY_AFTER_CAP_S = 120.0
KEPT = 0.7
"""So much of its pace an account keeps after a throttling answer."""
GROWTH = 1.1e-5
"""Share of the whole pace per cubic second: from wherever it was cut, the whole pace is back after a minute."""
SLOWEST_S = 5.0
"""Throttling answers alone make no account slower than one call in so many seconds, pauses aside."""
IDLE_S = 300.0
ACCOUNT_IDLE_S = 3900.0
"""A turnstile that nobody used for so long is dropped: keys are rotated, and their budgets would stay for ever. That of
an account lasts from one look at an hourly polled object to the next: what is shown of it must not come and go."""
PEOPLE_IN_A_ROW = 3
UNPROVEN_PER_S = 1.0
MAX_UNPROVEN = 10_000

KEYS_KNOWN = 10_000

QuotaKey = tuple[str, str, str]
"""The vendor, the account as it counts there, and the call."""


class Lane(IntEnum):
    """Who goes first: the lower number."""

    DELETION = 0
    PERSON = 1
    POLL = 2


@dataclass(frozen=True, slots=True)
class Limit:
    """How many calls a vendor allows in any second, in any minute, or both: one of them at least is given."""

    per_second: float | None = None
    per_minute: int | None = None

    @property
    def rate(self) -> float:
        """Calls a second that it comes to."""
        rates = (self.per_second, None if self.per_minute is None else self.per_minute / 60)
        return min(rate for rate in rates if rate is not None)


class Budget:
    """At most so many calls in any second and in any minute, evenly spread. Pure: told the time, in monotonic seconds.

    Not in bursts: the vendor counts when calls arrive, and of two bursts a second apart the first may be late by as
    long as connecting takes. Calls go out on an even grid, which a late call does not shift (this is GCRA), so that
    nearly all of the budget is used. A late call and one in time are closer than the grid, so the last second's calls
    are remembered besides; for a minute the grid is enough, as it is wider by all that a call may be late.

    began_s: when this process began to act. A predecessor may have used the second before up to its last moment, so
    that for a second, and for one call's pace, nothing is sent; then both processes' calls together keep the limit.
    """

    def __init__(self, limit: Limit | float, began_s: float = float("-inf")) -> None:
        self.limit = limit if isinstance(limit, Limit) else Limit(per_second=limit)
        minute_s = 0.0 if self.limit.per_minute is None else (60.0 + WAY_S + CATCH_UP_S) / self.limit.per_minute
        if self.limit.per_second is None:
            self.pace_s = minute_s
            self._window_s = 1.0 + WAY_S
            self._count = math.ceil((self._window_s + CATCH_UP_S) / self.pace_s) + 1  # more than the grid lets through
        else:
            self._count = max(1, int(self.limit.per_second))  # of 2.5 a second there may be two in any second
            self._window_s = max(1.0, self._count / self.limit.per_second) + WAY_S
            self.pace_s = max((self._window_s + LATE_S) / self._count, minute_s)
        self._sent: deque[float] = deque(maxlen=self._count)
        self._grid_s = began_s + max(self._window_s, self.pace_s + CATCH_UP_S)
        self._paused_until_s = float("-inf")
        self._throttled_in_a_row = 0
        self._refused_at: float | None = None

    @property
    def last_call_s(self) -> float:
        """When the newest call went out; long ago where there was none."""
        return self._sent[-1] if self._sent else float("-inf")

    def free_at(self, now_s: float) -> float:
        """When the next call may go out; now or later."""
        window_free = self._sent[0] + self._window_s if len(self._sent) == self._count else now_s
        return max(now_s, window_free, self._grid_s, self._paused_until_s)

    def spend(self, now_s: float, *, waited: bool = False) -> None:
        """A call goes out. One that has `waited` is late where it was free earlier: those behind it go by the grid."""
        self._sent.append(now_s)
        self._grid_s = max(self._grid_s, now_s - CATCH_UP_S if waited else now_s) + self.pace_s / self.share(now_s)

    def throttled(self, now_s: float, retry_after_s: float | None) -> None:
        """The vendor said that it is too much: pause, longer each time in a row, and go on at a slower pace."""
        asked_s = min(retry_after_s or 0.0, RETRY_AFTER_CAP_S)
        if now_s < self._paused_until_s:  # answers to calls that were under way before the pause
            self._paused_until_s = max(self._paused_until_s, now_s + asked_s)
            return
        self._refused_at = max(self.share(now_s), self.pace_s / SLOWEST_S / KEPT)
        self._throttled_in_a_row += 1
        own_s = min(THROTTLED_CAP_S, THROTTLED_FIRST_S * 2.0 ** min(self._throttled_in_a_row - 1, 10))
        self._paused_until_s = now_s + max(own_s, asked_s)

    def answered(self, now_s: float) -> None:
        """The vendor let a call through; during a pause that says nothing, as it was sent before."""
        if now_s >= self._paused_until_s:
            self._throttled_in_a_row = 0

    def share(self, now_s: float) -> float:
        """How much of its pace it has at this time: 1, or less after it was throttled, and then growing.

        Grows as TCP's CUBIC does (RFC 9438): soon back near the share that was refused, slowly past it, as that may be
        all that the vendor has to give, and ever faster from there, as it may not.
        """
        if self._refused_at is None:
            return 1.0
        level_s = math.cbrt(self._refused_at * (1.0 - KEPT) / GROWTH)
        paced_s = max(0.0, now_s - self._paused_until_s)
        return min(1.0, self._refused_at + GROWTH * (paced_s - level_s) ** 3)

    def rate(self, now_s: float) -> float:
        """Calls a second that may go out at this time; 0 while it is paused."""
        return 0.0 if self.paused_s(now_s) else self.share(now_s) / self.pace_s

    def used(self, now_s: float) -> int:
        """Calls that went out in the last second."""
        return sum(1 for sent_s in self._sent if sent_s > now_s - 1.0)

    def paused_s(self, now_s: float) -> float:
        """Seconds that are left of the pause after a throttling answer; 0 where there is none."""
        return max(0.0, self._paused_until_s - now_s)

    def is_fresh(self, now_s: float) -> bool:
        """Whether a new budget in its place would say the same."""
        return self.free_at(now_s) <= now_s and self.share(now_s) == 1.0


class Gate(ABC):
    """Lets callers through as a budget allows; whose turn it is says who derives from it."""

    def __init__(self, limit: Limit | float, monotonic: Callable[[], float], began_s: float = float("-inf")) -> None:
        self.budget = Budget(limit, began_s)
        self._monotonic = monotonic
        self._timer: asyncio.TimerHandle | None = None

    @property
    @abstractmethod
    def _is_empty(self) -> bool:
        """Whether nobody stands in line."""

    @abstractmethod
    def _next(self) -> asyncio.Future[None]:
        """Take whose turn it is out of the line. Somebody stands in it."""

    def _let_through(self) -> None:
        waited = self._timer is not None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while not self._is_empty:
            now_s = self._monotonic()
            free_s = self.budget.free_at(now_s)
            if free_s > now_s:
                self._timer = asyncio.get_running_loop().call_later(free_s - now_s, self._let_through)
                return
            turn = self._next()
            if not turn.done():  # else its caller gave up
                self.budget.spend(now_s, waited=waited)
                turn.set_result(None)


class Turnstile(Gate):
    """Lets callers through as a budget allows, the lower lane first, then in the order of their coming.

    All but one case: polls have every fourth turn where people's looks stand in line all the time.
    """

    def __init__(self, limit: Limit | float, monotonic: Callable[[], float], began_s: float = float("-inf")) -> None:
        super().__init__(limit, monotonic, began_s)
        self._lines: Mapping[Lane, deque[asyncio.Future[None]]] = {lane: deque() for lane in Lane}
        self._people_in_a_row = 0
        self._used_s = monotonic()

    async def enter(self, lane: Lane) -> None:
        """Wait for the turn. It is spent when this returns."""
        if self._is_empty and self.budget.free_at(now_s := self._monotonic()) <= now_s:
            self.budget.spend(now_s)
            return
        turn = asyncio.get_running_loop().create_future()
        self._lines[lane].append(turn)
        self._let_through()
        await turn

    def throttled(self, retry_after_s: float | None) -> None:
        self.budget.throttled(self._monotonic(), retry_after_s)

    def noticed(self) -> None:
        """Somebody has come to use it: it is kept for some minutes."""
        self._used_s = self._monotonic()

    def is_idle(self, idle_s: float) -> bool:
        """Whether nothing is lost when it is forgotten: nobody came for so long, and neither pause nor window holds."""
        now_s = self._monotonic()
        unused_s = now_s - max(self._used_s, self.budget.last_call_s)
        return self._is_empty and unused_s > idle_s and self.budget.is_fresh(now_s)

    @property
    def waiting(self) -> int:
        return self.people_waiting + self.polls_waiting

    @property
    def people_waiting(self) -> int:
        """How many stand in line for somebody who did something: deletions and people's looks."""
        return sum(not turn.done() for lane in (Lane.DELETION, Lane.PERSON) for turn in self._lines[lane])

    @property
    def polls_waiting(self) -> int:
        return sum(not turn.done() for turn in self._lines[Lane.POLL])

    @property
    def limit_per_s(self) -> float:
        """Calls a second that the configuration allows."""
        return self.budget.limit.rate

    @property
    def rate_per_s(self) -> float:
        """Calls a second that may go out now: less after throttling answers, 0 in a pause."""
        return self.budget.rate(self._monotonic())

    @property
    def used_last_second(self) -> int:
        return self.budget.used(self._monotonic())

    @property
    def paused_s(self) -> float:
        """Seconds that are left of the pause after a throttling answer."""
        return self.budget.paused_s(self._monotonic())

    @property
    def _is_empty(self) -> bool:
        return not any(self._lines.values())

    def _next(self) -> asyncio.Future[None]:
        lane = next(lane for lane in Lane if self._lines[lane])
        if lane is Lane.PERSON and self._lines[Lane.POLL] and self._people_in_a_row >= PEOPLE_IN_A_ROW:
            lane = Lane.POLL  # who asks without end leaves every fourth turn to a poll
        self._people_in_a_row = self._people_in_a_row + 1 if lane is Lane.PERSON else 0
        return self._lines[lane].popleft()


class Quotas:
    """The turnstile of each account and call.

    `limits(vendor, account, call)` tells what is allowed, in calls a second where it is a number; `account_of(vendor,
    key)` which keys are one account. `began_s`: when this process began to act, see Budget; None: it begins now.
    """

    def __init__(
        self,
        limits: Callable[[str, str, str], Limit | float],
        account_of: Callable[[str, str], str],
        monotonic: Callable[[], float],
        began_s: float | None = None,
    ) -> None:
        self._limits = limits
        self._key = lru_cache(KEYS_KNOWN)(lambda vendor, key, call: (vendor, account_of(vendor, key), call))
        self._monotonic = monotonic
        self._began_s = monotonic() if began_s is None else began_s
        self._turnstiles: dict[QuotaKey, Turnstile] = {}
        self._unproven: dict[str, Turnstile] = {}
        self._sweep_s = self._began_s + IDLE_S

    def __iter__(self) -> Iterator[tuple[QuotaKey, Turnstile]]:
        """Those in use, for whoever shows them: an account that was only named has made no call."""
        self._drop_idle()
        yield from [(key, each) for key, each in self._turnstiles.items() if each.budget.last_call_s > float("-inf")]

    def key(self, vendor: str, key_or_project: str, call: str) -> QuotaKey:
        """What a call is counted by: the same object each time, as thousands keep it."""
        return self._key(vendor, key_or_project, call)

    def rate(self, key: QuotaKey) -> float:
        """Calls a second that this quota allows."""
        turnstile = self._turnstiles.get(key)
        return 1.0 / (Budget(self._limits(*key)) if turnstile is None else turnstile.budget).pace_s

    def last_call_s(self, key: QuotaKey) -> float:
        """When the newest call was let through; long ago where there was none."""
        turnstile = self._turnstiles.get(key)
        return float("-inf") if turnstile is None else turnstile.budget.last_call_s

    def paused_s(self, key: QuotaKey) -> float:
        """Seconds that are left of the account's pause after a throttling answer."""
        turnstile = self._turnstiles.get(key)
        return 0.0 if turnstile is None else turnstile.paused_s

    def limit_per_s(self, key: QuotaKey) -> float:
        """Calls a second that the configuration allows the account."""
        return Budget(self._limits(*key)).limit.rate

    def of(self, vendor: str, key_or_project: str, call: str) -> Turnstile:
        key = self.key(vendor, key_or_project, call)
        if key not in self._turnstiles:
            self._drop_idle()
            self._turnstiles[key] = Turnstile(self._limits(*key), self._monotonic, self._began_s)
        self._turnstiles[key].noticed()
        return self._turnstiles[key]

    def of_unproven(self, fingerprint: str) -> Turnstile:
        """The small budget of a credential that no vendor has accepted yet.

        Nobody uses up an account's budget, or has it paused, by naming that account's key with a wrong secret.
        """
        if fingerprint not in self._unproven:
            self._drop_idle()
            if len(self._unproven) >= MAX_UNPROVEN:
                self._unproven.clear()  # whoever stands in one of these lines still has it
            self._unproven[fingerprint] = Turnstile(UNPROVEN_PER_S, self._monotonic, self._began_s)
        self._unproven[fingerprint].noticed()
        return self._unproven[fingerprint]

    def proven(self, fingerprint: str) -> None:
        """A vendor has accepted this credential."""
        self._unproven.pop(fingerprint, None)

    def _drop_idle(self) -> None:
        now_s = self._monotonic()
        if now_s < self._sweep_s:
            return
        self._sweep_s = now_s + IDLE_S
        self._turnstiles = {key: each for key, each in self._turnstiles.items() if not each.is_idle(ACCOUNT_IDLE_S)}
        self._unproven = {key: each for key, each in self._unproven.items() if not each.is_idle(IDLE_S)}
