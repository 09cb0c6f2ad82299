"""A living object's look, the same for both kinds: the credential, the question, and what the answer is taken for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from livetask_operator.kube.asking import Refused, retry_look_s
from livetask_operator.kube.record import Record
from livetask_operator.kube.secrets import Secrets
from livetask_operator.kube.writing import Writer
from livetask_operator.polling.quota import Budget, Lane, QuotaKey
from livetask_operator.polling.rounds import Rounds
from livetask_operator.polling.scheduler import ENDED_WEIGHT
from livetask_operator.reconcile.reasons import Reason
from livetask_operator.reconcile.resource import Instant, Resource
from livetask_operator.reconcile.trouble import Trouble
from livetask_operator.vendors.contract import Credential

REQUEST_AGAIN_S = 5.0
"""At most one look on request in so long, for one object."""
SECRET_AGAIN_S = 30.0
"""A Secret's change is told at once; this is for the case that it was missed."""
ROUNDS_TOLD_PER_S = 5.0
"""So many objects a second have a message changed for no other reason than how long a round of their account takes."""

Ask = Callable[[Credential, Lane, bool], Awaitable[Any]]
"""Asks the vendor with a credential, in a lane; the flag: a person asks. Answers with what is good, or Refused."""


class Looking:
    """Looks at living objects."""

    def __init__(
        self,
        secrets: Secrets,
        writer: Writer,
        rounds: Rounds[QuotaKey],
        now: Callable[[], Instant],
        monotonic: Callable[[], float],
    ) -> None:
        self._secrets = secrets
        self._writer = writer
        self._rounds = rounds
        self._now = now
        self._monotonic = monotonic
        self._telling = Budget(ROUNDS_TOLD_PER_S)

    async def look(self, record: Record[Any], ask: Ask) -> float:
        """Look, and write what came of it. Returns in how many seconds the next look is due. Raises KubeError."""
        task = record.task
        request = task.requested_at if task.request_waits else None
        wait_s = record.last_look_s + REQUEST_AGAIN_S - self._monotonic()
        if request is not None and wait_s > 0:
            return wait_s
        record.last_look_s = self._monotonic()
        credential = await self._secrets.credential(task)
        if record.task.secret != task.secret:
            return 0.0  # it uses another by now, and the one that was read may be released
        if isinstance(credential, Trouble):
            record.track = record.track.after(credential, self._monotonic(), request)
            await self.write(record, task.generation)
            return SECRET_AGAIN_S
        record.asks = True
        answer = await ask(credential, record.lane, request is not None)
        record.asks = False
        if isinstance(answer, Refused) and answer.trouble.reason is Reason.CREDENTIALS_REJECTED:
            await self._secrets.read_again(task)
            if await self._secrets.credential(task) != credential:
                return 0.0  # the Secret holds another key by now than the one that was refused
        delay_s = self.take(record, answer, credential, request)
        if not self.is_said(record):
            await self.write(record, task.generation)
        return delay_s

    def take(self, record: Record[Any], answer: Any, credential: Credential, request: str | None = None) -> float:
        """Note an answer. Returns in how many seconds the next look is due."""
        interval_s = float(record.task.poll_interval_s)
        now_s = self._monotonic()
        if isinstance(answer, Refused):
            if answer.trouble.reason is Reason.CREDENTIALS_REJECTED:
                record.quota = None
            self.reckon(record)
            record.track = record.track.after(answer.trouble, now_s, request)
            return retry_look_s(answer, record.track.failures, interval_s)
        record.accepted = credential
        record.quota = record.kind.quota(record.task, credential)
        self._rounds.answered(record.quota, now_s)
        self.reckon(record)
        record.track = record.track.after(answer, now_s, request)
        self._tell_round(record, now_s)
        return interval_s

    def reckon(self, record: Record[Any]) -> None:
        """Reckon how often an object is really looked at: less often where its account's quota allows no more."""
        interval_s = record.task.poll_interval_s * self._factor(record)
        if interval_s != record.track.interval_s:
            record.track = replace(record.track, interval_s=interval_s)

    def _factor(self, record: Record[Any]) -> float:
        if record.quota is None:
            return 1.0
        lateness = self._rounds.factor(record.quota) - 1.0
        return 1.0 + lateness * (ENDED_WEIGHT if record.kind.has_ended(record.task) else 1.0)

    def _tell_round(self, record: Record[Any], now_s: float) -> None:
        """Have the status say how often it is looked at, in coarse steps; a few objects at a time change for that."""
        told = None if record.quota is None else self._rounds.told(record.quota)
        if told is None or told == record.track.slowed or self._telling.free_at(now_s) > now_s:
            return
        self._telling.spend(now_s)
        record.track = replace(record.track, slowed=told)

    async def write(self, record: Record[Any], acted_on: int) -> None:
        """Write what the status should say now, of the generation that was acted on. Raises KubeError.

        An edit that came meanwhile is not acted on yet: who waits for its generation would take the old answer for it.
        """
        settle = record.kind.settle(record, self._now())
        task, track = record.task, record.track
        changed = await self._writer.write(record, lambda task: settle(replace(task, generation=acted_on)))
        is_whole = not changed and task is record.task and acted_on == task.generation and track.failures == 0
        record.said = (task, track.latest, track.slowed) if is_whole and record.kind.looks_stand else None

    @staticmethod
    def is_said(record: Record[Any]) -> bool:
        """Whether the status says the newest look in full: nearly every look finds what the one before it found."""
        track = record.track
        if record.said is None or track.failures or record.task.request_waits:
            return False
        task, look, slowed = record.said
        return task is record.task and look == track.latest and slowed == track.slowed

    @staticmethod
    def acted_on(record: Record[Any]) -> int:
        """The generation that was acted on last; the object's own where that is not known."""
        task: Resource = record.task
        return task.generation if task.status.observed_generation < 0 else task.status.observed_generation


def lane_of(task: Resource) -> Lane:
    """People first: deleted before all, then new, edited or asked for."""
    if task.is_deleted:
        return Lane.DELETION
    edited = task.status.observed_generation != task.generation
    return Lane.PERSON if edited or task.request_waits else Lane.POLL
