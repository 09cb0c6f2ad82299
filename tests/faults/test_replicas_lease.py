"""The Lease, hour by hour in a moment: who holds it, who waits for it, and when it is given up.

What the published leader election of the client library gets wrong is here one by one: it cannot make its Lease, never
lets go of it, gives up at the first refused connection, waits for ever for an answer, and tells local time as UTC.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from kubernetes.aio import client

from livetask_operator.kube import lease
from livetask_operator.kube.lease import Lease, LeaseLost
from livetask_operator.vendors.contract import NotSent
from tests.kube.small_world import refusal, run
from tests.polling.fake_time import now_s


class Leases:
    """The API server's Leases, of which there is one. `fails` makes what each request raises after `takes_s`."""

    def __init__(self) -> None:
        self.entry: Any = None
        self.version = 0
        self.fails: Callable[[], Exception] | None = None
        self.takes_s = 0.01
        self.reads: list[float] = []

    async def _request(self) -> None:
        await asyncio.sleep(self.takes_s)
        if self.fails is not None:
            raise self.fails()

    async def read_namespaced_lease(self, name: str, namespace: str, *, _request_timeout: float) -> Any:
        self.reads.append(now_s())
        async with asyncio.timeout(_request_timeout):
            await self._request()
        if self.entry is None:
            raise refusal(404, "NotFound", f"leases {name} not found")
        return copy.deepcopy(self.entry)

    async def create_namespaced_lease(self, namespace: str, body: Any, **_: object) -> None:
        await self._request()
        if self.entry is not None:
            raise refusal(409, "AlreadyExists", "it exists")
        self._put(body)

    async def replace_namespaced_lease(self, name: str, namespace: str, body: Any, **_: object) -> None:
        await self._request()
        if body.metadata.resource_version != str(self.version):
            raise refusal(409, "Conflict", "the object has been modified")
        self._put(body)

    def _put(self, body: Any) -> None:
        self.version += 1
        body.metadata.resource_version = str(self.version)
        self.entry = copy.deepcopy(body)

    def label(self) -> None:
        """Somebody puts a label on it."""
        self.entry.metadata.labels = {"seen": "by-an-auditor"}
        self._put(self.entry)

    @property
    def holder(self) -> str:
        return "" if self.entry is None else str(self.entry.spec.holder_identity)


def replica(leases: Leases, name: str) -> Lease:
    claim = Lease(client.ApiClient(client.Configuration()), "livetask-system", "livetask-operator", name, now_s)
    claim._leases = cast("client.CoordinationV1Api", leases)
    return claim


async def leader(leases: Leases, name: str = "first") -> tuple[Lease, asyncio.Task[None]]:
    """A replica that holds the Lease and keeps it."""
    claim = replica(leases, name)
    await claim.acquire()
    return claim, asyncio.create_task(claim.keep())


def test_the_first_replica_makes_the_lease_and_says_when_in_utc() -> None:
    async def story() -> Any:
        leases = Leases()
        await replica(leases, "first").acquire()
        return leases.entry

    spec = run(story()).spec

    assert (spec.holder_identity, spec.lease_duration_seconds) == ("first", 15)
    assert spec.renew_time.tzinfo is UTC
    assert abs((datetime.now(UTC) - spec.renew_time).total_seconds()) < 60


def test_one_of_many_that_start_at_once_leads() -> None:
    async def story() -> int:
        leases = Leases()
        claims = [asyncio.create_task(replica(leases, f"replica-{number}").acquire()) for number in range(10)]
        await asyncio.sleep(14)
        led = sum(claim.done() for claim in claims)
        for claim in claims:
            claim.cancel()
        return led

    assert run(story()) == 1


@pytest.mark.parametrize("killed_after_s", [10 + each / 8 for each in range(17)])
def test_who_is_killed_is_replaced_within_the_duration_and_two_seconds(killed_after_s: float) -> None:
    async def story() -> float:
        leases = Leases()
        _, keeping = await leader(leases)
        standby = asyncio.create_task(replica(leases, "second").acquire())
        await asyncio.sleep(killed_after_s)
        keeping.cancel()
        killed_s = now_s()
        await standby
        return now_s() - killed_s

    took_s = run(story())

    assert lease.RENEW_DEADLINE_S < took_s < lease.LEASE_DURATION_S + 2


def test_who_ends_in_order_is_replaced_at_once() -> None:
    async def story() -> float:
        leases = Leases()
        claim, keeping = await leader(leases)
        standby = asyncio.create_task(replica(leases, "second").acquire())
        await asyncio.sleep(30)
        keeping.cancel()
        await claim.release()
        released_s = now_s()
        await standby
        return now_s() - released_s

    assert run(story()) < lease.RETRY_S


def test_standbys_that_start_together_do_not_ask_together() -> None:
    async def story() -> list[float]:
        leases = Leases()
        _, keeping = await leader(leases)
        leases.reads.clear()
        keeping.cancel()
        standbys = [asyncio.create_task(replica(leases, f"standby-{number}").acquire()) for number in range(20)]
        await asyncio.sleep(10)
        for each in standbys:
            each.cancel()
        return leases.reads

    reads = run(story())
    late = [at_s for at_s in reads if at_s > reads[0] + 5]

    assert len({round(at_s, 2) for at_s in late}) > len(late) // 2


@pytest.mark.parametrize(
    "fault",
    [
        ConnectionRefusedError,
        lambda: refusal(503, "ServiceUnavailable", "etcd"),
        lambda: refusal(401, "Unauthorized", "a token"),
    ],
    ids=["refused", "5xx", "token"],
)
def test_an_outage_of_some_seconds_costs_the_leader_nothing(fault: Callable[[], Exception]) -> None:
    async def story() -> tuple[bool, str]:
        leases = Leases()
        claim, keeping = await leader(leases)
        await asyncio.sleep(20)
        leases.fails = fault
        await asyncio.sleep(lease.RENEW_DEADLINE_S - 2 * lease.RETRY_S - 0.1)
        leases.fails = None
        await asyncio.sleep(10)
        claim.may_change()
        over = keeping.done()
        keeping.cancel()
        return over, leases.holder

    assert run(story()) == (False, "first")


HANGS = 3600.0


@pytest.mark.parametrize(
    "breaks",
    [
        pytest.param(lambda leases: setattr(leases, "fails", ConnectionRefusedError), id="the API server is gone"),
        pytest.param(lambda leases: setattr(leases, "takes_s", HANGS), id="each renewal hangs"),
        pytest.param(lambda leases: setattr(leases, "takes_s", 2.9), id="each renewal takes long"),
    ],
)
def test_after_its_own_deadline_a_leader_changes_nothing_more(breaks: Callable[[Leases], Any]) -> None:
    """Asked as often as can be: what the guard allows last must be in time, whenever the task learns of its loss."""

    async def story() -> tuple[float, float]:
        leases = Leases()
        claim, keeping = await leader(leases)
        await asyncio.sleep(20)
        breaks(leases)
        allowed_s = renewed_s = now_s()
        while not keeping.done():
            renewed_s = max(renewed_s, claim._renewed_s)
            try:
                claim.may_change()
                allowed_s = now_s()
            except NotSent:
                pass
            await asyncio.sleep(0.01)
            if leases.takes_s == 2.9 and now_s() > renewed_s + 60:
                break  # slow is not lost
        keeping.cancel()
        return allowed_s, renewed_s

    allowed_s, renewed_s = run(story())

    assert allowed_s < renewed_s + lease.RENEW_DEADLINE_S


def test_a_process_that_was_stopped_for_a_minute_changes_nothing_before_it_learns_of_its_loss() -> None:
    async def story() -> None:
        leases = Leases()
        claim, keeping = await leader(leases)
        await asyncio.sleep(20)

        asyncio.get_running_loop()._jumping.now_s += 60  # type: ignore[attr-defined]  # nothing runs meanwhile

        assert not keeping.done(), "nobody has told it yet"
        with pytest.raises(NotSent, match="not this process's any more"):
            claim.may_change()
        with pytest.raises(LeaseLost):
            await keeping

    run(story())


def test_who_finds_another_in_its_place_changes_nothing_more() -> None:
    async def story() -> None:
        leases = Leases()
        claim, keeping = await leader(leases)
        leases.entry.spec.holder_identity = "another"
        leases.label()
        with pytest.raises(LeaseLost, match="was taken by another"):
            await keeping
        with pytest.raises(NotSent):
            claim.may_change()

    run(story())


def test_who_gave_the_lease_away_changes_nothing_more() -> None:
    async def story() -> None:
        leases = Leases()
        claim, keeping = await leader(leases)
        keeping.cancel()
        leases.takes_s = 1.0
        giving_away = asyncio.create_task(claim.release())
        await asyncio.sleep(0)
        with pytest.raises(NotSent):
            claim.may_change()
        await giving_away
        assert leases.holder == ""

    run(story())


def test_a_standby_changes_nothing() -> None:
    async def story() -> None:
        with pytest.raises(NotSent):
            replica(Leases(), "second").may_change()

    run(story())


def test_a_label_that_somebody_puts_on_the_lease_costs_the_leader_nothing() -> None:
    async def story() -> tuple[bool, str]:
        leases = Leases()
        _, keeping = await leader(leases)
        for _ in range(200):  # now and then right between its reading and its writing
            await asyncio.sleep(0.117)
            leases.label()
        over = keeping.done()
        keeping.cancel()
        return over, leases.holder

    assert run(story()) == (False, "first")
