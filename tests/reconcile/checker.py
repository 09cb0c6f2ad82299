"""What no object's status may ever say: a checker for both kinds, as the API server shows them.

It knows the operator's contract, not its code: its lists are written out here a second time, so that a slip in the
operator is not repeated in what catches it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

PERSON_REASONS = frozenset(
    {
        "SecretNotFound",
        "SecretKeyMissing",
        "SecretForbidden",
        "CredentialsRejected",
        "PermissionDenied",
        "InvalidRequest",
        "ClockSkew",
        "AccountSuspended",
        "EndpointNotFound",
        "TaskNotVisible",
    }
)
PASSING_REASONS = frozenset({"Throttled", "VendorUnavailable", "InvalidResponse"})
FORGIVEN_REASONS = frozenset({"SecretNotFound", "SecretKeyMissing", "TaskNotFound"})
DELETION_REASONS = frozenset({"StopPending", "Stopping", "StopNotConfirmed", "StopsHeld"})


@dataclass(frozen=True)
class Kind:
    """What an object of a kind may say."""

    name: str
    conditions: tuple[str, ...]
    state_of_reason: Mapping[str, str]
    ready_of_reason: Mapping[str, str]
    beside_ready: Mapping[str, frozenset[str]]
    """The other condition that is True, by Ready's reason; a task not found is forgiven while its object is young."""
    ready_state: str
    final_states: frozenset[str]
    """States that nothing takes back."""
    other_reasons: frozenset[str]
    """Reasons of conditions that tell no state."""

    @property
    def condition_reasons(self) -> frozenset[str]:
        return frozenset(self.state_of_reason) | self.other_reasons

    @property
    def stalled_reasons(self) -> frozenset[str]:
        return PERSON_REASONS | {reason for reason, beside in self.beside_ready.items() if "Stalled" in beside}


RELAY_TASK = Kind(
    name="RelayTask",
    conditions=("Ready", "Reconciling", "Stalled"),
    state_of_reason={
        "Pending": "Pending",
        "Running": "Running",
        "Paused": "Paused",
        "Stopped": "Stopped",
        "TaskFailed": "Failed",
        "TaskNotFound": "NotFound",
        "UnknownVendorStatus": "Unknown",
    },
    ready_of_reason={
        "Pending": "Unknown",
        "Running": "True",
        "Paused": "False",
        "Stopped": "False",
        "TaskFailed": "False",
        "TaskNotFound": "False",
        "UnknownVendorStatus": "Unknown",
    },
    beside_ready={
        "Pending": frozenset({"Reconciling"}),
        "TaskFailed": frozenset({"Stalled"}),
        "TaskNotFound": frozenset({"Stalled", "Reconciling"}),
    },
    ready_state="Running",
    final_states=frozenset(),
    other_reasons=PERSON_REASONS | PASSING_REASONS | DELETION_REASONS | {"Suspended", "Stale"},
)
PRELOAD_TASK = Kind(
    name="PreloadTask",
    conditions=("Ready", "Succeeded", "Reconciling", "Stalled"),
    state_of_reason={
        "Pending": "Pending",
        "Preloading": "Preloading",
        "Succeeded": "Succeeded",
        "PreloadFailed": "Failed",
        "Expired": "Expired",
        "TaskNotFound": "NotFound",
        "UnknownVendorStatus": "Unknown",
    },
    ready_of_reason={
        "Pending": "Unknown",
        "Preloading": "Unknown",
        "Succeeded": "True",
        "PreloadFailed": "False",
        "Expired": "False",
        "TaskNotFound": "False",
        "UnknownVendorStatus": "Unknown",
    },
    beside_ready={
        "Pending": frozenset({"Reconciling"}),
        "Preloading": frozenset({"Reconciling"}),
        "PreloadFailed": frozenset({"Stalled"}),
        "Expired": frozenset({"Stalled"}),
        "TaskNotFound": frozenset({"Stalled", "Reconciling"}),
    },
    ready_state="Succeeded",
    final_states=frozenset({"Succeeded", "Failed", "Expired"}),
    other_reasons=(PERSON_REASONS | PASSING_REASONS | {"Suspended", "Stale"}) - {"TaskNotVisible"},
)

MAX_MESSAGE = 1024
_RFC3339_SECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_TIME_OF_DAY = re.compile(r"\d\d:\d\d:\d\d|\b\d+(\.\d+)? ?(s|seconds|minutes|min|hours|h) ago\b")
_REQUEST_ID = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{32}\b|request ?id[ :=]+\S*\d", re.IGNORECASE
)
"""One of the shapes that they have, or any after its name; that an answer has none may be said."""


def contradictions(body: Mapping[str, Any]) -> list[str]:
    """What an object's status says against itself or against the contract; empty for a sound one."""
    conditions = _conditions(body)
    found = [f"{kind} is there twice" for kind in _repeated([str(each.get("type")) for each in conditions])]
    found += _about_generations(body)
    for condition in conditions:
        found += _about_form(condition, body)
    ready = _find(conditions, "Ready")
    if ready is None:
        if _observed_generation(body) >= 0:
            found.append("it was looked at, and Ready is missing")
        return found
    found += _about_truth(conditions, body)
    if _kind(body) is PRELOAD_TASK:
        found += _about_preloads(ready, body)
    found += _deleted(ready, conditions) if _is_deleted(body) else _living(ready, conditions, body)
    return found


def _about_generations(body: Mapping[str, Any]) -> Iterator[str]:
    generation, observed = int(body["metadata"]["generation"]), _observed_generation(body)
    if observed > generation:
        yield f"observedGeneration {observed} is ahead of generation {generation}"
    for condition in _conditions(body):
        if condition.get("observedGeneration") != observed:
            yield f"{condition.get('type')} is of generation {condition.get('observedGeneration')}, not {observed}"


def _about_form(condition: Mapping[str, Any], body: Mapping[str, Any]) -> Iterator[str]:
    kind, reason, message = condition.get("type"), condition.get("reason"), str(condition.get("message", ""))
    of = _kind(body)
    if kind not in of.conditions:
        yield f"{kind} is no condition of a {of.name}"
    if condition.get("status") not in ("True", "False", "Unknown"):
        yield f"{kind} is {condition.get('status')}"
    if not _is_time(str(condition.get("lastTransitionTime", ""))):
        yield f"{kind} has no lastTransitionTime in UTC with whole seconds"
    if reason not in of.condition_reasons:
        yield f"{kind} has the reason {reason}, which is not on the list"
    if not 0 < len(message) <= MAX_MESSAGE:
        yield f"{kind} has a message of {len(message)} characters"
    ours = _without_names(message, body)
    if _REQUEST_ID.search(ours):
        yield f"{kind} holds a request id"
    if reason != "StopPending" and _TIME_OF_DAY.search(ours):  # when it is due changes only with the spec
        yield f"{kind} holds a time that changes by itself"


def _about_truth(conditions: list[Mapping[str, Any]], body: Mapping[str, Any]) -> Iterator[str]:
    true = _true_kinds(conditions)
    if {"Reconciling", "Stalled"} <= true:
        yield "Reconciling and Stalled are both True"
    state = (body.get("status") or {}).get("state")
    if "Ready" in true and state != _kind(body).ready_state:
        yield f"Ready is True and the state is {state}"
    stalled = _find(conditions, "Stalled")
    if stalled is not None and "Stalled" in true and stalled.get("reason") not in _kind(body).stalled_reasons:
        yield f"Stalled is True for {stalled.get('reason')}, which no person can mend"


def _about_preloads(ready: Mapping[str, Any], body: Mapping[str, Any]) -> Iterator[str]:
    """What only a PreloadTask has: Succeeded says what Ready says, and the numbers are those of the rows."""
    status = body["status"]
    succeeded = _find(_conditions(body), "Succeeded") or {}
    if {**succeeded, "type": "Ready", "lastTransitionTime": ""} != {**ready, "lastTransitionTime": ""}:
        yield f"Succeeded is {succeeded.get('status')} and Ready is {ready.get('status')}"
    if ("completionTime" in status) != (status.get("state") in PRELOAD_TASK.final_states):
        yield f"the state is {status.get('state')} and the completion time {status.get('completionTime')}"
    states = [row["state"] for row in status.get("tasks", [])]
    for number, counted in (
        ("total", len(states)),
        *((each, states.count(each.title())) for each in ("succeeded", "failed")),
    ):
        if status.get(number, 0) != counted:
            yield f"{number} is {status.get(number)}, and there are {counted}"
    if {"Pending", "Preloading", "Unknown"} & set(states) and status.get("state") in PRELOAD_TASK.final_states:
        yield f"the state is {status['state']}, and not all have ended"
    if status.get("state") == "Succeeded" and set(states) != {"Succeeded"}:
        yield "the state is Succeeded, and not all have"
    if not 0 <= status.get("progress", 0) <= 100:
        yield f"the progress is {status['progress']}"


def _living(ready: Mapping[str, Any], conditions: list[Mapping[str, Any]], body: Mapping[str, Any]) -> Iterator[str]:
    """The rows of "What each state means" and of "When a look fails" for an object that is not being deleted."""
    of, reason, state = _kind(body), str(ready.get("reason")), (body.get("status") or {}).get("state")
    others = [each for each in conditions if each["type"] in ("Reconciling", "Stalled")]
    beside = {str(each["type"]): each.get("reason") for each in others if _is_true(each)}
    suspended = bool(body["spec"].get("suspend", False))
    acted = _observed_generation(body) == body["metadata"]["generation"]
    if state in of.final_states:
        if reason not in of.state_of_reason or beside.get("Reconciling") is not None:
            yield f"the state {state} is final, and {reason} or Reconciling takes it back"
    elif acted and suspended != (reason == "Suspended"):
        yield f"spec.suspend is {suspended} and Ready's reason is {reason}"
    if reason in DELETION_REASONS:
        yield f"Ready says {reason} of an object that is not being deleted"
        return
    wanted = of.ready_of_reason.get(reason, "Unknown")
    if ready.get("status") != wanted:
        yield f"Ready is {ready.get('status')} for {reason}, not {wanted}"
    if reason in of.state_of_reason and state != of.state_of_reason[reason]:
        yield f"the state is {state} and Ready's reason is {reason}"
    if reason in of.state_of_reason and beside.get("Reconciling") in PASSING_REASONS and "Stalled" not in beside:
        return  # looks fail, Ready is kept as last seen
    allowed = _allowed_beside(of, reason)
    if not (allowed & beside.keys() if allowed else not beside) or beside.keys() - allowed:
        yield f"{' and '.join(sorted(beside)) or 'nothing'} is True beside Ready's {reason}"
    for kind in allowed & beside.keys():
        if beside[kind] != reason:
            yield f"{kind} says {beside[kind]} and Ready says {reason}"


def _allowed_beside(of: Kind, reason: str) -> frozenset[str]:
    if reason in PERSON_REASONS:
        return frozenset({"Stalled", "Reconciling"} if reason in FORGIVEN_REASONS else {"Stalled"})
    if reason in PASSING_REASONS or reason == "Stale":
        return frozenset({"Reconciling"})
    return of.beside_ready.get(reason, frozenset())


def _deleted(ready: Mapping[str, Any], conditions: list[Mapping[str, Any]]) -> Iterator[str]:
    """The last three rows; what was said before the deletion may stand until there is something to say of it."""
    reason, message = str(ready.get("reason")), str(ready.get("message", ""))
    if reason not in DELETION_REASONS and not message.startswith("Not stopped yet."):
        return
    wanted = "False" if reason in ("StopPending", "Stopping") else "Unknown"
    if ready.get("status") != wanted:
        yield f"Ready is {ready.get('status')} for {reason}, not {wanted}"
    kind = "Stalled" if reason in PERSON_REASONS else "Reconciling"
    beside = _find(conditions, kind)
    if beside is None or not _is_true(beside):
        yield f"{kind} is not True beside Ready's {reason}"
    elif beside.get("reason") != reason:
        yield f"{kind} says {beside.get('reason')} and Ready says {reason}"


def _without_names(message: str, body: Mapping[str, Any]) -> str:
    """The message without what a person wrote: a task's own id may look like a request's."""
    spec, meta = body["spec"], body["metadata"]
    block: Mapping[str, Any] = next((value for key, value in spec.items() if key.endswith("Cloud")), {})
    listed = [each for value in block.values() for each in (value if isinstance(value, list) else [value])]
    names = [meta["name"], meta["namespace"], spec["credentialsSecretRef"]["name"], *map(str, listed)]
    for name in sorted(names, key=len, reverse=True):
        message = message.replace(name, "")
    return message


def _kind(body: Mapping[str, Any]) -> Kind:
    return PRELOAD_TASK if body.get("kind") == "PreloadTask" else RELAY_TASK


def _conditions(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list((body.get("status") or {}).get("conditions") or [])


def _observed_generation(body: Mapping[str, Any]) -> int:
    return int((body.get("status") or {}).get("observedGeneration", -1))


def _find(conditions: list[Mapping[str, Any]], kind: str) -> Mapping[str, Any] | None:
    return next((condition for condition in conditions if condition.get("type") == kind), None)


def _true_kinds(conditions: list[Mapping[str, Any]]) -> set[str]:
    return {str(condition.get("type")) for condition in conditions if _is_true(condition)}


def _is_true(condition: Mapping[str, Any]) -> bool:
    return condition.get("status") == "True"


def _is_deleted(body: Mapping[str, Any]) -> bool:
    return body["metadata"].get("deletionTimestamp") is not None


def _repeated(kinds: list[str]) -> list[str]:
    return sorted({kind for kind in kinds if kinds.count(kind) > 1})


def _is_time(text: str) -> bool:
    if not _RFC3339_SECONDS.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return False
    return True
