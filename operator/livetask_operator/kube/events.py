"""Kubernetes Events: posted on transitions, and in a spread, not a burst, when thousands of objects change at once.

The namespaces are served in turn: a tenant whose objects change all the time does not keep another's Events from it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from kubernetes.aio import client

from livetask_operator.kube.api import KubeError, Unavailable, translated
from livetask_operator.observability.metrics import Metrics
from livetask_operator.polling.fair import LinesInTurn
from livetask_operator.reconcile.reasons import Reason
from livetask_operator.reconcile.resource import GROUP, VERSION, Resource
from livetask_operator.reconcile.status import timestamp

AT_ONCE = 25
THEN_EVERY_S = 1.0
DROP_AFTER_S = 600.0
READY_AT_MOST = 1_000
"""Events of one namespace that may be posted and wait for the API server; beyond, the oldest are dropped."""
POST_TIMEOUT_S = 10.0
COMPONENT = "livetask-operator"

log = logging.getLogger("livetask.events")


@dataclass(frozen=True, slots=True)
class Note:
    """An Event to be posted. It has no more of the object than that: thousands of notes may wait."""

    kind: str
    namespace: str
    name: str
    uid: str
    resource_version: str
    reason: Reason
    message: str
    noted_s: float
    warns: bool

    @classmethod
    def of(cls, task: Resource, reason: Reason, message: str, now_s: float, *, warns: bool) -> Note:
        about = (task.KIND, task.namespace, task.name, task.uid, task.resource_version)
        return cls(*about, reason, message[:1024], now_s, warns or reason.is_warning)


class Allowance:
    """25 Events at once and then one a second, for one reason. Pure: it is told the time."""

    def __init__(self) -> None:
        self._full_at_s = 0.0

    def take(self, now_s: float) -> bool:
        """Whether one may be posted now; if so it is spent."""
        if not self.is_there(now_s):
            return False
        self._full_at_s = max(self._full_at_s, now_s) + THEN_EVERY_S
        return True

    def is_there(self, now_s: float) -> bool:
        """Whether one may be posted now."""
        return self._full_at_s - now_s <= (AT_ONCE - 1) * THEN_EVERY_S


class Events:
    """Posts Events one after the other. Losing one is logged and never stops anything else."""

    def __init__(self, api: client.ApiClient, monotonic: Callable[[], float], metrics: Metrics) -> None:
        self._core = client.CoreV1Api(api)
        self._monotonic = monotonic
        self._metrics = metrics
        self._ready: LinesInTurn[Note] = LinesInTurn()
        self._some_ready = asyncio.Event()
        self._allowances: defaultdict[Reason, Allowance] = defaultdict(Allowance)
        self._waiting: dict[str, Note] = {}
        self._lines: defaultdict[Reason, LinesInTurn[str]] = defaultdict(LinesInTurn)
        """By reason, the uids of those that wait. One whose newest note has another reason by now is passed over."""
        self._in_line: set[tuple[Reason, str]] = set()

    def note(self, task: Resource, reason: Reason, message: str, *, warns: bool = False) -> None:
        """Post an Event soon. Warnings about deleted objects are never limited; of the others the newest counts."""
        now_s = self._monotonic()
        note = Note.of(task, reason, message, now_s, warns=warns)
        unlimited = task.is_deleted and note.warns
        first = task.uid not in self._waiting and not self._lines[reason]
        if unlimited or (first and self._allowances[reason].take(now_s)):
            self._make_ready(note)
            return
        self._waiting[task.uid] = note
        if (reason, task.uid) not in self._in_line:
            self._in_line.add((reason, task.uid))
            self._lines[reason].put(task.namespace, task.uid)

    async def run(self) -> None:
        """Post what was noted, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._post_all())
            group.create_task(self._release_all())

    async def _post_all(self) -> None:
        while True:
            await self._some_ready.wait()
            await self.drain()

    async def _release_all(self) -> None:
        while True:
            await asyncio.sleep(THEN_EVERY_S)
            self._release_waiting()

    async def drain(self) -> None:
        """Post what is allowed now; also for the end of the process."""
        while self._ready:
            await self._post(self._ready.take())
        self._some_ready.clear()

    def _make_ready(self, note: Note) -> None:
        if self._ready.waiting(note.namespace) >= READY_AT_MOST:
            self._ready.drop_first(note.namespace)
            self._metrics.events_dropped.inc()
        self._ready.put(note.namespace, note)
        self._some_ready.set()

    def _release_waiting(self) -> None:
        now_s = self._monotonic()
        for uid, note in list(self._waiting.items()):
            if now_s - note.noted_s > DROP_AFTER_S:
                del self._waiting[uid]
                self._metrics.events_dropped.inc()
        for reason, line in self._lines.items():
            while line and self._allowances[reason].is_there(now_s):
                uid = line.take()
                self._in_line.discard((reason, uid))
                newest = self._waiting.get(uid)
                if newest is not None and newest.reason is reason:
                    del self._waiting[uid]
                    self._allowances[reason].take(now_s)
                    self._make_ready(newest)

    async def _post(self, note: Note) -> None:
        at = datetime.now(UTC) - timedelta(seconds=self._monotonic() - note.noted_s)
        for attempt in (1, 2):
            try:
                with translated(f"post the Event {note.reason} of {note.namespace}/{note.name}"):
                    await self._core.create_namespaced_event(
                        note.namespace, _body(note, at), _request_timeout=POST_TIMEOUT_S
                    )
            except Unavailable as error:
                if attempt == 2:
                    self._lost(error)
            except KubeError as error:
                # Forbidden in a namespace that is being deleted: there the condition alone says it.
                self._lost(error)
                return
            else:
                self._metrics.writes.labels("event", "ok").inc()
                return

    def _lost(self, error: KubeError) -> None:
        self._metrics.writes.labels("event", "refused").inc()
        log.warning("an Event was not posted: %s", error)


def _body(note: Note, at: datetime) -> Any:
    """What is posted. `at`: when it happened, which may be a while ago.

    The times in it are whole seconds. By their names Events of one second stand in the order in which they happened:
    so they are listed, and `kubectl describe` leaves them so.
    """
    then = timestamp(at)
    order = f"{int(at.timestamp() * 1_000_000):016x}"
    return {
        "metadata": {"name": f"{note.name[:200]}.{order}{uuid4().hex[:4]}", "namespace": note.namespace},
        "involvedObject": {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": note.kind,
            "namespace": note.namespace,
            "name": note.name,
            "uid": note.uid,
            "resourceVersion": note.resource_version,
        },
        "reason": note.reason.value,
        "message": note.message,
        "type": "Warning" if note.warns else "Normal",
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "reportingInstance": COMPONENT,
        "firstTimestamp": then,
        "lastTimestamp": then,
        "count": 1,
    }
