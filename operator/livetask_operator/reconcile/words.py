"""What conditions and Events say: the word, what it means, what to do next, with the command where there is one.

Our words and the vendor's error code, never the vendor's text; no request ids and no times that change by themselves,
so that the same cause always gives the same message.
"""

from __future__ import annotations

from datetime import datetime

from livetask_operator.reconcile.reasons import Reason
from livetask_operator.reconcile.resource import RelayTask, Resource
from livetask_operator.reconcile.status import MAX_MESSAGE, MAX_VENDOR_STATUS, timestamp
from livetask_operator.vendors.contract import Observation, State, VendorError


def orphan_command(task: RelayTask) -> str:
    """The command that lets an object go without a stop."""
    patch = '{"spec":{"deletionPolicy":"Orphan"}}'
    return f"kubectl -n {task.namespace} patch rlt {task.name} --type merge -p '{patch}'"


def put_key_command(task: Resource) -> str:
    """The command that puts a key into a Secret that is there; it takes plain values, not base64."""
    values = ",".join(f'"{key}":"…"' for key in task.vendor.secret_keys)
    patch = f'{{"stringData":{{{values}}}}}'
    return f"kubectl -n {task.namespace} patch secret {task.secret} --type merge -p '{patch}'"


def observed(task: RelayTask, seen: Observation) -> str:
    """What the vendor says, in our words."""
    title, word = task.vendor.title, seen.vendor_status[:MAX_VENDOR_STATUS]
    if seen.state is State.NOT_FOUND:
        said = f"{title} does not know {task.subject}."
        advice = (
            seen.advice or "Start it there with this id, or delete this object; it is looked at again all the while."
        )
    elif seen.state is State.UNKNOWN:
        said = f"{title} says {word}, a word that this operator does not know."
        advice = seen.advice or (
            "Look at the task in the vendor's console; a newer operator may know the word, "
            "or `statusWords` in the operator's configuration can name it."
        )
    else:
        said = f"{title} says {word} ({seen.meaning})." if seen.meaning else f"{title} says {word}."
        advice = seen.advice
    return f"{said} {advice}".strip()


def not_visible(task: RelayTask) -> str:
    return (
        f"{task.vendor.title} does not know {task.subject} for the key in Secret "
        f"{task.namespace}/{task.secret}, but another key saw it: this key may be another account's. "
        f"Put a key of the right account there ({put_key_command(task)}); it is used within 5 seconds."
    )


def suspended(task: Resource) -> str:
    patch = '{"spec":{"suspend":false}}'
    return (
        f"spec.suspend is true: the {task.NOUN} is not looked at. "
        f"To go on: kubectl -n {task.namespace} patch {task.SHORT} {task.name} --type merge -p '{patch}'"
    )


def stale(task: Resource) -> str:
    return (
        f"The {task.NOUN} was not looked at for more than {3 * task.poll_interval_s} s, so what is known of it is old. "
        "See the operator's log and its metrics for why."
    )


SLOWED = "its account has more tasks than its quota allows"


def slowed(task: Resource, factor: int) -> str:
    """How often an object of an oversubscribed account is looked at; `factor` in coarse steps."""
    return (
        f"Looked at about every {_duration(task.poll_interval_s * factor)} "
        f"instead of {_duration(task.poll_interval_s)}: {SLOWED}."
    )


def _duration(seconds: int) -> str:
    """A length of time as people say it: 45 s, 4 minutes, 2 hours."""
    for unit_s, unit in ((3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit_s:
            return f"{seconds / unit_s:.0f} {unit}"
    return f"{seconds} s"


def vendor_trouble(task: Resource, error: VendorError, call: str) -> str:
    """What a vendor's refusal or silence means, and who mends it."""
    title, secret, said = task.vendor.title, f"{task.namespace}/{task.secret}", _said(error)
    match Reason(error.reason):
        case Reason.CREDENTIALS_REJECTED:
            return (
                f"{title} does not accept the key in Secret {secret}{said}. Put a valid one there "
                f"({put_key_command(task)}); it is used within 5 seconds."
            )
        case Reason.PERMISSION_DENIED:
            return (
                f"{title} does not let the key in Secret {secret} call {call}{said}. "
                "Grant it that right at the vendor; it is tried again every minute."
            )
        case Reason.INVALID_REQUEST:
            return (
                f"{title} refuses {call} for {task.subject}{said}. Check {task.NAMES}: "
                "they cannot be changed, so where they are wrong make a new object with the right ones."
            )
        case Reason.CLOCK_SKEW:
            return f"{title} refuses the time of the request{said}. Set the clock of the operator's node."
        case Reason.ACCOUNT_SUSPENDED:
            return (
                f"{title} has suspended the account of Secret {secret}, or the service is not enabled for it{said}. "
                "Settle the account's bill, or enable the service; it is tried again every minute."
            )
        case Reason.ENDPOINT_NOT_FOUND:
            region = f", and the region {task.region} of this object" if task.region else ""
            return (
                f"There is no {title} where it is asked{said}. "
                f"Check `endpoints` in the operator's configuration{region}."
            )
        case Reason.THROTTLED:
            return f"{title} says that the account asks too often{said}. It is asked less often, and goes on by itself."
        case Reason.INVALID_RESPONSE:
            return f"{title} answered {call} with something that it does not document{said}. It is asked again."
        case _:
            return f"{title} cannot be reached or does not answer{said}. It is asked again."


def _said(error: VendorError) -> str:
    """The vendor's code and our words for it, in brackets."""
    parts = ": ".join(part for part in (error.code, error.detail) if part)
    return f" ({parts})" if parts else ""


def secret_not_found(task: Resource) -> str:
    literals = " ".join(f"--from-literal={key}=…" for key in task.vendor.secret_keys)
    said = (
        f"Secret {task.namespace}/{task.secret} does not exist. Create it "
        f"(kubectl -n {task.namespace} create secret generic {task.secret} {literals}); it is used within 5 seconds."
    )
    if task.is_deleted:
        said += " In a namespace that is being deleted none can be created: stop the task in the vendor's console."
    return said


def secret_unusable(task: Resource, detail: str) -> str:
    return f"Secret {task.namespace}/{task.secret} {detail} ({put_key_command(task)}); it is used within 5 seconds."


def secret_forbidden(task: Resource) -> str:
    return (
        f"The operator may not read Secret {task.namespace}/{task.secret}. "
        "Give its ServiceAccount the right to get Secrets there, as the roles in manifests/ do."
    )


def stop_pending(task: RelayTask, due: datetime) -> str:
    return f"Will be stopped at {task.vendor.title} at {timestamp(due)}. To keep it on the air: {orphan_command(task)}"


def stopping(task: RelayTask) -> str:
    return f"Being stopped at {task.vendor.title}. To let it go without a stop: {orphan_command(task)}"


def stops_held(task: RelayTask) -> str:
    return (
        "The operator's configuration holds all stops (stops: Hold). It is stopped when that is Allow again; "
        f"to let it go without a stop: {orphan_command(task)}"
    )


def stop_not_confirmed(task: RelayTask) -> str:
    return (
        f"{task.vendor.title} accepted the stop and still shows the task running. The stop is sent again; "
        f"look at the task in the vendor's console. To let it go as it is: {orphan_command(task)}"
    )


NOT_STOPPED = "Not stopped yet."


def stop_blocked(task: RelayTask, cause: str) -> str:
    """A cause that keeps a deleted object, with the ways out."""
    way_out = f"To let it go without a stop: {orphan_command(task)}"
    room = MAX_MESSAGE - len(f"{NOT_STOPPED}  {way_out}")
    if len(cause) > room:  # where names are very long: half a command helps nobody
        cause = cause[: room - 1] + "…"
    return f"{NOT_STOPPED} {cause} {way_out}"


def stop_accepted(task: RelayTask, *, confirmed: bool) -> str:
    title, name = task.vendor.title, task.subject
    if confirmed:
        return f"{title} accepted the stop of {name} and does not show it running any more."
    return (
        f"{title} accepted the stop of {name}; whether it ended could not be seen. Look at it in the vendor's console."
    )


def already_gone(task: RelayTask) -> str:
    return f"Task {task.ref.task} of {task.ref.application} had already ended at {task.vendor.title}: nothing to stop."


def left_running(task: RelayTask, other: str | None) -> str:
    """`other` is the name of the other owner, where it may be named: an Event tells nothing of another namespace."""
    owner = f"RelayTask {other}" if other else "another RelayTask"
    return (
        f"Task {task.ref.task} of {task.ref.application} is left running: {owner} follows it, "
        "and stops it when that is deleted."
    )


def orphaned(task: RelayTask, *, uninstall: bool) -> str:
    why = "the CRD is being deleted" if uninstall else "deletionPolicy is Orphan"
    return (
        f"Task {task.ref.task} of {task.ref.application} at {task.vendor.title} was not stopped, as {why}. "
        "Where it still runs it costs money: stop it in the vendor's console when it is not needed."
    )
