"""What a reading that somebody else asked for may do to an object, and what it may not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from livetask_operator.reconcile.resource import REQUESTED_AT
from livetask_operator.vendors.contract import Credential, Look, Observation, State, TaskRef, Turn, at_once
from tests.kube.small_world import WATCH_S, Server, Vendor, alibaba, run, within, world
from tests.polling.fake_time import now_s
from tests.reconcile.given import ALIBABA


def test_a_reading_that_was_under_way_does_not_put_a_stop_off() -> None:
    async def story() -> float:
        async with world(alibaba(takes_s=4.0, look_batch=100)) as stage:
            gone = stage.server.create("gone", block={"taskId": "1"}, pollIntervalSeconds=3600, stopDelaySeconds=7)
            await within(20, lambda: stage.server.ready(gone) == "True/Running", "Running")
            stage.server.create("new", block={"taskId": "2"})
            await asyncio.sleep(WATCH_S * 2)  # a reading for both is under way now
            stage.server.delete(gone)
            deleted_s = now_s()
            await within(60, lambda: stage.vendor.stops, "the stop")
            return stage.vendor.stops[0][0] - deleted_s

    assert run(story()) < 9


def test_an_edit_is_not_taken_for_acted_on_by_a_reading_that_began_before_it() -> None:
    async def story() -> list[str]:
        async with world(alibaba(takes_s=2.0, look_batch=100)) as stage:
            stage.secrets.data["sports/other"] = {"id": "key-2", "key": "secret"}
            uid = stage.server.create("edited", block={"taskId": "1"}, pollIntervalSeconds=3600)
            await within(20, lambda: stage.server.ready(uid) == "True/Running", "Running")
            stage.server.create("new", block={"taskId": "2"})
            await asyncio.sleep(WATCH_S * 2)
            stage.server.edit(uid, credentialsSecretRef={"name": "other"})
            await within(20, lambda: stage.server.body(uid)["status"]["observedGeneration"] == 2, "acted on")
            return [key for _, key in stage.vendor.looks]

    assert "key-2" in run(story())


def test_a_look_that_began_before_an_edit_does_not_speak_for_the_edited_object() -> None:
    async def story() -> tuple[list[str], State]:
        async with world(alibaba(takes_s=2.0)) as stage:
            stage.secrets.data["sports/other"] = {"id": "key-2", "key": "secret"}
            uid = stage.server.create()
            await within(20, lambda: len(stage.vendor.looks) == 1, "a look is under way")
            stage.server.edit(uid, credentialsSecretRef={"name": "other"})
            await within(20, lambda: stage.server.body(uid)["status"]["observedGeneration"] == 2, "acted on")
            return [key for _, key in stage.vendor.looks], stage.vendor.state

    keys, _ = run(story())

    assert keys[:2] == ["key-1", "key-2"]


@dataclass
class Listing(Vendor):
    """A vendor whose looks say which tasks they were for, and whose state may change at any time."""

    asked: list[tuple[float, tuple[str, ...]]] = field(default_factory=list)

    async def look(
        self, credential: Credential, tasks: Sequence[TaskRef], turn: Turn = at_once
    ) -> Mapping[TaskRef, Look]:
        await turn()
        self.asked.append((now_s(), tuple(sorted(each.task for each in tasks))))
        state = self.state
        await asyncio.sleep(self.takes_s)
        return dict.fromkeys(tasks, Observation(state, state.value))


def listing(**settings: Any) -> Listing:
    named = {name: getattr(ALIBABA, name) for name in ("name", "title", "block", "application_field")}
    return Listing(**named, look_call=ALIBABA.look_call, stop_call=ALIBABA.stop_call, look_batch=100, **settings)


def test_who_asks_hears_what_is_so_then_though_a_reading_for_others_who_asked_is_on_its_way() -> None:
    async def story() -> tuple[str, float]:
        vendor = listing(takes_s=4.0)
        async with world(vendor) as stage:
            uid = stage.server.create("mine", block={"taskId": "1"}, pollIntervalSeconds=3600)
            await within(20, lambda: stage.server.ready(uid) == "True/Running", "Running")
            await asyncio.sleep(10)
            ask(stage.server, uid, "first")
            await within(5, lambda: len(vendor.asked) == 2, "the first request's reading")
            stage.server.create("another", block={"taskId": "1"}, pollIntervalSeconds=3600)
            await within(5, lambda: len(vendor.asked) == 3, "a reading of its own for who came later")
            vendor.state = State.FAILED
            ask(stage.server, uid, "second")
            asked_s = now_s()
            await within(20, lambda: handled(stage.server, uid) == "second", "the second request's answer")
            return stage.server.ready(uid), now_s() - asked_s

    ready, waited_s = run(story())

    assert ready == "False/TaskFailed"
    assert waited_s < 11


def test_what_was_seen_later_is_not_overwritten_by_a_reading_that_ends_later() -> None:
    async def story() -> tuple[list[str], list[tuple[str, ...]]]:
        vendor = listing()
        async with world(vendor) as stage:
            uids = [
                stage.server.create(f"t-{number}", block={"taskId": str(number)}, pollIntervalSeconds=30)
                for number in range(3)
            ]
            await within(20, lambda: all(stage.server.ready(uid) == "True/Running" for uid in uids), "Running")
            vendor.asked.clear()
            vendor.takes_s = 8.0
            await within(40, lambda: vendor.asked, "a poll of all")
            vendor.state, vendor.takes_s = State.FAILED, 0.05
            stage.server.edit(uids[1], stopDelaySeconds=1)
            await within(5, lambda: stage.server.ready(uids[1]) == "False/TaskFailed", "what is so now")
            said = []
            for _ in range(100):
                said.append(stage.server.ready(uids[1]))
                await asyncio.sleep(0.1)
            return said, [tasks for _, tasks in vendor.asked[:2]]

    said, asked = run(story())

    assert asked == [("0", "1", "2"), ("1",)]
    assert set(said) == {"False/TaskFailed"}


def test_a_list_is_not_read_as_often_as_its_most_impatient_object_is_looked_at() -> None:
    async def story() -> list[tuple[str, ...]]:
        vendor = listing()
        async with world(vendor) as stage:
            for number in range(20):
                stage.server.create(f"t-{number}", block={"taskId": str(number)}, pollIntervalSeconds=60)
            stage.server.create("busy", block={"taskId": "busy"}, pollIntervalSeconds=5)
            await asyncio.sleep(60)
            vendor.asked.clear()
            await asyncio.sleep(600)
            return [tasks for _, tasks in vendor.asked]

    asked = run(story())

    alone, together = asked.count(("busy",)), sum(len(tasks) == 21 for tasks in asked)
    assert len(asked) == alone + together
    assert 110 <= len(asked) <= 122
    assert 9 <= together <= 21, "once a minute at least, and twice at most"


def test_objects_of_one_interval_are_soon_looked_at_together_whenever_they_came() -> None:
    async def story() -> list[int]:
        vendor = listing()
        async with world(vendor) as stage:
            for number in range(10):
                stage.server.create(f"t-{number}", block={"taskId": str(number)}, pollIntervalSeconds=30)
                await asyncio.sleep(2.9)
            await asyncio.sleep(60)
            vendor.asked.clear()
            await asyncio.sleep(299)
            return [len(tasks) for _, tasks in vendor.asked]

    assert run(story()) in ([10] * 9, [10] * 10)


def handled(server: Server, uid: str) -> str | None:
    value: str | None = server.body(uid)["status"].get("lastHandledRequestedAt")
    return value


def ask(server: Server, uid: str, value: str) -> None:
    """Ask for a look now."""
    body = server.body(uid)
    body["metadata"].setdefault("annotations", {})[REQUESTED_AT] = value
    server._changed(body)
