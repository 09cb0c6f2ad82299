"""Looking at many tasks through a list that changes while it is read, may lie about its length, and fails in parts.

What is seen in the list is known. What is not seen there is not known: it is asked for by its own id. So a task that
slipped from one page to the next between two calls, or that a failed page hid, never reads as gone.
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
from livetask_operator.vendors.huawei.rows import Page, Row, agreed

PAGE = 100
"""The longest page that the vendor gives."""

MAX_LISTED = 10_000
"""The most that the vendor lists."""

MAX_ONE_BY_ONE = 20
"""So many tasks that the list does not show are asked for one by one in a look. More than that is not a few tasks that
ended or slipped away, but a list that lies: then the rest of them fail this look, and are asked for in another."""


class Asker(Protocol):
    """Who asks, one call each."""

    async def page(self, offset: int) -> Page:
        """A page of the list. Raises VendorError."""

    async def look_for(self, task: str) -> Look:
        """One task by its id."""


async def look_at_all(tasks: Sequence[str], asker: Asker) -> Mapping[str, Look]:
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
    rest = [task for task in tasks if task not in looks]
    return looks | await _one_by_one(rest, asker, listed.failure, read_any=listed.read_any)


class _List:
    """What was read of a list so far."""

    def __init__(self, wanted: Iterable[str]) -> None:
        self.offset = 0
        self.failure: VendorError | None = None
        """The last page's that failed."""
        self.read_any = False
        self._wanted = frozenset(wanted)
        self._rows: list[Row] = []
        self._named: set[str] = set()
        self._total = MAX_LISTED
        self._is_over = False

    def seen(self) -> Mapping[str, Observation]:
        """The wanted tasks that were seen. Two rows of a task that differ are none: it may have changed in between."""
        return agreed(row for row in self._rows if row.task in self._wanted)

    def add(self, page: Page) -> None:
        self.read_any = True
        named = {row.task for row in page.rows}
        # No row, or none that is new: the list has ended, whatever it says of its length.
        self._is_over = page.length == 0 or named <= self._named
        self._rows += (row for row in page.rows if row.task in self._wanted)
        self._named |= named
        self.offset += PAGE
        if page.total is not None:
            self._total = page.total
        if page.length >= PAGE:
            self._total = max(self._total, self.offset + 1)  # a full page is not the last before another one was seen

    def fail(self, error: VendorError) -> None:
        """Note a failed page. One in a list is passed over; of a second, or without a first page, there is no point."""
        self._is_over = self.failure is not None or not self.read_any or _meets_every_call(error)
        self.failure = error
        self.offset += PAGE

    def is_worth_a_call(self) -> bool:
        """Whether another page is read: where that takes fewer calls than to ask for what is missing one by one."""
        if self._is_over or self.offset >= min(self._total, MAX_LISTED):
            return False
        if self.offset == 0:
            return True
        missing = len(self._wanted) - len(self.seen())
        pages = math.ceil((min(self._total, MAX_LISTED) - self.offset) / PAGE)
        return missing > MAX_ONE_BY_ONE or pages < missing


async def _one_by_one(
    tasks: Sequence[str], asker: Asker, failure: VendorError | None, *, read_any: bool
) -> dict[str, Look]:
    """Asks for what the list did not show, up to MAX_ONE_BY_ONE and while there is an answer."""
    looks: dict[str, Look] = {}
    others: Look | None = failure
    if failure is not None and (
        _meets_every_call(failure) or (isinstance(failure, VendorUnavailable) and not read_any)
    ):
        return dict.fromkeys(tasks, failure)
    for task in tasks[:MAX_ONE_BY_ONE]:
        looks[task] = look = await asker.look_for(task)
        if isinstance(look, VendorUnavailable) or _meets_every_call(look):
            others = look
            break
    others = others or InvalidResponse(f"its list lacks the task, and more than {MAX_ONE_BY_ONE} others")
    return {task: looks.get(task, others) for task in tasks}


def _meets_every_call(look: Look) -> bool:
    """Whether it is about who asks, so that the next call would fare no better."""
    return isinstance(look, Throttled | NeedsPerson) and not isinstance(look, InvalidRequest)
