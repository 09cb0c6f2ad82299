"""Keys over an hour, or between two calls: how often a refused one is tried, and what a new one is believed.

The operator's own parts in simulated time; at real vendors' words and a real API server: `test_credentials.py`.
"""

from __future__ import annotations

import asyncio

from livetask_operator.kube.api import Unavailable
from livetask_operator.reconcile.resource import RELAY_TASKS
from livetask_operator.vendors.contract import Credential, CredentialsRejected, State, StopAnswer, StopOutcome, TaskRef
from tests.kube.small_world import Vendor, World, alibaba, run, within, world
from tests.polling.fake_time import now_s

HOUR_S = 3600.0
SPREAD_S = 5.0
"""Whoever waits for a refused key's next trial comes a little after it, in a spread."""


class Forgetting(Vendor):
    """A vendor that does not know a stopped task any more, as Tencent Cloud and Huawei Cloud."""

    async def stop(self, credential: Credential, task: TaskRef) -> StopAnswer:
        if self.state is State.NOT_FOUND:
            self.stops.append((now_s(), credential.key_id))
            return StopAnswer(StopOutcome.GONE)
        answer = await super().stop(credential, task)
        self.state = State.NOT_FOUND
        return answer


def forgetting() -> Forgetting:
    like = alibaba()
    names = ("name", "title", "block", "application_field", "look_call", "stop_call")
    return Forgetting(**{name: getattr(like, name) for name in names})


async def runs(stage: World, name: str = "cup-final") -> str:
    uid = stage.server.create(name, block={"taskId": name}, pollIntervalSeconds=3600)
    await within(8, lambda: stage.server.ready(uid) == "True/Running", "Running")
    return uid


def rotate(stage: World) -> None:
    stage.secrets.data["sports/alibaba"] = {"id": "key-2", "key": "new"}


def test_a_refused_key_of_a_hundred_objects_is_tried_sixteen_times_in_an_hour_and_at_once_when_it_is_mended() -> None:
    async def story() -> tuple[list[float], float]:
        async with world() as stage:
            stage.vendor.rejects = "wrong"
            for namespace in ("sports", "news"):
                stage.secrets.data[f"{namespace}/alibaba"] = {"id": "key-1", "key": "wrong"}
            uids = [
                stage.server.create(f"task-{number}", namespace, block={"taskId": str(number)}, pollIntervalSeconds=5)
                for number, namespace in enumerate(["sports", "news"] * 50)
            ]
            await within(60, lambda: stage.vendor.looks, "the first trial")
            await asyncio.sleep(HOUR_S + 60)
            first_s = stage.vendor.looks[0][0]
            tries = [at_s - first_s for at_s, _ in stage.vendor.looks]
            stage.secrets.data["sports/alibaba"] = {"id": "key-1", "key": "right"}
            mended_s = now_s()
            sports = [uid for uid in uids if uid.startswith("sports")]
            await within(30, lambda: all(stage.server.ready(uid) == "True/Running" for uid in sports), "Running")
            return tries, now_s() - mended_s

    tries, mended_in_s = run(story())

    planned = [0, 5, 15, 30, 60, *range(360, 3700, 300)]
    assert len(tries) <= len(planned) == 17, "a key that is tried again and again locks its account"
    assert all(plan <= tried for plan, tried in zip(planned, tries, strict=False)), tries
    assert tries[-1] > HOUR_S - 600, "and it is never given up"
    assert mended_in_s < 5 + SPREAD_S


def test_a_refused_key_of_deleted_objects_is_tried_as_sparingly_and_the_new_one_stops_all() -> None:
    async def story() -> tuple[int, float, set[str]]:
        async with world() as stage:
            uids = [await runs(stage, f"task-{number}") for number in range(30)]
            stage.vendor.stop_fails = CredentialsRejected("switched off")
            for uid in uids:
                stage.server.delete(uid)
            await asyncio.sleep(1)
            on_their_way = len(stage.vendor.stops)
            await asyncio.sleep(HOUR_S)
            tries = len(stage.vendor.stops)
            stage.vendor.stop_fails = None
            rotate(stage)
            rotated_s = now_s()
            await within(30, lambda: not stage.server.bodies, "all gone")
            return tries - on_their_way, now_s() - rotated_s, {key for _, key in stage.vendor.stops[tries:]}

    tries, took_s, keys = run(story())

    assert 4 < tries <= 16, "after those that were on their way with the first, one at a time"
    assert took_s < 5 + SPREAD_S
    assert keys == {"key-2"}


async def blocked(stage: World) -> str:
    """A deleted object whose key the vendor refused, and would take now."""
    uid = await runs(stage)
    stage.vendor.stop_fails = CredentialsRejected("switched off")
    stage.server.delete(uid)
    await within(10, lambda: stage.server.ready(uid) == "Unknown/CredentialsRejected", "blocked")
    stage.vendor.stop_fails = None
    stage.vendor.stops.clear()
    return uid


def test_a_new_key_that_never_saw_the_task_stops_it_and_lets_its_object_go() -> None:
    async def story() -> tuple[list[str], list[str]]:
        async with world(forgetting()) as stage:
            await blocked(stage)
            rotate(stage)
            await within(10, lambda: not stage.server.bodies, "gone")
            return [key for _, key in stage.vendor.stops], stage.secrets.events

    stops, told = run(story())

    assert stops == ["key-2"]
    assert told == ["Running", "CredentialsRejected", "StopAccepted"]


def test_it_lets_it_go_too_where_the_operator_ended_between_the_stop_and_the_end() -> None:
    async def story() -> tuple[list[str], list[str]]:
        async with world(forgetting()) as stage:
            uid = await blocked(stage)
            stage.server.refuses["remove"] = Unavailable("503")
            rotate(stage)
            await within(10, lambda: stage.vendor.stops, "the stop")
            await asyncio.sleep(1)
            stage.follow.vanished(uid)  # a new process knows the object alone
            stage.server.refuses.clear()
            stage.follow.changed(RELAY_TASKS, stage.server.copy(uid))
            await within(10, lambda: not stage.server.bodies, "gone")
            return [key for _, key in stage.vendor.stops], stage.secrets.events[2:]

    stops, told = run(story())

    assert stops == ["key-2", "key-2"]
    assert told[-1] == "AlreadyGone"


def test_where_the_kept_key_is_refused_too_the_secret_is_what_is_missing_and_the_key_is_not_tried_again() -> None:
    async def story() -> tuple[str, str, int]:
        async with world() as stage:
            uid = await runs(stage)
            stage.vendor.stop_fails = CredentialsRejected("expired")
            del stage.secrets.data["sports/alibaba"]
            stage.server.delete(uid)
            await asyncio.sleep(600)
            blocked = stage.server.ready(uid), stage.server.body(uid)["status"]["conditions"][0]["message"]
            tries = len(stage.vendor.stops)
            stage.vendor.stop_fails = None
            stage.secrets.data["sports/alibaba"] = {"id": "key-2", "key": "new"}
            await within(10, lambda: not stage.server.bodies, "gone")
            return *blocked, tries

    ready, message, tries = run(story())

    assert ready == "Unknown/SecretNotFound"
    assert "none can be created: stop the task in the vendor's console" in message
    assert tries == 1
