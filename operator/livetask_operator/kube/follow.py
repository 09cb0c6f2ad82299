"""Follows all objects: is told what happened, decides whose turn it is, and has one step taken for it.

One scheduler for all objects, not a timer or a daemon for each: who is asked next is one decision, and no handler of
kopf's can die without a word.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from kubernetes.aio import client

from livetask_operator.config import Config
from livetask_operator.kube.api import Conflict, KubeError, ObjectApi, ObjectGone
from livetask_operator.kube.asking import Asking
from livetask_operator.kube.events import Events
from livetask_operator.kube.knowing import Knowing
from livetask_operator.kube.looking import Looking, lane_of
from livetask_operator.kube.preloads import Preloads
from livetask_operator.kube.record import Kind, Record
from livetask_operator.kube.relays import Relays
from livetask_operator.kube.releasing import Releasing
from livetask_operator.kube.reviews import Reviews
from livetask_operator.kube.secrets import Secrets
from livetask_operator.kube.sharing import PreloadSharing, Sharing
from livetask_operator.kube.showing import Showing
from livetask_operator.kube.sweeping import sweep
from livetask_operator.kube.turns import Account, Turns
from livetask_operator.kube.unreadable import Unreadable
from livetask_operator.kube.writing import Writer
from livetask_operator.observability.health import Health
from livetask_operator.observability.metrics import Metrics
from livetask_operator.polling import backoff
from livetask_operator.polling.quota import Lane, QuotaKey, Quotas
from livetask_operator.polling.rounds import Rounds
from livetask_operator.polling.scheduler import Taken, Turn
from livetask_operator.reconcile.looks import slowed_as_told
from livetask_operator.reconcile.preload_resource import PRELOAD_TASKS
from livetask_operator.reconcile.reasons import Reason
from livetask_operator.reconcile.resource import RELAY_TASKS, Instant, Resource, UnreadableResource
from livetask_operator.reconcile.trouble import Trouble
from livetask_operator.vendors.contract import Credential, Guard, NotSent, PreloadVendor, RelayVendor

NO_SECRET = ""
"""Steps that ask no vendor stand with their namespace's: not in a throttled account's line, nor in another tenant's."""
TICK_S = 1.0
EDIT_AGAIN_S = 1.0
POLLS_AT_ONCE_S = 2.0
"""So many seconds' worth of an account's quota may be under way as polls, where the vendor is slow."""
POLLS_AT_ONCE_AT_LEAST = 8
SPREAD_S = 5.0
"""After a restart the first looks at known objects are spread over so long, or over their interval if it is shorter."""
SWEEP_AFTER_LISTING_S = 5.0
SWEEP_AFTER_START_S = 9.0
SWEEP_EVERY_S = 300.0
SWEEP_AGAIN_S = 15.0
STOP_GRACE_S = 5.0
AFTER_A_FAULT_S = 15.0
_REFUSALS = frozenset({Reason.CREDENTIALS_REJECTED, Reason.PERMISSION_DENIED})

T = TypeVar("T")

log = logging.getLogger("livetask.follow")


class Follow:
    """All objects that this process follows, by uid."""

    def __init__(
        self,
        connection: client.ApiClient,
        apis: Mapping[str, ObjectApi],
        relay_vendors: Mapping[str, RelayVendor],
        preload_vendors: Mapping[str, PreloadVendor],
        config: Config,
        metrics: Metrics,
        health: Health,
        now: Callable[[], Instant],
        monotonic: Callable[[], float],
        may_change: Guard = lambda: None,
    ) -> None:
        """`apis` by plural, vendors by block. `may_change`: what writes a status or changes a vendor passes it."""
        self._now = now
        self._mono = monotonic
        self.secrets = Secrets(connection, self._mono, metrics, self.secret_changed)
        self.events = Events(connection, self._mono, metrics)
        self._quotas = Quotas(config.limit, config.account_of, self._mono)
        self._rounds: Rounds[QuotaKey] = Rounds(lambda quota: 1.0 / self._quotas.rate(quota))
        self._asking = Asking(self._quotas, metrics, self._mono, self._accepted_again, may_change)
        writer = Writer(self.events, metrics, partial(self._adopt, own=True), self._mono, may_change)
        self._looking = Looking(self.secrets, writer, self._rounds, now, self._mono)
        sharing = Sharing(self._asking, self.secrets, self._told, self._spawn)
        preloads = PreloadSharing(self._asking, self.secrets, self._told, self._spawn)
        relays = apis[RELAY_TASKS]
        releasing = Releasing(
            relays, self.secrets, self._asking, writer, relay_vendors, config, metrics, self.step_soon, now
        )
        self._kinds: Mapping[str, Kind] = {
            RELAY_TASKS: Relays(relays, relay_vendors, writer, self._looking, sharing, releasing),
            PRELOAD_TASKS: Preloads(apis[PRELOAD_TASKS], preload_vendors, self._looking, preloads),
        }
        self._records: dict[str, Record[Any]] = {}
        self._unreadable = Unreadable()
        self._metrics = metrics
        followed = (self._records, self._unreadable)
        self._showing = Showing(*followed, config, self._rounds, self._quotas, self._asking, self.secrets, now)
        self._turns = Turns(self._begin_step, self._polls_at_once, health, self._mono)
        self._left_line = self._has_left_line  # one for all
        self._reviews = Reviews(self._looking, self._turns, self._quotas, self._rounds, now)
        self.knowing = Knowing(self._records, self._turns, self._asking, self._quotas, self.secrets, config, self._mono)
        self._work: set[asyncio.Task[Any]] = set()
        self._sweep_at_s = float("inf")
        self._stopping = False

    # What happened

    def changed(self, plural: str, body: Mapping[str, Any], *, listed: bool = False) -> None:
        """An object was listed, added or modified."""
        uid = body["metadata"]["uid"]
        record = self._records.get(uid)
        if listed:
            again = record is not None  # after a watch broke; at the start there is more to do than to look for gaps
            self._sweep_at_s = self._mono() + (SWEEP_AFTER_LISTING_S if again else SWEEP_AFTER_START_S)
        if record is not None and record.task.resource_version == body["metadata"]["resourceVersion"]:
            return
        try:
            task = self._kinds[plural].read(body)
        except UnreadableResource as error:
            self._unreadable.note(uid, str(error), self._mono())
            return
        self._unreadable.forget(uid)
        if record is None:
            if listed:
                self._turns.listed()
            self._take_over(self._kinds[plural], task)
        elif task.is_newer_than(record.task):
            self._adopt(record, task, own=False)

    def vanished(self, uid: str, *, passed_on: bool = False) -> None:
        """An object is gone; `passed_on`: it is there, and its labels are another operator's now."""
        record = self._records.pop(uid, None)
        self._unreadable.forget(uid)
        self._turns.drop(uid)
        self._reviews.drop(uid)
        self.secrets.release(uid)
        if record is not None:
            record.kind.leave(record)
            owed = record.kind.is_owed(record) and not passed_on
            words = "gone without a stop: somebody took its finalizer off, and its task may run on" if owed else "gone"
            words = "passed on: its labels are another operator's now" if passed_on else words
            fields = {"namespace": record.task.namespace, "name": record.task.name}
            log.log(logging.WARNING if owed else logging.INFO, words, extra={"fields": fields})
            if record.step is not None and record.may_cancel:
                record.step.cancel()

    def secret_changed(self, namespace: str, name: str) -> None:
        """A Secret reads differently than before: whoever uses it goes on at once."""
        log.info("Secret changed", extra={"fields": {"namespace": namespace, "name": name}})
        for uid, record in self._records.items():
            task = record.task
            if (task.namespace, task.secret) != (namespace, name):
                continue
            credential = self.secrets.known(task)
            if isinstance(credential, Credential):
                self._asking.secret_changed(credential)
            if record.stop is not None:
                record.stop.failures = 0
            record.quota = None
            if record.step is not None and record.may_cancel and (record.asks or task.is_deleted):
                record.step.cancel()  # it stands in a line with the key that was there before
            if task.is_deleted or not task.suspend:
                self.step_soon(uid)

    def _accepted_again(self, credential: Credential) -> None:
        """A key that was refused is accepted: its users need not wait until their next try."""
        for uid, record in self._records.items():
            if self.secrets.known(record.task) != credential:
                continue
            latest = record.track.latest
            refused = isinstance(latest, Trouble) and latest.reason in _REFUSALS
            if refused or (record.stop is not None and record.stop.blocked):
                due_s = self._mono() + random.uniform(0, 1)  # noqa: S311 - a spread
                self._turns.hasten(uid, self._turn(record, due_s))

    def _told(self, record: Record[Any], look: Any, credential: Credential) -> None:
        """Somebody else's reading told of this object, too: as good as a look of its own.

        Not for one that has something else to do by now: its stop is not put off, its edit not taken for acted on.
        """
        task = record.task
        if self._records.get(task.uid) is not record or record.step is not None or task.is_deleted or task.suspend:
            return
        if lane_of(task) is not Lane.POLL:
            return
        delay_s = self._looking.take(record, look, credential)
        self._turns.set(task.uid, self._turn(record, self._mono() + delay_s))
        if not self._looking.is_said(record):
            self._spawn(self._review(record))

    def _take_over(self, kind: Kind, task: Resource) -> None:
        now_s = self._mono()
        record = self._records[task.uid] = kind.take_over(task, now_s)
        record.left_line = self._left_line
        record.track = replace(record.track, slowed=slowed_as_told(task))
        quiet = task.was_looked_at and kind.is_in_order(task) and not task.is_deleted and not task.request_waits
        quiet = quiet and task.status.observed_generation == task.generation
        spread_s = min(SPREAD_S, task.poll_interval_s) if quiet else 0.0
        self._turns.set(task.uid, self._turn(record, now_s + random.uniform(0, spread_s)))  # noqa: S311 - a spread
        self._reviews.plan(record)

    def _adopt(self, record: Record[Any], task: Resource, *, own: bool) -> None:
        """Take a newer reading of an object, and go on at once where somebody did something to it."""
        old, record.task = record.task, task
        if task.poll_interval_s != old.poll_interval_s:
            record.track = replace(record.track, interval_s=float(task.poll_interval_s))
        if task.secret != old.secret:
            record.quota = None
            self.secrets.release(task.uid, keep=(task.namespace, task.secret))
        newly_deleted = task.is_deleted and not old.is_deleted
        happened = (
            newly_deleted
            or task.generation != old.generation
            or task.requested_at != old.requested_at
            or (record.kind.is_in_order(old) and not record.kind.is_in_order(task) and not task.is_deleted)
            or (not own and task.status not in (old.status, record.sent))
        )
        if not happened:
            return
        if record.stop is not None:
            record.stop.failures = 0
        asked = task.generation != old.generation or task.requested_at != old.requested_at
        if (
            record.step is not None
            and record.may_cancel
            and (newly_deleted or (asked and (record.polls or task.is_deleted)))
        ):
            record.step.cancel()  # a look that hangs, or stands far back in the line, must not hold a person up
        self.step_soon(task.uid)

    def step_soon(self, uid: str) -> None:
        """Somebody did something: this object's next step is due now, or as soon as the one under way is done."""
        record = self._records.get(uid)
        if record is not None:
            lane, now_s = min(Lane.PERSON, lane_of(record.task)), self._mono()
            # Who edits an object again and again is served once a second: others are served meanwhile.
            due_s = now_s if lane is Lane.DELETION else max(now_s, record.last_look_s + EDIT_AGAIN_S)
            self._turns.hasten(uid, self._turn(record, due_s, lane))

    # Whose turn it is

    async def run(self) -> None:
        """Have steps taken as they fall due, until `stop`."""
        self._sweep_at_s = self._mono() + SWEEP_EVERY_S
        self._turns.start()
        self._metrics.begin(self._showing)
        while not self._stopping:
            now_s = self._mono()
            for uid in self._reviews.pop_due():
                if (record := self._records.get(uid)) is not None:
                    self._spawn(self._review(record)) if self._reviews.is_due(record) else self._reviews.plan(record)
            if now_s >= self._sweep_at_s:
                self._sweep_at_s = now_s + SWEEP_EVERY_S
                self._spawn(self._sweep())
            await asyncio.sleep(TICK_S)

    async def stop(self) -> None:
        """Start nothing more; let stops that are under way end, for some seconds."""
        self._stopping = True
        self._turns.stop()
        for record in self._records.values():
            if record.step is not None and record.may_cancel:
                record.step.cancel()
        if self._work:
            await asyncio.wait(self._work, timeout=STOP_GRACE_S)
        for work in self._work:
            work.cancel()
        self._metrics.end()

    def _turn(self, record: Record[Any], due_s: float, lane: Lane | None = None) -> Turn[Account]:
        task = record.task
        asks_nobody = not task.is_deleted and (task.suspend or not record.kind.is_in_order(task))
        return Turn(
            (task.namespace, NO_SECRET) if asks_nobody else record.quota or (task.namespace, task.secret),
            lane_of(task) if lane is None else lane,
            due_s,
            task.poll_interval_s,
            record.kind.has_ended(task),
        )

    def _polls_at_once(self, account: Account) -> int:
        if len(account) == 2:
            return POLLS_AT_ONCE_AT_LEAST
        return max(POLLS_AT_ONCE_AT_LEAST, math.ceil(POLLS_AT_ONCE_S * self._quotas.rate(account)))

    def _begin_step(self, taken: Taken[str, Account]) -> None:
        uid, turn = taken.key, taken.turn
        record = self._records.get(uid)
        if record is None:
            self._turns.ended(uid, turn.lane)
            return
        record.lane = turn.lane
        if turn.lane is not Lane.POLL or self._is_counted_there(record, taken):
            record.step = self._spawn(self._step(record))

    def _is_counted_there(self, record: Record[Any], taken: Taken[str, Account]) -> bool:
        """Who stands with its Secret's, as its key is not proven, may stand elsewhere now."""
        account = taken.turn.account
        if len(account) == 3:
            if taken.turn.ended:  # of others it is noted when they leave the line
                self._rounds.noted(account, taken.lateness, self._mono())
            return True
        if account[1] == NO_SECRET:
            return True
        credential = self.secrets.known(record.task)
        if not isinstance(credential, Credential):
            return True
        quota = record.kind.quota(record.task, credential)
        if not self._asking.is_proven(credential, quota):
            return True
        record.quota = quota
        self._turns.set(taken.key, self._turn(record, taken.turn.due_s, taken.turn.lane))
        self._turns.ended(taken.key, taken.turn.lane)
        return False

    def _has_left_line(self, uid: str) -> None:
        """A step's request stands in no line any more: so late is a poll, the time in the line included."""
        late_s = self._turns.begun(uid)
        if late_s is not None and (record := self._records.get(uid)) is not None:
            self._metrics.polled(record.task.vendor.name, late_s)
            if record.quota is not None:
                self._rounds.noted(record.quota, late_s / record.task.poll_interval_s, self._mono())

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return task

    async def _step(self, record: Record[Any]) -> None:
        """One step of one object. Whatever goes wrong in it, the object has a next one."""
        delay_s: float | None = 0.0
        # Not before it runs: what is cancelled before its first line never comes to its last, which counts on the next.
        record.may_cancel = not record.task.is_deleted
        try:
            delay_s = await record.kind.step(record)
            record.failed_steps = 0
        except ObjectGone:
            self.vanished(record.task.uid)
        except Conflict as error:
            record.failed_steps += 1
            delay_s = backoff.after_failed_write(record.failed_steps) if record.failed_steps > 1 else 0.0
            log.info("decided again, as somebody changed it: %s", error)
        except KubeError as error:
            record.failed_steps += 1
            delay_s = backoff.after_failed_write(record.failed_steps)
            log.warning("%s; tried again in %g s", error, delay_s)
        except NotSent as error:
            delay_s = AFTER_A_FAULT_S
            log.warning("nothing was sent for %s: %s", record.task.label, error)
        except Exception:
            delay_s = AFTER_A_FAULT_S
            log.exception("a fault in the operator with %s; tried again in %g s", record.task.label, delay_s)
        finally:
            record.step, record.may_cancel, record.asks = None, False, False
            self._turns.ended(record.task.uid, record.lane)
            if self._records.get(record.task.uid) is record:
                self._go_on(record, delay_s)
            elif record.task.uid not in self._records:
                self.secrets.release(record.task.uid)  # it may have asked for one after it was gone

    def _go_on(self, record: Record[Any], delay_s: float | None) -> None:
        if delay_s is not None:
            self._turns.hasten(record.task.uid, self._turn(record, self._mono() + delay_s))
        self._reviews.plan(record)

    async def _review(self, record: Record[Any]) -> None:
        """What time alone changes: nothing was seen for too long, or a newcomer's grace is over."""
        try:
            was_carried_out = await self._reviews.carry_out(record)
        except ObjectGone:
            self.vanished(record.task.uid)
            return
        if was_carried_out and self._records.get(record.task.uid) is record:
            self._reviews.plan(record)

    async def _sweep(self) -> None:
        all_listed_s = self._mono()
        for plural, kind in self._kinds.items():
            known = {uid: record.task for uid, record in self._records.items() if record.kind is kind}
            if not await sweep(kind.api, known, self._records.keys(), partial(self.changed, plural), self.vanished):
                self._sweep_at_s = min(self._sweep_at_s, self._mono() + SWEEP_AGAIN_S)
                all_listed_s = -math.inf
        self._unreadable.forget_before(all_listed_s)
