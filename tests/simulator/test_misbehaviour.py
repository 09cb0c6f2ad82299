"""Each fault does over the wire what it says, seen by a plain HTTP client."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from livetask_simulator.admin import read_fault
from livetask_simulator.fields import Fields
from livetask_simulator.ledger import Call
from livetask_simulator.server import Running, running
from livetask_simulator.world import World
from tests.simulator.clouds import ACCOUNT, APP, KEY_ID, TASK, Cloud


@dataclass(frozen=True)
class Wire:
    """A client of a simulator in this loop, signing by the vendor's signer."""

    simulator: Running
    session: aiohttp.ClientSession
    cloud: Cloud

    def fault(self, kind: str, **fault: object) -> None:
        """Set a fault for this account, fields as in the admin API."""
        self.simulator.world.faults.add(read_fault(Fields({"kind": kind, "account": ACCOUNT} | fault, "fault")))

    def ask(self, action: str = "StopLiveMPUTask", version: str = "2016-11-01") -> Any:
        """A signed request, to be awaited or entered."""
        request = self.cloud.signed(action, version, host=self.simulator.url.removeprefix("http://"))
        return self.session.post(
            f"{self.simulator.url}/?{request.query}", headers=dict(request.headers), allow_redirects=False
        )

    def task_status(self) -> int:
        """What the task really is."""
        task = self.cloud.alibaba.tasks.find(ACCOUNT, APP, TASK)
        assert task is not None
        return task.status(self.cloud.clock.monotonic())

    def last_call(self) -> Call:
        """The last entry of the ledger."""
        return self.simulator.world.ledger.calls({"account": ACCOUNT})[-1]

    async def last_call_finished(self) -> Call:
        """The last entry, once the simulator is done with it."""
        await until(lambda: self.last_call().finished)
        return self.last_call()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, five seconds at most."""
    async with asyncio.timeout(5):
        for _ in itertools.takewhile(lambda _: not condition(), itertools.count()):
            await asyncio.sleep(0.005)


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    cloud = Cloud()
    cloud.has_task()
    jar = aiohttp.DummyCookieJar()
    async with (
        running(cloud.world) as simulator,
        aiohttp.ClientSession(cookie_jar=jar, auto_decompress=False) as session,
    ):
        yield Wire(simulator, session, cloud)


async def test_without_a_fault_the_answer_is_the_clouds(wire: Wire) -> None:
    async with wire.ask() as answer:
        body = await answer.json()

    assert (answer.status, body["RequestId"], wire.task_status()) == (200, wire.last_call().request_id, 3)


@pytest.mark.parametrize(("after_effect", "task_status"), [(False, 1), (True, 3)])
async def test_a_reset_loses_the_answer_and_the_stop_only_where_it_comes_first(
    wire: Wire, after_effect: bool, task_status: int
) -> None:
    wire.fault("reset", afterEffect=after_effect)

    with pytest.raises(aiohttp.ClientConnectionError):
        await wire.ask()

    call = await wire.last_call_finished()
    assert wire.task_status() == task_status
    assert (call.fault, call.http_status, call.outcome) == ("reset", None, "OK" if after_effect else None)
    assert call.stopped_task is (True if after_effect else None)


async def test_a_reset_is_a_real_one(wire: Wire) -> None:
    wire.fault("reset")
    request = wire.cloud.signed(host="127.0.0.1")
    reader, writer = await asyncio.open_connection(*wire.simulator.url.removeprefix("http://").split(":"))
    lines = [f"{name}: {value}" for name, value in request.headers.items()]
    writer.write("\r\n".join([f"POST /?{request.query} HTTP/1.1", *lines, "", ""]).encode())

    with pytest.raises(ConnectionResetError):
        await reader.read()

    writer.close()


@pytest.mark.parametrize(("after_effect", "task_status"), [(False, 1), (True, 3)])
async def test_a_hang_answers_nothing_until_the_client_gives_up(
    wire: Wire, after_effect: bool, task_status: int
) -> None:
    wire.fault("hang", afterEffect=after_effect)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await wire.ask()

    call = await wire.last_call_finished()
    assert (call.http_status, wire.task_status()) == (None, task_status)


@pytest.mark.parametrize(("after_effect", "task_status"), [(False, 1), (True, 3)])
async def test_an_error_to_order_has_the_vendors_shape(wire: Wire, after_effect: bool, task_status: int) -> None:
    wire.fault("error", code="ServiceUnavailable", afterEffect=after_effect)

    async with wire.ask() as answer:
        body = await answer.json()

    assert (answer.status, body["Code"], sorted(body)) == (
        503,
        "ServiceUnavailable",
        ["Code", "HostId", "Message", "RequestId"],
    )
    assert (wire.last_call().outcome, wire.task_status()) == ("ServiceUnavailable", task_status)


async def test_throttling_to_order_counts_as_throttled(wire: Wire) -> None:
    wire.fault("throttle", retryAfterMs=2500)

    async with wire.ask() as answer:
        body = await answer.json()

    assert (answer.status, body["Code"], answer.headers["x-acs-retry-after"]) == (400, "Throttling.User", "2500")
    assert wire.last_call().throttled


async def test_an_answer_can_be_anything(wire: Wire) -> None:
    wire.fault("answer", status=502, body="<html>Bad Gateway</html>", headers={"Content-Type": "text/html", "X-A": "b"})

    async with wire.ask() as answer:
        body = await answer.text()

    assert (answer.status, body, answer.content_type, answer.headers["X-A"]) == (
        502,
        "<html>Bad Gateway</html>",
        "text/html",
        "b",
    )
    assert wire.task_status() == 1


async def test_garbage_claims_to_be_json_and_is_none(wire: Wire) -> None:
    wire.fault("garbage")

    async with wire.ask() as answer:
        body = await answer.read()

    assert answer.content_type == "application/json"
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(body)


async def test_a_truncated_body_ends_before_its_length(wire: Wire) -> None:
    wire.fault("truncated")

    async with wire.ask() as answer:
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()

    assert wire.task_status() == 3


async def test_a_huge_body_is_as_large_as_ordered(wire: Wire) -> None:
    wire.fault("huge", sizeBytes=3_000_000)

    async with wire.ask() as answer:
        body = await answer.read()

    assert (len(body), json.loads(body)["Status"]) == (3_000_000, 1)


async def test_a_gzip_bomb_is_small_on_the_wire(wire: Wire) -> None:
    wire.fault("gzip-bomb", sizeBytes=5_000_000)

    async with wire.ask() as answer:
        body = await answer.read()

    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(body) < 50_000
    assert len(gzip.decompress(body)) > 5_000_000


async def test_a_drip_gives_a_byte_at_a_time(wire: Wire) -> None:
    wire.fault("drip", intervalSeconds=0.001)

    async with wire.ask() as answer:
        pieces = [piece async for piece, _ in answer.content.iter_chunks()]

    assert json.loads(b"".join(pieces))["RequestId"]
    assert len(pieces) > 10


async def test_a_slow_drip_outlasts_a_patient_client(wire: Wire) -> None:
    wire.fault("drip", intervalSeconds=0.1)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3), wire.ask() as answer:
            await answer.read()

    assert (await wire.last_call_finished()).fault == "drip"


async def test_a_redirect_leads_to_where_following_it_shows(wire: Wire) -> None:
    wire.fault("redirect", times=1)

    async with wire.ask() as answer:
        location = answer.headers["Location"]
    async with wire.session.get(wire.simulator.url + location) as followed:
        body = await followed.text()

    assert (answer.status, followed.status) == (302, 400)
    assert "<Code>NoSuchVersion</Code>" in body
    assert len(wire.simulator.world.ledger.calls({})) == 2


async def test_a_cookie_comes_with_the_true_answer(wire: Wire) -> None:
    wire.fault("cookie")

    async with wire.ask() as answer:
        assert answer.cookies["session"].value == "simulated"

    assert wire.task_status() == 3


async def test_a_wrong_content_type_comes_with_the_true_answer(wire: Wire) -> None:
    wire.fault("content-type")

    async with wire.ask() as answer:
        body = await answer.read()

    assert (answer.content_type, json.loads(body)["RequestId"]) == ("text/html", wire.last_call().request_id)


@pytest.mark.parametrize(("after_effect", "task_status"), [(False, 1), (True, 3)])
async def test_a_delay_comes_before_or_after_the_effect(wire: Wire, after_effect: bool, task_status: int) -> None:
    wire.fault("delay", delaySeconds=30, afterEffect=after_effect)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await wire.ask()

    await wire.last_call_finished()
    assert wire.task_status() == task_status


async def test_a_delay_ends_with_the_true_answer(wire: Wire) -> None:
    wire.fault("delay", delaySeconds=0.1)
    began = time.monotonic()

    async with wire.ask() as answer:
        body = await answer.json()

    assert time.monotonic() - began >= 0.1
    assert (body["RequestId"], wire.task_status()) == (wire.last_call().request_id, 3)


async def test_a_fault_strikes_as_often_as_ordered_and_after_as_many_as_ordered(wire: Wire) -> None:
    wire.fault("answer", status=500, skip=1, times=2)

    statuses = []
    for _ in range(4):
        async with wire.ask("GetMPUTaskStatus", "2018-01-11") as answer:
            statuses.append(answer.status)

    assert statuses == [200, 500, 500, 200]


@pytest.mark.parametrize(
    "target",
    [{"operation": "GetMPUTaskStatus"}, {"keyId": "LTAI-another"}, {"taskId": "another"}, {"account": "another"}],
)
async def test_a_fault_strikes_nobody_else(wire: Wire, target: dict[str, str]) -> None:
    wire.fault("answer", **({"status": 500} | target))

    async with wire.ask() as answer:
        assert answer.status == 200


async def test_a_fault_strikes_all_that_it_names(wire: Wire) -> None:
    wire.fault("answer", status=500, operation="StopLiveMPUTask", keyId=KEY_ID, appId=APP, taskId=TASK)

    async with wire.ask() as answer:
        assert answer.status == 500


async def test_a_simulator_stops_at_once_though_a_request_hangs() -> None:
    world = World()
    world.faults.add(read_fault(Fields({"kind": "hang"}, "fault")))

    async with aiohttp.ClientSession() as session:
        async with running(world) as simulator:
            waiting = asyncio.ensure_future(session.post(simulator.url))
            await until(lambda: len(world.ledger.calls({})) == 1)
            began = time.monotonic()
        with pytest.raises(aiohttp.ClientConnectionError):
            await waiting

    assert time.monotonic() - began < 1.0
