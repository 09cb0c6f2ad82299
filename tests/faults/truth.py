"""What an object comes to when nothing fails any more: a table of the vendor's state and the key in the Secret.

The contract (design, section 2) a second time, apart from the operator. For whoever plays random lives.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from livetask_operator.vendors.contract import Credential, State

Body = Mapping[str, Any]
Shown = tuple[str, str, str | None]
"""Ready, its reason, and what is True beside it."""

HOME = "home"
"""The account that all tasks are of."""
KEYS = {
    "good": {"id": "AK1", "key": "s1"},
    "rotated": {"id": "AK2", "key": "s2"},
    "another account's": {"id": "AK3", "key": "s3"},
    "wrong": {"id": "AK1", "key": "typo"},
    "half": {"id": "AK1"},
}
ACCOUNTS = {("AK1", "s1"): HOME, ("AK2", "s2"): HOME, ("AK3", "s3"): "another"}
HASHES: dict[str | None, str] = {name: Credential(key["id"], "").key_hash for name, key in KEYS.items()}

# What an object says of a task that is so; None: the vendor does not know it.
SAID: dict[State | None, Shown] = {
    State.PENDING: ("Unknown", "Pending", "Reconciling"),
    State.RUNNING: ("True", "Running", None),
    State.PAUSED: ("False", "Paused", None),
    State.STOPPED: ("False", "Stopped", None),
    State.FAILED: ("False", "TaskFailed", "Stalled"),
    State.UNKNOWN: ("Unknown", "UnknownVendorStatus", None),
    None: ("False", "TaskNotFound", "Stalled"),
}


_NOT_VISIBLE: Shown = ("Unknown", "TaskNotVisible", "Stalled")
_OF_A_KEY: dict[str | None, Shown] = {
    None: ("Unknown", "SecretNotFound", "Stalled"),
    "half": ("Unknown", "SecretKeyMissing", "Stalled"),
    "wrong": ("Unknown", "CredentialsRejected", "Stalled"),
}


def may_say(body: Body, key: str | None, state: State | None, *, one_run: bool) -> list[Shown]:
    """What an object that is not being deleted may say in the end.

    key: which of KEYS its Secret holds. state: the task's, as its own account sees it. one_run: the vendor has one word
    for a task that ended and for one that never was.
    """
    if body["spec"].get("suspend"):
        return [("Unknown", "Suspended", None)]
    if key in _OF_A_KEY:
        return [_OF_A_KEY[key]]
    if key == "another account's" or (one_run and state is State.STOPPED):
        state = None
    if state is not None:
        return [SAID[state]]
    seen_with = body["status"].get("seenWithKeyHash")
    if seen_with is None:
        return [SAID[None]]
    if one_run and (seen_with == HASHES[key] or body["status"].get("state") == "Stopped"):
        return [SAID[State.STOPPED]]
    return [SAID[None] if seen_with == HASHES[key] else _NOT_VISIBLE]


def may_hold(body: Body, key: str | None, *, is_alive: bool) -> set[str]:
    """What may still keep a deleted object, when all but the Secrets is mended and every delay is over."""
    if not stops(body):
        return set()
    if key in _OF_A_KEY:
        return {_OF_A_KEY[key][1]}
    is_another_keys = body["status"].get("seenWithKeyHash") not in (None, HASHES[key])
    is_hidden = key == "another account's" or (not is_alive and is_another_keys)
    return {"TaskNotVisible"} if is_hidden else set()


def task_of(body: Body) -> str:
    return str(next(block["taskId"] for name, block in body["spec"].items() if name.endswith("Cloud")))


def label_of(body: Body) -> str:
    return f"{body['metadata']['namespace']}/{body['metadata']['name']}"


def stops(body: Body) -> bool:
    return bool(body["spec"].get("deletionPolicy", "Stop") == "Stop")


def is_deleted(body: Body) -> bool:
    return "deletionTimestamp" in body["metadata"]


def deleted_at(body: Body) -> datetime:
    return datetime.fromisoformat(body["metadata"]["deletionTimestamp"].replace("Z", "+00:00"))


def forbids(owner: Body, body: Body) -> bool:
    """Whether one that is not being deleted keeps the task of one that is from being stopped (promise 2)."""
    same_namespace = owner["metadata"]["namespace"] == body["metadata"]["namespace"]
    return same_namespace or "seenWithKeyHash" in owner["status"]


def condition_of(body: Body, kind: str) -> Body | None:
    return next((each for each in body["status"].get("conditions", []) if each["type"] == kind), None)
