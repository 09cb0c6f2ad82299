"""How a vendor is asked: as its refusals and the account's quota allow, and with one trial first for an unknown key."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar
from weakref import WeakKeyDictionary

from livetask_operator.kube.proven import Proven, was_seen
from livetask_operator.observability.families import UNPROVEN
from livetask_operator.observability.metrics import Metrics
from livetask_operator.polling import backoff
from livetask_operator.polling.quota import Lane, QuotaKey, Quotas, Turnstile
from livetask_operator.polling.refusals import Refusals
from livetask_operator.reconcile.preload_resource import PreloadTask
from livetask_operator.reconcile.resource import RelayTask
from livetask_operator.reconcile.settle import Seen
from livetask_operator.reconcile.trouble import Trouble
from livetask_operator.vendors.contract import (
    Credential,
    CredentialsRejected,
    Guard,
    Look,
    PreloadNames,
    PreloadRows,
    StopAnswer,
    TaskRef,
    Throttled,
    Turn,
    Vendor,
    VendorError,
    guarded,
    weighed,
)

TRIAL_WAIT_S = 2.0
"""For so long others wait for the first answer to a key that no vendor has accepted yet."""
SPREAD_S = 1.0
UNDER_WAY = 64
"""So many calls of an account that somebody waits for may be under way at a time, of each kind: one whose vendor hangs
must not gather the connections that other accounts have to the same host. Of polls the scheduler has few under way."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Refused:
    """Not asked, or refused: the cause, and in how many seconds to try again; None where the caller decides."""

    trouble: Trouble
    error: VendorError
    retry_s: float | None


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of asking after one or more tasks with one credential."""

    looks: Mapping[TaskRef, Look]
    credential: Credential
    retry_s: float | None = None

    def of(self, task: RelayTask) -> Seen | Refused:
        """What it says of one object's task."""
        look = self.looks[task.ref]
        if isinstance(look, VendorError):
            return Refused(Trouble.of_vendor(task, look, task.vendor.look_call), look, self.retry_s)
        return Seen(look, self.credential.key_hash)


@dataclass(frozen=True, slots=True)
class Question:
    """Who is asked what, with which credential, and on whose behalf."""

    vendor: Vendor
    account: str
    call: str
    credential: Credential
    lane: Lane
    forced: bool = False
    """A person asks: a standing refusal is tried all the same."""
    seen: bool = False
    """This key saw the object's task before, as its status says: it draws on its account's budget from the start."""
    begun: Callable[[], None] = lambda: None
    """Called when the first request has left the line."""
    may_send: Callable[[], Awaitable[None]] | None = None
    """Awaited right before each request; raises where it must not be made."""

    @property
    def right(self) -> str:
        """What the credential may or may not: this call, for this account."""
        return f"{self.call} {self.account}"


@dataclass(frozen=True, slots=True)
class NotAnswered:
    """A question that was refused, or not put because a refusal stands, and in how many seconds to try again."""

    error: VendorError
    retry_s: float | None


class _RefusedMeanwhile(Exception):
    """What was asked for has been refused to somebody else since."""

    def __init__(self, error: VendorError, next_try_s: float) -> None:
        super().__init__(error.reason)
        self.error = error
        self.next_try_s = next_try_s


class Asking:
    """The one place that calls vendors. `accepted_again` is told when a refused credential is accepted.

    may_change: what changes something at a vendor passes this guard as it is sent: who is not the leader any more may
    still look, and no more.
    """

    def __init__(
        self,
        quotas: Quotas,
        metrics: Metrics,
        monotonic: Callable[[], float],
        accepted_again: Callable[[Credential], None],
        may_change: Guard = lambda: None,
    ) -> None:
        self._quotas = quotas
        self._metrics = metrics
        self._monotonic = monotonic
        self._accepted_again = accepted_again
        self._may_change = may_change
        self._refusals = Refusals()
        self._proven = Proven()
        self._trials: dict[str, asyncio.Event] = {}
        self._places: WeakKeyDictionary[Turnstile, asyncio.Semaphore] = WeakKeyDictionary()

    def secret_changed(self, credential: Credential) -> None:
        """A Secret holds this credential anew: what was refused before does not count."""
        self._refusals.secret_changed(credential)

    def now_s(self) -> float:
        """The clock that all looks are told by: seconds, monotonic."""
        return self._monotonic()

    def quota(self, vendor: Vendor, account: str, call: str) -> QuotaKey:
        """What such a call is counted by."""
        return self._quotas.key(vendor.name, account, call)

    def is_proven(self, credential: Credential, quota: QuotaKey) -> bool:
        """Whether a vendor has accepted exactly this credential for this account."""
        return self._proven.at(credential, quota)

    def draws_on(self, quota: QuotaKey, credential: Credential, *, seen: bool) -> bool:
        """Whether its calls are counted with the account's; `seen`: it saw the object's task before."""
        return seen or self._proven.at(credential, quota)

    def accepted_s(self, credential: Credential) -> float | None:
        """When its vendor last accepted it; None: not yet, as far as this process knows."""
        return self._proven.accepted_s(credential)

    def refused_since_s(self, credential: Credential) -> Mapping[str, float]:
        """Since when it is refused, by reason; empty where it is not."""
        return self._refusals.since_s(credential)

    async def look(
        self,
        task: RelayTask,
        refs: Collection[TaskRef],
        credential: Credential,
        lane: Lane,
        *,
        forced: bool = False,
        begun: Callable[[], None] = lambda: None,
    ) -> Reading:
        """Look at the task, and along with it at others of the same list.

        refs: names them all. It may grow until `begun` is called, right before the first request is made.
        """
        vendor = task.vendor
        account = vendor.account(credential, task.ref)
        question = Question(
            vendor, account, vendor.look_call, credential, lane, forced, was_seen(task, credential), begun
        )

        async def send(turn: Turn) -> Mapping[TaskRef, Look]:
            await turn()
            looks = await vendor.look(credential, list(refs), _after_first(turn))
            failed = [look for look in looks.values() if isinstance(look, VendorError)]
            if len(failed) == len(looks):
                raise failed[0]
            for error in failed:
                if isinstance(error, Throttled):  # a list that was read in part slows its account, too
                    self._quotas.of(vendor.name, account, vendor.look_call).throttled(error.retry_after_s)
            return looks

        looks = await self.ask(question, send)
        if isinstance(looks, NotAnswered):
            return Reading(dict.fromkeys(refs, looks.error), credential, looks.retry_s)
        return Reading(looks, credential)

    async def stop(
        self,
        task: RelayTask,
        credential: Credential,
        *,
        may_send: Callable[[], Awaitable[None]],
        forced: bool,
        begun: Callable[[], None],
    ) -> StopAnswer | Refused:
        """Stop one task. `may_send` is awaited right before the call, and raises where it must not be made.

        Raises NotSent where this process may change nothing any more.
        """
        vendor = task.vendor
        account = vendor.account(credential, task.ref)
        question = Question(
            vendor,
            account,
            vendor.stop_call,
            credential,
            Lane.DELETION,
            forced,
            was_seen(task, credential),
            begun,
            may_send,
        )

        async def send(turn: Turn) -> StopAnswer:
            await turn()
            with guarded(self._may_change):
                return await vendor.stop(credential, task.ref)

        answer = await self.ask(question, send)
        if isinstance(answer, NotAnswered):
            return Refused(Trouble.of_vendor(task, answer.error, vendor.stop_call), answer.error, answer.retry_s)
        return answer

    async def rows(
        self,
        task: PreloadTask,
        asked: Collection[PreloadNames],
        *,
        credential: Credential,
        lane: Lane,
        forced: bool,
        begun: Callable[[], None],
    ) -> Mapping[PreloadNames, PreloadRows | NotAnswered]:
        """Read what the vendor has of the preloads that the object, and along with it others of its domain, follow.

        asked: what each of them names. It may grow until `begun` is called, right before the first request is made.
        """
        vendor = task.vendor
        question = Question(vendor, vendor.account(credential), vendor.list_call, credential, lane, forced, begun=begun)

        async def send(turn: Turn) -> Mapping[PreloadNames, PreloadRows]:
            await turn()
            return await vendor.rows(credential, task.domain, list(asked), _after_first(turn))

        answer = await self.ask(question, send)
        return dict.fromkeys(asked, answer) if isinstance(answer, NotAnswered) else dict(answer)

    @staticmethod
    def refused(task: PreloadTask, answer: NotAnswered) -> Refused:
        """What a question that was not answered is to one of those who asked."""
        return Refused(Trouble.of_vendor(task, answer.error, task.vendor.list_call), answer.error, answer.retry_s)

    async def ask(self, question: Question, send: Callable[[Turn], Awaitable[T]]) -> T | NotAnswered:
        """Send, each call when it is its turn, and note what the answer says of the credential and the quota."""
        if question.credential in self._proven:
            return await self._put(question, send)
        async with self._trial(question.credential):
            return await self._put(question, send)

    async def _put(self, question: Question, send: Callable[[Turn], Awaitable[T]]) -> T | NotAnswered:
        credential, call = question.credential, question.call
        right = question.right
        now_s = self._monotonic()
        standing = None if question.forced else self._refusals.standing(credential, right, now_s)
        if standing is not None:
            return _not_put(*standing, now_s)
        quota = self._quotas.key(question.vendor.name, question.account, call)
        own = self._quotas.of(question.vendor.name, question.account, call)
        draws_on_it = self.draws_on(quota, credential, seen=question.seen)
        turnstile = own if draws_on_it else self._quotas.of_unproven(credential.fingerprint)
        counted = quota if draws_on_it else (quota[0], UNPROVEN, call)
        noted = self._refusals.noted(credential, right)
        is_poll = question.lane is Lane.POLL
        place = None if is_poll else self._places.setdefault(turnstile, asyncio.Semaphore(UNDER_WAY))
        has_place = False
        sent_s: float | None = None

        async def turn() -> None:
            nonlocal sent_s, has_place
            if place is not None and not has_place:  # before its turn, which would be spent and kept until then
                if place.locked():
                    question.begun()  # it stands in no line: others may need no call
                has_place = await place.acquire()
            await turnstile.enter(question.lane)
            question.begun()
            if not question.forced and self._refusals.noted(credential, right) > noted:
                # It was refused while this one stood in line: a whole line of refused calls may lock an account.
                standing = self._refusals.standing(credential, right, self._monotonic())
                if standing is not None:
                    raise _RefusedMeanwhile(*standing)
            if sent_s is not None:
                now_s = self._monotonic()
                self._metrics.called(counted, "ok", now_s - sent_s, now_s)
                sent_s = None
            if question.may_send is not None:
                await question.may_send()
            sent_s = self._monotonic()

        outcome = "cancelled"
        try:
            with weighed(self._metrics.answer_sizes(question.vendor.name, call)):
                answer = await send(turn)
            outcome = "ok"
        except _RefusedMeanwhile as refusal:
            return _not_put(refusal.error, refusal.next_try_s, self._monotonic())
        except VendorError as error:
            outcome = error.reason
            lean = error.with_traceback(None)  # it is kept: not with the whole answer that it was read from
            return self._refused(question, lean, turnstile)
        finally:
            if place is not None and has_place:
                place.release()
            if sent_s is not None:
                now_s = self._monotonic()
                self._metrics.called(counted, outcome, now_s - sent_s, now_s)
        if self.is_proven(credential, quota):
            self._proven.accepted(credential, now_s)
        else:
            self._proven.prove(credential, quota, now_s)
            self._quotas.proven(credential.fingerprint)
        if turnstile is not own:
            own.budget.spend(self._monotonic())  # whose trial it was is known only now
        turnstile.budget.answered(self._monotonic())
        if self._refusals.accepted(credential, right):
            self._accepted_again(credential)
        return answer

    def _refused(self, question: Question, error: VendorError, turnstile: Turnstile) -> NotAnswered:
        now_s = self._monotonic()
        if isinstance(error, CredentialsRejected):
            self._proven.rejected(question.credential)
        if isinstance(error, Throttled):
            turnstile.throttled(error.retry_after_s)
        next_try_s = self._refusals.refused(question.credential, question.right, error, now_s)
        return NotAnswered(error, None if next_try_s is None else next_try_s - now_s)

    @asynccontextmanager
    async def _trial(self, credential: Credential) -> AsyncIterator[None]:
        """Let one caller try a key that is not known to be good: a wrong one is refused once, not hundreds of times."""
        key = credential.fingerprint
        deadline_s = self._monotonic() + TRIAL_WAIT_S
        while credential not in self._proven and key in self._trials and (left_s := deadline_s - self._monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await self._trials[key].wait()
        mine = credential not in self._proven and key not in self._trials
        if mine:
            self._trials[key] = asyncio.Event()
        try:
            yield
        finally:
            if mine:
                self._trials.pop(key).set()


def _after_first(turn: Turn) -> Turn:
    """The turns of a question whose first was waited for already."""
    is_first = True

    async def next_turn() -> None:
        nonlocal is_first
        if not is_first:
            await turn()
        is_first = False

    return next_turn


def _not_put(error: VendorError, next_try_s: float, now_s: float) -> NotAnswered:
    """A question that was not put, as a refusal stands; those whom it holds back come again in a spread."""
    return NotAnswered(error, next_try_s - now_s + random.uniform(0, SPREAD_S))  # noqa: S311 - a spread, not a secret


def retry_look_s(refused: Refused, failures: int, interval_s: float) -> float:
    """When a failed look is tried again: sparingly where it was refused, soon where it may pass."""
    if refused.retry_s is not None:
        return refused.retry_s
    own_s = backoff.after_failed_look(failures)
    wait_s = own_s if refused.trouble.needs_person else min(own_s, interval_s)
    return max(wait_s, refused.trouble.retry_after_s or 0.0)
