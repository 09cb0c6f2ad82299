"""What the operator does outside of itself, read from what passed the proxies: each request that changes something.

Apart from the scenes, so that no scene can overlook one: what is not on the short list of reads is an effect, also one
that nobody thought of.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tests.controlplane.cluster import AuditedWrite
from tests.faults.proxy import Exchange

FINALIZERS = "/metadata/finalizers"
_OURS = re.compile(r"/apis/livetask\.dev/v1alpha1/namespaces/[^/]+/(?:relay|preload)tasks/([^/]+)(/status)?")


class NotKnown(Exception):
    """A request to a vendor that this file cannot read."""


@dataclass(frozen=True)
class Effect:
    """What was done, and to which object or task; no name where a request names none."""

    what: str
    about: str = ""

    def __str__(self) -> str:
        return f"{self.what} ({self.about})"


class Phase(Enum):
    """Where around an effect the process is killed.

    Between an effect's answer and the next effect nothing outside changes: that moment is the next one's BEFORE.
    """

    BEFORE = "before"
    """The request has left the operator, and the other side never sees it."""
    AFTER = "after"
    """The other side has done it, and the operator has not seen the answer."""


@dataclass(frozen=True)
class Point:
    """Where the process is killed: around the `nth` effect of its kind."""

    effect: Effect
    nth: int
    phase: Phase

    def __str__(self) -> str:
        return f"{self.phase.value} {self.effect} #{self.nth}"


@dataclass(frozen=True)
class Done:
    """One effect in a trace."""

    exchange: Exchange
    effect: Effect
    nth: int

    @property
    def points(self) -> Sequence[Point]:
        return [Point(self.effect, self.nth, phase) for phase in Phase]


Reads = Callable[[Exchange], Effect | None]


def at_api_server(exchange: Exchange) -> Effect | None:
    """What a request to the API server does; None where it changes nothing and decides nothing.

    The one read that counts is that for others who follow the same task: it decides about a stop. That of the CRD does
    so, too, but several deletions share it, and a kill around it is one before the effect that comes next.
    """
    if exchange.method == "GET":
        selected = exchange.query.get("fieldSelector", "")
        return Effect("read who else follows it", selected.partition("=")[2]) if "taskId=" in selected else None
    if exchange.query.get("dryRun") == "All":
        return None
    ours = _OURS.fullmatch(exchange.path)
    if exchange.method == "PATCH" and ours is not None:
        operations = json.loads(exchange.body)
        return Effect(_status_said(operations) if ours[2] else _finalizer_done(operations), ours[1])
    if exchange.method == "POST" and exchange.path.endswith("/events"):
        event = json.loads(exchange.body)
        return Effect(f"Event {event['reason']}", event["involvedObject"]["name"])
    return Effect(f"{exchange.method} {exchange.path}")


def at_vendor(exchange: Exchange) -> Effect:
    """Which call a request to a vendor is: each of them counts, as it is answered to somebody's cost. Raises NotKnown.

    A list, of Huawei Cloud's tasks or of preloads, names no task.
    """
    headers = {name.lower(): value for name, value in exchange.headers.items()}
    if "x-acs-action" in headers:
        return Effect(headers["x-acs-action"], exchange.query.get("TaskId", ""))
    if "x-tc-action" in headers:
        body = json.loads(exchange.body)
        return Effect(headers["x-tc-action"], str(body.get("TaskId", "")))
    if exchange.path.endswith("/pull/stream/task"):
        calls = {"GET": "ListPullTasks", "DELETE": "DeletePullTask"}
        return Effect(calls.get(exchange.method, exchange.method), exchange.query.get("task_id", ""))
    raise NotKnown(f"{exchange.method} {exchange.target}")


def done_in(trace: Iterable[Exchange], reads: Reads) -> list[Done]:
    """The effects in a trace, in order, those of a kind numbered from 1."""
    counts: dict[Effect, int] = {}
    found = []
    for exchange in trace:
        effect = reads(exchange)
        if effect is not None:
            counts[effect] = counts.get(effect, 0) + 1
            found.append(Done(exchange, effect, counts[effect]))
    return found


def without_point(done: Iterable[Done], points: Iterable[Point]) -> list[Point]:
    """The kill points that a trace asks for and that are not among those where a process was killed."""
    there = set(points)
    return [point for each in done for point in each.points if point not in there]


def past_the_proxy(writes: Iterable[AuditedWrite], trace: Iterable[Exchange]) -> list[str]:
    """Writes that the API server's audit log has and the trace has not: nobody could be killed around them."""
    seen: dict[tuple[str, str], int] = {}
    for exchange in trace:
        if exchange.forwarded_s is not None:
            key = (_VERBS.get(exchange.method, exchange.method), exchange.path)
            seen[key] = seen.get(key, 0) + 1
    missing = []
    for write in writes:
        key = (write.verb, _path_of(write))
        seen[key] = seen.get(key, 0) - 1
        if seen[key] < 0:
            missing.append(f"{key[0]} {key[1]}")
    return missing


_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def _path_of(write: AuditedWrite) -> str:
    ours = write.resource in ("relaytasks", "preloadtasks")
    root = "/apis/livetask.dev/v1alpha1" if ours else "/api/v1"
    name = "" if write.verb == "create" else f"/{write.name}"
    return f"{root}/namespaces/{write.namespace}/{write.resource}{name}" + (
        f"/{write.subresource}" if write.subresource else ""
    )


def _finalizer_done(operations: Sequence[Mapping[str, Any]]) -> str:
    done = {each["op"] for each in operations if each["path"].startswith(FINALIZERS)} - {"test"}
    return "finalizer " + {"add": "on", "remove": "off"}.get("".join(sorted(done)), "?")


def _status_said(operations: Sequence[Mapping[str, Any]]) -> str:
    said = {each["path"]: each.get("value") for each in operations if each["op"] == "add"}
    conditions = said.get("/status/conditions") or []
    reasons = [each["reason"] for each in conditions if each["type"] == "Ready"]
    return f"status {reasons[0]}" if reasons else "status"
