"""The row that counts for each preload of a PreloadTask, from what was seen before and a new reading.

Apart from `preload_settle.py`, which says what the rows come to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from livetask_operator.reconcile.preload_resource import PreloadTask
from livetask_operator.reconcile.preload_status import PreloadState, TaskRow
from livetask_operator.reconcile.resource import Instant, moment
from livetask_operator.reconcile.status import timestamp
from livetask_operator.vendors.contract import PreloadRows

VENDOR_REMEMBERS = timedelta(days=3)
"""vendor-apis.md, section 2.2."""
BORDER = timedelta(hours=1)
"""The vendor's clock is not ours, nor is its list asked for up to the last minute."""


def rows_after(task: PreloadTask, reading: PreloadRows, now: Instant) -> tuple[TaskRow, ...]:
    """One row for each preload: the tasks in the spec's order, then the URLs whose row is none of theirs."""
    seen = list(_seen(task, reading, now))
    of_task = _newest((row.task_id, row) for row in seen)
    of_url = _newest((row.play_url, row) for row in seen if _counts_for_url(task, row))
    rows = [of_task.get(task_id) or TaskRow(PreloadState.NOT_FOUND, task_id=task_id) for task_id in task.task_ids]
    for url in task.play_urls:
        row = of_url.get(url) or TaskRow(PreloadState.NOT_FOUND, play_url=url)
        if row.task_id not in task.task_ids:
            rows.append(row)
    return tuple(rows)


def leaves_open(task: PreloadTask, reading: PreloadRows, now: Instant) -> bool:
    """Whether a reading that is not complete lacks a preload of which nothing was concluded before."""
    missed_before = {row.key for row in task.status.tasks if not row.was_seen}
    never_seen = {row.key for row in rows_after(task, reading, now) if not row.was_seen}
    return not reading.complete and not never_seen <= missed_before


def _seen(task: PreloadTask, reading: PreloadRows, now: Instant) -> Iterator[TaskRow]:
    """What the vendor tells now, and what it told before."""
    told = {row.key: row for row in map(TaskRow.of_vendor, reading.rows)}
    yield from told.values()
    for row in task.status.tasks:
        if row.was_seen and row.key not in told:
            yield _after_absence(task, row, now) if reading.complete else row


def _after_absence(task: PreloadTask, row: TaskRow, now: Instant) -> TaskRow:
    """A row that the vendor tells no more: its result stays. One without a result is forgotten, once it is old enough.

    Before that age the vendor has no reason to forget it: the key may be another account's now, or the list wrong for
    a moment. Expired would be final, so until then it is only not found, and comes back when it is told again.
    """
    if row.has_ended:
        return row
    age = now.wall - (moment(row.create_time) if row.create_time else task.created)
    forgotten = age >= VENDOR_REMEMBERS - BORDER
    return replace(row, state=PreloadState.EXPIRED if forgotten else PreloadState.NOT_FOUND)


def _counts_for_url(task: PreloadTask, row: TaskRow) -> bool:
    """Whether a row is no older than what counts; one whose age is not told may be yesterday's rehearsal."""
    return row.create_time is not None and row.create_time >= timestamp(task.created_after)


def _newest(rows: Iterable[tuple[str | None, TaskRow]]) -> Mapping[str | None, TaskRow]:
    """The newest row of each key; of several with one time that with the greater task id."""
    return dict(sorted(rows, key=lambda each: (each[1].create_time or "", each[1].task_id or "")))
