"""What becomes of a deleted RelayTask: stopped now, later, left to its other owner, held, or let go.

Pure. The decisions are asked again right before the call they lead to, because a wrong stop takes a broadcast off the
air and a wrong release leaks a task that costs money every minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from livetask_operator.reconcile import words
from livetask_operator.reconcile.reasons import MAY_PASS, Reason
from livetask_operator.reconcile.resource import DeletionPolicy, Instant, RelayTask
from livetask_operator.reconcile.settle import Seen, is_hidden
from livetask_operator.reconcile.status import RelayTaskStatus, Wanted
from livetask_operator.reconcile.trouble import Trouble
from livetask_operator.vendors.contract import State

OTHER_OWNER_LOOK_S = 30.0
"""For so long at most another namespace's owner that has not looked yet is waited for."""
STOPPING_SHOWN_AFTER_S = 1.0
RESEND_STOP_AFTER_S = 10.0
"""A task that still runs so long after an accepted stop is stopped again."""
CONFIRM_LOOK_TIMEOUT_S = 5.0
BLOCKED_AFTER_S = 60.0
"""A stop that has not come to its end so long after it was due is blocked, whatever its status says."""
KEPT_CREDENTIAL_S = 3600.0
"""For so long after a deletion was seen the last accepted credential serves where the Secret is gone."""


@dataclass(frozen=True, slots=True)
class Orphan:
    """Let go without a call: the policy says so, or the CRD itself is being deleted."""

    uninstall: bool


@dataclass(frozen=True, slots=True)
class Hold:
    """The administrator holds all stops."""


@dataclass(frozen=True, slots=True)
class Wait:
    """The delay still runs."""

    due: datetime


@dataclass(frozen=True, slots=True)
class LeaveRunning:
    """Another object follows the same task and stops it when it goes. Its name, where this namespace may know it."""

    other: str | None


@dataclass(frozen=True, slots=True)
class LookFirst:
    """These owners (uids) are not followed yet, or their own key, in another namespace, has not shown the task yet."""

    owners: Sequence[str]


@dataclass(frozen=True, slots=True)
class Stop:
    """Send the stop."""


_HOLDS = frozenset({Reason.STOPS_HELD, Reason.STOP_NOT_CONFIRMED})
_SAYS_NOTHING = MAY_PASS | {Reason.SUSPENDED, Reason.STALE}

Decision = Orphan | Hold | Wait | LeaveRunning | LookFirst | Stop


def stop_due(task: RelayTask, default_delay_s: int) -> datetime:
    """When the task is stopped: its deletion, and the delay that the object or else the configuration names."""
    if task.deleted is None:
        raise ValueError(f"RelayTask {task.label} is not being deleted")
    return task.deleted + timedelta(seconds=default_delay_s if task.stop_delay_s is None else task.stop_delay_s)


def blocked_by(task: RelayTask, due: datetime, now: Instant) -> str | None:
    """The reason that keeps a deleted object from going, as its status says; None where all goes its usual way.

    Where no cause is written its stop has a minute: the API server may not take what would be written.
    """
    if not task.has_finalizer:
        return None
    ready = task.status.condition("Ready")
    if ready is not None and (ready.reason in _HOLDS or ready.message.startswith(words.NOT_STOPPED)):
        return ready.reason
    if now.wall < due + timedelta(seconds=BLOCKED_AFTER_S):
        return None
    return "" if ready is None else ready.reason


def stop_is_due(
    task: RelayTask,
    others: Iterable[RelayTask],
    now: Instant,
    *,
    due: datetime,
    crd_deleted: bool,
    stops_held: bool,
    waited_s: float,
) -> Decision:
    """What is done with a deleted task now.

    `others` are all objects that name the same task id, read in this very moment; `waited_s` tells how long this
    object has waited for other owners' first looks.
    """
    if task.deletion_policy is DeletionPolicy.ORPHAN:
        return Orphan(uninstall=False)
    if crd_deleted:
        return Orphan(uninstall=True)
    if stops_held:
        return Hold()
    if now.wall < due:
        return Wait(due)
    unproven = []
    for other in others:
        if not _is_owner(task, other):
            continue
        if other.namespace == task.namespace:
            if other.has_finalizer or waited_s >= OTHER_OWNER_LOOK_S:
                return LeaveRunning(other.name)
            # Deleted before its finalizer is on it would be gone without a stop, and nobody would be left to send one.
            unproven.append(other.uid)
            continue
        # In another namespace naming a task is not enough: else anybody could keep anybody's task running.
        if other.status.seen_with_key_hash is not None:
            return LeaveRunning(None)
        if not _has_looked(other) and not other.suspend:
            unproven.append(other.uid)
    if unproven and waited_s < OTHER_OWNER_LOOK_S:
        return LookFirst(tuple(unproven))
    return Stop()


def _is_owner(task: RelayTask, other: RelayTask) -> bool:
    return (
        other.uid != task.uid
        and other.ref.identity == task.ref.identity
        and not other.is_deleted
        and other.deletion_policy is DeletionPolicy.STOP
    )


def _has_looked(other: RelayTask) -> bool:
    """Whether a look for this object could say something since it was made, or last resumed.

    A vendor that throttles or is down for a moment has said nothing of whose task it is.
    """
    ready = other.status.condition("Ready")
    return ready is not None and ready.reason not in _SAYS_NOTHING


def is_new(task: RelayTask, key_hash: str) -> bool:
    """Whether a key never saw the task though another did: its "not found" after a stop would prove nothing."""
    return task.status.seen_with_key_hash not in (None, key_hash)


def seen_status(task: RelayTask, look: Seen) -> RelayTaskStatus:
    """What a new key's look before its stop adds: the key that shows the task is believed from then on."""
    if look.observation.state is State.NOT_FOUND:
        return task.status
    return replace(task.status, seen_with_key_hash=look.key_hash)


@dataclass(frozen=True, slots=True)
class LetGo:
    """Nothing is owed any more: the Event's reason and words."""

    reason: Reason
    message: str
    warns: bool = False
    """The Event is a Warning though its reason is not: nobody knows of a task that may run on."""


class StillThere:
    """The vendor accepted the stop and still shows the task; look again, and stop it again after a while."""


Verdict = LetGo | StillThere | Trouble


def after_accepted_stop(task: RelayTask, look: Seen | Trouble) -> Verdict:
    """What the look after an accepted stop means. A look that fails is not waited for: the accepted stop is enough."""
    if isinstance(look, Trouble):
        return LetGo(Reason.STOP_ACCEPTED, words.stop_accepted(task, confirmed=False), warns=True)
    if is_hidden(task, look):
        return Trouble.not_visible(task)
    if look.observation.state.is_alive:
        return StillThere()
    confirmed = look.observation.state is not State.UNKNOWN
    return LetGo(Reason.STOP_ACCEPTED, words.stop_accepted(task, confirmed=confirmed), warns=not confirmed)


def after_gone(task: RelayTask, key_hash: str) -> Verdict:
    """What a stop call that is answered with "gone" means: nothing yet, from a key that never saw the task."""
    if is_new(task, key_hash):
        return Trouble.not_visible(task)
    return LetGo(Reason.ALREADY_GONE, words.already_gone(task))


def after_unsettled_stop(task: RelayTask, look: Seen | Trouble, refusal: Trouble) -> Verdict:
    """What the look after a refusal means that may say "gone" or "bad request": only gone lets the object go."""
    if isinstance(look, Trouble):
        return look
    if is_hidden(task, look):
        return Trouble.not_visible(task)
    if look.observation.state.is_gone:
        return LetGo(Reason.ALREADY_GONE, words.already_gone(task))
    return refusal


def pending_status(task: RelayTask, due: datetime, now: Instant) -> RelayTaskStatus:
    """The delay runs."""
    message = words.stop_pending(task, due)
    return _deleting(task, "False", Reason.STOP_PENDING, "Reconciling", message, now)


def stopping_status(task: RelayTask, now: Instant) -> RelayTaskStatus:
    """A stop is under way for longer than a moment."""
    return _deleting(task, "False", Reason.STOPPING, "Reconciling", words.stopping(task), now)


def held_status(task: RelayTask, now: Instant) -> RelayTaskStatus:
    """The configuration holds all stops."""
    return _deleting(task, "Unknown", Reason.STOPS_HELD, "Reconciling", words.stops_held(task), now)


def unconfirmed_status(task: RelayTask, now: Instant) -> RelayTaskStatus:
    """Accepted, and still there."""
    return _deleting(task, "Unknown", Reason.STOP_NOT_CONFIRMED, "Reconciling", words.stop_not_confirmed(task), now)


def blocked_status(task: RelayTask, trouble: Trouble, now: Instant) -> RelayTaskStatus:
    """Something is in the way of the stop."""
    kind = "Stalled" if trouble.needs_person else "Reconciling"
    message = words.stop_blocked(task, trouble.message)
    old = task.status.condition("Ready")
    said = old is not None and old.reason == trouble.reason and old.message.startswith(words.NOT_STOPPED)
    if old is not None and said and not trouble.needs_person:
        message = old.message  # an outage has many faces and is one cause: no write for each retry
    return _deleting(task, "Unknown", trouble.reason, kind, message, now)


def _deleting(task: RelayTask, ready: str, reason: Reason, kind: str, message: str, now: Instant) -> RelayTaskStatus:
    base = replace(
        task.status,
        vendor=task.vendor.name,
        task_id=task.ref.task,
        last_handled_requested_at=task.requested_at or task.status.last_handled_requested_at,
    )
    wanted = [
        Wanted("Ready", "False" if ready == "False" else "Unknown", reason, message),
        Wanted(kind, "True", reason, message),
    ]
    return base.with_conditions(wanted, task.generation, now.wall)
