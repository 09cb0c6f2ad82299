"""Has each object's step begin when it is its turn, in the event loop: the scheduler decides, this asks it in time.

People first holds for the loop too: while it lags, or while many people's changes are dealt with, no poll begins.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from livetask_operator.observability.health import Health
from livetask_operator.polling.quota import Lane, QuotaKey
from livetask_operator.polling.scheduler import Scheduler, Taken, Turn

Account = QuotaKey | tuple[str, str]
"""What an object's looks are counted by; while that is not known, its Secret's namespace and name."""

HEARTBEAT = "scheduler"
HEARTBEAT_S = 5.0
AT_ONCE = 16
"""So many steps begin before others in the loop have their turn."""
TOGETHER_S = 0.005
"""Polls that fall due so close together begin together: each waking of the loop costs as much as half a poll."""
LAG_S = 0.05
CROWD = 8
"""With so many people's steps under way that began within CROWD_S, polls step back."""
CROWD_S = 0.5
STEP_BACK_S = 0.01
AFTER_A_FAULT_S = 1.0
CROWDED_AT_MOST_S = 3.0
"""Then polls begin one by one all the same: nobody starves."""
LISTING_S = 0.25
"""A listing whose newest object came so lately goes on: kopf takes several rounds of the loop for each object, and each
poll makes a round longer. Polls begin when all is known, and who is latest is decided over all."""
LISTING_AT_MOST_S = 5.0
LAGGING_AT_MOST_S = 0.1
FEW = 4
"""Where the loop lags and nobody came, others use up the processor, or polls do: fewer begin at a time."""

log = logging.getLogger("livetask.turns")


class Turns:
    """Every object's next step. `begin(taken)` has one begin, and `ended` is to be called when it is over."""

    def __init__(
        self,
        begin: Callable[[Taken[str, Account]], None],
        polls_at_once: Callable[[Account], int],
        health: Health,
        monotonic: Callable[[], float],
    ) -> None:
        self._begin = begin
        self._health = health
        self._monotonic = monotonic
        self._scheduler: Scheduler[str, Account] = Scheduler(polls_at_once)
        self._timer: asyncio.Handle | None = None
        self._timer_s = float("inf")
        self._is_on = False
        self._people = 0
        self._person_came_s = float("-inf")
        self._back_since_s: float | None = None
        self._listed_s = self._listing_since_s = float("-inf")

    def start(self) -> None:
        """Have steps begin from now on."""
        self._is_on = True
        self._ask_at(self._monotonic())

    def stop(self) -> None:
        """Have no more begin."""
        self._is_on = False
        if self._timer is not None:
            self._timer.cancel()

    def listed(self) -> None:
        """An object was listed that was not known: more of them will come."""
        now_s = self._monotonic()
        if now_s - self._listed_s >= LISTING_S:
            self._listing_since_s = now_s
        self._listed_s = now_s

    def lateness(self, account: Account) -> float:
        """How late the latest of an account's waiting polls is, in intervals."""
        return self._scheduler.lateness(account, self._monotonic())

    def due_in_s(self, uid: str) -> float | None:
        """Until an object's next step, less than 0 where it waits for its place; None: none is planned."""
        due_s = self._scheduler.due_at(uid)
        return None if due_s is None else due_s - self._monotonic()

    def is_under_way(self, uid: str) -> bool:
        """Whether an object's step has begun and is not over."""
        return self._scheduler.is_under_way(uid)

    def ahead_of(self, uid: str) -> int:
        """How many of its account have their turn before an object that is due."""
        return self._scheduler.ahead_of(uid, self._monotonic())

    def set(self, uid: str, turn: Turn[Account]) -> None:
        """Give an object its one turn; an earlier one is forgotten. One whose step is under way has it afterwards."""
        self._scheduler.set(uid, turn)
        self._ask_at(turn.due_s)

    def hasten(self, uid: str, turn: Turn[Account]) -> None:
        """Move an object forward, in time and lane, never back."""
        self._scheduler.hasten(uid, turn)
        self._ask_at(turn.due_s)

    def drop(self, uid: str) -> None:
        """An object has no turn any more."""
        self._scheduler.drop(uid)

    def begun(self, uid: str) -> float | None:
        """An object's request stands in no line any more. Returns how late it was, in seconds, where it is a poll."""
        due_s = self._scheduler.begun(uid)
        self._go_on()
        return None if due_s is None else self._monotonic() - due_s

    def ended(self, uid: str, lane: Lane) -> None:
        """An object's step is over."""
        if lane is not Lane.POLL:
            self._people -= 1
        self._scheduler.ended(uid)
        self._go_on()

    def _go_on(self) -> None:
        if self._scheduler.has_ready:
            self._ask_at(self._monotonic())

    def _ask_at(self, at_s: float) -> None:
        """Ask the scheduler then, or earlier where that is planned already."""
        if not self._is_on or at_s >= self._timer_s:
            return
        if self._timer is not None:
            self._timer.cancel()
        loop, now_s = asyncio.get_running_loop(), self._monotonic()
        self._timer_s = max(at_s, now_s)
        wait_s = self._timer_s - now_s
        self._timer = loop.call_later(wait_s, self._ask) if wait_s > 0 else loop.call_soon(self._ask)

    def _ask(self) -> None:
        now_s = self._monotonic()
        lag_s = now_s - self._timer_s
        self._timer, self._timer_s = None, float("inf")
        self._health.beat(HEARTBEAT)
        try:
            self._begin_those_due(now_s, lag_s)
        except Exception:
            log.exception("a fault in the operator: the scheduler is asked again in %g s", AFTER_A_FAULT_S)
            self._ask_at(now_s + AFTER_A_FAULT_S)

    def _begin_those_due(self, now_s: float, lag_s: float) -> None:
        begin_polls, at_once = self._polls_go(lag_s, now_s)
        taken = None
        for _ in range(at_once):
            taken = self._scheduler.take(now_s, polls=begin_polls)
            if taken is None:
                break
            if taken.turn.lane is not Lane.POLL:
                self._people += 1
                self._person_came_s = now_s
            self._begin(taken)
        if taken is not None:
            self._ask_at(now_s)
        elif self._scheduler.has_ready:
            self._ask_at(now_s + STEP_BACK_S)
        next_s = self._scheduler.next_at()
        self._ask_at(
            now_s + HEARTBEAT_S if next_s is None else max(now_s + TOGETHER_S, min(next_s, now_s + HEARTBEAT_S))
        )

    def _polls_go(self, lag_s: float, now_s: float) -> tuple[bool, int]:
        """Whether polls may begin, and how many steps at once."""
        if now_s - self._listed_s < LISTING_S and now_s - self._listing_since_s < LISTING_AT_MOST_S:
            return False, AT_ONCE
        crowded = self._people >= CROWD and now_s - self._person_came_s < CROWD_S
        if lag_s < LAG_S and not crowded:
            self._back_since_s = None
            return True, AT_ONCE
        if self._back_since_s is None:
            self._back_since_s = now_s
        if now_s - self._back_since_s < (CROWDED_AT_MOST_S if crowded else LAGGING_AT_MOST_S):
            return False, AT_ONCE
        return True, 1 if crowded else FEW
