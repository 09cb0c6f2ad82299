"""Looking at many tasks through a list that changes while it is read, may lie about its length, and fails in parts.

What is seen in the list is known. What is not seen there is not known: it is asked for by its own id. So a task that
slipped from one page to the next between two calls, or that a failed page hid, never reads as gone.
Apart from the relay because it is the same whatever the list is asked by. Source: vendor-apis.md, section 4.4.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from livetask_operator.vendors.contract import (
    InvalidRequest,
    InvalidResponse,
    Look,
    NeedsPerson,
    Observation,
    Throttled,
    VendorError,
    VendorUnavailable,
)
from livetask_operator.vendors.huawei.rows import Page, Row, agreed

PAGE = 100
"""The longest page that the vendor gives."""

MAX_LISTED = 10_000
"""The most that the vendor lists."""

MAX_ONE_BY_ONE = 100
"""So many tasks that the list does not show are asked for one by one in a look. Where more are missing the others fail
this look, and come first in the next."""


class Asker(Protocol):
    """Who asks, one call each."""

    async def page(self, offset: int) -> Page:
        """A page of the list. Raises VendorError."""

    async def look_for(self, task: str) -> Look:
        """One task by its id."""


class Rota:
    """Who comes first when not all of a list's missing tasks can be asked for one by one: whoever was left out."""

    def __init__(self) -> None:
        self._last_asked = ""

    def in_turn(self, tasks: Iterable[str]) -> Sequence[str]:
        """The tasks, from the one behind who was asked for last on."""
        ordered = sorted(tasks)
        first = bisect_right(ordered, self._last_asked)
        return [*ordered[first:], *ordered[:first]]

    def asked(self, task: str) -> None:
        self._last_asked = task


async def look_at_all(tasks: Sequence[str], asker: Asker, rota: Rota) -> Mapping[str, Look]:
    """A look for every task. A single one is asked for by its id at once: one call, which can also tell it is gone."""
    if len(tasks) == 1:
        return {tasks[0]: await asker.look_for(tasks[0])}
    listed = _List(tasks)
    while listed.is_worth_a_call():
        try:
            listed.add(await asker.page(listed.offset))
        except VendorError as error:
            listed.fail(error)
    looks: dict[str, Look] = dict(listed.seen())
    missing = [task for task in tasks if task not in looks]
    if listed.failure is not None and listed.is_beyond_hope:
        return {**looks, **dict.fromkeys(missing, listed.failure)}
    return looks | await _one_by_one(missing, asker, rota, listed.failure)


class _List:
    """What was read of a list so far."""

    def __init__(self, wanted: Iterable[str]) -> None:
        self.offset = 0
        self.failure: VendorError | None = None
        """The last page's that failed."""
        self._read_any = False
        self._wanted = frozenset(wanted)
        self._rows: list[Row] = []
        self._named: set[str] = set()
        self._total = MAX_LISTED
        self._last_brought = 0
        self._is_over = False

    def seen(self) -> Mapping[str, Observation]:
        """The wanted tasks that were seen. Two rows of a task that differ are none: it may have changed in between."""
        return agreed(self._rows)

    def add(self, page: Page) -> None:
        self._read_any = True
        named = {row.task for row in page.rows}
        # No row, or none that is new: the list has ended, whatever it says of its length.
        self._is_over = page.length == 0 or named <= self._named
        self._last_brought = len((named - self._named) & self._wanted)
        self._rows += (row for row in page.rows if row.task in self._wanted)
        self._named |= named
        self.offset += PAGE
        if page.total is not None:
            self._total = page.total
        if page.length >= PAGE:
            self._total = max(self._total, self.offset + 1)  # a full page is not the last before another one was seen

    def fail(self, error: VendorError) -> None:
        """Note a failed page. One in a list is passed over; of a second, or without a first page, there is no point."""
        self._is_over = self.failure is not None or not self._read_any or _meets_every_call(error)
        self.failure = error
        self.offset += PAGE

    @property
    def is_beyond_hope(self) -> bool:
        """Whether asking on is in vain: the vendor refuses who asks, or is down."""
        is_down = isinstance(self.failure, VendorUnavailable) and not self._read_any
        return is_down or (self.failure is not None and _meets_every_call(self.failure))

    def is_worth_a_call(self) -> bool:
        """Whether another page is read: where it may save calls that would ask for what is missing one by one."""
        if self._is_over or self.offset >= min(self._total, MAX_LISTED):
            return False
        if self.offset == 0:
            return True
        missing = len(self._wanted) - len(self.seen())
        pages = math.ceil((min(self._total, MAX_LISTED) - self.offset) / PAGE)
        # Its length may be a lie: a list whose last page was worth its call is read on in any case.
        return missing > MAX_ONE_BY_ONE or pages < missing or (missing > 0 and self._last_brought > 1)


async def _one_by_one(tasks: Sequence[str], asker: Asker, rota: Rota, failure: VendorError | None) -> dict[str, Look]:
    """Asks for what the list did not show, while there is an answer. `failure`: why it did not, where a page failed."""
    looks: dict[str, Look] = {}
    others: Look | None = failure
    for task in rota.in_turn(tasks)[:MAX_ONE_BY_ONE]:
        looks[task] = look = await asker.look_for(task)
        rota.asked(task)
        if isinstance(look, VendorUnavailable) or _meets_every_call(look):
            others = look
            break
    others = others or InvalidResponse(f"its list lacks the task, and more than {MAX_ONE_BY_ONE} others")
    return {task: looks.get(task, others) for task in tasks}


def _meets_every_call(look: Look) -> bool:
    """Whether it is about who asks, so that the next call would fare no better."""
    return isinstance(look, Throttled | NeedsPerson) and not isinstance(look, InvalidRequest)
