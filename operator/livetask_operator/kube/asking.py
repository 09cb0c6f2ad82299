"""How a vendor is asked: as its refusals and the account's quota allow, and with one trial first for an unknown key."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from livetask_operator.observability.metrics import Metrics
from livetask_operator.polling import backoff
from livetask_operator.polling.quota import Lane, Quotas, Turnstile
from livetask_operator.polling.refusals import Refusals
from livetask_operator.reconcile.resource import RelayTask
from livetask_operator.reconcile.settle import Seen
from livetask_operator.reconcile.trouble import Trouble
from livetask_operator.vendors.contract import Credential, StopAnswer, Throttled, VendorError

TRIAL_WAIT_S = 2.0
"""For so long others wait for the first answer to a key that no vendor has accepted yet."""
SPREAD_S = 1.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Refused:
    """Not asked, or refused: the cause, and in how many seconds to try again; None where the caller decides."""

    trouble: Trouble
    error: VendorError
    retry_s: float | None


class Asking:
    """The one place that calls vendors. `accepted_again` is told when a refused credential is accepted."""

    def __init__(
        self,
        quotas: Quotas,
        metrics: Metrics,
        monotonic: Callable[[], float],
        accepted_again: Callable[[Credential], None],
    ) -> None:
        self._quotas = quotas
        self._metrics = metrics
        self._monotonic = monotonic
        self._accepted_again = accepted_again
        self._refusals = Refusals()
        self._proven: set[str] = set()
        self._trials: dict[str, asyncio.Event] = {}

    def secret_changed(self, credential: Credential) -> None:
        """A Secret holds this credential anew: what was refused before does not count."""
        self._refusals.secret_changed(credential)

    async def look(
        self, task: RelayTask, credential: Credential, lane: Lane, *, forced: bool = False
    ) -> Seen | Refused:
        """Look at one task. `forced`: a person asks, so that a standing refusal is tried all the same."""

        async def send() -> Seen:
            with self._measured(task, task.vendor.look_call):
                look = (await task.vendor.look(credential, [task.ref]))[task.ref]
                if isinstance(look, VendorError):
                    raise look
            return Seen(look, credential.key_hash)

        return await self.ask(task, credential, task.vendor.look_call, lane, send, forced=forced)

    async def send_stop(self, task: RelayTask, credential: Credential) -> StopAnswer:
        """The stop call itself, for use inside `ask`. Raises VendorError."""
        with self._measured(task, task.vendor.stop_call):
            return await task.vendor.stop(credential, task.ref)

    async def ask(
        self,
        task: RelayTask,
        credential: Credential,
        call: str,
        lane: Lane,
        send: Callable[[], Awaitable[T]],
        *,
        forced: bool = False,
    ) -> T | Refused:
        """Send when it is this caller's turn, and note what the answer says of the credential and the quota."""
        async with self._trial(credential):
            now_s = self._monotonic()
            standing = None if forced else self._refusals.standing(credential, call, now_s)
            if standing is not None:
                error, next_try_s = standing
                wait_s = next_try_s - now_s + random.uniform(0, SPREAD_S)  # noqa: S311 - a spread, not a secret
                return Refused(Trouble.of_vendor(task, error, call), error, wait_s)
            turnstile = self._quotas.of(task.vendor.name, task.vendor.account(credential, task.ref), call)
            await turnstile.enter(lane)
            try:
                answer = await send()
            except VendorError as error:
                return self._refused(task, credential, call, error, turnstile)
            self._proven.add(credential.fingerprint)
            turnstile.budget.answered(self._monotonic())
            if self._refusals.accepted(credential, call):
                self._accepted_again(credential)
            return answer

    def _refused(
        self, task: RelayTask, credential: Credential, call: str, error: VendorError, turnstile: Turnstile
    ) -> Refused:
        now_s = self._monotonic()
        if isinstance(error, Throttled):
            turnstile.throttled(error.retry_after_s)
        next_try_s = self._refusals.refused(credential, call, error, now_s)
        retry_s = None if next_try_s is None else next_try_s - now_s
        return Refused(Trouble.of_vendor(task, error, call), error, retry_s)

    @asynccontextmanager
    async def _trial(self, credential: Credential) -> AsyncIterator[None]:
        """Let one caller try a key that is not known to be good: a wrong one is refused once, not hundreds of times."""
        key = credential.fingerprint
        deadline_s = self._monotonic() + TRIAL_WAIT_S
        while key not in self._proven and key in self._trials and (left_s := deadline_s - self._monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await self._trials[key].wait()
        mine = key not in self._proven and key not in self._trials
        if mine:
            self._trials[key] = asyncio.Event()
        try:
            yield
        finally:
            if mine:
                self._trials.pop(key).set()

    @contextlib.contextmanager
    def _measured(self, task: RelayTask, call: str) -> Iterator[None]:
        began_s = self._monotonic()
        outcome = "cancelled"
        try:
            yield
            outcome = "ok"
        except VendorError as error:
            outcome = error.reason
            raise
        finally:
            self._metrics.vendor_calls.labels(task.vendor.name, call, outcome).inc()
            self._metrics.vendor_call_seconds.labels(task.vendor.name, call).observe(self._monotonic() - began_s)


def retry_look_s(refused: Refused, failures: int, interval_s: float) -> float:
    """When a failed look is tried again: sparingly where it was refused, soon where it may pass."""
    if refused.retry_s is not None:
        return refused.retry_s
    own_s = backoff.after_failed_look(failures)
    wait_s = own_s if refused.trouble.needs_person else min(own_s, interval_s)
    return max(wait_s, refused.trouble.retry_after_s or 0.0)
