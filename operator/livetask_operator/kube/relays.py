"""RelayTasks: the finalizer on before the first look, looks shared with all of a list, and a way out through a stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from livetask_operator.kube.api import ObjectApi
from livetask_operator.kube.looking import Looking
from livetask_operator.kube.record import Record
from livetask_operator.kube.releasing import Releasing
from livetask_operator.kube.sharing import Sharing
from livetask_operator.kube.writing import Writer
from livetask_operator.polling.quota import QuotaKey
from livetask_operator.reconcile.resource import DeletionPolicy, Instant, RelayTask
from livetask_operator.reconcile.settle import Track, settle
from livetask_operator.reconcile.status import RelayTaskStatus
from livetask_operator.vendors.contract import Credential, RelayVendor, State


class Relays:
    """The kind RelayTask. `vendors` by block."""

    looks_stand = True

    def __init__(
        self,
        api: ObjectApi,
        vendors: Mapping[str, RelayVendor],
        writer: Writer,
        looking: Looking,
        sharing: Sharing,
        releasing: Releasing,
    ) -> None:
        self.api = api
        self._vendors = vendors
        self._writer = writer
        self._looking = looking
        self._sharing = sharing
        self._releasing = releasing

    def read(self, body: Mapping[str, Any]) -> RelayTask:
        """Parse an object. Raises UnreadableResource."""
        return RelayTask.from_body(body, self._vendors)

    def take_over(self, task: RelayTask, now_s: float) -> Record[RelayTask]:
        """Begin to follow an object."""
        record = Record(self, task, Track(since_s=now_s, interval_s=float(task.poll_interval_s)))
        self._sharing.join(record)
        return record

    def leave(self, record: Record[RelayTask]) -> None:
        """Follow an object no more."""
        self._sharing.leave(record)

    def is_in_order(self, task: RelayTask) -> bool:
        """Whether it has the finalizer: a task that is followed is stopped when its object goes."""
        return task.has_finalizer

    def has_ended(self, task: RelayTask) -> bool:
        """Ended, failed or not there. It may be started again with the same id, so it is looked at all the same."""
        return task.status.state in _GONE

    def is_owed(self, record: Record[RelayTask]) -> bool:
        """Whether it went with our finalizer on it, which only somebody else can have brought about."""
        let_go = record.stop is not None and record.stop.let_go is not None
        return record.task.has_finalizer and record.task.deletion_policy is DeletionPolicy.STOP and not let_go

    def settle(self, record: Record[RelayTask], now: Instant) -> Callable[[RelayTask], RelayTaskStatus]:
        """What a living object's status should say now."""
        return lambda task: settle(task, _track(record), now)

    def quota(self, task: RelayTask, credential: Credential) -> QuotaKey:
        """What a look is counted by."""
        return self._sharing.quota(task, credential)

    async def step(self, record: Record[RelayTask]) -> float | None:
        """One step. Returns in how many seconds the next is due; None: when something happens. Raises KubeError."""
        if record.task.is_deleted:
            return await self._releasing.step(record)
        if not record.task.has_finalizer:
            await self._writer.put_finalizer_on(record)
            return 0.0  # the look is a step of its own: it may have to wait
        if record.task.suspend:
            await self._looking.write(record, record.task.generation)
            return None
        return await self._looking.look(
            record, lambda credential, lane, forced: self._sharing.look(record, credential, lane, forced=forced)
        )


_GONE = frozenset(state.value for state in State if state.is_gone)


def _track(record: Record[RelayTask]) -> Track:
    assert isinstance(record.track, Track)  # noqa: S101 - for the type checker: take_over made it one
    return record.track
