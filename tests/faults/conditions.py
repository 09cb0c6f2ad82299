"""What must hold from one version of an object to the next, beside what must hold of each (`reconcile/checker.py`).

Nothing of the operator is used here: a slip there is not repeated in what catches it. For objects as the API server
shows them, from a watch, or from the one in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from tests.reconcile.checker import PASSING_REASONS, PERSON_REASONS, contradictions
from tests.reconcile.kstatus import Kstatus, kstatus

Body = Mapping[str, Any]

REQUESTED_AT = "livetask.dev/requested-at"
CLOCKS_DIFFER_S = 2.0
"""Times are written in whole seconds, and may be another machine's."""

# The last column of "What each state means" (design, section 2), by Ready's reason.
KSTATUS_OF_REASON: Mapping[str, Kstatus] = {
    "Pending": "InProgress",
    "Running": "Current",
    "Paused": "InProgress",
    "Stopped": "InProgress",
    "TaskFailed": "Failed",
    "TaskNotFound": "Failed",
    "UnknownVendorStatus": "InProgress",
    "Suspended": "InProgress",
    "Stale": "InProgress",
    "Preloading": "InProgress",
    "Succeeded": "Current",
    "PreloadFailed": "Failed",
    "Expired": "Failed",
    **dict.fromkeys(PASSING_REASONS, "InProgress"),
    **dict.fromkeys(PERSON_REASONS, "Failed"),
}


class Histories:
    """Every version of every object, in order. `complaints` has what was wrong, with the object's name and version."""

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self.versions = 0
        self._last: dict[str, Body] = {}
        self._asked: dict[str, set[str]] = {}

    def add(self, body: Body, now: datetime) -> None:
        """Take in the next version of an object, seen `now`."""
        meta = body["metadata"]
        uid, name = str(meta["uid"]), f"{meta['namespace']}/{meta['name']}"
        asked = self._asked.setdefault(uid, set())
        if (request := (meta.get("annotations") or {}).get(REQUESTED_AT)) is not None:
            asked.add(request)
        found = [*contradictions(body), *_about_health(body), *_about_times(body, now)]
        handled = (body.get("status") or {}).get("lastHandledRequestedAt")
        if handled is not None and handled not in asked:
            found.append(f"lastHandledRequestedAt is {handled}, which nobody asked for")
        if (before := self._last.get(uid)) is not None:
            found += _since(before, body)
        self._last[uid] = body
        self.versions += 1
        self.complaints += [f"{name}@{meta.get('resourceVersion')}: {each}" for each in found]


def health_in_table(body: Body) -> Kstatus:
    """What kstatus should make of an object, by the design's table."""
    status = body.get("status") or {}
    if body["metadata"].get("deletionTimestamp"):
        return "Terminating"
    ready = _by_kind(body).get("Ready")
    if ready is None or status.get("observedGeneration") != body["metadata"]["generation"]:
        return "InProgress"
    # Looks that fail for a while, or a newcomer whose Secret or task may still come: whatever it was, it may pass.
    if _by_kind(body).get("Reconciling", {}).get("status") == "True":
        return "InProgress"
    return KSTATUS_OF_REASON[ready["reason"]]


def _about_health(body: Body) -> Iterator[str]:
    computed, wanted = kstatus(body), health_in_table(body)
    if computed != wanted:
        yield f"kstatus computes {computed}, and the table says {wanted}"


def _about_times(body: Body, now: datetime) -> Iterator[str]:
    created = _moment(body["metadata"]["creationTimestamp"])
    for kind, condition in _by_kind(body).items():
        moment = _moment(condition["lastTransitionTime"])
        if moment > now + timedelta(seconds=CLOCKS_DIFFER_S):
            yield f"{kind} changes at {condition['lastTransitionTime']}, which is to come"
        if moment < created - timedelta(seconds=CLOCKS_DIFFER_S):
            yield f"{kind} changed at {condition['lastTransitionTime']}, before there was an object"


def _since(before: Body, body: Body) -> Iterator[str]:
    """What may not change so between two versions."""
    old, new = before.get("status") or {}, body.get("status") or {}
    if before["metadata"].get("deletionTimestamp") and not body["metadata"].get("deletionTimestamp"):
        yield "its deletion was taken back"
    if new.get("observedGeneration", -1) < old.get("observedGeneration", -1):
        yield f"observedGeneration falls from {old['observedGeneration']} to {new.get('observedGeneration', -1)}"
    was = _by_kind(before)
    for kind, condition in _by_kind(body).items():
        if kind not in was:
            continue
        then, at = was[kind]["lastTransitionTime"], condition["lastTransitionTime"]
        if was[kind]["status"] == condition["status"] and at != then:
            yield f"{kind} stays {condition['status']}, and its transition moves from {then} to {at}"
        if was[kind]["status"] != condition["status"] and _moment(at) < _moment(then):
            yield f"{kind} changes at {at}, before its last change at {then}"
    if was and not _by_kind(body):
        yield "its conditions are lost"


def _by_kind(body: Body) -> dict[str, Mapping[str, Any]]:
    return {each["type"]: each for each in (body.get("status") or {}).get("conditions") or ()}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
