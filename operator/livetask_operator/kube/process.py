"""The operator as a process: connects, waits for the Lease, follows, and ends in good order.

What else runs in the loop is started here, so that one place knows what must end before what.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from livetask_operator.config import Config
from livetask_operator.kube.api import ObjectApi
from livetask_operator.kube.connection import Connection, connect
from livetask_operator.kube.follow import Follow
from livetask_operator.kube.hearing import Hearing
from livetask_operator.kube.lease import Lease, LeaseLost
from livetask_operator.kube.reach import Reach
from livetask_operator.kube.scope import Scope
from livetask_operator.kube.turns import HEARTBEAT
from livetask_operator.kube.watching import watch
from livetask_operator.observability.enquiries import Enquiries
from livetask_operator.observability.health import Health
from livetask_operator.observability.metrics import Metrics
from livetask_operator.reconcile.preload_resource import PRELOAD_TASKS
from livetask_operator.reconcile.resource import RELAY_TASKS, Instant
from livetask_operator.vendors.contract import PreloadVendor, RelayVendor

HEARTBEAT_WITHIN_S = 30.0
LAG_EVERY_S = 1.0
SETTLED_S = 15.0
"""After so long the objects of the start have been looked at."""
EVENTS_GRACE_S = 3.0
"""For what is still to be posted at the end: an API server that hangs must not keep the Lease from the next."""

log = logging.getLogger("livetask.process")


@dataclass(frozen=True)
class Vendors:
    """Who can be asked, by the block of the spec that names it."""

    relay: Mapping[str, RelayVendor]
    preload: Mapping[str, PreloadVendor]


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    scope: Scope
    leader_elect: bool
    lease_name: str
    lease_namespace: str
    identity: str
    user_agent: str


def now() -> Instant:
    """The real clocks."""
    return Instant(datetime.now(UTC), time.monotonic())


async def run(
    options: Options, config: Config, vendors: Vendors, metrics: Metrics, health: Health, enquiries: Enquiries
) -> int:
    """Run until a signal. Returns the exit code: 0 after a signal, 1 where it cannot go on. Raises NoCluster."""
    stop = asyncio.Event()
    _listen_to_signals(stop)
    async with connect(options.user_agent) as connection:
        log.info("%s starts", options.user_agent, extra={"fields": _start_fields(options, config, connection)})
        lease = _lease(options, connection, health)
        apis = {plural: ObjectApi(connection.api, plural, options.scope) for plural in (RELAY_TASKS, PRELOAD_TASKS)}
        reach = Reach(connection.api, tuple(apis.values()), health)
        reaching = asyncio.create_task(reach.run(), name="reach")  # as a standby, too: could it act at once?
        try:
            if lease is not None:
                health.become_ready()
                if not await _before(stop, lease.acquire()):
                    return 0
            metrics.leader.set(1)
            follow = Follow(
                connection.api,
                apis,
                vendors.relay,
                vendors.preload,
                config,
                metrics,
                health,
                now,
                time.monotonic,
                (lambda: None) if lease is None else lease.may_change,
            )
            enquiries.answer = follow.knowing.answer
            hearing = Hearing(tuple(apis.values()), health, reach.unwell_s)
            work = {
                asyncio.create_task(_measure_lag(metrics), name="lag"),
                asyncio.create_task(hearing.run(), name="hearing"),
                reaching,
            }
            listen = partial(_listen_to_signals, stop)  # kopf puts its own in their place, and would end at once
            watching = partial(watch, connection, follow, options.scope, heard=hearing.heard, begun=listen)
            return await _lead(follow, health, lease, work, watching, stop)
        finally:
            metrics.leader.set(0)
            enquiries.answer = None
            reaching.cancel()


def _start_fields(options: Options, config: Config, connection: Connection) -> dict[str, object]:
    """What a reader of the log wants to know first."""
    return {
        "server": connection.api.configuration.host,
        "namespaces": ",".join(options.scope.namespaces) or "all",
        "selector": options.scope.selector,
        "stops": config.stops.value,
        "cluster": config.cluster_name,
    }


async def _lead(
    follow: Follow,
    health: Health,
    lease: Lease | None,
    work: set[asyncio.Task[None]],
    watch: Callable[[asyncio.Event], Coroutine[Any, Any, None]],
    stop: asyncio.Event,
) -> int:
    """Follow until a signal, or until a part of it ends that must not. `work` is done besides, `watch` is kopf's."""
    kopf_ready = asyncio.Event()
    asyncio.get_running_loop().call_later(SETTLED_S, _keep_what_is_there)
    health.require(HEARTBEAT, HEARTBEAT_WITHIN_S)
    work |= {
        asyncio.create_task(follow.run(), name="scheduler"),
        asyncio.create_task(follow.secrets.run(), name="Secrets"),
        asyncio.create_task(follow.events.run(), name="Events"),
    }
    if lease is not None:
        work.add(asyncio.create_task(lease.keep(), name="Lease"))
    watching = asyncio.create_task(watch(kopf_ready), name="kopf")
    asked_to_stop = asyncio.create_task(stop.wait(), name="signal")
    became_ready = asyncio.create_task(kopf_ready.wait())
    ends: set[asyncio.Task[Any]] = {*work, watching, asked_to_stop}
    done, _ = await asyncio.wait({*ends, became_ready}, return_when=asyncio.FIRST_COMPLETED)
    if done == {became_ready}:
        health.become_ready()
        done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    code = 0 if stop.is_set() else 1
    keeps_lease = all(_tell_end(task) for task in done - {asked_to_stop, became_ready})

    await follow.stop()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(EVENTS_GRACE_S):
            await follow.events.drain()
    if lease is not None and keeps_lease:
        await lease.release()
    for task in work | {watching, asked_to_stop, became_ready}:
        task.cancel()
    await asyncio.gather(*work, watching, asked_to_stop, became_ready, return_exceptions=True)
    return code


def _tell_end(task: asyncio.Task[object]) -> bool:
    """Say why a part that should run for ever has ended. Returns whether the Lease is still ours."""
    error = None if task.cancelled() else task.exception()
    if isinstance(error, LeaseLost):
        log.critical("%s; this process ends, another goes on", error)
        return False
    log.critical("%s ended; this process ends with it", task.get_name(), exc_info=error)
    return True


def _lease(options: Options, connection: Connection, health: Health) -> Lease | None:
    if not options.leader_elect:
        return None

    def tell(in_the_way: str) -> None:
        if in_the_way:
            health.note("Lease", in_the_way, work_goes_on=False)
        else:
            health.settle("Lease")

    namespace = options.lease_namespace or connection.own_namespace
    return Lease(connection.lease_api, namespace, options.lease_name, options.identity, time.monotonic, tell)


async def _before(stop: asyncio.Event, work: Coroutine[Any, Any, object]) -> bool:
    """Do something unless the end comes first. Returns whether it was done."""
    doing, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            doing.result()
        return doing.done()
    finally:
        doing.cancel()
        stopping.cancel()


def _listen_to_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


def _keep_what_is_there() -> None:
    """What the start brought lives long; to look through it for cycles again and again would hold the loop up."""
    gc.collect(1)
    gc.freeze()


async def _measure_lag(metrics: Metrics) -> None:
    """How late the loop is: while it is, nobody is served in time."""
    while True:
        began_s = time.monotonic()
        await asyncio.sleep(LAG_EVERY_S)
        metrics.loop_lag_seconds.set(max(0.0, time.monotonic() - began_s - LAG_EVERY_S))
