"""When an object has its next turn, and why not sooner."""

from __future__ import annotations

from collections.abc import Mapping

from livetask_operator.explain.known import Known
from livetask_operator.explain.screen import span
from livetask_operator.reconcile.reasons import Reason
from livetask_operator.reconcile.resource import RelayTask, Resource

SLOWER = 1.2
"""An interval that is so many times longer than it wishes is worth a word."""
_AT_ONCE = "A change of the Secret, or a new requested-at, has it asked at once."
_WAITS: Mapping[str, str] = {
    Reason.STOP_PENDING: "stopped when its delay is over",
    Reason.STOPS_HELD: "stopped when the configuration allows stops again",
}


def next_look(task: Resource, known: Known | None) -> str:
    """Of an object that is not being deleted. `known`: None where the operator could not be asked."""
    if task.suspend:
        return "not asked: spec.suspend is true"
    if not task.is_polled and not task.request_waits:
        return "not asked any more: all have ended. A new requested-at has it looked at once more."
    if known is None:
        return f"it wishes for a look every {span(task.poll_interval_s)}; when that is, the operator alone knows"
    return _when(known, "asked") + _why(known)


def next_stop(task: Resource, known: Known | None) -> str:
    """Of one that is being deleted."""
    if not isinstance(task, RelayTask):
        return "nothing: a preload cannot be stopped, and the operator holds nothing; another's finalizer does"
    if not task.has_finalizer:
        return "nothing: the operator has let it go; another's finalizer holds it"
    headline = task.status.headline
    if headline is not None and headline.reason in _WAITS:
        return _WAITS[headline.reason]
    if known is None:
        return "when its stop is tried again, the operator alone knows"
    if known.stop_accepted_ago_s is not None:
        accepted = f"the vendor accepted the stop {span(known.stop_accepted_ago_s)} ago"
        return f"{accepted}; {_when(known, 'looked at again')} whether it has ended"
    failed = f": {_failed(known, 'try', 'tries')}" if known.failures else ""
    return _when(known, "dealt with") + failed + _pause(known)


def _when(known: Known, what: str) -> str:
    if known.under_way:
        return f"being {what} now"
    if known.due_in_s is None:
        return f"not {what} until something happens to it"
    if known.due_in_s > 0:
        return f"{what} in {span(known.due_in_s)}" if known.due_in_s >= 1 else f"{what} in a moment"
    return f"due to be {what} since {span(-known.due_in_s)}"


def _why(known: Known) -> str:
    """Why a look is not asked for sooner."""
    words = []
    if not known.under_way and known.due_in_s is not None and known.due_in_s <= 0:
        words.append(f": {known.ahead} of its account have their turn before it" if known.ahead else "")
    if known.failures:
        sparing = known.failed_with in (Reason.CREDENTIALS_REJECTED, Reason.PERMISSION_DENIED)
        words.append(f": {_failed(known, 'look', 'looks')}")
        words.append(f", and what the vendor refuses is asked sparingly. {_AT_ONCE}" if sparing else "")
    elif known.interval_s > SLOWER * known.own_interval_s:
        words.append(f", about every {span(known.interval_s)} instead of {span(known.own_interval_s)}")
        words.append(f": its account ({_account(known)}) has more tasks than its quota allows")
    else:
        words.append(f", every {span(known.own_interval_s)}")
    return "".join(words) + _pause(known)


def _pause(known: Known) -> str:
    return f". The vendor throttles its account: a pause of {span(known.paused_s)} more" if known.paused_s >= 1 else ""


def _account(known: Known) -> str:
    limit = "" if known.limit_per_s is None else f", {known.limit_per_s:.3g} calls a second"
    return f"{known.account}{limit}"


def _failed(known: Known, one: str, several: str) -> str:
    if known.failures == 1:
        return f"the last {one} failed" + (f" with {known.failed_with}" if known.failed_with else "")
    last = f", the last with {known.failed_with}" if known.failed_with else ""
    return f"{known.failures} {several} in a row failed{last}"
