"""An Event says when something happened, not when there was room to post it; those of one second stay in order."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, cast

from kubernetes.aio import client

from livetask_operator.kube.events import AT_ONCE, Events
from livetask_operator.observability.metrics import Metrics
from livetask_operator.reconcile.reasons import Reason
from livetask_operator.reconcile.resource import moment
from tests.kube.small_world import run, within
from tests.polling.fake_time import now_s
from tests.reconcile.given import relay_task

WAITING = 5
MANY = 8


class Posted:
    """An API server that takes Events and keeps them."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.posting = Events(client.ApiClient(client.Configuration(host="http://127.0.0.1:9")), now_s, Metrics())
        self.posting._core = cast("client.CoreV1Api", self)

    async def create_namespaced_event(self, _: str, body: dict[str, Any], **__: object) -> None:
        self.bodies.append(body)


def test_one_that_had_to_wait_tells_when_it_happened() -> None:
    async def story() -> list[dict[str, Any]]:
        posted = Posted()
        work = asyncio.create_task(posted.posting.run())
        for number in range(AT_ONCE + WAITING):
            posted.posting.note(relay_task(f"relay-{number}"), Reason.RUNNING, "It runs.")
        await within(60, lambda: len(posted.bodies) == AT_ONCE + WAITING, "all of them")
        work.cancel()
        return posted.bodies

    bodies = run(story())

    # The clock on the wall stands still here, so what waited for some seconds reads as so many seconds earlier.
    waited_s = (datetime.now(UTC) - moment(bodies[-1]["firstTimestamp"])).total_seconds()
    assert WAITING - 1 <= waited_s <= WAITING + 10
    assert bodies[-1]["firstTimestamp"] == bodies[-1]["lastTimestamp"] < bodies[0]["firstTimestamp"]


def test_those_of_one_moment_are_in_order_by_their_names() -> None:
    async def story() -> list[str]:
        posted = Posted()
        for reason in list(Reason)[:MANY]:
            posted.posting.note(relay_task(), reason, "So it is.")
            await asyncio.sleep(0.001)
        await posted.posting.drain()
        return [body["metadata"]["name"] for body in posted.bodies]

    names = run(story())

    assert names == sorted(names)
    assert len(set(names)) == MANY
