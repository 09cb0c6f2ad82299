"""One object on one screen: a pure function from what was found out to lines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from livetask_operator.explain.advice import to_do, without_commands
from livetask_operator.explain.case import Case, Lease, Told, Unknown
from livetask_operator.explain.known import KeyIs, Known
from livetask_operator.explain.next_step import next_look, next_stop
from livetask_operator.explain.screen import HEIGHT, Command, Line, Part, Section, laid_out, span
from livetask_operator.reconcile.preload_resource import PreloadTask
from livetask_operator.reconcile.reasons import SEEN_REASONS, Reason
from livetask_operator.reconcile.resource import DeletionPolicy, RelayTask

LEASE_SLACK_S = 5.0
"""The Lease is written to every 2 seconds; one that is older than it lasts, and this, has nobody who works."""
EVENTS_AT_LEAST = 2
EVENTS_AT_MOST = 6
OTHERS_NAMED = 3
WRITTEN_WITHIN = timedelta(minutes=2)
"""An object that an operator follows has a status by then."""
_KEY_REASONS = frozenset(
    {
        Reason.SECRET_NOT_FOUND,
        Reason.SECRET_KEY_MISSING,
        Reason.SECRET_FORBIDDEN,
        Reason.CREDENTIALS_REJECTED,
        Reason.TASK_NOT_VISIBLE,
    }
)


def explained(case: Case, width: int = 80) -> list[str]:
    """The lines. The newest Events have what is left of a screen."""
    lines = laid_out(_sections(case), width)
    room = max(EVENTS_AT_LEAST, min(EVENTS_AT_MOST, HEIGHT - len(lines) - 1))
    return lines + laid_out([_events(case, room)], width)


def _sections(case: Case) -> Iterator[Section]:
    because, commands = _because(case)
    yield Section("", [_headline(case)])
    yield Section("because", [because])
    yield Section("to do", list(_to_do(case, commands)))
    yield Section("task", [_subject(case)])
    yield Section("vendor", [_vendor(case)])
    yield Section("next", [_next(case)])
    yield Section("key", [_key(case)])
    if (others := _others(case)) is not None:
        yield Section("others", [others])
    yield Section("deletion", [_deletion(case)])
    yield Section("operator", [_operator(case)])


def frozen_since(case: Case) -> datetime | None:
    """Since when nobody works, as far as the Lease tells; None: somebody does, or it is not known."""
    lease = case.lease
    return lease.renewed if isinstance(lease, Lease) and nobody_works(lease, case.now) else None


def nobody_works(lease: Lease, now: datetime) -> bool:
    """Whether a Lease that was held once is held by nobody who still writes to it."""
    if lease.renewed is None:
        return False
    return not lease.holder or now - lease.renewed > timedelta(seconds=lease.lasts_s + LEASE_SLACK_S)


def _headline(case: Case) -> str:
    task, ready = case.task, case.task.status.condition("Ready")
    words = f"{task.KIND} {task.label}: {_state(case)}"
    if ready is None:
        words += f", made {_ago(case, task.created)} ago"
    else:
        because = "" if ready.reason == getattr(task.status, "state", None) else f" ({ready.reason})"
        words += f", Ready {ready.status}{because}{_since(case, ready.last_transition_time)}"
    frozen = frozen_since(case)
    return words if frozen is None else f"{words}. FROZEN for {_ago(case, frozen)}: no operator works"


def _state(case: Case) -> str:
    """In a word; what is not known now is said to be from the last look."""
    task, ready = case.task, case.task.status.condition("Ready")
    state = getattr(task.status, "state", None)
    if ready is None:
        seen = "not looked at yet"
    elif state is None:
        seen = "never seen"
    else:
        seen = state if ready.reason in SEEN_REASONS and not task.is_deleted else f"last seen {state}"
    return seen if task.deleted is None else f"being deleted, {seen}"


def _subject(case: Case) -> str:
    task = case.task
    words = f"{task.subject} at {task.vendor.title}"
    if isinstance(task, PreloadTask):
        named = (("URL", "URLs", task.play_urls), ("task id", "task ids", task.task_ids))
        words += ": " + " and ".join(f"{len(x)} {one if len(x) == 1 else more}" for one, more, x in named if x)
    region = f", region {task.region}" if task.region else ""
    waits = []
    if task.status.observed_generation not in (-1, task.generation):
        waits.append("an edit is not acted on yet")
    if task.request_waits:
        waits.append("a requested-at waits for its look")
    return "; ".join([words + region, *waits])


def _vendor(case: Case) -> str:
    status, known = case.task.status, _known(case)
    state = getattr(status, "state", None)
    if isinstance(case.task, PreloadTask) and state is not None:
        failed = f", {case.task.status.failed} failed" if case.task.status.failed else ""
        done = case.task.status
        said = f"{state}: {done.progress or 0} %, {done.succeeded or 0} of {done.total or 0} done{failed}"
    elif state is not None:
        said = f"said {getattr(status, 'vendor_status', None) or 'nothing'} ({state})"
    else:
        return "has told nothing of it yet"
    if known is None:
        return f"{said}. When it was last seen, the operator alone knows: what does not change is not written"
    if known.seen_ago_s is None:
        return f"{said}. Not seen since this operator took over"
    return f"{said}, seen {span(known.seen_ago_s)} ago"


def _next(case: Case) -> str:
    if case.task.is_deleted:
        return next_stop(case.task, _known(case))
    since = frozen_since(case)
    return next_look(case.task, _known(case)) if since is None else "nobody asks: no operator works"


def _key(case: Case) -> str:
    task, known, headline = case.task, _known(case), case.task.status.headline
    secret, title = f"Secret {task.namespace}/{task.secret}", task.vendor.title
    reason = "" if headline is None else headline.reason
    if known is None:
        if reason in _KEY_REASONS:
            return f"{secret}: {reason}, when the status was written"
        if reason not in SEEN_REASONS:
            return f"{secret}: whether its vendor accepts what is in it, the operator alone knows"
        return f"{secret} had a good key when the status was written; of a change since then the operator alone knows"
    why = f" ({known.key_reason})" if known.key_reason else ""
    match known.key:
        case KeyIs.ACCEPTED:
            when = "has accepted" if known.key_ago_s is None else f"accepted {span(known.key_ago_s)} ago"
            return f"{secret}: what is in it now, {title} {when}"
        case KeyIs.REFUSED:
            when = "refuses" if known.key_ago_s is None else f"has refused for {span(known.key_ago_s)}"
            return f"{secret}: what is in it now, {title} {when}{why}"
        case KeyIs.UNUSABLE:
            return f"{secret} has no key that can be used{why}"
        case _:
            return f"{secret}: what is in it now was not tried yet"


def _others(case: Case) -> str | None:
    others = case.others
    match others:
        case None:
            return None
        case Unknown(why):
            return f"who else follows this task is not known: {why}"
    where = "" if others.everywhere else f" in {case.task.namespace}; in other namespaces you may not look"
    if not others.found:
        return f"nobody else follows this task{where}"
    named = [
        f"{each.label} ({'being deleted' if each.deleted else each.policy})" for each in others.found[:OTHERS_NAMED]
    ]
    more = len(others.found) - OTHERS_NAMED
    follow = "follows" if len(others.found) == 1 else "follow"
    return ", ".join(named) + (f" and {more} more" if more > 0 else "") + f" {follow} the same task{where}"


def _deletion(case: Case) -> str:
    task = case.task
    if not isinstance(task, RelayTask):
        return "deleting it stops nothing: the vendor has no call for that"
    if task.deletion_policy is DeletionPolicy.ORPHAN:
        return "deletionPolicy is Orphan: its task is left running"
    if task.deleted is not None:
        headline = task.status.headline
        held = "" if headline is None or headline.reason in SEEN_REASONS else f"; held by {headline.reason}"
        held = held if headline is None or headline.reason != Reason.STOPPING else "; its stop is under way"
        return f"deleted {_ago(case, task.deleted)} ago{held}"
    if not isinstance(case.others, Unknown | None):
        owners = [each.label for each in case.others.found if not each.deleted and each.policy == DeletionPolicy.STOP]
        if owners:
            return f"deleting it leaves the task running, where {owners[0]} has seen it, too: the last one stops it"
    delay = "at once, or after the configuration's delay" if task.stop_delay_s is None else "at once"
    return "deleting it stops the task " + (f"after {span(task.stop_delay_s)}" if task.stop_delay_s else delay)


def _because(case: Case) -> tuple[str, list[str]]:
    headline = case.task.status.headline
    if headline is None:
        return "nobody has written anything yet", []
    return without_commands(headline.message)


def _to_do(case: Case, commands: list[str]) -> Iterator[Part]:
    headline = case.task.status.headline
    lease = case.lease
    if frozen_since(case) is not None and isinstance(lease, Lease):
        yield "get the operator to work: nothing is followed, and nothing is stopped"
        yield Command(f"kubectl -n {lease.label.partition('/')[0]} get pods,lease")
    elif headline is not None:
        yield to_do(headline.reason)
    elif case.task.deleted is None:
        is_new = case.now - case.task.created < WRITTEN_WITHIN
        yield "wait a moment" if is_new else "ask who runs the operator whether it works, and follows this namespace"
    for number, command in enumerate(commands, 1):
        yield Command(f"[{number}] {command}")


def _operator(case: Case) -> str:
    lease, parts = case.lease, []
    if isinstance(lease, Unknown):
        parts.append(f"whether one works is not known: {lease.why}")
    elif lease.renewed is None:
        parts.append(f"the Lease {lease.label} was never held")
    elif frozen_since(case) is not None:
        last = f"{lease.holder} wrote" if lease.holder else "it was given back, written"
        parts.append(f"none works: in the Lease {lease.label} {last} {_ago(case, lease.renewed)} ago")
    else:
        parts.append(f"{lease.holder} works")
    if isinstance(case.known, Unknown) and frozen_since(case) is None:
        parts.append(f"not asked: {case.known.why}")
    return "; ".join(parts)


def _events(case: Case, room: int) -> Section:
    if isinstance(case.events, Unknown):
        return Section("events", [f"not known: {case.events.why}"])
    if not case.events:
        return Section("events", ["none are kept (a cluster forgets them after an hour)"])
    return Section("events", [Line(_event(case, each)) for each in case.events[-room:]])


def _event(case: Case, event: Told) -> str:
    mark = "!" if event.warns else " "
    return f"{_ago(case, event.at):>6} {mark} {event.reason}: {event.message}"


def _known(case: Case) -> Known | None:
    return None if isinstance(case.known, Unknown) else case.known


def _ago(case: Case, moment: datetime) -> str:
    return span((case.now - moment).total_seconds())


def _since(case: Case, text: str) -> str:
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return ""
    day = "" if moment.date() == case.now.date() else f"{moment:%d %b} "
    return f" since {day}{moment:%H:%M:%S}Z ({_ago(case, moment)})"
