"""How long a round of an account takes, as a multiple of what its objects wish. Pure; in monotonic seconds.

Measured, not computed from quotas: whatever makes an account slow, other software that shares it or a vendor that
throttles it, its objects are told the truth.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

RISES_AFTER_S = 120.0
"""So long an account is slower before its objects say so: a burst passes."""
FALLS_AFTER_S = 300.0
"""So long it is faster before they take it back; also after a start, when nothing is known of it yet."""
ANSWERED_WITHIN_S = 30.0
"""An account that answered well in so long, or in three calls' time, is at work; one that did not is slow for another
reason than its quota, and its objects grow stale by their own interval."""
STEP_SLACK = 0.75
"""Steps are powers of two; one is left when the factor is 2 ** 0.75 away, so that none is passed to and fro."""
FORGOTTEN_AFTER_S = 3900.0
"""A little more than the longest interval."""

A = TypeVar("A", bound=Hashable)


@dataclass(slots=True)
class _Round:
    factor: float
    noted_s: float
    since_s: float
    """Since when the factor has asked for `asked`, a step other than the one that is told."""
    answered_s: float
    told: int | None = None
    asked: int | None = None


class Rounds(Generic[A]):
    """By account: how much longer than its interval an object waits for its next look.

    `pace_s(account)`: seconds from one call to the next.
    """

    def __init__(self, pace_s: Callable[[A], float]) -> None:
        self._pace_s = pace_s
        self._rounds: dict[A, _Round] = {}

    def answered(self, account: A, now_s: float) -> None:
        """A look of this account went well."""
        entry = self._rounds.get(account)
        if entry is None:
            if len(self._rounds) % 1_000 == 999:
                self._forget_old(now_s)
            self._rounds[account] = _Round(1.0, now_s, now_s, now_s)
        else:
            entry.answered_s = now_s

    def noted(self, account: A, lateness: float, now_s: float) -> None:
        """A poll of this account begins, so late: as the latest comes first, none of its others is later."""
        entry = self._rounds.get(account)
        if entry is None or now_s - entry.answered_s > max(ANSWERED_WITHIN_S, 3 * self._pace_s(account)):
            return
        entry.factor, entry.noted_s = 1.0 + lateness, now_s
        step = _step(entry.factor, entry.told or 1)
        if step == entry.told:
            entry.asked = None
            return
        if entry.asked is None or (step > (entry.told or 1)) != (entry.asked > (entry.told or 1)):
            entry.since_s = now_s
        entry.asked = step
        if now_s - entry.since_s >= (RISES_AFTER_S if step > (entry.told or 1) else FALLS_AFTER_S):
            entry.told, entry.asked = step, None

    def factor(self, account: A) -> float:
        """By how much the interval at which objects are really looked at is longer than they wish; 1 or more."""
        entry = self._rounds.get(account)
        return 1.0 if entry is None else entry.factor

    def told(self, account: A) -> int | None:
        """The factor in coarse steps, for people: 1, 2, 4, 8 …; None while it is not known long enough."""
        entry = self._rounds.get(account)
        return None if entry is None else entry.told

    def factors(self, now_s: float) -> dict[A, float]:
        """Of all accounts that polled in about the last hour, the exact factor."""
        self._forget_old(now_s)
        return {account: entry.factor for account, entry in self._rounds.items()}

    def _forget_old(self, now_s: float) -> None:
        since_s = now_s - FORGOTTEN_AFTER_S
        for account in [each for each, entry in self._rounds.items() if max(entry.noted_s, entry.answered_s) < since_s]:
            del self._rounds[account]


def _step(factor: float, told: int) -> int:
    exact = math.log2(max(1.0, factor))
    if abs(exact - math.log2(told)) <= STEP_SLACK:
        return told
    return int(2 ** round(exact))
