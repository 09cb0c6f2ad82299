"""Whose turn it is: one heap of due times for all objects."""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Schedule(Generic[K]):
    """Due times by key, in seconds of any one clock. A key has one due time; setting it again moves it."""

    def __init__(self) -> None:
        self._due: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._sequence = 0

    def __len__(self) -> int:
        return len(self._due)

    def due_at(self, key: K) -> float | None:
        return self._due.get(key)

    def set(self, key: K, due_s: float) -> None:
        self._due[key] = due_s
        self._sequence += 1
        heapq.heappush(self._heap, (due_s, self._sequence, key))

    def drop(self, key: K) -> None:
        self._due.pop(key, None)

    def next_due(self) -> float | None:
        self._forget_moved()
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now_s: float) -> list[K]:
        """Take all keys that are due, the most overdue first. They are out of the schedule until they are set again."""
        ready = []
        while (due := self.next_due()) is not None and due <= now_s:
            key = heapq.heappop(self._heap)[2]
            del self._due[key]
            ready.append(key)
        return ready

    def _forget_moved(self) -> None:
        while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
