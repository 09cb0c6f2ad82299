"""PreloadTasks: read, all of a domain together, until their result is final.

No finalizer: the vendor has no call that cancels a preload.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from livetask_operator.kube.api import ObjectApi
from livetask_operator.kube.looking import Looking
from livetask_operator.kube.record import Record
from livetask_operator.kube.sharing import PreloadSharing
from livetask_operator.polling.quota import QuotaKey
from livetask_operator.reconcile.preload_resource import PreloadTask
from livetask_operator.reconcile.preload_settle import PreloadTrack, settle_preload
from livetask_operator.reconcile.preload_status import PreloadTaskStatus
from livetask_operator.reconcile.resource import Instant
from livetask_operator.vendors.contract import Credential, PreloadVendor


class Preloads:
    """The kind PreloadTask. `vendors` by block."""

    looks_stand = False  # a row that the vendor does not show any more has expired, or not yet

    def __init__(
        self, api: ObjectApi, vendors: Mapping[str, PreloadVendor], looking: Looking, sharing: PreloadSharing
    ) -> None:
        self.api = api
        self._vendors = vendors
        self._looking = looking
        self._sharing = sharing

    def read(self, body: Mapping[str, Any]) -> PreloadTask:
        """Parse an object. Raises UnreadableResource."""
        return PreloadTask.from_body(body, self._vendors)

    def take_over(self, task: PreloadTask, now_s: float) -> Record[PreloadTask]:
        """Begin to follow an object."""
        record = Record(self, task, PreloadTrack(since_s=now_s, interval_s=float(task.poll_interval_s)))
        self._sharing.join(record)
        return record

    def leave(self, record: Record[PreloadTask]) -> None:
        """Follow an object no more."""
        self._sharing.leave(record)

    def is_in_order(self, task: PreloadTask) -> bool:
        """It has nothing of ours but its status."""
        return True

    def has_ended(self, task: PreloadTask) -> bool:
        """Never, where it is looked at: a final result is not looked at again."""
        return False

    def is_owed(self, record: Record[PreloadTask]) -> bool:
        """Nothing ever is."""
        return False

    def settle(self, record: Record[PreloadTask], now: Instant) -> Callable[[PreloadTask], PreloadTaskStatus]:
        """What a living object's status should say now."""
        return lambda task: settle_preload(task, _track(record), now)

    def quota(self, task: PreloadTask, credential: Credential) -> QuotaKey:
        """What a look is counted by."""
        return self._sharing.quota(task, credential)

    async def step(self, record: Record[PreloadTask]) -> float | None:
        """One step. Returns in how many seconds the next is due; None: when something happens. Raises KubeError."""
        task = record.task
        if task.is_deleted:
            return None  # somebody else's finalizer holds it; we owe nothing
        if task.suspend or not (task.is_polled or task.request_waits):
            await self._looking.write(record, task.generation)
            return None
        delay_s = await self._looking.look(
            record, lambda credential, lane, forced: self._sharing.look(record, credential, lane, forced=forced)
        )
        waits = record.task.is_polled or record.task.request_waits
        return delay_s if waits else None


def _track(record: Record[PreloadTask]) -> PreloadTrack:
    assert isinstance(record.track, PreloadTrack)  # noqa: S101 - for the type checker: take_over made it one
    return record.track
