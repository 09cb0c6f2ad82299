"""A living object's look, the same for both kinds: the credential, the question, and what the answer is taken for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from livetask_operator.kube.asking import Refused, retry_look_s
from livetask_operator.kube.record import Record
from livetask_operator.kube.secrets import Secrets
from livetask_operator.kube.writing import Writer
from livetask_operator.polling.quota import Lane
from livetask_operator.reconcile.reasons import Reason
from livetask_operator.reconcile.resource import Instant, Resource
from livetask_operator.reconcile.trouble import Trouble
from livetask_operator.vendors.contract import Credential

REQUEST_AGAIN_S = 5.0
"""At most one look on request in so long, for one object."""
SECRET_AGAIN_S = 30.0
"""A Secret's change is told at once; this is for the case that it was missed."""

Ask = Callable[[Credential, Lane, bool], Awaitable[Any]]
"""Asks the vendor with a credential, in a lane; the flag: a person asks. Answers with what is good, or Refused."""


class Looking:
    """Looks at living objects."""

    def __init__(self, secrets: Secrets, writer: Writer, now: Callable[[], Instant]) -> None:
        self._secrets = secrets
        self._writer = writer
        self._now = now

    async def look(self, record: Record[Any], ask: Ask) -> float:
        """Look, and write what came of it. Returns in how many seconds the next look is due. Raises KubeError."""
        task = record.task
        request = task.requested_at if task.request_waits else None
        wait_s = record.last_look_s + REQUEST_AGAIN_S - self._now().mono
        if request is not None and wait_s > 0:
            return wait_s
        record.last_look_s = self._now().mono
        credential = await self._secrets.credential(task)
        if isinstance(credential, Trouble):
            record.track = record.track.after(credential, self._now().mono, request)
            await self.write(record, task.generation)
            return SECRET_AGAIN_S
        interval_s = task.poll_interval_s + record.kind.line_s(task, credential)  # it is asked no more often than that
        record.track = replace(record.track, interval_s=interval_s)
        lane = _lane(task)
        record.polls = lane is Lane.POLL
        answer = await ask(credential, lane, request is not None)
        record.polls = False
        if isinstance(answer, Refused) and answer.trouble.reason is Reason.CREDENTIALS_REJECTED:
            await self._secrets.read_again(task)
            if await self._secrets.credential(task) != credential:
                return 0.0  # the Secret holds another key by now than the one that was refused
        delay_s = self.take(record, answer, credential, request)
        await self.write(record, task.generation)
        return delay_s

    def take(self, record: Record[Any], answer: Any, credential: Credential, request: str | None = None) -> float:
        """Note an answer. Returns in how many seconds the next look is due."""
        interval_s = float(record.task.poll_interval_s)
        if isinstance(answer, Refused):
            record.track = record.track.after(answer.trouble, self._now().mono, request)
            return retry_look_s(answer, record.track.failures, interval_s)
        record.accepted = credential
        record.track = record.track.after(answer, self._now().mono, request)
        return interval_s

    async def write(self, record: Record[Any], acted_on: int) -> None:
        """Write what the status should say now, of the generation that was acted on. Raises KubeError.

        An edit that came meanwhile is not acted on yet: who waits for its generation would take the old answer for it.
        """
        settle = record.kind.settle(record, self._now())
        await self._writer.write(record, lambda task: settle(replace(task, generation=acted_on)))

    @staticmethod
    def acted_on(record: Record[Any]) -> int:
        """The generation that was acted on last; the object's own where that is not known."""
        task: Resource = record.task
        return task.generation if task.status.observed_generation < 0 else task.status.observed_generation


def _lane(task: Resource) -> Lane:
    """People first: new, edited or asked for."""
    edited = task.status.observed_generation != task.generation
    return Lane.PERSON if edited or task.request_waits else Lane.POLL
