"""A stop in its last moments: not sent where it must not be any more, and kept from being sent by nothing small."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from livetask_operator.kube.api import Refused
from livetask_operator.vendors.contract import PermissionDenied, State, StopOutcome
from tests.kube.small_world import WATCH_S, World, alibaba, run, within, world


async def running(stage: World, **spec: Any) -> str:
    uid = stage.server.create(**spec)
    await within(10, lambda: stage.server.ready(uid) == "True/Running", "Running")
    return uid


@pytest.mark.parametrize("takes_s", [0.05, 3.0])
def test_a_status_that_may_not_be_written_keeps_no_task_running(takes_s: float) -> None:
    async def story() -> tuple[int, State]:
        async with world(alibaba(takes_s=takes_s)) as stage:
            uid = await running(stage)
            stage.server.refuses["status"] = Refused("403: no right to patch relaytasks/status")
            stage.server.delete(uid)
            await within(10, lambda: not stage.server.bodies, "gone")
            return len(stage.vendor.stops), stage.vendor.state

    assert run(story()) == (1, State.STOPPED)


def test_a_stop_that_had_no_effect_is_sent_again_though_no_status_can_be_written() -> None:
    async def story() -> int:
        async with world(alibaba(in_vain=1)) as stage:
            uid = await running(stage)
            stage.server.refuses["status"] = Refused("403: no right to patch relaytasks/status")
            stage.server.delete(uid)
            await within(30, lambda: not stage.server.bodies, "gone")
            return len(stage.vendor.stops)

    assert run(story()) == 2


def test_an_edit_to_orphan_that_only_the_last_listing_shows_keeps_the_task_on_the_air() -> None:
    async def story() -> int:
        async with world() as stage:
            uid = await running(stage)
            stage.server.delete(uid)
            await asyncio.sleep(WATCH_S * 0.9)
            stage.server.watched = None  # the watch hangs
            stage.server.edit(uid, deletionPolicy="Orphan")
            await within(5, lambda: not stage.server.bodies, "gone")
            return len(stage.vendor.stops)

    assert run(story()) == 0


def test_an_object_that_somebody_let_go_by_hand_is_not_stopped() -> None:
    async def story() -> int:
        async with world() as stage:
            uid = await running(stage)
            stage.server.delete(uid)
            await asyncio.sleep(WATCH_S * 0.9)
            stage.server.gone = None  # the watch hangs
            stage.server.drop(uid)
            await asyncio.sleep(30)
            return len(stage.vendor.stops)

    assert run(story()) == 0


def test_no_look_settles_a_refusal_once_orphan_was_seen() -> None:
    async def story() -> tuple[int, int]:
        async with world(alibaba(takes_s=1.0, outcome=StopOutcome.UNSETTLED)) as stage:
            uid = await running(stage, pollIntervalSeconds=3600)
            stage.server.delete(uid)
            await within(5, lambda: stage.vendor.stops, "the stop")
            looks = len(stage.vendor.looks)
            stage.server.edit(uid, deletionPolicy="Orphan")
            await within(5, lambda: not stage.server.bodies, "gone")
            return len(stage.vendor.stops), len(stage.vendor.looks) - looks

    assert run(story()) == (1, 0)


def test_what_was_in_the_way_is_not_said_any_more_once_the_stop_is_accepted() -> None:
    async def story() -> str:
        async with world(alibaba(stop_fails=PermissionDenied("the key may not do this"))) as stage:
            uid = await running(stage)
            stage.server.delete(uid)
            await within(5, lambda: stage.server.ready(uid) == "Unknown/PermissionDenied", "the cause")
            stage.vendor.stop_fails, stage.vendor.in_vain = None, len(stage.vendor.stops) + 1
            await within(70, lambda: stage.server.ready(uid) != "Unknown/PermissionDenied", "another status")
            return stage.server.ready(uid)

    assert run(story()) == "False/Stopping"


def test_deletions_that_come_together_ask_for_the_crd_together() -> None:
    async def story() -> int:
        async with world() as stage:
            uids = [await running(stage, name=f"task-{number}", block={"taskId": str(number)}) for number in range(20)]
            asked = stage.server.requests.count("crd")
            for uid in uids:
                stage.server.delete(uid)
            await within(20, lambda: not stage.server.bodies, "gone")
            assert len(stage.vendor.stops) == len(uids)
            return stage.server.requests.count("crd") - asked

    assert run(story()) <= 4


def test_what_was_read_of_the_crd_before_a_deletion_was_seen_is_not_believed() -> None:
    async def story() -> int:
        async with world() as stage:
            own = await running(stage, name="own", block={"taskId": "own"})
            with_crd = await running(stage, name="with-crd", block={"taskId": "with-crd"})
            stage.server.delete(own)
            await within(10, lambda: len(stage.vendor.stops) == 1, "its stop, and a reading of the CRD with it")
            stage.server.crd_is_terminating = True
            stage.server.delete(with_crd)
            await within(10, lambda: not stage.server.bodies, "gone")
            return len(stage.vendor.stops)

    assert run(story()) == 1
