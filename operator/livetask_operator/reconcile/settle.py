"""What a RelayTask's status should say: one pure function from what is known to a status.

Being deleted is `stopping.py`'s, looks that tell nothing are `looks.py`'s. The same inputs always give the same status,
and settling twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from livetask_operator.reconcile import words
from livetask_operator.reconcile.looks import Beside, Looks, conditions, settled
from livetask_operator.reconcile.reasons import REASON_OF_STATE
from livetask_operator.reconcile.resource import Instant, RelayTask
from livetask_operator.reconcile.status import MAX_VENDOR_STATUS, ConditionStatus, RelayTaskStatus, timestamp
from livetask_operator.reconcile.trouble import Trouble
from livetask_operator.vendors.contract import Observation, State

# What each state means (design, section 2): Ready, and what is True beside it.
SHOWN: Mapping[State, tuple[ConditionStatus, Beside]] = {
    State.PENDING: ("Unknown", "Reconciling"),
    State.RUNNING: ("True", None),
    State.PAUSED: ("False", None),
    State.STOPPED: ("False", None),
    State.FAILED: ("False", "Stalled"),
    State.NOT_FOUND: ("False", "Stalled"),
    State.UNKNOWN: ("Unknown", None),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """A good look, and which key it was done with."""

    observation: Observation
    key_hash: str


@dataclass(frozen=True, slots=True)
class Track(Looks[Seen]):
    """What this process remembers of a RelayTask's looks."""


def settle(task: RelayTask, track: Track, now: Instant) -> RelayTaskStatus:
    """What the status of an object that is not being deleted should say now."""
    base = replace(
        task.status,
        vendor=task.vendor.name,
        task_id=task.ref.task,
        last_handled_requested_at=track.handled_request or task.status.last_handled_requested_at,
    )
    if isinstance(track.latest, Seen) and is_hidden(task, track.latest):
        track = replace(track, latest=Trouble.not_visible(task))
    return settled(task, base, track, now, lambda seen: _observed(task, base, seen, now)) or task.status


def is_hidden(task: RelayTask, seen: Seen) -> bool:
    """Whether a not-found is only this key's: another key saw the task, so it may be there all the same."""
    seen_with = task.status.seen_with_key_hash
    if seen.observation.state is not State.NOT_FOUND or seen_with in (None, seen.key_hash):
        return False
    return not _had_ended(task, seen.observation)


def _read(task: RelayTask, seen: Seen) -> Observation:
    """What a look means for this task, where the vendor's word alone does not tell "ended" from "never was"."""
    look = seen.observation
    was_seen = task.status.seen_with_key_hash == seen.key_hash or _had_ended(task, look)
    return look.if_seen if look.if_seen is not None and was_seen else look


def _had_ended(task: RelayTask, look: Observation) -> bool:
    """Whether its end was seen already. A task whose id is good for one run stays ended, whoever looks."""
    return look.if_seen is not None and task.status.state == look.if_seen.state.value


def _observed(task: RelayTask, base: RelayTaskStatus, seen: Seen, now: Instant) -> RelayTaskStatus:
    look = _read(task, seen)
    known = seen.observation.state is not State.NOT_FOUND
    status = replace(
        base,
        state=look.state.value,
        vendor_status=look.vendor_status[:MAX_VENDOR_STATUS],
        scheduled_start_time=timestamp(look.scheduled_start) if look.scheduled_start else None,
        scheduled_end_time=timestamp(look.scheduled_end) if look.scheduled_end else None,
        seen_with_key_hash=seen.key_hash if known else base.seen_with_key_hash,
    )
    reason, message = REASON_OF_STATE[look.state], words.observed(task, look)
    wanted = conditions(task, *SHOWN[look.state], reason, message, now)
    return status.with_conditions(wanted, task.generation, now.wall)
