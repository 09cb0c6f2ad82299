"""An object's looks, and what its status says where they tell nothing of the task: suspended, failed, stale, none yet.

The same for both kinds; what a good look says is told by `settle.py` and `preload_settle.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Generic, Literal, Self, TypeVar

from livetask_operator.reconcile import words
from livetask_operator.reconcile.reasons import FORGIVEN_WHILE_YOUNG, SEEN_REASONS, Reason
from livetask_operator.reconcile.resource import Instant, Resource
from livetask_operator.reconcile.status import MAX_MESSAGE, ConditionStatus, Status, Wanted
from livetask_operator.reconcile.trouble import Trouble

STALE_AFTER_INTERVALS = 3
MAX_SLOWED_EXPONENT = 20
YOUNG_S = 120.0
"""For so long after its creation an object is forgiven a Secret or a task that is not there yet (design, section 2)."""

Good = TypeVar("Good")
"""What a good look brings."""
AnyStatus = TypeVar("AnyStatus", bound=Status)

Beside = Literal["Reconciling", "Stalled"] | None
"""The condition that is True beside Ready."""


@dataclass(frozen=True, slots=True)
class Looks(Generic[Good]):
    """What this process remembers of an object's looks. Times are seconds of the monotonic clock."""

    since_s: float
    """When this process took the object over."""
    interval_s: float
    """The interval at which it is really asked: its own, or longer where its account's quota allows no more."""
    good_s: float | None = None
    """When the last good look was done."""
    latest: Good | Trouble | None = None
    failures: int = 0
    """Failed looks in a row."""
    slowed: int = 1
    """What the status says of that interval: so many times the one that is wished for, in coarse steps."""
    handled_request: str | None = None
    """The newest `requested-at` for which a look was done, well or not."""

    def after(self, look: Good | Trouble, now_s: float, request: str | None) -> Self:
        handled = request or self.handled_request
        if isinstance(look, Trouble):
            return replace(self, latest=look, failures=self.failures + 1, handled_request=handled)
        return replace(self, latest=look, good_s=now_s, failures=0, handled_request=handled)

    @property
    def stale_at_s(self) -> float:
        return (self.since_s if self.good_s is None else self.good_s) + STALE_AFTER_INTERVALS * self.interval_s


def settled(
    task: Resource, base: AnyStatus, looks: Looks[Good], now: Instant, observed: Callable[[Good], AnyStatus]
) -> AnyStatus | None:
    """What the status of an object that is not being deleted should say now; None where it stays as it is.

    base: its status with what is known without a look. observed: the status that a good look makes.
    """
    if task.suspend:
        wanted = conditions(task, "Unknown", None, Reason.SUSPENDED, words.suspended(task), now)
        return base.with_conditions(wanted, task.generation, now.wall)
    stale = now.mono >= looks.stale_at_s
    match looks.latest:
        case Trouble() as trouble if trouble.needs_person:
            wanted = conditions(task, "Unknown", "Stalled", trouble.reason, trouble.message, now)
            return base.with_conditions(wanted, task.generation, now.wall)
        case Trouble() as trouble:
            return _waiting(task, base, looks, trouble, now)
        case None if not stale or not task.was_looked_at:
            return None
        case None:
            return _unwatched(task, base, Reason.STALE, words.stale(task), now)
        case good:
            if stale:
                return _unwatched(task, base, Reason.STALE, words.stale(task), now)
            return _with_slowness(task, looks, observed(good))


def _with_slowness(task: Resource, looks: Looks[Any], status: AnyStatus) -> AnyStatus:
    """Say in Ready how often it is looked at, where its account's quota allows less than is wished for."""
    if looks.slowed == 1 or not task.is_polled:
        return status
    words_of_it = words.slowed(task, looks.slowed)
    told = (
        replace(each, message=f"{each.message} {words_of_it}"[:MAX_MESSAGE])
        if each.type in ("Ready", *status.ECHOES)
        else each
        for each in status.conditions
    )
    return replace(status, conditions=tuple(told))


def slowed_as_told(task: Resource) -> int:
    """What an object's status says of how often it is looked at: after a restart that is all that is known."""
    ready = task.status.condition("Ready")
    said = "" if ready is None else ready.message
    steps = (2**exponent for exponent in range(1, MAX_SLOWED_EXPONENT + 1))
    return next((step for step in steps if said.endswith(words.slowed(task, step))), 1) if words.SLOWED in said else 1


def conditions(
    task: Resource, ready: ConditionStatus, beside: Beside, reason: Reason, message: str, now: Instant
) -> list[Wanted]:
    """Ready, and what is True beside it; some of what is Stalled is forgiven while the object is young."""
    if beside == "Stalled" and reason in FORGIVEN_WHILE_YOUNG and is_young(task, now):
        beside = "Reconciling"
    wanted = [Wanted("Ready", ready, reason, message)]
    return [*wanted, Wanted(beside, "True", reason, message)] if beside else wanted


def is_young(task: Resource, now: Instant) -> bool:
    return now.wall - task.created < timedelta(seconds=YOUNG_S)


def review_at_s(task: Resource, looks: Looks[Any], now: Instant) -> float | None:
    """When the status may change without another look: it gets stale, or it is no longer young. None: never."""
    moments = [looks.stale_at_s] if task.is_polled else []
    headline = task.status.headline
    if headline is not None and headline.reason in FORGIVEN_WHILE_YOUNG and is_young(task, now):
        moments.append(now.mono + YOUNG_S - (now.wall - task.created).total_seconds())
    later = [moment for moment in moments if moment > now.mono]
    return min(later) if later else None


def is_review_due(task: Resource, looks: Looks[Any], now: Instant) -> bool:
    """Whether the status may say something else by now, without another look."""
    headline = task.status.headline
    grown_up = headline is not None and headline.reason in FORGIVEN_WHILE_YOUNG and not is_young(task, now)
    return grown_up or (task.is_polled and now.mono >= looks.stale_at_s)


def _waiting(task: Resource, base: AnyStatus, looks: Looks[Any], trouble: Trouble, now: Instant) -> AnyStatus:
    """A look failed in a way that may pass: the first changes nothing, the second tells, staleness takes Ready away."""
    ready = task.status.condition("Ready")
    stale = now.mono >= looks.stale_at_s
    resumed = ready is not None and ready.reason == Reason.SUSPENDED  # what it says is not true any more
    if looks.failures == 1 and ready is not None and not stale and not resumed:
        return base.at_generation(task.generation)
    message = _steady_message(task, trouble)
    if ready is None or ready.reason not in SEEN_REASONS or stale:
        return _unwatched(task, base, trouble.reason, message, now)
    kept = Wanted("Ready", _as_status(ready.status), ready.reason, ready.message)
    wanted = [kept, Wanted("Reconciling", "True", trouble.reason, message)]
    return base.with_conditions(wanted, task.generation, now.wall)


def _steady_message(task: Resource, trouble: Trouble) -> str:
    """The words that are there already, where the reason is the same: an outage has many faces and is one cause."""
    reconciling = task.status.condition("Reconciling")
    same = reconciling is not None and reconciling.reason == trouble.reason
    return reconciling.message if reconciling is not None and same else trouble.message


def _unwatched(task: Resource, base: AnyStatus, reason: Reason, message: str, now: Instant) -> AnyStatus:
    wanted = conditions(task, "Unknown", "Reconciling", reason, message, now)
    return base.with_conditions(wanted, task.generation, now.wall)


def _as_status(text: str) -> ConditionStatus:
    return "True" if text == "True" else "False" if text == "False" else "Unknown"
