"""Random lives on the real control plane, at all vendors at once: nothing wrong on the way, the truth and silence then.

The long way is `test_state_machine.py`, in fake time. What vendors say here is broken in every way that the simulated
clouds have. The seed is printed with a failure; `SEED=7` plays it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest

from livetask_operator.vendors.catalogue import relay_vendors
from livetask_operator.vendors.transport import Transport
from tests.controlplane import ControlPlane
from tests.faults.real_lives import ABOUT_S, Recorder, Walk, leaks, wrong_stops
from tests.faults.seeds import MORE
from tests.stage.objects import Objects, wait_for
from tests.stage.processes import Cloud, Operator
from tests.stage.vendors import Alibaba, Customer, Huawei, Side, Tencent

STAGE = "any-life"
CUSTOMERS = 9
PLAYS_S = 15.0 * MORE
PAUSE_S = 0.04
"""Between two things that happen: to each customer one or two in a second."""
SETTLES_S = 75.0
"""A look that fails is tried again after a minute at most, a stop after half of one."""
QUIET_S = 11.0
"""Two intervals."""
SEED = int(os.environ.get("SEED", "1" if MORE == 1 else str(random.randrange(10**6))))
_NUMBERS = itertools.count()
SIDES: tuple[type[Side], ...] = (Alibaba, Tencent, Huawei)


@pytest.fixture
def operator(kubeconfig: Path, cloud: Cloud, tmp_path: Path) -> Iterator[Operator]:
    operator = Operator(
        kubeconfig, cloud.url, tmp_path, arguments=("--no-leader-elect", "--selector", f"stage={STAGE}")
    )
    yield operator
    operator.process.stop()


@pytest.fixture
def recorder(installed: ControlPlane, objects: Objects) -> Iterator[Recorder]:
    recorder = Recorder(objects, f"stage={STAGE}")
    yield recorder
    recorder.ends()


def test_whatever_happens_no_task_is_leaked_or_wrongly_stopped_and_each_status_ends_true_and_quiet(
    installed: ControlPlane, objects: Objects, cloud: Cloud, operator: Operator, recorder: Recorder
) -> None:
    print(f"SEED={SEED}")
    chance = random.Random(SEED)
    walks = [
        Walk(Customer.moves_in(f"{STAGE}-{n}", objects, cloud.admin, side, stage=STAGE), random.Random(f"{SEED} {n}"))
        for n, side in zip(range(CUSTOMERS), cycle(SIDES), strict=False)
    ]
    for walk in walks:
        walk.customer.put_secret("spare")
        walk.begins()

    until = time.monotonic() + PLAYS_S
    crashes = [until - PLAYS_S * 0.6]
    while time.monotonic() < until:
        chance.choice(walks).step()
        time.sleep(PAUSE_S)
        if crashes and time.monotonic() > crashes[0]:
            crashes.pop()
            operator.kill()
            operator.start()
    for walk in walks:
        walk.heals()
    settled = _settles(walks)
    loud = _writes(installed, operator)

    story = "\n".join(sorted(line for walk in walks for line in walk.log))
    assert settled == [], story
    assert sorted(set(recorder.histories.complaints)) == []
    assert [each for walk in walks for each in wrong_stops(walk, recorder)] == [], story
    assert [each for walk in walks for each in leaks(walk, recorder)] == [], story
    assert loud == [], story
    assert recorder.histories.versions > 5 * CUSTOMERS
    assert operator.answer("/healthz") is not None
    assert [line for line in operator.lines() if "a fault in the operator" in line["message"]] == []


@pytest.fixture
def walk(installed: ControlPlane, objects: Objects, cloud: Cloud) -> Walk:
    """A customer whose object somebody else has put the finalizer on: there is no operator."""
    customer = Customer.moves_in(f"{STAGE}-by-hand-{next(_NUMBERS)}", objects, cloud.admin, Alibaba, stage=STAGE)
    walk = Walk(customer, random.Random(1))
    walk.starts("t1")
    relay = customer.relay("a", "t1")
    objects.merge(relay.path, {"metadata": {"finalizers": ["livetask.dev/stop"]}})
    return walk


def test_a_stop_of_a_task_that_is_followed_is_caught(cloud: Cloud, recorder: Recorder, walk: Walk) -> None:
    time.sleep(1.5 * ABOUT_S)  # long enough to be certain that it was followed

    asyncio.run(_stop_by_hand(walk.customer, cloud.url))

    time.sleep(1.5 * ABOUT_S)
    followed, nobody = sorted(wrong_stops(walk, recorder), key=len, reverse=True)
    assert "was stopped at" in followed
    assert "nobody who would stop it was deleted" in nobody
    assert leaks(walk, recorder) == []


async def _stop_by_hand(customer: Customer, url: str) -> None:
    async with Transport("somebody else") as transport:
        vendor = relay_vendors(transport, alibaba_live_endpoint=url)["AlibabaCloud"]
        await vendor.stop(vendor.credential(customer.at.key), vendor.task(customer.at.block_of("t1")))


def test_a_task_that_is_let_go_without_a_stop_is_caught(objects: Objects, recorder: Recorder, walk: Walk) -> None:
    time.sleep(1.5 * ABOUT_S)  # long enough to be certain that it was not started later
    relay = walk.relays()[0]
    relay.delete()

    objects.merge(relay.path, {"metadata": {"finalizers": None}})

    wait_for(lambda: leaks(walk, recorder), "the leak", within_s=5)
    assert wrong_stops(walk, recorder) == []


def _settles(walks: list[Walk]) -> list[str]:
    """Wait until every status is true. Returns what is not in the end."""
    left: list[str] = []

    def is_settled() -> bool:
        left[:] = [each for walk in walks for each in walk.unsettled()]
        return not left

    with contextlib.suppress(AssertionError):
        wait_for(is_settled, "", SETTLES_S)
    return left


def _writes(installed: ControlPlane, operator: Operator) -> list[str]:
    """What the operator writes to the objects while nothing happens."""
    before = len(installed.writes("livetask-operator"))
    time.sleep(QUIET_S)  # there is nothing to wait for but time
    written = installed.writes("livetask-operator")[before:]
    ours = [each for each in written if each.resource == "relaytasks" and each.namespace.startswith(STAGE)]
    return [f"{each.verb} {each.object} {each.subresource}" for each in ours]
