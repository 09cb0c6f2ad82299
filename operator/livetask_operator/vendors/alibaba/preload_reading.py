"""Reads a list, page by page, that changes while it is read, and tells when it has been read whole.

Apart from the client because it is a proof and has nothing to do with HTTP. Pure.

Rows come and go between two pages, so a row may slip to a page that was read already and never be seen; that every
page was asked for proves nothing, nor do equal totals: one row may have gone as another came. But no row that has gone
comes back: one that was seen before a call and after it was there at the call. So if as many rows were seen both at or
before a call and at or after it as the vendor counted at that call (TotalNum), then these are all that there were at
that moment. A list of one page proves itself. A longer one is read forth and back, last page first, which costs one
call less than twice the pages and proves the moment of the last page, unless something changed; then forth again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

from livetask_operator.vendors.contract import PreloadRow

MAX_SWEEPS = 3
"""So often a list is walked, forth, back and forth, before it counts as one that does not hold still."""

Key = tuple[str, str, str, datetime | None]


@dataclass(frozen=True, slots=True)
class Page:
    """One answer."""

    rows: tuple[PreloadRow, ...]
    total: int
    """Of all pages, as the vendor counts."""
    pages: int
    is_sound: bool = True
    """False where something on it is no row."""


@dataclass(slots=True)
class _Sighting:
    row: PreloadRow
    first: int
    last: int


class Reading:
    """What was read so far, and what to read next.

    most_pages: a longer list is given up at its first page.
    """

    def __init__(self, most_pages: int) -> None:
        self._most_pages = most_pages
        self._sightings: dict[Key, _Sighting] = {}
        self._totals: list[int] = []
        self._pages = 1
        self._step = 1
        self.next_page = 1
        self.is_sound = True
        self.is_whole = False
        """Whether all rows that there were at one moment have been seen."""

    @property
    def is_too_long(self) -> bool:
        return self._pages > self._most_pages

    @property
    def goes_on(self) -> bool:
        """Whether another page should be read."""
        return not (self.is_whole or self.is_too_long or len(self._totals) >= MAX_SWEEPS * self._pages)

    @property
    def calls_left_in_sweep(self) -> int:
        """How many pages are left until the end or the beginning of the list; 1 before the first."""
        return self._pages - self.next_page + 1 if self._step > 0 else self.next_page

    @property
    def rows(self) -> Iterable[PreloadRow]:
        """All rows that were seen, each as it was seen last."""
        return (sighting.row for sighting in self._sightings.values())

    def add(self, page: Page) -> None:
        """Take in the page that `next_page` asked for."""
        call = len(self._totals)
        self._totals.append(page.total)
        self._pages = max(1, page.pages)
        self.is_sound = self.is_sound and page.is_sound
        for row in page.rows:
            sighting = self._sightings.setdefault(key(row), _Sighting(row, call, call))
            sighting.row, sighting.last = row, call
        self.is_whole = self._some_moment_is_whole()
        self._turn_the_page()

    def _some_moment_is_whole(self) -> bool:
        came_and_went = [0] * (len(self._totals) + 1)
        for sighting in self._sightings.values():
            came_and_went[sighting.first] += 1
            came_and_went[sighting.last + 1] -= 1
        there = accumulate(came_and_went)
        return any(seen == total for seen, total in zip(there, self._totals, strict=False))

    def _turn_the_page(self) -> None:
        if not 1 <= self.next_page + self._step <= self._pages:
            self._step = -self._step
        self.next_page = min(max(1, self.next_page + self._step), self._pages)


def key(row: PreloadRow) -> Key:
    """What makes two sightings the same row: all that does not change as it goes on."""
    return (row.task_id, row.play_url, row.area, row.create_time)
