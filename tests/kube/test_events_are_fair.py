"""Events are posted in a spread, each namespace in its turn; a flood of one costs another nothing."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from kubernetes.aio import client

from livetask_operator.kube.events import READY_AT_MOST, Events
from livetask_operator.observability.metrics import Metrics
from livetask_operator.reconcile.reasons import Reason
from tests.kube.small_world import run, within
from tests.polling.fake_time import now_s
from tests.reconcile.given import relay_task


class Posted:
    """An API server that takes Events; each post takes some time."""

    def __init__(self, takes_s: float) -> None:
        self.takes_s = takes_s
        self.events: list[tuple[float, str, str]] = []
        self.metrics = Metrics()
        self.posting = Events(client.ApiClient(client.Configuration(host="http://127.0.0.1:9")), now_s, self.metrics)
        self.posting._core = cast("client.CoreV1Api", self)

    async def create_namespaced_event(self, namespace: str, body: dict[str, Any], **_: object) -> None:
        await asyncio.sleep(self.takes_s)
        self.events.append((now_s(), namespace, body["reason"]))

    def of(self, namespace: str) -> list[str]:
        return [reason for _, where, reason in self.events if where == namespace]

    async def wait_for(self, namespace: str, reason: Reason) -> float:
        """Wait until one is posted. Returns how long that took."""
        began_s = now_s()
        await within(60, lambda: reason.value in self.of(namespace), reason)
        return now_s() - began_s


def test_a_tenant_whose_objects_flap_does_not_keep_anothers_events_from_it() -> None:
    async def story() -> tuple[float, int]:
        posted = Posted(takes_s=0.005)
        work = asyncio.create_task(posted.posting.run())
        flapping = [relay_task(f"task-{number}", "tenant") for number in range(300)]
        for reason in (Reason.RUNNING, Reason.SUSPENDED) * 5:
            for task in flapping:
                posted.posting.note(task, reason, "again")
        posted.posting.note(relay_task("cup-final", "victim"), Reason.RUNNING, "it runs")
        took_s = await posted.wait_for("victim", Reason.RUNNING)
        work.cancel()
        return took_s, len(posted.of("tenant"))

    took_s, flood = run(story())

    assert took_s <= 3, "the next second's one is its own, not the 300th's"
    assert flood <= 60


def test_warnings_about_deleted_objects_are_not_limited_and_still_in_turn() -> None:
    async def story() -> float:
        posted = Posted(takes_s=0.05)
        work = asyncio.create_task(posted.posting.run())
        for number in range(300):
            held = relay_task(f"task-{number}", "tenant", deleted_after_s=1)
            posted.posting.note(held, Reason.SECRET_NOT_FOUND, "not stopped yet")
        held = relay_task("cup-final", "victim", deleted_after_s=1)
        posted.posting.note(held, Reason.CREDENTIALS_REJECTED, "not stopped yet")
        took_s = await posted.wait_for("victim", Reason.CREDENTIALS_REJECTED)
        work.cancel()
        return took_s

    assert run(story()) <= 0.2


def test_what_waits_for_the_api_server_is_bounded_and_the_newest_is_kept() -> None:
    async def story() -> tuple[int, list[str], float]:
        posted = Posted(takes_s=0.0)
        held = relay_task("held", "tenant", deleted_after_s=1)
        for _ in range(READY_AT_MOST + 500):
            posted.posting.note(held, Reason.SECRET_NOT_FOUND, "not stopped yet")
        posted.posting.note(held, Reason.STOP_NOT_CONFIRMED, "not stopped yet")
        await posted.posting.drain()
        dropped = posted.metrics.registry.get_sample_value("livetask_events_dropped_total")
        return len(posted.events), posted.of("tenant")[-1:], dropped or 0.0

    assert run(story()) == (READY_AT_MOST, ["StopNotConfirmed"], 501.0)


def test_of_one_objects_waiting_events_the_newest_is_posted() -> None:
    async def story() -> list[str]:
        posted = Posted(takes_s=0.0)
        work = asyncio.create_task(posted.posting.run())
        for number in range(25):
            posted.posting.note(relay_task(f"task-{number}", "tenant"), Reason.RUNNING, "it runs")
        late = relay_task("late", "victim")
        for reason in (Reason.RUNNING, Reason.PAUSED, Reason.RUNNING, Reason.STOPPED):
            posted.posting.note(late, reason, "changed")
        await asyncio.sleep(30)
        work.cancel()
        return posted.of("victim")

    assert run(story()) == ["Stopped"]


def test_events_that_wait_for_ten_minutes_are_dropped_and_counted() -> None:
    async def story() -> tuple[int, float]:
        posted = Posted(takes_s=0.0)
        work = asyncio.create_task(posted.posting.run())
        for number in range(1_000):
            posted.posting.note(relay_task(f"task-{number}", "tenant"), Reason.RUNNING, "it runs")
        await asyncio.sleep(1_000)
        work.cancel()
        dropped = posted.metrics.registry.get_sample_value("livetask_events_dropped_total")
        return len(posted.events), dropped or 0.0

    posted, dropped = run(story())

    assert 620 <= posted <= 630
    assert posted + dropped == 1_000
