"""A deleted object's way out: step by step until its task is stopped, or left with reason, and the finalizer is off.

Each step does what can be done now and tells when to come back. Killed anywhere it starts again from the object alone:
a stop that is sent twice finds the task gone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from livetask_operator.config import Config, Stops
from livetask_operator.kube.api import KubeError, ObjectApi, ObjectGone
from livetask_operator.kube.asking import Asking, Refused
from livetask_operator.kube.crd import Crd
from livetask_operator.kube.record import Record, StopProgress
from livetask_operator.kube.secrets import Secrets
from livetask_operator.kube.writing import Writer
from livetask_operator.observability.logging import audit
from livetask_operator.observability.metrics import Metrics
from livetask_operator.polling import backoff
from livetask_operator.polling.fair import FairPlaces
from livetask_operator.polling.quota import Lane
from livetask_operator.reconcile import stopping, words
from livetask_operator.reconcile.reasons import Reason
from livetask_operator.reconcile.resource import Instant, RelayTask, UnreadableResource
from livetask_operator.reconcile.settle import Seen
from livetask_operator.reconcile.status import RelayTaskStatus
from livetask_operator.reconcile.stopping import (
    Decision,
    Hold,
    LeaveRunning,
    LetGo,
    LookFirst,
    Orphan,
    StillThere,
    Stop,
    Verdict,
    Wait,
)
from livetask_operator.reconcile.trouble import Trouble
from livetask_operator.vendors.contract import (
    Credential,
    InvalidRequest,
    NotSent,
    RelayVendor,
    StopAnswer,
    StopOutcome,
    VendorUnavailable,
)

CRD_READ_AGAIN_S = 5.0
"""While an object waits, so often the CRD is asked whether it is itself being deleted."""
CRD_AT_THE_CALL_S = 1.0
"""At the call the answer may be so old, and not from before the object was seen deleted."""
OWNERS_READ_AGAIN_S = 0.5
LISTS_AT_ONCE = 6
"""With thousands of objects a list is dear to the API server: in a burst of deletions the first go before the last are
looked at, and not all of them at its end."""
CONFIRM_AGAIN_CAP_S = 5.0
SECRET_FALLBACK_S = 30.0
"""A Secret's change is told at once; this is for the case that it was missed."""

log = logging.getLogger("livetask.release")


class NotDue(Exception):
    """In the last moment before the call it turned out that it must not be made."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(type(decision).__name__)
        self.decision = decision


class Releasing:
    """Lets deleted objects go."""

    def __init__(
        self,
        api: ObjectApi,
        secrets: Secrets,
        asking: Asking,
        writer: Writer,
        vendors: Mapping[str, RelayVendor],
        config: Config,
        metrics: Metrics,
        look_soon: Callable[[str], None],
        now: Callable[[], Instant],
    ) -> None:
        """`look_soon(uid)` has another object looked at, whose owner's claim is not proven yet."""
        self._api = api
        self._secrets = secrets
        self._asking = asking
        self._vendors = vendors
        self._config = config
        self._metrics = metrics
        self._writer = writer
        self._look_soon = look_soon
        self._now = now
        self._crd = Crd(api, now)
        for vendor in vendors.values():
            metrics.stops_to_come(vendor.name)
        self._lists = FairPlaces(LISTS_AT_ONCE)

    async def step(self, record: Record[RelayTask]) -> float | None:
        """One step. Returns in how many seconds the next is due; None: when something happens. Raises KubeError."""
        if not record.task.has_finalizer:
            return None  # let go already, or never ours: others' finalizers may hold it
        if record.stop is None:
            record.stop = StopProgress(seen_s=self._now().mono)
        progress = record.stop
        advance = asyncio.ensure_future(self._advance(record, progress))
        try:
            done, _ = await asyncio.wait({advance}, timeout=self._shown_in_s(record.task, progress))
            if not done and not progress.blocked and progress.let_go is None:
                await self._show(record, lambda task: stopping.stopping_status(task, self._now()))
            record.begun()  # whatever it waits for: others have something to say, too, or need no call
            return await advance
        finally:
            advance.cancel()

    def _shown_in_s(self, task: RelayTask, progress: StopProgress) -> float:
        """In how many seconds `Stopping` is written, if the object is still there."""
        now = self._now()
        due_s = now.mono + (stopping.stop_due(task, self._config.stop_delay_s) - now.wall).total_seconds()
        return max(0.0, max(progress.seen_s, due_s) + stopping.STOPPING_SHOWN_AFTER_S - now.mono)

    async def _advance(self, record: Record[RelayTask], progress: StopProgress) -> float | None:
        if progress.let_go is None:
            delay_s = await self._come_nearer(record, progress)
            if progress.let_go is None:
                return delay_s
        await self._writer.take_finalizer_off(record)
        return None

    async def _come_nearer(self, record: Record[RelayTask], progress: StopProgress) -> float | None:
        try:
            return await self._stop(record, progress)
        except NotDue as not_due:
            return await self._carry_out(record, progress, not_due.decision)

    async def _stop(self, record: Record[RelayTask], progress: StopProgress) -> float | None:
        await self._check(record, progress, at_the_call=False)
        credential = await self._credential(record, progress)
        if progress.accepted_s is not None:
            if not self._resend_is_due(progress):
                return await self._confirm(record, progress, credential)
            progress.blocked = True
            await self._show(record, lambda task: stopping.unconfirmed_status(task, self._now()))
        if isinstance(credential, Trouble):
            return await self._blocked(record, progress, credential, SECRET_FALLBACK_S)
        if stopping.is_new(record.task, credential.key_hash):
            await self._look_before(record, progress, credential)
        answer = await self._send(record, progress, credential)
        if isinstance(answer, Refused):
            return await self._refused(record, progress, answer)
        return await self._answered(record, progress, credential, answer)

    async def _look_before(self, record: Record[RelayTask], progress: StopProgress, credential: Credential) -> None:
        """Have a key that never saw the task look at it first: some vendors say "not found" of what was stopped.

        From a key that did not show the task that would hold the object for ever. What it shows is written, as after a
        crash the next process must believe that key, too. A look that fails is not waited for.
        """
        look = await self._look(record, progress, credential)
        if isinstance(look, Seen):
            await self._show(record, lambda task: stopping.seen_status(task, look))

    async def _check(self, record: Record[RelayTask], progress: StopProgress, *, at_the_call: bool) -> None:
        """Return where a call for this object is right, now. Raises NotDue where it is not, ObjectGone, KubeError.

        At the call all objects of the task are read anew, this one too; nothing is awaited between that and the call.
        """
        since_s, max_age_s = (progress.seen_s, CRD_AT_THE_CALL_S) if at_the_call else (0.0, CRD_READ_AGAIN_S)
        crd_deleted = await self._crd.is_deleted(since_s, max_age_s)
        others = []
        if at_the_call:
            async with self._lists.place(record.task.namespace):
                others = await self._same_task(record)
        now = self._now()
        decision = stopping.stop_is_due(
            record.task,
            others,
            now,
            due=stopping.stop_due(record.task, self._config.stop_delay_s),
            crd_deleted=crd_deleted,
            stops_held=self._config.stops is Stops.HOLD,
            waited_s=0.0 if progress.waits_since_s is None else now.mono - progress.waits_since_s,
        )
        if not isinstance(decision, Stop):
            raise NotDue(decision)

    async def _same_task(self, record: Record[RelayTask]) -> list[RelayTask]:
        """All objects that name the same task. What is told of this object itself, as an edit to Orphan, counts."""
        found, is_there = [], False
        async for body in self._api.list_same_task(record.task):
            if body["metadata"]["uid"] == record.task.uid:
                is_there = True
                self._writer.take_over(record, body)
                continue
            try:
                other = RelayTask.from_body(body, self._vendors)
                if other.ref.identity == record.task.ref.identity:
                    found.append(other)
            except UnreadableResource as error:
                log.error("passed over as another owner: %s", error)
        if not is_there:
            raise ObjectGone(f"{record.task.label} is not there any more: somebody took its finalizer off")
        return found

    async def _credential(self, record: Record[RelayTask], progress: StopProgress) -> Credential | Trouble:
        """The Secret's credential; where the Secret is gone, for an hour the last one that the vendor accepted."""
        credential = await self._secrets.credential(record.task)
        secret_is_gone = isinstance(credential, Trouble) and credential.reason is Reason.SECRET_NOT_FOUND
        kept = self._now().mono - progress.seen_s < stopping.KEPT_CREDENTIAL_S
        return record.accepted if secret_is_gone and kept and record.accepted is not None else credential

    async def _send(
        self, record: Record[RelayTask], progress: StopProgress, credential: Credential
    ) -> StopAnswer | Refused:
        """Send the stop when it is its turn. Raises NotDue where it must not be sent any more."""
        task, sent = record.task, False

        async def may_send() -> None:
            nonlocal sent
            record.may_cancel = False
            await self._check(record, progress, at_the_call=True)
            sent = True
            self._audit(record, "stop_sent")

        record.may_cancel = True  # an edit to Orphan must not wait in a throttled account's line
        try:
            answer = await self._asking.stop(
                task, credential, may_send=may_send, forced=task.request_waits, begun=record.begun
            )
        except NotSent:
            self._audit(record, "stop_not_sent")
            raise
        finally:
            record.may_cancel = False
        if sent and isinstance(answer, Refused):
            self._audit(record, f"stop_failed:{answer.trouble.reason.value}", answer.error.request_id)
        return answer

    async def _refused(self, record: Record[RelayTask], progress: StopProgress, refused: Refused) -> float | None:
        if refused.trouble.reason is Reason.CREDENTIALS_REJECTED:
            if await self._secrets.read_again(record.task):
                return 0.0
            if isinstance(missing := self._secrets.known(record.task), Trouble):
                record.accepted = None  # the key that was kept is good no more: what is to be mended is the Secret
                return await self._blocked(record, progress, missing, SECRET_FALLBACK_S)
        return await self._blocked(record, progress, refused.trouble, refused.retry_s)

    async def _answered(
        self, record: Record[RelayTask], progress: StopProgress, credential: Credential, answer: StopAnswer
    ) -> float | None:
        self._audit(record, f"stop_{answer.outcome.value}", answer.request_id)
        progress.failures = 0
        match answer.outcome:
            case StopOutcome.ACCEPTED:
                progress.accepted_s = self._now().mono
                progress.accepted_times += 1
                progress.blocked = progress.accepted_times > 1  # what was in the way of the first is not any more
                progress.confirmations = 0
                return await self._confirm(record, progress, credential)
            case StopOutcome.GONE:
                return await self._judged(record, progress, stopping.after_gone(record.task, credential.key_hash))
            case StopOutcome.UNSETTLED:
                error = InvalidRequest("", code=answer.code, request_id=answer.request_id)
                refusal = Trouble.of_vendor(record.task, error, record.task.vendor.stop_call)
                look = await self._look(record, progress, credential)
                return await self._judged(record, progress, stopping.after_unsettled_stop(record.task, look, refusal))

    async def _confirm(
        self, record: Record[RelayTask], progress: StopProgress, credential: Credential | Trouble
    ) -> float | None:
        """Look after an accepted stop."""
        if isinstance(credential, Trouble):
            return await self._judged(record, progress, stopping.after_accepted_stop(record.task, credential))
        look = await self._look(record, progress, credential)
        return await self._judged(record, progress, stopping.after_accepted_stop(record.task, look))

    async def _look(self, record: Record[RelayTask], progress: StopProgress, credential: Credential) -> Seen | Trouble:
        await self._check(record, progress, at_the_call=False)
        task = record.task
        try:
            async with asyncio.timeout(stopping.CONFIRM_LOOK_TIMEOUT_S):
                reading = await self._asking.look(task, [task.ref], credential, Lane.DELETION)
        except TimeoutError:
            return Trouble.of_vendor(task, VendorUnavailable(""), task.vendor.look_call)
        look = reading.of(task)
        return look.trouble if isinstance(look, Refused) else look

    async def _judged(self, record: Record[RelayTask], progress: StopProgress, verdict: Verdict) -> float | None:
        match verdict:
            case LetGo() as let_go:
                return self._let_go(record, progress, let_go)
            case StillThere():
                progress.confirmations += 1
                return min(float(progress.confirmations), CONFIRM_AGAIN_CAP_S)
            case Trouble() as trouble:
                progress.accepted_s = None  # accepted or not, that was not this task's stop: it is sent again
                return await self._blocked(record, progress, trouble, None)

    def _resend_is_due(self, progress: StopProgress) -> bool:
        waited_s = self._now().mono - (progress.accepted_s or 0.0)
        return waited_s >= min(stopping.RESEND_STOP_AFTER_S * 2.0 ** (progress.accepted_times - 1), backoff.LOOK_CAP_S)

    async def _carry_out(self, record: Record[RelayTask], progress: StopProgress, decision: Decision) -> float | None:
        task, now = record.task, self._now
        match decision:
            case Orphan(uninstall):
                if uninstall:
                    log.warning("%s: the CRD is being deleted, so its task is not stopped", task.label)
                return self._let_go(
                    record, progress, LetGo(Reason.ORPHANED, words.orphaned(task, uninstall=uninstall), warns=uninstall)
                )
            case LeaveRunning(other):
                return self._let_go(record, progress, LetGo(Reason.LEFT_RUNNING, words.left_running(task, other)))
            case Hold():
                progress.blocked = True
                await self._show(record, lambda task: stopping.held_status(task, now()))
                return CRD_READ_AGAIN_S
            case Wait(due):
                await self._show(record, lambda task: stopping.pending_status(task, due, now()))
                return min(max(0.0, (due - now().wall).total_seconds()), CRD_READ_AGAIN_S)
            case LookFirst(owners):
                progress.waits_since_s = progress.waits_since_s or now().mono
                for uid in set(owners) - progress.hastened:
                    progress.hastened.add(uid)
                    self._look_soon(uid)
                return OWNERS_READ_AGAIN_S
            case Stop():
                return 0.0

    async def _blocked(
        self, record: Record[RelayTask], progress: StopProgress, trouble: Trouble, retry_s: float | None
    ) -> float | None:
        """Something is in the way. An object whose task another one follows goes all the same: it needs no call."""
        await self._check(record, progress, at_the_call=True)
        progress.blocked = True
        progress.failures += 1
        await self._show(record, lambda task: stopping.blocked_status(task, trouble, self._now()))
        own_s = backoff.after_failed_stop(progress.failures) if retry_s is None else retry_s
        return max(own_s, trouble.retry_after_s or 0.0)

    async def _show(self, record: Record[RelayTask], decide: Callable[[RelayTask], RelayTaskStatus]) -> None:
        """Write a status. Where it is refused the stop goes on all the same: a task must not run for want of words."""
        try:
            await self._writer.write(record, decide)
        except ObjectGone:
            raise
        except KubeError as error:
            log.warning("%s; the stop of its task goes on", error)

    def _let_go(self, record: Record[RelayTask], progress: StopProgress, let_go: LetGo) -> float | None:
        """Nothing is owed any more. Said once, though the finalizer may take several tries."""
        progress.let_go = let_go
        if let_go.reason is not Reason.STOP_ACCEPTED:
            self._audit(record, let_go.reason.value)
        self._writer.post(record.task, let_go.reason, let_go.message, warns=let_go.warns)
        return None

    def _audit(self, record: Record[RelayTask], outcome: str, request_id: str = "") -> None:
        task = record.task
        self._metrics.stop(task.ref.vendor, outcome)
        audit(
            namespace=task.namespace,
            name=task.name,
            uid=task.uid,
            vendor=task.ref.vendor,
            application=task.ref.application,
            task=task.ref.task,
            outcome=outcome,
            request_id=request_id,
            last_state=task.status.state or "",
            cluster=self._config.cluster_name,
        )
