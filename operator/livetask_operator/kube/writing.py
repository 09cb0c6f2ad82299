"""The one place that writes: status, finalizer, and the Events and log lines that go with a change."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from weakref import WeakValueDictionary

from livetask_operator.kube.api import Conflict, KubeError, ObjectGone, Refused
from livetask_operator.kube.events import Events
from livetask_operator.kube.record import Record
from livetask_operator.observability.metrics import Metrics
from livetask_operator.reconcile import words
from livetask_operator.reconcile.reasons import Reason
from livetask_operator.reconcile.resource import RelayTask, Resource
from livetask_operator.reconcile.status import Condition, Status
from livetask_operator.vendors.contract import Guard, NotSent

DROPPED_AGAIN_S = 1800.0
"""What the API server dropped is written again after so long: its CRD may have been brought up to date."""

log = logging.getLogger("livetask.state")


class Writer:
    """Writes what was decided. `adopted(record, task)` takes over what the API server then has."""

    def __init__(
        self,
        events: Events,
        metrics: Metrics,
        adopted: Callable[[Record[Any], Resource], None],
        monotonic: Callable[[], float],
        may_change: Guard = lambda: None,
    ) -> None:
        """`may_change`: passed by statuses. What was seen under a Lease that is over is not put over newer looks."""
        self._events = events
        self._metrics = metrics
        self._adopted = adopted
        self._monotonic = monotonic
        self._may_change = may_change
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """By uid, of the objects that are being written; few are at any time."""

    async def write(self, record: Record[Any], decide: Callable[[Any], Status]) -> bool:
        """Write the status that `decide` makes of the object as it is known now; nothing where nothing changes.

        Returns whether something did. Raises KubeError; nothing is lost then, as the next step decides again from what
        was last written.
        """
        async with self._alone(record):
            task = record.task
            status = decide(task)
            patch = status.patch_from(task.status)
            if not patch or (patch == record.dropped and self._monotonic() - record.dropped_s < DROPPED_AGAIN_S):
                return False
            if self._is_over():
                return False
            record.sent = status
            try:
                body = await self._counted("status", record.kind.api.patch_status(task, patch))
            except Conflict as conflict:
                await self._read_again(record, task, conflict)
                raise
            self.take_over(record, body)
            record.sent = None
            self._note_dropped(record, status)
        self._tell(task, status)
        return True

    def _is_over(self) -> bool:
        """Whether another replica may write by now.

        A process that was stopped for a while finds all its looks old when it goes on, and would say so of tasks that
        the next one watches well: that has changed nothing, so the API server would take it.
        """
        try:
            self._may_change()
        except NotSent:
            return True
        return False

    def _note_dropped(self, record: Record[Any], status: Status) -> None:
        """Note what the API server did not take: fields that an older CRD lacks would be written with each look."""
        task = record.task
        dropped = status.patch_from(task.status) if task.status.conditions == status.conditions else None
        if dropped and not record.dropped:
            log.warning(
                "the API server drops %s from the status of %s: apply the CRDs of this version (crds/)",
                ", ".join(dropped),
                task.label,
            )
        record.dropped, record.dropped_s = dropped or None, self._monotonic()

    async def put_finalizer_on(self, record: Record[RelayTask]) -> None:
        """Before the first look: a task that is followed is stopped when its object goes. Raises KubeError.

        Where somebody changed the object meanwhile it is read again, and is still without it.
        """
        async with self._alone(record):
            task = record.task
            try:
                self.take_over(record, await self._counted("finalizer", record.kind.api.add_finalizer(task)))
            except Conflict as conflict:
                await self._read_again(record, task, conflict)

    async def take_finalizer_off(self, record: Record[RelayTask]) -> None:
        """Let the object go. Raises Conflict where somebody changed it meanwhile: then it was read again."""
        async with self._alone(record):
            task = record.task
            try:
                self.take_over(record, await self._counted("finalizer", record.kind.api.remove_finalizer(task)))
            except Conflict as conflict:
                await self._read_again(record, task, conflict)
                raise

    def post(self, task: Resource, reason: Reason, message: str, *, warns: bool = False) -> None:
        """Post an Event about an object; `warns` makes it a Warning whatever its reason."""
        self._events.note(task, reason, message, warns=warns)

    async def _read_again(self, record: Record[Any], sent: Resource, conflict: Conflict) -> None:
        """Read an object again whose patch met a conflict. Raises ObjectGone, and Refused where it was none."""
        body = await record.kind.api.get(sent.namespace, sent.name)
        if body["metadata"]["uid"] != sent.uid:
            raise ObjectGone(f"another object has the name of {sent.label}")
        if body["metadata"]["resourceVersion"] == sent.resource_version:
            # The same status, 422, comes from an admission policy; trying again at once would never end.
            raise Refused(
                f"{conflict}; nobody changed the object meanwhile, so its schema or a policy of the cluster forbids it"
            )
        self.take_over(record, body)

    def take_over(self, record: Record[Any], body: Mapping[str, Any]) -> None:
        """Go on with what the API server has, where that is newer than what is known."""
        task = record.kind.read(body)
        if task.uid == record.task.uid and task.is_newer_than(record.task):
            self._adopted(record, task)

    def _tell(self, task: Resource, status: Status) -> None:
        """One Event and one log line for a transition: another reason stands in front, or it holds a deletion now."""
        old, new = task.status.headline, status.headline
        if new is None or (old is not None and old.reason == new.reason and not _holds_since(old, new)):
            return
        self.post(task, Reason(new.reason), new.message)
        fields = {
            "namespace": task.namespace,
            "name": task.name,
            "uid": task.uid,
            "state": getattr(status, "state", None) or "",
            "was": old.reason if old else "",
        }
        level = logging.WARNING if Reason(new.reason).is_warning else logging.INFO
        log.log(level, "%s: %s", new.reason, new.message, extra={"fields": fields})

    def _alone(self, record: Record[Any]) -> asyncio.Lock:
        """One write of an object at a time."""
        return self._locks.setdefault(record.task.uid, asyncio.Lock())

    async def _counted(self, kind: str, request: Awaitable[Mapping[str, Any]]) -> Mapping[str, Any]:
        try:
            body = await request
        except KubeError as error:
            self._metrics.writes.labels(kind, type(error).__name__).inc()
            raise
        self._metrics.writes.labels(kind, "ok").inc()
        return body


def _holds_since(old: Condition, new: Condition) -> bool:
    """Whether a cause that only hid the task before keeps a deleted object from going now."""
    return new.message.startswith(words.NOT_STOPPED) and not old.message.startswith(words.NOT_STOPPED)
