"""A vendor's calls by round: what was asked at the same time."""

from __future__ import annotations

from collections.abc import Iterable

from livetask_simulator.client import Call


def rounds(calls: Iterable[Call], interval_s: float) -> list[list[Call]]:
    """The calls, each with those that came within half an interval of the one before."""
    found: list[list[Call]] = []
    for call in calls:
        if not found or call.monotonic_s - found[-1][-1].monotonic_s > interval_s / 2:
            found.append([])
        found[-1].append(call)
    return found
