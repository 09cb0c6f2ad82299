"""What a reading that somebody else asked for may do to an object, and what it may not."""

from __future__ import annotations

import asyncio

from livetask_operator.vendors.contract import State
from tests.kube.small_world import WATCH_S, alibaba, run, within, world
from tests.polling.fake_time import now_s


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
