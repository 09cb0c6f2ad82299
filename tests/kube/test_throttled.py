"""What a throttling answer does: that account's call slows down, and recovers by itself; nobody else notices."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from livetask_simulator.client import Call
from tests.stage.objects import Objects
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import Relay, until
from tests.stage.vendors import Alibaba, Customer, Huawei, Side, Tencent

CROWD = 30
"""Objects of the throttled account: at 5 s, six calls a second."""
QUOTA_PER_S = 8
ALLOWED_PER_S = 4
INTERVAL_S = 5.0
SLOWED_S = 10.0
RETRY_AFTER_S = 8.0
"""Longer than the interval: without it the next look would come sooner."""


@dataclass
class Slowed:
    """An account whose vendor allows half of its quota for some seconds, and another account of the same operator."""

    calls: list[Call]
    """Of the throttled account, while it was."""
    afterwards: list[Call]
    """And when the vendor allowed everything again, until each object was looked at."""
    neighbours: list[Call]
    objects: list[Relay]


@pytest.fixture(scope="module")
def operator_of_these(kubeconfig: Path, cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    config = {"quotas": {"alibabaCloud": {"GetMPUTaskStatus": QUOTA_PER_S}}}
    arguments = ("--no-leader-elect", "--selector", "stage=throttled")
    operator = Operator(kubeconfig, cloud.url, tmp_path_factory.mktemp("throttled"), config=config, arguments=arguments)
    yield operator
    assert operator.stop() == 0


@pytest.fixture(scope="module")
def slowed(operator_of_these: Operator, cloud: Cloud, objects: Objects) -> Slowed:
    busy, neighbour = (
        Customer.moves_in(f"throttled-{name}", objects, cloud.admin, Alibaba, stage="throttled")
        for name in ("busy", "neighbour")
    )

    for customer, count in ((busy, CROWD), (neighbour, 3)):
        for number in range(count):
            customer.at.start(f"task-{number}")
    quiet = [neighbour.relay(f"task-{number}") for number in range(3)]
    relays = [busy.relay(f"task-{number}") for number in range(CROWD)]
    for relay in [*quiet, *relays]:
        relay.reaches("Running")
    began = busy.looks()[-1]
    cloud.admin.quota(busy.account, busy.at.look_call, ALLOWED_PER_S)
    until(lambda: busy.looks()[-1].monotonic_s >= began.monotonic_s + SLOWED_S, "some seconds of it", within_s=30)
    cloud.admin.quota(busy.account, busy.at.look_call, 4 * QUOTA_PER_S)
    ended = busy.looks()[-1].seq
    until(lambda: len({call.task_id for call in busy.looks() if call.seq > ended}) == CROWD, "a round", within_s=30)
    calls = [call for call in busy.looks() if call.seq > began.seq]
    neighbours = [call for call in neighbour.looks() if call.seq > began.seq]
    return Slowed(
        [call for call in calls if call.seq <= ended], [call for call in calls if call.seq > ended], neighbours, relays
    )


def test_an_account_that_is_throttled_asks_for_what_it_gets_and_hardly_more(slowed: Slowed) -> None:
    served = [call for call in slowed.calls if not call.throttled]

    assert 1 <= len(slowed.calls) - len(served) <= 6
    assert len(served) >= 0.4 * ALLOWED_PER_S * SLOWED_S


def test_no_other_account_notices(slowed: Slowed) -> None:
    by_task: dict[str, list[float]] = {}
    for call in slowed.neighbours:
        by_task.setdefault(call.task_id, []).append(call.monotonic_s)

    apart_s = [later - earlier for moments_s in by_task.values() for earlier, later in pairwise(moments_s)]
    assert len(by_task) == 3
    assert max(apart_s) <= INTERVAL_S + 1.0


def test_it_recovers_by_itself(slowed: Slowed) -> None:
    """That its whole pace is back within a minute is told by the budget's own tests."""
    length_s = slowed.afterwards[-1].monotonic_s - slowed.afterwards[0].monotonic_s

    assert not [call for call in slowed.afterwards if call.throttled]
    assert len(slowed.afterwards) >= 0.6 * ALLOWED_PER_S * length_s
    for relay in slowed.objects:
        relay.reaches("Running", "Running")


def test_a_wait_that_the_vendor_asks_for_is_kept_at_every_vendor(
    operator_of_these: Operator, cloud: Cloud, objects: Objects
) -> None:
    sides: tuple[type[Side], ...] = (Alibaba, Tencent, Huawei)
    customers = [
        Customer.moves_in(f"asked-to-wait-{number}", objects, cloud.admin, side, stage="throttled")
        for number, side in enumerate(sides)
    ]
    for customer in customers:
        customer.at.start("concert")
        customer.relay("concert").reaches("Running")

    for customer in customers:
        customer.fault(
            "throttle", operation=customer.at.look_call, times=1, retryAfterMs=math.ceil(RETRY_AFTER_S * 1000)
        )

    for customer in customers:
        until(partial(_has_waited, customer), "the look after the wait", within_s=30)
    waits_s = {type(customer.at).__name__: _wait_s(customer.looks()) for customer in customers}
    assert all(RETRY_AFTER_S <= (wait_s or 0) + 0.1 <= RETRY_AFTER_S + 4 for wait_s in waits_s.values()), waits_s


def _has_waited(customer: Customer) -> bool:
    return _wait_s(customer.looks()) is not None


def _wait_s(calls: list[Call]) -> float | None:
    """How long after the throttled call the next one came; None: not yet."""
    found = [later.monotonic_s - call.monotonic_s for call, later in pairwise(calls) if call.throttled]
    return found[0] if found else None
