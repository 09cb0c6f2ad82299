"""What Prometheus gets to read of Secrets, and of deletions that are held up: what a person goes by to act."""

from __future__ import annotations

import asyncio

import pytest

from livetask_operator.config import Config
from livetask_operator.config.settings import Stops
from livetask_operator.vendors.contract import CredentialsRejected, PermissionDenied
from tests.kube.shown import shown, value
from tests.kube.small_world import World, alibaba, now, run, within, world

SECRET = {"task_namespace": "sports", "secret": "alibaba", "vendor": "AlibabaCloud"}
NAMES = {"kind": "RelayTask", "task_namespace": "sports", "task": "cup-final"}
BLOCKED = "task_deletion_blocked_since_timestamp_seconds"


def wall_s() -> float:
    return now().wall.timestamp()


def accepted_s(stage: World) -> float | None:
    return value(stage, "secret_accepted_timestamp_seconds", **SECRET)


async def runs(stage: World, uid: str) -> None:
    await within(8, lambda: stage.server.ready(uid) == "True/Running", "Running")


def test_a_time_after_a_secrets_change_means_that_the_new_key_is_accepted() -> None:
    """Never that of a call with the old key, made after the change and before that was noticed."""

    async def story() -> None:
        async with world() as stage:
            await runs(stage, stage.server.create(pollIntervalSeconds=5))
            await asyncio.sleep(60)
            before_s = accepted_s(stage)
            assert before_s is not None
            assert wall_s() - before_s < 15

            for turn in range(8):
                await asyncio.sleep(7.3)
                new_key = f"key-{turn + 2}"
                stage.secrets.data["sports/alibaba"] = {"id": new_key, "key": "secret"}
                changed_s = wall_s()
                while (accepted_s(stage) or 0.0) <= changed_s:
                    assert wall_s() < changed_s + 20, "the new key is not told as accepted"
                    await asyncio.sleep(0.2)
                assert stage.vendor.looks[-1][1] == new_key

    run(story())


def test_a_key_that_is_refused_is_told_with_its_reason_until_a_good_one_is_there() -> None:
    async def story() -> None:
        async with world(alibaba(rejects="wrong")) as stage:
            uid = stage.server.create(pollIntervalSeconds=5)
            await runs(stage, uid)
            assert shown(stage, "secret_refused_timestamp_seconds") == []
            stage.secrets.data["sports/alibaba"]["key"] = "wrong"
            await within(30, lambda: "CredentialsRejected" in stage.server.ready(uid), "refused")
            first_s = wall_s()
            await asyncio.sleep(200)

            refused_s = value(stage, "secret_refused_timestamp_seconds", **SECRET, reason="CredentialsRejected")
            assert refused_s == pytest.approx(first_s, abs=10), "since the first refusal, not the last"
            assert accepted_s(stage) is None

            stage.secrets.data["sports/alibaba"]["key"] = "secret"
            await runs(stage, uid)

            assert shown(stage, "secret_refused_timestamp_seconds") == []
            assert accepted_s(stage) is not None

    run(story())


def test_a_key_that_may_not_stop_is_told_though_it_may_look() -> None:
    async def story() -> None:
        async with world(alibaba(stop_fails=PermissionDenied("not allowed"))) as stage:
            uid = stage.server.create()
            await runs(stage, uid)
            stage.server.delete(uid)
            await within(10, lambda: "PermissionDenied" in stage.server.ready(uid), "refused")

            assert value(stage, "secret_refused_timestamp_seconds", **SECRET, reason="PermissionDenied") is not None
            assert accepted_s(stage) is not None

    run(story())


def test_a_key_that_was_accepted_and_is_refused_now_is_told_as_both() -> None:
    async def story() -> None:
        async with world() as stage:
            uid = stage.server.create(pollIntervalSeconds=5)
            await runs(stage, uid)
            stage.vendor.rejects = "secret"
            await within(30, lambda: "CredentialsRejected" in stage.server.ready(uid), "refused")

            refused_s = value(stage, "secret_refused_timestamp_seconds", **SECRET, reason="CredentialsRejected")
            good_s = accepted_s(stage)
            assert refused_s is not None
            assert good_s is not None
            assert good_s < refused_s

    run(story())


def test_a_deletion_is_blocked_since_its_stop_was_due() -> None:
    async def story() -> None:
        async with world(alibaba(stop_fails=CredentialsRejected("it does not know this key"))) as stage:
            uid = stage.server.create(stopDelaySeconds=20)
            await runs(stage, uid)
            stage.server.delete(uid)
            deleted_s = wall_s()
            await within(10, lambda: stage.server.ready(uid) == "False/StopPending", "the delay")
            await asyncio.sleep(5)
            assert shown(stage, BLOCKED) == []
            assert value(stage, "deletions_waiting", reason="StopPending") == 1

            await within(30, lambda: stage.server.ready(uid) == "Unknown/CredentialsRejected", "refused")
            await asyncio.sleep(60)

            since_s = value(stage, BLOCKED, **NAMES, reason="CredentialsRejected")
            assert since_s == pytest.approx(deleted_s + 20, abs=1)
            assert value(stage, "deletions_waiting", reason="CredentialsRejected") == 1
            failed = value(stage, "stops_total", vendor="AlibabaCloud", outcome="stop_failed")
            assert failed is not None
            assert failed >= 1

            stage.vendor.stop_fails = None
            stage.secrets.data["sports/alibaba"]["key"] = "another"
            await within(20, lambda: not stage.server.bodies, "stopped")
            await asyncio.sleep(1)

            assert shown(stage, BLOCKED) == []
            assert shown(stage, "deletions_waiting") == []

    run(story())


def test_a_deletion_that_is_held_is_blocked_and_one_whose_stop_is_not_confirmed() -> None:
    async def held() -> None:
        async with world(config=Config(stops=Stops.HOLD)) as stage:
            uid = stage.server.create()
            await runs(stage, uid)
            stage.server.delete(uid)
            await within(10, lambda: stage.server.ready(uid) == "Unknown/StopsHeld", "held")

            assert value(stage, BLOCKED, **NAMES, reason="StopsHeld") is not None

    async def in_vain() -> None:
        async with world(alibaba(in_vain=3)) as stage:
            uid = stage.server.create()
            await runs(stage, uid)
            stage.server.delete(uid)
            await within(20, lambda: stage.server.ready(uid) == "Unknown/StopNotConfirmed", "not confirmed")

            assert value(stage, BLOCKED, **NAMES, reason="StopNotConfirmed") is not None

    run(held())
    run(in_vain())


def test_what_was_wrong_before_its_deletion_does_not_block_it() -> None:
    async def story() -> None:
        async with world(alibaba(rejects="secret")) as stage:
            uid = stage.server.create(stopDelaySeconds=60)
            await within(8, lambda: "CredentialsRejected" in stage.server.ready(uid), "refused")
            stage.server.delete(uid)

            for _ in range(50):
                await asyncio.sleep(0.1)
                assert shown(stage, BLOCKED) == []

    run(story())
