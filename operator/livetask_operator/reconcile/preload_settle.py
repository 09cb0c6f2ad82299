"""What a PreloadTask's status should say: one pure function from what is known to a status.

Looks that tell nothing are `looks.py`'s. The same inputs always give the same status, and settling twice changes
nothing. The status follows every change of a row, in no coarser steps: a look makes one write at most, and of looks the
vendor allows ten a second for an account. So the writes are bounded too, and people see what there is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from livetask_operator.reconcile import preload_words
from livetask_operator.reconcile.looks import Beside, Looks, conditions, settled
from livetask_operator.reconcile.preload_resource import PreloadTask
from livetask_operator.reconcile.preload_rows import leaves_open, rows_after
from livetask_operator.reconcile.preload_status import FINAL, PreloadState, PreloadTaskStatus, TaskRow, is_final
from livetask_operator.reconcile.reasons import REASON_OF_PRELOAD, Reason
from livetask_operator.reconcile.resource import Instant
from livetask_operator.reconcile.status import ConditionStatus, timestamp
from livetask_operator.reconcile.trouble import Trouble
from livetask_operator.vendors.contract import PreloadRows

# What each state means (design, section 2): Ready, which Succeeded echoes, and what is True beside it.
SHOWN: Mapping[PreloadState, tuple[ConditionStatus, Beside]] = {
    PreloadState.PENDING: ("Unknown", "Reconciling"),
    PreloadState.PRELOADING: ("Unknown", "Reconciling"),
    PreloadState.SUCCEEDED: ("True", None),
    PreloadState.FAILED: ("False", "Stalled"),
    PreloadState.EXPIRED: ("False", "Stalled"),
    PreloadState.NOT_FOUND: ("False", "Stalled"),
    PreloadState.UNKNOWN: ("Unknown", None),
}


@dataclass(frozen=True, slots=True)
class PreloadTrack(Looks[PreloadRows]):
    """What this process remembers of a PreloadTask's looks."""


def settle_preload(task: PreloadTask, track: PreloadTrack, now: Instant) -> PreloadTaskStatus:
    """What the status of an object that is not being deleted should say now."""
    base = replace(
        task.status,
        last_handled_requested_at=track.handled_request or task.status.last_handled_requested_at,
    )
    if isinstance(track.latest, PreloadRows) and leaves_open(task, track.latest, now):
        track = replace(track, latest=Trouble(Reason.INVALID_RESPONSE, preload_words.read_in_part(task)))
    if is_final(task.status):
        # A result is a result: no edit, suspension, refusal or silence takes it back. Only a good look could tell
        # another, and there is none unless somebody asks for it.
        if isinstance(track.latest, PreloadRows) and not task.suspend:
            return _observed(task, base, track.latest, now)
        return base.at_generation(task.generation)
    return settled(task, base, track, now, lambda reading: _observed(task, base, reading, now)) or task.status


def state_of(rows: Sequence[TaskRow]) -> PreloadState:
    """All preloads taken together. It is final only where each one's end is known, or it was never seen."""
    states = {row.state for row in rows}
    if states == {PreloadState.SUCCEEDED}:
        return PreloadState.SUCCEEDED
    if states & {PreloadState.PENDING, PreloadState.PRELOADING}:
        none_began = states <= {PreloadState.PENDING, PreloadState.NOT_FOUND}
        return PreloadState.PENDING if none_began else PreloadState.PRELOADING
    if states - FINAL - {PreloadState.NOT_FOUND}:
        return PreloadState.UNKNOWN
    worst_first = (PreloadState.FAILED, PreloadState.EXPIRED, PreloadState.NOT_FOUND)
    return next((state for state in worst_first if state in states), PreloadState.UNKNOWN)


def _observed(task: PreloadTask, base: PreloadTaskStatus, reading: PreloadRows, now: Instant) -> PreloadTaskStatus:
    rows = rows_after(task, reading, now)
    state = state_of(rows)
    ended_before = base.completion_time if base.state == state else None
    status = replace(
        base,
        state=state.value,
        progress=sum(row.progress or 0 for row in rows) // len(rows),
        total=len(rows),
        succeeded=sum(row.state == PreloadState.SUCCEEDED for row in rows),
        failed=sum(row.state == PreloadState.FAILED for row in rows),
        tasks=rows,
        completion_time=(ended_before or timestamp(now.wall)) if state in FINAL else None,
    )
    message = preload_words.observed(task, status)
    wanted = conditions(task, *SHOWN[state], REASON_OF_PRELOAD[state], message, now)
    return status.with_conditions(wanted, task.generation, now.wall)
