"""A living object's step: its finalizer on, one look, and what that look makes of its status."""

from __future__ import annotations

from collections.abc import Callable

from livetask_operator.kube.asking import Asking, Refused, retry_look_s
from livetask_operator.kube.record import Record
from livetask_operator.kube.secrets import Secrets
from livetask_operator.kube.writing import Writer
from livetask_operator.polling.quota import Lane
from livetask_operator.reconcile.reasons import Reason
from livetask_operator.reconcile.resource import Instant, RelayTask
from livetask_operator.reconcile.settle import Seen, settle
from livetask_operator.reconcile.trouble import Trouble
from livetask_operator.vendors.contract import Credential

REQUEST_AGAIN_S = 5.0
"""At most one look on request in so long, for one object."""
SECRET_AGAIN_S = 30.0
"""A Secret's change is told at once; this is for the case that it was missed."""


class Looking:
    """Looks at living objects."""

    def __init__(self, secrets: Secrets, asking: Asking, writer: Writer, now: Callable[[], Instant]) -> None:
        self._secrets = secrets
        self._asking = asking
        self._writer = writer
        self._now = now

    async def step(self, record: Record) -> float | None:
        """One step. Returns in how many seconds the next is due; None: when something happens. Raises KubeError."""
        if not record.task.has_finalizer:
            await self._writer.put_finalizer_on(record)
            if not record.task.has_finalizer:
                return 0.0
        if record.task.suspend:
            await self._write(record)
            return None
        if record.task.request_waits:
            wait_s = record.last_look_s + REQUEST_AGAIN_S - self._now().mono
            if wait_s > 0:
                return wait_s
        return await self._look(record)

    async def _look(self, record: Record) -> float:
        task = record.task
        request = task.requested_at if task.request_waits else None
        record.last_look_s = self._now().mono
        credential = await self._secrets.credential(task)
        if isinstance(credential, Trouble):
            record.track = record.track.after(credential, self._now().mono, request)
            await self._write(record)
            return SECRET_AGAIN_S
        look = await self._asking.look(task, credential, _lane(task), forced=request is not None)
        match look:
            case Seen():
                record.accepted = credential
                record.track = record.track.after(look, self._now().mono, request)
                delay_s = float(record.task.poll_interval_s)
            case Refused():
                if look.trouble.reason is Reason.CREDENTIALS_REJECTED and await self._has_another(task, credential):
                    return 0.0
                record.track = record.track.after(look.trouble, self._now().mono, request)
                delay_s = retry_look_s(look, record.track.failures, float(task.poll_interval_s))
        await self._write(record)
        return delay_s

    async def _has_another(self, task: RelayTask, refused: Credential) -> bool:
        """Whether the Secret holds another credential by now than the one that was refused."""
        await self._secrets.read_again(task)
        return await self._secrets.credential(task) != refused

    async def _write(self, record: Record) -> None:
        await self._writer.write(record, lambda task: settle(task, record.track, self._now()))


def _lane(task: RelayTask) -> Lane:
    """People first: new, edited or asked for."""
    edited = task.status.observed_generation != task.generation
    return Lane.PERSON if edited or task.request_waits else Lane.POLL
