"""The pure scheduler and budgets in simulated time: a million objects in 10,000 accounts, each asked for more than it
allows. No network and no cluster: what is measured is what one decision costs, and whether all are treated alike.
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
import resource
import time
from array import array
from dataclasses import dataclass

from livetask_operator.polling.quota import Budget, Lane
from livetask_operator.polling.scheduler import Scheduler, Turn

INTERVAL_S = 30.0
CALLS_PER_S = 2.0
"""Of an account with 100 objects, which wish for 3.3 a second."""
PER_ACCOUNT = 100
ROUNDS = 3.0


@dataclass
class Outcome:
    """What came of a simulated run."""

    decisions: int = 0
    seconds: float = 0.0
    most_in_a_second: int = 0
    used: float = 0.0
    """Of all budgets, from when all had somebody to ask for."""
    unfairness: float = 0.0
    """The longest time between two looks at one object by the shortest."""

    @property
    def us_per_decision(self) -> float:
        return self.seconds / self.decisions * 1e6


class Run:
    """All accounts, from the first object that is due until each was looked at some times."""

    def __init__(self, objects: int) -> None:
        chance = random.Random(objects)
        self._accounts = objects // PER_ACCOUNT
        self._scheduler: Scheduler[int, int] = Scheduler(lambda _: 8)
        self._budgets = [Budget(CALLS_PER_S) for _ in range(self._accounts)]
        self._lines: list[list[int]] = [[] for _ in range(self._accounts)]
        self._free: list[tuple[float, int]] = []
        self._last = array("d", bytes(8 * objects))
        self._shortest, self._longest = float("inf"), 0.0
        self._calls = [array("d") for _ in range(self._accounts)]
        for key in range(objects):
            self._set(key, chance.uniform(0, INTERVAL_S))

    def play(self) -> Outcome:
        """Play it. Only the scheduler's and the budgets' own work is timed with the loop around it."""
        outcome, now_s = Outcome(), 0.0
        until_s = ROUNDS * PER_ACCOUNT / CALLS_PER_S
        began = time.process_time()
        while now_s < until_s:
            while (taken := self._scheduler.take(now_s)) is not None:
                account = taken.turn.account
                self._lines[account].append(taken.key)
                if len(self._lines[account]) == 1:
                    heapq.heappush(self._free, (self._budgets[account].free_at(now_s), account))
            next_due_s = self._scheduler.next_at()
            next_free_s = self._free[0][0] if self._free else float("inf")
            now_s = max(now_s, min(next_free_s, float("inf") if next_due_s is None else next_due_s))
            while self._free and self._free[0][0] <= now_s:
                self._let_through(heapq.heappop(self._free)[1], now_s)
                outcome.decisions += 1
        outcome.seconds = time.process_time() - began
        outcome.unfairness = self._longest / self._shortest
        outcome.most_in_a_second = max(map(_most_in_a_second, self._calls))
        busy_s = until_s - INTERVAL_S
        later = sum(sum(1 for at_s in calls if at_s >= INTERVAL_S) for calls in self._calls)
        outcome.used = later / (busy_s * CALLS_PER_S * self._accounts)
        return outcome

    def _let_through(self, account: int, now_s: float) -> None:
        line, budget = self._lines[account], self._budgets[account]
        key = line.pop(0)
        budget.spend(now_s)
        self._calls[account].append(now_s)
        self._note(key, now_s)
        self._scheduler.begun(key)
        self._scheduler.ended(key)
        self._set(key, now_s + INTERVAL_S)
        if line:
            heapq.heappush(self._free, (budget.free_at(now_s), account))

    def _note(self, key: int, now_s: float) -> None:
        last_s, self._last[key] = self._last[key], now_s
        if last_s > PER_ACCOUNT / CALLS_PER_S:  # the first round is of those who came at different times
            self._shortest, self._longest = min(self._shortest, now_s - last_s), max(self._longest, now_s - last_s)

    def _set(self, key: int, due_s: float) -> None:
        self._scheduler.set(key, Turn(key % self._accounts, Lane.POLL, due_s, INTERVAL_S))


def _most_in_a_second(calls: array[float]) -> int:
    most = first = 0
    for last, at_s in enumerate(calls):
        while calls[first] <= at_s - 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=1_000_000)
    objects = parser.parse_args().objects
    few, many = Run(10_000).play(), Run(objects).play()
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for outcome in (few, many):
        if outcome.most_in_a_second > CALLS_PER_S:
            raise SystemExit(f"a budget of {CALLS_PER_S:g} was exceeded: {outcome.most_in_a_second} calls in a second")
    name = f"{objects:,} objects"
    note = f"{many.decisions:,} decisions; {few.us_per_decision:.1f} us each with 10,000 objects; {mib:.0f} MiB"
    rows = [
        {
            "key": "million-us",
            "figure": f"one decision, {name}, simulated",
            "unit": "us",
            "ours": many.us_per_decision,
            "note": note,
        },
        {
            "key": "million-used",
            "figure": f"budgets used, {name}, simulated",
            "unit": "%",
            "ours": 100 * many.used,
            "target": {"value": 95, "at_least": True},
        },
        {
            "key": "million-fair",
            "figure": f"unfairness, {name}, simulated",
            "unit": "x",
            "ours": many.unfairness,
            "target": {"value": 1.2},
        },
    ]
    print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main()
