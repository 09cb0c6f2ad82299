"""Whose turn it is, over all objects of all accounts. Pure: it is told what happened and the time (monotonic seconds).

An object waits here, not in its account's line for the quota: there stand as few polls as keep the quota in use, so
that who comes next is decided late, by how late each is by then, and who is first for another reason need not overtake.
"""

from __future__ import annotations

import heapq
import math
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from livetask_operator.polling.quota import Lane

IN_LINE = {Lane.DELETION: 16, Lane.PERSON: 16, Lane.POLL: 2}
"""So many of an account come to its line in each lane: more would only wait for the same quota. Of polls one that is
let through next, and one to follow it at once."""
ENDED_WEIGHT = 10.0
"""A task that has ended counts as a tenth as late as it is: after all others, and yet looked at now and then."""
CLASSES_PER_DOUBLING = 4
"""Intervals are compared in classes that are a fifth apart: 5 s to 10 hours are 51."""
MOVED_AT_MOST = 1_000
"""Entries of turns that were moved are swept when there are so many and more of them than of turns."""

K = TypeVar("K", bound=Hashable)
A = TypeVar("A", bound=Hashable)


@dataclass(slots=True)
class Turn(Generic[A]):
    """When an object is due, and on whose account."""

    account: A
    lane: Lane
    due_s: float
    interval_s: float
    """How often it wishes to be looked at."""
    ended: bool = False
    """Its task has ended: nothing is lost if others come first."""
    number: int = 0

    @property
    def weight_s(self) -> float:
        return self.interval_s * ENDED_WEIGHT if self.ended else self.interval_s


@dataclass(frozen=True, slots=True)
class Taken(Generic[K, A]):
    """Whose turn it is now."""

    key: K
    turn: Turn[A]
    lateness: float
    """How late it is, in intervals; of an ended one, in ENDED_WEIGHT intervals."""


Entry = tuple[float, int, K]


class _Account(Generic[K, A]):
    """Those of one account who are due, and how many of it are under way."""

    __slots__ = ("due", "in_line", "name", "polls", "under_way")

    def __init__(self, name: A) -> None:
        self.name = name
        self.due: tuple[list[Entry[K]], list[Entry[K]]] = ([], [])
        self.polls: dict[int, list[Entry[K]]] = {}
        self.under_way = [0, 0, 0]
        self.in_line = [0, 0, 0]

    @property
    def is_idle(self) -> bool:
        return not (any(self.due) or self.polls or any(self.under_way))


class Scheduler(Generic[K, A]):
    """Due times by object. People first, deletions before all; then polls, by how late they are for their interval.

    `polls_at_once(account)` is how many polls may be under way: a vendor that hangs must not gather all connections.
    Every decision takes O(log n) steps of n objects.
    """

    def __init__(self, polls_at_once: Callable[[A], int]) -> None:
        self._polls_at_once = polls_at_once
        self._turns: dict[K, Turn[A]] = {}
        self._later: list[Entry[K]] = []
        self._accounts: dict[A, _Account[K, A]] = {}
        self._ready: tuple[OrderedDict[A, None], ...] = tuple(OrderedDict() for _ in Lane)
        self._under_way: dict[K, tuple[A, Lane, float | None, bool]] = {}
        """Their account, lane, when they were due if that is to be told, and whether they stand in the line."""
        self._number = 0

    def __len__(self) -> int:
        return len(self._turns)

    def due_at(self, key: K) -> float | None:
        turn = self._turns.get(key)
        return None if turn is None else turn.due_s

    def is_under_way(self, key: K) -> bool:
        """Whether an object's step has begun and is not over."""
        return key in self._under_way

    def ahead_of(self, key: K, now_s: float) -> int:
        """How many of its account have their turn before an object that is due; looks at all, for a person who asks."""
        turn = self._turns.get(key)
        if turn is None or turn.due_s > now_s:
            return 0
        mine = _rank(turn, now_s)
        return sum(
            each.account == turn.account and each.due_s <= now_s and _rank(each, now_s) < mine
            for each in self._turns.values()
        )

    def set(self, key: K, turn: Turn[A]) -> None:
        """Give an object its one turn; an earlier one is forgotten. One that is under way has it when that is over."""
        self._number += 1
        turn.number = self._number
        self._turns[key] = turn
        if key not in self._under_way:
            self._line_up(key, turn)

    def hasten(self, key: K, turn: Turn[A]) -> None:
        """Move an object forward, in time and lane, never back."""
        old = self._turns.get(key)
        if old is not None:
            if old.due_s <= turn.due_s and old.lane <= turn.lane:
                return
            turn.due_s, turn.lane = min(old.due_s, turn.due_s), min(old.lane, turn.lane)
        self.set(key, turn)

    def drop(self, key: K) -> None:
        self._turns.pop(key, None)

    def take(self, now_s: float, *, polls: bool = True) -> Taken[K, A] | None:
        """Whose step begins now: one at a time, until there is none. It has a place until `ended`.

        polls: False while polls step back for people.
        """
        self._bring_in(now_s)
        for lane in Lane if polls else (Lane.DELETION, Lane.PERSON):
            ready = self._ready[lane]
            while ready:
                account = self._accounts[ready.popitem(last=False)[0]]
                key = self._first(account, lane, now_s)
                if key is not None:
                    return self._begin(account, key, lane, now_s)
                self._forget_idle(account)
        return None

    def begun(self, key: K) -> float | None:
        """An object's request has left the line, or it needs none: the next may stand there.

        Returns when it was due, where it is a poll that has left the line now; not of an ended task, which comes last.
        """
        account_name, lane, due_s, in_line = self._under_way.get(key, (None, Lane.POLL, None, False))
        if account_name is None or not in_line:
            return None
        self._under_way[key] = (account_name, lane, due_s, False)
        account = self._accounts[account_name]
        account.in_line[lane] -= 1
        self._offer(account, lane)
        return due_s

    def ended(self, key: K) -> None:
        """An object's step is over."""
        self.begun(key)
        account_name, lane, _, _ = self._under_way.pop(key)
        account = self._accounts[account_name]
        account.under_way[lane] -= 1
        self._offer(account, lane)
        self._forget_idle(account)
        if (turn := self._turns.get(key)) is not None:
            self._line_up(key, turn)

    def next_at(self) -> float | None:
        """When somebody is due next, of those who are not waiting for a place; None: nobody. May be in the past."""
        self._forget_moved(self._later)
        return self._later[0][0] if self._later else None

    def lateness(self, account: A, now_s: float) -> float:
        """How late the latest of an account's waiting polls is, as in Taken."""
        waiting = self._accounts.get(account)
        return 0.0 if waiting is None else max((each[0] for each in self._latest(waiting, now_s)), default=0.0)

    @property
    def has_ready(self) -> bool:
        """Whether somebody's step can begin now."""
        return any(self._ready)

    def _line_up(self, key: K, turn: Turn[A]) -> None:
        heapq.heappush(self._later, (turn.due_s, turn.number, key))
        if len(self._later) > MOVED_AT_MOST + 2 * len(self._turns):
            valid = [entry for entry in self._later if self._is_valid(entry)]
            heapq.heapify(valid)
            self._later = valid

    def _is_valid(self, entry: Entry[K]) -> bool:
        turn = self._turns.get(entry[2])
        return turn is not None and turn.number == entry[1]

    def _bring_in(self, now_s: float) -> None:
        later = self._later
        while later and later[0][0] <= now_s:
            entry = heapq.heappop(later)
            if not self._is_valid(entry):
                continue
            turn = self._turns[entry[2]]
            account = self._accounts.get(turn.account)
            if account is None:
                account = self._accounts[turn.account] = _Account(turn.account)
            if turn.lane is Lane.POLL:
                interval_class = int(CLASSES_PER_DOUBLING * math.log2(turn.weight_s))
                heapq.heappush(account.polls.setdefault(interval_class, []), entry)
            else:
                heapq.heappush(account.due[turn.lane], entry)
            self._offer(account, turn.lane)

    def _offer(self, account: _Account[K, A], lane: Lane) -> None:
        """Note that an account has somebody due, where there is a place for them."""
        somebody = account.polls if lane is Lane.POLL else account.due[lane]
        if not somebody or account.in_line[lane] >= IN_LINE[lane]:
            return
        if lane is not Lane.POLL or account.under_way[lane] < self._polls_at_once(account.name):
            self._ready[lane][account.name] = None

    def _first(self, account: _Account[K, A], lane: Lane, now_s: float) -> K | None:
        if lane is not Lane.POLL:
            self._forget_moved(account.due[lane])
            return heapq.heappop(account.due[lane])[2] if account.due[lane] else None
        latest = max(self._latest(account, now_s), default=None)
        return None if latest is None else heapq.heappop(account.polls[latest[1]])[2]

    def _latest(self, account: _Account[K, A], now_s: float) -> list[tuple[float, int]]:
        """The latest poll of each class of intervals: how late it is, and the class."""
        found = []
        for interval_class in list(account.polls):
            entries = account.polls[interval_class]
            self._forget_moved(entries)
            if not entries:
                del account.polls[interval_class]
                continue
            due_s, _, key = entries[0]
            found.append(((now_s - due_s) / self._turns[key].weight_s, interval_class))
        return found

    def _begin(self, account: _Account[K, A], key: K, lane: Lane, now_s: float) -> Taken[K, A]:
        turn = self._turns.pop(key)
        account.under_way[lane] += 1
        account.in_line[lane] += 1
        told_s = turn.due_s if lane is Lane.POLL and not turn.ended else None
        self._under_way[key] = (account.name, lane, told_s, True)
        self._offer(account, lane)
        return Taken(key, turn, max(0.0, now_s - turn.due_s) / turn.weight_s)

    def _forget_moved(self, entries: list[Entry[K]]) -> None:
        while entries and not self._is_valid(entries[0]):
            heapq.heappop(entries)

    def _forget_idle(self, account: _Account[K, A]) -> None:
        if account.is_idle:
            self._accounts.pop(account.name, None)
            for ready in self._ready:  # whoever it was offered for may have been dropped since
                ready.pop(account.name, None)


def _rank(turn: Turn[Any], now_s: float) -> tuple[int, float, int]:
    """Who comes first of one account: people by when they are due, polls by how late they are for their interval."""
    first = turn.due_s if turn.lane is not Lane.POLL else -(now_s - turn.due_s) / turn.weight_s
    return turn.lane, first, turn.number
