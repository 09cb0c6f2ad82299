"""Looking at many tasks through a list that changes while it is read, may lie about its length, and fails in parts.

What is seen in the list is known. What is not seen there is not known: it is asked for by its own id. So a task that
slipped from one page to the next between two calls, or that a failed page hid, never reads as gone.
What is confirmed missing by such a query is not asked for again at each reading: see `missing.py`.
Apart from the relay because it is the same whatever the list is asked by. Source: vendor-apis.md, section 4.4.
"""

from __future__ import annotations

import math
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
from livetask_operator.vendors.huawei.missing import Missing
from livetask_operator.vendors.huawei.rows import Agreed, Page

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


async def look_at_all(tasks: Sequence[str], asker: Asker, missing: Missing) -> Mapping[str, Look]:
    """A look for every task. A single one is asked for by its id at once: one call, which can also tell it is gone.

    missing: what is remembered of this list, with this credential, from look to look.
    """
    if len(tasks) == 1:
        return {tasks[0]: await _look_for(tasks[0], asker, missing)}
    listed = _List(tasks)
    while listed.is_worth_a_call():
        try:
            listed.add(await asker.page(listed.offset))
        except VendorError as error:
            listed.fail(error)
    missing.listed(listed.named)
    looks: dict[str, Look] = dict(listed.seen())
    unseen = [task for task in tasks if task not in looks]
    if listed.failure is not None and listed.is_beyond_hope:
        return {**looks, **dict.fromkeys(unseen, listed.failure)}
    if listed.is_whole:
        looks |= missing.still(task for task in unseen if task not in listed.named)
        unseen = [task for task in unseen if task not in looks]
    return looks | await _one_by_one(unseen, asker, missing, listed.failure)


class _List:
    """What was read of a list so far. What a page adds takes as long as the page is, however long the list."""

    def __init__(self, wanted: Iterable[str]) -> None:
        self.offset = 0
        self.failure: VendorError | None = None
        """The last page's that failed."""
        self.named: set[str] = set()
        self._read_any = False
        self._wanted = frozenset(wanted)
        self._agreed = Agreed()
        self._total = MAX_LISTED
        self._totals: set[int | None] = set()
        self._last_brought = 0
        self._is_over = False

    def seen(self) -> Mapping[str, Observation]:
        """The wanted tasks that were seen. Two rows of a task that differ are none: it may have changed in between."""
        return self._agreed.known

    def add(self, page: Page) -> None:
        self._read_any = True
        named = {row.task for row in page.rows}
        # No row, or none that is new: the list has ended, whatever it says of its length.
        self._is_over = page.length == 0 or named <= self.named
        self._last_brought = len((named - self.named) & self._wanted)
        self._agreed.add(row for row in page.rows if row.task in self._wanted)
        self.named |= named
        self.offset += PAGE
        self._totals.add(page.total)
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

    @property
    def is_whole(self) -> bool:
        """Whether it was read without a failure, and every page counted as many tasks in all as were named."""
        return self.failure is None and self._totals == {len(self.named)} and len(self.named) < MAX_LISTED

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


async def _one_by_one(
    tasks: Sequence[str], asker: Asker, missing: Missing, failure: VendorError | None
) -> dict[str, Look]:
    """Asks for what the list did not show, while there is an answer. `failure`: why it did not, where a page failed."""
    looks: dict[str, Look] = {}
    others: Look | None = failure
    for task in missing.in_turn(tasks)[:MAX_ONE_BY_ONE]:
        looks[task] = look = await _look_for(task, asker, missing)
        if isinstance(look, VendorUnavailable) or _meets_every_call(look):
            others = look
            break
    others = others or InvalidResponse(f"its list lacks the task, and more than {MAX_ONE_BY_ONE} others")
    return {task: looks.get(task, others) for task in tasks}


async def _look_for(task: str, asker: Asker, missing: Missing) -> Look:
    look = await asker.look_for(task)
    missing.asked(task, look)
    return look


def _meets_every_call(look: Look) -> bool:
    """Whether it is about who asks, so that the next call would fare no better."""
    return isinstance(look, Throttled | NeedsPerson) and not isinstance(look, InvalidRequest)
