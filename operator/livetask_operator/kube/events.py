"""Kubernetes Events: posted on transitions, and in a spread, not a burst, when thousands of objects change at once."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from kubernetes.aio import client

from livetask_operator.kube.api import KubeError, Unavailable, translated
from livetask_operator.observability.metrics import Metrics
from livetask_operator.reconcile.reasons import Reason
from livetask_operator.reconcile.resource import GROUP, VERSION, Resource
from livetask_operator.reconcile.status import timestamp

AT_ONCE = 25
THEN_EVERY_S = 1.0
DROP_AFTER_S = 600.0
POST_TIMEOUT_S = 10.0
COMPONENT = "livetask-operator"

log = logging.getLogger("livetask.events")


@dataclass(frozen=True, slots=True)
class Note:
    """An Event to be posted."""

    task: Resource
    reason: Reason
    message: str
    noted_s: float
    warns: bool


class Allowance:
    """25 Events at once and then one a second, for one reason. Pure: it is told the time."""

    def __init__(self) -> None:
        self._full_at_s = 0.0

    def take(self, now_s: float) -> bool:
        """Whether one may be posted now; if so it is spent."""
        full_at_s = max(self._full_at_s, now_s)
        if full_at_s - now_s > (AT_ONCE - 1) * THEN_EVERY_S:
            return False
        self._full_at_s = full_at_s + THEN_EVERY_S
        return True


class Events:
    """Posts Events one after the other. Losing one is logged and never stops anything else."""

    def __init__(self, api: client.ApiClient, monotonic: Callable[[], float], metrics: Metrics) -> None:
        self._core = client.CoreV1Api(api)
        self._monotonic = monotonic
        self._metrics = metrics
        self._urgent: asyncio.Queue[Note] = asyncio.Queue()
        self._allowances: defaultdict[Reason, Allowance] = defaultdict(Allowance)
        self._waiting: OrderedDict[str, Note] = OrderedDict()

    def note(self, task: Resource, reason: Reason, message: str, *, warns: bool = False) -> None:
        """Post an Event soon. Warnings about deleted objects are never limited; of the others the newest counts."""
        note = Note(task, reason, message, self._monotonic(), warns or reason.is_warning)
        unlimited = task.is_deleted and note.warns
        if unlimited or (task.uid not in self._waiting and self._allowances[reason].take(note.noted_s)):
            self._urgent.put_nowait(note)
            return
        self._waiting[task.uid] = note

    async def run(self) -> None:
        """Post what was noted, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._post_all())
            group.create_task(self._release_all())

    async def _post_all(self) -> None:
        while True:
            await self._post(await self._urgent.get())

    async def _release_all(self) -> None:
        while True:
            await asyncio.sleep(THEN_EVERY_S)
            self._release_waiting()

    async def drain(self) -> None:
        """Post what is allowed now; for the end of the process."""
        while not self._urgent.empty():
            await self._post(self._urgent.get_nowait())

    def _release_waiting(self) -> None:
        now_s = self._monotonic()
        for uid, note in list(self._waiting.items()):
            if now_s - note.noted_s > DROP_AFTER_S:
                del self._waiting[uid]
                self._metrics.events_dropped.inc()
            elif self._allowances[note.reason].take(now_s):
                del self._waiting[uid]
                self._urgent.put_nowait(note)

    async def _post(self, note: Note) -> None:
        for attempt in (1, 2):
            try:
                with translated(f"post the Event {note.reason} of {note.task.label}"):
                    await self._core.create_namespaced_event(
                        note.task.namespace, _body(note), _request_timeout=POST_TIMEOUT_S
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


def _body(note: Note) -> Any:
    now = timestamp(datetime.now(UTC))
    task = note.task
    return {
        "metadata": {"name": f"{task.name[:200]}.{uuid4().hex[:16]}", "namespace": task.namespace},
        "involvedObject": {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": task.KIND,
            "namespace": task.namespace,
            "name": task.name,
            "uid": task.uid,
            "resourceVersion": task.resource_version,
        },
        "reason": note.reason.value,
        "message": note.message[:1024],
        "type": "Warning" if note.warns else "Normal",
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "reportingInstance": COMPONENT,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
