"""What a RelayTask's status should say: one pure function from what is known to a status.

Being deleted is `stopping.py`'s. The same inputs always give the same status, and settling twice changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from livetask_operator.reconcile import words
from livetask_operator.reconcile.reasons import FORGIVEN_WHILE_YOUNG, REASON_OF_STATE, SEEN_REASONS, Reason
from livetask_operator.reconcile.resource import Instant, RelayTask
from livetask_operator.reconcile.status import MAX_VENDOR_STATUS, ConditionStatus, RelayTaskStatus, Wanted, timestamp
from livetask_operator.reconcile.trouble import Trouble
from livetask_operator.vendors.contract import Observation, State

STALE_AFTER_INTERVALS = 3
YOUNG_S = 120.0
"""For so long after its creation an object is forgiven a Secret or a task that is not there yet (design, section 2)."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A good look, and which key it was done with."""

    observation: Observation
    key_hash: str


@dataclass(frozen=True, slots=True)
class Track:
    """What this process remembers of an object's looks. Times are seconds of the monotonic clock."""

    since_s: float
    """When this process took the object over."""
    interval_s: float
    """The interval at which it is really asked: its own, or longer where its account's quota allows no more."""
    good_s: float | None = None
    """When the last good look was done."""
    latest: Seen | Trouble | None = None
    failures: int = 0
    """Failed looks in a row."""
    handled_request: str | None = None
    """The newest `requested-at` for which a look was done, well or not."""

    def after(self, look: Seen | Trouble, now_s: float, request: str | None) -> Track:
        handled = request or self.handled_request
        if isinstance(look, Seen):
            return replace(self, latest=look, good_s=now_s, failures=0, handled_request=handled)
        return replace(self, latest=look, failures=self.failures + 1, handled_request=handled)

    @property
    def stale_at_s(self) -> float:
        return (self.since_s if self.good_s is None else self.good_s) + STALE_AFTER_INTERVALS * self.interval_s


def settle(task: RelayTask, track: Track, now: Instant) -> RelayTaskStatus:
    """What the status of an object that is not being deleted should say now."""
    base = replace(
        task.status,
        vendor=task.vendor.name,
        task_id=task.ref.task,
        last_handled_requested_at=track.handled_request or task.status.last_handled_requested_at,
    )
    if task.suspend:
        wanted = [Wanted("Ready", "Unknown", Reason.SUSPENDED, words.suspended(task))]
        return base.with_conditions(wanted, task.generation, now.wall)
    stale = now.mono >= track.stale_at_s
    match track.latest:
        case Trouble() as trouble if trouble.needs_person:
            return base.with_conditions(_stalled(task, trouble, now), task.generation, now.wall)
        case Trouble() as trouble:
            return _waiting(task, base, track, trouble, now)
        case Seen() as seen if is_hidden(task, seen):
            return base.with_conditions(_stalled(task, Trouble.not_visible(task), now), task.generation, now.wall)
        case Seen() as seen if not stale:
            return _observed(task, base, seen, now)
        case None if not stale or not task.was_looked_at:
            return task.status
        case _:
            return base.with_conditions(_unwatched(Reason.STALE, words.stale(task)), task.generation, now.wall)


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


def is_young(task: RelayTask, now: Instant) -> bool:
    return now.wall - task.created < timedelta(seconds=YOUNG_S)


def review_at_s(task: RelayTask, track: Track, now: Instant) -> float | None:
    """When the status may change without another look: it gets stale, or it is no longer young. None: never."""
    moments = [] if task.suspend else [track.stale_at_s]
    headline = task.status.headline
    if headline is not None and headline.reason in FORGIVEN_WHILE_YOUNG and is_young(task, now):
        moments.append(now.mono + YOUNG_S - (now.wall - task.created).total_seconds())
    later = [moment for moment in moments if moment > now.mono]
    return min(later) if later else None


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
    match look.state:
        case State.RUNNING:
            wanted = [Wanted("Ready", "True", reason, message)]
        case State.PENDING:
            wanted = [Wanted("Ready", "Unknown", reason, message), Wanted("Reconciling", "True", reason, message)]
        case State.UNKNOWN:
            wanted = [Wanted("Ready", "Unknown", reason, message)]
        case State.PAUSED | State.STOPPED:
            wanted = [Wanted("Ready", "False", reason, message)]
        case State.FAILED:
            wanted = [Wanted("Ready", "False", reason, message), Wanted("Stalled", "True", reason, message)]
        case State.NOT_FOUND:
            kind = "Reconciling" if is_young(task, now) else "Stalled"
            wanted = [Wanted("Ready", "False", reason, message), Wanted(kind, "True", reason, message)]
    return status.with_conditions(wanted, task.generation, now.wall)


def _stalled(task: RelayTask, trouble: Trouble, now: Instant) -> list[Wanted]:
    kind = "Reconciling" if trouble.reason in FORGIVEN_WHILE_YOUNG and is_young(task, now) else "Stalled"
    return [
        Wanted("Ready", "Unknown", trouble.reason, trouble.message),
        Wanted(kind, "True", trouble.reason, trouble.message),
    ]


def _waiting(task: RelayTask, base: RelayTaskStatus, track: Track, trouble: Trouble, now: Instant) -> RelayTaskStatus:
    """A look failed in a way that may pass: the first changes nothing, the second tells, staleness takes Ready away."""
    ready = task.status.condition("Ready")
    stale = now.mono >= track.stale_at_s
    resumed = ready is not None and ready.reason == Reason.SUSPENDED  # what it says is not true any more
    if track.failures == 1 and ready is not None and not stale and not resumed:
        return base.at_generation(task.generation)
    message = _steady_message(task, trouble)
    if ready is not None and ready.reason in SEEN_REASONS and not stale:
        kept = Wanted("Ready", _as_status(ready.status), ready.reason, ready.message)
        wanted = [kept, Wanted("Reconciling", "True", trouble.reason, message)]
    else:
        wanted = _unwatched(trouble.reason, message)
    return base.with_conditions(wanted, task.generation, now.wall)


def _steady_message(task: RelayTask, trouble: Trouble) -> str:
    """The words that are there already, where the reason is the same: an outage has many faces and is one cause."""
    reconciling = task.status.condition("Reconciling")
    same = reconciling is not None and reconciling.reason == trouble.reason
    return reconciling.message if reconciling is not None and same else trouble.message


def _unwatched(reason: Reason, message: str) -> list[Wanted]:
    return [Wanted("Ready", "Unknown", reason, message), Wanted("Reconciling", "True", reason, message)]


def _as_status(text: str) -> ConditionStatus:
    return "True" if text == "True" else "False" if text == "False" else "Unknown"
