"""The longest list that the vendor gives: what a round of 10,000 tasks costs, in calls and in the event loop's time.

Apart from the other tests against the simulator, as its cloud is filled from inside: one order each would take longer
than all the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from livetask_operator.vendors.catalogue import relay_vendors
from livetask_operator.vendors.contract import Look, Observation, RelayVendor, TaskRef
from livetask_operator.vendors.transport import Transport
from livetask_simulator.client import Simulator
from livetask_simulator.server import running
from livetask_simulator.world import World
from tests.vendors.huawei.conversation import KEY, PROJECT, task

TASKS = 10_000
PAGES = 100
ACCOUNT = "sports"
HELD_UP_AT_MOST_S = 0.05
"""So long, in CPU time, others in the loop may have to wait for what is done in one go."""


@pytest.fixture
def cloud() -> Iterator[Simulator]:
    """A project with 10,000 tasks, of an account that may ask as often as it likes; in a thread and loop of its own."""
    world = World()
    times = {"start_time": "2026-11-21T20:00:00Z", "end_time": "2026-11-28T20:00:00Z"}
    for name in names():
        world.huawei.tasks.start(ACCOUNT, PROJECT, name, details=times)
    url, over, listens = "", asyncio.Event(), threading.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        nonlocal url
        async with running(world) as server:
            url = server.url
            listens.set()
            await over.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert listens.wait(10)
    simulator = Simulator(url)
    simulator.huawei.add_account(ACCOUNT)
    simulator.huawei.add_key(ACCOUNT, KEY.key_id, KEY.secret)
    simulator.huawei.quota(ACCOUNT, "ListPullTasks", TASKS)
    yield simulator
    loop.call_soon_threadsafe(over.set)
    thread.join()
    loop.close()


@pytest.fixture
async def vendor(cloud: Simulator) -> AsyncIterator[RelayVendor]:
    async with Transport("livetask-operator/0.1.0 (test)") as transport:
        yield relay_vendors(transport, huawei_endpoint=cloud.url)["HuaweiCloud"]


def names() -> Iterator[str]:
    return (f"t-{number:05}" for number in range(TASKS))


def tasks() -> list[TaskRef]:
    return [task(name) for name in names()]


def states(looks: list[Look]) -> set[str]:
    return {look.state if isinstance(look, Observation) else look.reason for look in looks}


async def test_10_000_tasks_are_followed_with_100_calls_a_round(cloud: Simulator, vendor: RelayVendor) -> None:
    for done in (1, 2):
        looks = await vendor.look(KEY, tasks())

        calls = cloud.calls(account=ACCOUNT)
        assert (len(looks), states(list(looks.values()))) == (TASKS, {"Running"})
        assert (len(calls), {call.task_id for call in calls}) == (done * PAGES, {""}), "nothing was asked for by its id"


async def test_a_hundred_of_them_that_ended_cost_a_call_each_once(cloud: Simulator, vendor: RelayVendor) -> None:
    ended = [task(name) for name in list(names())[::100]]
    for each in ended:
        cloud.huawei.forget_task(ACCOUNT, PROJECT, each.task)

    costs = []
    for _ in range(3):
        before = len(cloud.calls(account=ACCOUNT))
        looks = await vendor.look(KEY, tasks())
        costs.append(len(cloud.calls(account=ACCOUNT)) - before)
        assert states([looks[each] for each in ended]) == {"NotFound"}

    assert costs == [PAGES + 100, PAGES, PAGES]


async def test_a_round_of_10_000_holds_nobody_up(vendor: RelayVendor) -> None:
    held_up_s = 0.0

    async def others() -> None:
        nonlocal held_up_s
        while True:
            before_s = time.thread_time()
            await asyncio.sleep(0)
            held_up_s = max(held_up_s, time.thread_time() - before_s)

    waiting = asyncio.create_task(others())
    await vendor.look(KEY, tasks())
    waiting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await waiting

    assert held_up_s < HELD_UP_AT_MOST_S
