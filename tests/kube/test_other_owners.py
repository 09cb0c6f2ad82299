"""Another owner of the same task that has only just come: waited for, and neither hammered nor trusted too soon."""

from __future__ import annotations

import asyncio

from livetask_operator.reconcile.resource import FINALIZER
from livetask_operator.vendors.contract import VendorUnavailable
from tests.kube.small_world import alibaba, run, within, world


def test_a_vendor_that_is_down_is_not_hammered_for_the_look_of_another_owner() -> None:
    async def story() -> int:
        async with world() as stage:
            stage.secrets.data["news/alibaba"] = {"id": "key-2", "key": "secret"}
            old = stage.server.create()
            await within(8, lambda: stage.server.ready(old) == "True/Running", "Running")
            stage.vendor.fails = VendorUnavailable("503")
            stage.server.create(namespace="news")
            stage.server.delete(old)
            await asyncio.sleep(29)
            assert stage.vendor.stops == []
            return [key for _, key in stage.vendor.looks].count("key-2")

    assert run(story()) <= 6


def test_an_owner_without_a_finalizer_that_is_deleted_at_once_leaves_nobody_a_task_that_runs() -> None:
    async def story() -> int:
        async with world(alibaba()) as stage:
            old = stage.server.create("old")
            await within(8, lambda: stage.server.ready(old) == "True/Running", "Running")
            stage.server.watched = None
            new = stage.server.create("new", adopted=False)  # the operator does not know of it yet
            stage.server.delete(old)
            stage.follow.changed("relaytasks", stage.server.copy(old))
            await asyncio.sleep(1.0)
            assert old in [body["metadata"]["uid"] for body in stage.server.bodies.values()], "it waits for the other"
            stage.server.drop(new)
            await within(5, lambda: not stage.server.bodies, "gone")
            return len(stage.vendor.stops)

    assert run(story()) == 1


def test_an_owner_that_is_followed_a_moment_later_takes_the_task_over() -> None:
    async def story() -> int:
        async with world(alibaba()) as stage:
            old = stage.server.create("old")
            await within(8, lambda: stage.server.ready(old) == "True/Running", "Running")
            new = stage.server.create("new", adopted=False)
            stage.server.delete(old)
            await within(5, lambda: len(stage.server.bodies) == 1, "the old one gone")
            assert stage.server.body(new)["metadata"]["finalizers"] == [FINALIZER]
            return len(stage.vendor.stops)

    assert run(story()) == 0
