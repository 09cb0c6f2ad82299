"""What conditions and Events say of a PreloadTask: the word, what it means, what to do next.

Names come from the spec, never from the vendor's rows, and without what stands after a `?`: a URL may hold a key there.
"""

from __future__ import annotations

from collections.abc import Sequence

from livetask_operator.reconcile.preload_resource import PreloadTask
from livetask_operator.reconcile.preload_status import PreloadState, PreloadTaskStatus, TaskRow

NAMED_AT_MOST = 3
MAX_NAME = 200
"""Characters of a name: three of them, and what to do, fit into a message."""
LOOKED_AT_AGAIN = "It is looked at again until all have ended."
PRELOAD_AGAIN = "Preload them again, with a new PreloadTask."


def observed(task: PreloadTask, status: PreloadTaskStatus) -> str:
    """What the vendor says of all the preloads, in our words. Those that make the state what it is are named."""
    title, total = task.vendor.title, _preloads(len(status.tasks))
    those = [row for row in status.tasks if row.state == status.state]
    some, which = f"{len(those)} of {total}", _named(task, those)
    match status.state:
        case PreloadState.PENDING:
            return f"{title} has not begun any of {total}. {LOOKED_AT_AGAIN}"
        case PreloadState.PRELOADING:
            failed = f", {status.failed} failed" if status.failed else ""
            return f"{title} has completed {status.succeeded} of {total}{failed}. {LOOKED_AT_AGAIN}"
        case PreloadState.SUCCEEDED:
            return f"{title} has completed {some}."
        case PreloadState.FAILED:
            return f"{some} failed at {title}: {which}. {PRELOAD_AGAIN}"
        case PreloadState.EXPIRED:
            return f"{title} forgot {some} before the end was seen: {which}. {PRELOAD_AGAIN}"
        case PreloadState.NOT_FOUND:
            return (
                f"{title} does not know {some}: {which}. Start them there, or check the domain, the ids, the URLs and "
                "createdAfter of this object; it is looked at again all the while."
            )
        case _:
            return (
                f"{title} says what this operator does not know of {some}: {which}. "
                "Look at them in the vendor's console; a newer operator may know the word."
            )


def read_in_part(task: PreloadTask) -> str:
    """The vendor's list changed while it was read."""
    return f"{task.vendor.title} was asked, and its list could not be read to the end. It is asked again."


def _named(task: PreloadTask, rows: Sequence[TaskRow]) -> str:
    more = len(rows) - NAMED_AT_MOST
    names = ", ".join(_name(task, row) for row in rows[:NAMED_AT_MOST])
    return f"{names} and {more} more (see status.tasks)" if more > 0 else names


def _name(task: PreloadTask, row: TaskRow) -> str:
    named = row.play_url if row.play_url in task.play_urls else row.task_id
    name = (named or "").partition("?")[0]
    return name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 1]}…"


def _preloads(count: int) -> str:
    return "1 preload" if count == 1 else f"{count} preloads"
