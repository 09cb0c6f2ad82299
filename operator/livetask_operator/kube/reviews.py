"""What time alone changes in a status: nothing was seen for too long, or a newcomer's grace is over.

Apart from the steps, as no vendor is asked. Once per object and three of its intervals somebody has to look whether it
is so; where looks come in time, that is all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from livetask_operator.kube.api import KubeError, ObjectGone
from livetask_operator.kube.looking import Looking
from livetask_operator.kube.record import Record
from livetask_operator.kube.turns import Turns
from livetask_operator.polling.quota import QuotaKey, Quotas
from livetask_operator.polling.rounds import Rounds
from livetask_operator.polling.schedule import Schedule
from livetask_operator.reconcile.looks import is_review_due, review_at_s
from livetask_operator.reconcile.resource import Instant

AGAIN_S = 15.0
BUSY_S = 10.0
"""An account with a call in the last so many seconds is at work; one without is stuck, and its objects grow stale."""

log = logging.getLogger("livetask.follow")


class Reviews:
    """Which object is reviewed when."""

    def __init__(
        self,
        looking: Looking,
        turns: Turns,
        quotas: Quotas,
        rounds: Rounds[QuotaKey],
        now: Callable[[], Instant],
    ) -> None:
        self._looking = looking
        self._turns = turns
        self._quotas = quotas
        self._rounds = rounds
        self._now = now
        self._schedule: Schedule[str] = Schedule()

    def plan(self, record: Record[Any]) -> None:
        """Plan an object's next review."""
        uid = record.task.uid
        at_s = None if record.task.is_deleted else review_at_s(record.task, record.track, self._now())
        planned_s = self._schedule.due_at(uid)
        if at_s is None:
            self._schedule.drop(uid)
        elif planned_s is None or at_s < planned_s:  # one that comes too early finds nothing, and plans the next
            self._schedule.set(uid, at_s)

    def drop(self, uid: str) -> None:
        """An object is gone."""
        self._schedule.drop(uid)

    def pop_due(self) -> list[str]:
        """Those whose time has come. They have no other review until it is planned."""
        return self._schedule.pop_due(self._now().mono)

    def is_due(self, record: Record[Any]) -> bool:
        """Whether there is something to review, or looks have come in time since it was planned."""
        self._note_lateness(record)
        return is_review_due(record.task, record.track, self._now())

    async def carry_out(self, record: Record[Any]) -> bool:
        """Write what the status should say now. Returns whether it is done, or else tried again. Raises ObjectGone."""
        try:
            if not record.task.is_deleted:
                await self._looking.write(record, self._looking.acted_on(record))
        except ObjectGone:
            raise
        except KubeError as error:
            log.warning("%s; tried again in %g s", error, AGAIN_S)
        except Exception:
            log.exception("a fault in the operator with %s; tried again in %g s", record.task.label, AGAIN_S)
        else:
            return True
        self._schedule.set(record.task.uid, self._now().mono + AGAIN_S)
        return False

    def _note_lateness(self, record: Record[Any]) -> None:
        """Before it is judged by how often it is looked at: its account may be busy with people's looks."""
        quota, now_s = record.quota, self._now().mono
        if quota is not None and now_s - self._quotas.last_call_s(quota) < max(BUSY_S, 3 / self._quotas.rate(quota)):
            lateness = self._turns.lateness(quota)
            if lateness + 1.0 > self._rounds.factor(quota):
                self._rounds.noted(quota, lateness, now_s)
        self._looking.reckon(record)
