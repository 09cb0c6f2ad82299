"""What Prometheus gets to read of objects and accounts: what is so at that moment, and nothing of who is gone."""

from __future__ import annotations

import asyncio
import re

import pytest

from livetask_operator.config import Config
from livetask_operator.config.settings import AccountGroup
from livetask_operator.kube.api import Unavailable
from livetask_operator.observability.exposition import SLICE
from livetask_operator.observability.families import PER_OBJECT
from livetask_operator.polling.quota import Limit
from livetask_operator.reconcile.resource import RELAY_TASKS
from livetask_operator.vendors.contract import State, VendorUnavailable
from tests.kube.shown import series, shown, status, value
from tests.kube.small_world import World, alibaba, now, run, within, world
from tests.polling.fake_time import now_s
from tests.reconcile.given import CREATED

SPORTS = Config(accounts=(AccountGroup("sports", "AlibabaCloud", ("key-1",)),))
LOOKS = {"vendor": "AlibabaCloud", "account": "sports", "call": "GetMPUTaskStatus"}
NAMES = {"kind": "RelayTask", "task_namespace": "sports", "task": "cup-final"}


async def runs(stage: World, uid: str) -> None:
    await within(8, lambda: stage.server.ready(uid) == "True/Running", "Running")


def block(task: str) -> dict[str, str]:
    return {"appId": "sports-app", "taskId": task}


def wall_s() -> float:
    return now().wall.timestamp()


def test_an_object_that_runs_is_shown_with_its_names_its_account_and_when_it_was_seen() -> None:
    async def story() -> None:
        async with world(config=SPORTS) as stage:
            uid = stage.server.create(pollIntervalSeconds=5)
            await runs(stage, uid)
            seen_s = value(stage, "task_last_seen_timestamp_seconds", **NAMES)
            await asyncio.sleep(60)

            said = {"state": "Running", "ready": "True", "reason": "Running"}
            assert status(stage) == NAMES | said | {"vendor": "AlibabaCloud", "account": "sports"}
            of_kind = {"kind": "RelayTask", "vendor": "AlibabaCloud", "task_namespace": "sports"}
            assert value(stage, "objects", **of_kind, state="Running", reason="Running") == 1
            transition = stage.server.body(uid)["status"]["conditions"][0]["lastTransitionTime"]
            since_s = value(stage, "task_status_since_timestamp_seconds", **NAMES)
            assert since_s == now().wall.fromisoformat(transition).timestamp()
            later_s = value(stage, "task_last_seen_timestamp_seconds", **NAMES)
            assert seen_s is not None
            assert later_s is not None
            assert seen_s + 50 < later_s <= wall_s()
            assert value(stage, "task_deletion_blocked_since_timestamp_seconds", **NAMES) is None
            assert value(stage, "vendor_calls_total", **LOOKS, outcome="ok") == pytest.approx(12, abs=1)
            assert value(stage, "poll_late_seconds_count", vendor="AlibabaCloud") == pytest.approx(12, abs=1)

    run(story())


def test_before_the_first_look_state_and_reason_are_empty_and_it_was_not_seen() -> None:
    async def story() -> None:
        async with world() as stage:
            stage.secrets.takes_s = 30.0
            stage.server.create()
            await asyncio.sleep(10)

            empty = {"account": "", "state": "", "ready": "", "reason": ""}
            assert status(stage) == NAMES | empty | {"vendor": "AlibabaCloud"}
            assert value(stage, "task_status_since_timestamp_seconds", **NAMES) == CREATED.timestamp()
            assert value(stage, "task_last_seen_timestamp_seconds", **NAMES) is None
            assert value(stage, "objects", state="", reason="") == 1

    run(story())


def test_when_it_was_last_seen_stays_while_its_vendor_is_down() -> None:
    async def story() -> None:
        async with world(config=SPORTS) as stage:
            uid = stage.server.create(pollIntervalSeconds=5)
            await runs(stage, uid)
            stage.vendor.fails = VendorUnavailable("down")
            await within(60, lambda: stage.server.ready(uid) == "Unknown/VendorUnavailable", "stale")

            assert status(stage) == {**status(stage), "state": "Running", "reason": "VendorUnavailable"}
            assert status(stage)["account"] == "sports"
            seen_s = value(stage, "task_last_seen_timestamp_seconds", **NAMES)
            assert seen_s is not None
            assert wall_s() - seen_s > 10
            failed = value(stage, "vendor_calls_total", **LOOKS, outcome="VendorUnavailable")
            assert failed is not None
            assert failed >= 2

    run(story())


def test_who_is_gone_is_shown_no_more_nor_the_state_that_it_was_in() -> None:
    async def story() -> None:
        async with world() as stage:
            uid = stage.server.create()
            await runs(stage, uid)
            stage.server.delete(uid)
            await within(10, lambda: not stage.server.bodies, "gone")
            await asyncio.sleep(1)

            assert [name for name, labels, _ in series(stage) if "task" in labels or "secret" in labels] == []
            assert shown(stage, "objects") == []
            assert value(stage, "stops_total", outcome="stop_sent") == 1
            assert value(stage, "stops_total", outcome="stop_accepted") == 1
            assert value(stage, "stops_total", outcome="stop_failed") == 0

    run(story())


def test_of_two_objects_of_one_name_the_one_that_is_there_is_shown() -> None:
    """That the other is gone was not told yet, as after a watch that broke."""

    async def story() -> None:
        async with world(watch=False) as stage:
            await asyncio.sleep(1)
            old = stage.server.create()
            stage.follow.changed(RELAY_TASKS, stage.server.copy(old))
            stage.server.bodies.clear()
            new = stage.server.create(uid="another", status={"state": "Failed"})
            stage.follow.changed(RELAY_TASKS, stage.server.copy(new))

            assert status(stage)["state"] == "Failed"

    run(story())


def test_the_series_of_objects_and_secrets_can_be_left_out() -> None:
    async def story() -> None:
        async with world(config=Config(object_metrics=False)) as stage:
            await runs(stage, stage.server.create())

            text = stage.metrics.text().decode()
            assert [family.name for family in PER_OBJECT if family.name in text] == []
            assert value(stage, "objects", state="Running") == 1

    run(story())


def test_whatever_a_newer_operator_wrote_as_a_state_is_read_as_it_was_written() -> None:
    async def story() -> None:
        async with world(run=False) as stage:
            stage.metrics.begin(stage.follow._showing)
            stage.server.create(status={"state": 'a "new"\\\nstate'})
            await asyncio.sleep(1)

            assert status(stage)["state"] == 'a "new"\\\nstate'

    run(story())


def test_a_key_that_no_vendor_accepted_is_not_counted_with_the_account_that_it_names() -> None:
    async def story() -> None:
        async with world(alibaba(rejects="wrong"), SPORTS) as stage:
            stage.secrets.data["sports/alibaba"] = {"id": "key-1", "key": "wrong"}
            uid = stage.server.create()
            await within(8, lambda: "CredentialsRejected" in stage.server.ready(uid), "refused")

            assert status(stage)["account"] == "(unproven)"
            assert value(stage, "vendor_calls_total", account="(unproven)", outcome="CredentialsRejected") == 1
            assert [labels for _, labels, _ in series(stage) if labels.get("account") == "sports"] == []

            stage.secrets.data["sports/alibaba"] = {"id": "key-1", "key": "secret"}
            await runs(stage, uid)

            assert status(stage)["account"] == "sports"

    run(story())


def test_an_account_is_shown_while_it_is_in_use_and_not_for_ever() -> None:
    async def story() -> None:
        async with world(config=SPORTS) as stage:
            uid = stage.server.create(pollIntervalSeconds=3600)
            await runs(stage, uid)
            for _ in range(13):
                await asyncio.sleep(600)
                assert value(stage, "quota_limit_per_second", **LOOKS) == pytest.approx(53.3, abs=0.1)
                assert value(stage, "account_round_factor", **LOOKS) == 1
                assert value(stage, "account_round_seconds", **LOOKS) == 3600
            stage.server.delete(uid)
            await asyncio.sleep(8000)

            assert [labels for _, labels, _ in series(stage) if labels.get("account") == "sports"] == []

    run(story())


def test_an_oversubscribed_account_tells_how_long_a_round_takes_and_that_nothing_is_left() -> None:
    quotas = {"GetMPUTaskStatus": Limit(per_second=2.0)}
    config = Config(accounts=(AccountGroup("sports", "AlibabaCloud", ("key-1",), quotas),))

    async def story() -> None:
        async with world(config=config) as stage:
            for number in range(100):
                stage.server.create(f"t-{number}", pollIntervalSeconds=5, alibabaCloud=block(f"t-{number}"))
            await asyncio.sleep(600)

            factor = value(stage, "account_round_factor", **LOOKS)
            assert factor == pytest.approx(10, rel=0.2), "100 tasks at 2 calls a second: a round of 50 seconds"
            assert value(stage, "account_round_seconds", **LOOKS) == pytest.approx(50, rel=0.2)
            assert value(stage, "quota_used_per_second", **LOOKS) == pytest.approx(2, abs=1)
            assert value(stage, "quota_left_per_second", **LOOKS) == pytest.approx(0, abs=1)
            assert value(stage, "quota_waiting", **LOOKS, who="polls") == pytest.approx(2, abs=1)
            late = "poll_late_seconds_bucket"
            soon = value(stage, late, vendor="AlibabaCloud", le="2.5")
            all_of_them = value(stage, late, vendor="AlibabaCloud", le="+Inf")
            assert soon is not None
            assert all_of_them is not None
            assert soon < all_of_them / 2

    run(story())


def test_the_time_in_line_counts_where_an_accounts_quota_is_small() -> None:
    """A poll that stands in a line of two at a call a second is two seconds later than it began to."""
    quotas = {"GetMPUTaskStatus": Limit(per_second=1.0)}
    config = Config(accounts=(AccountGroup("sports", "AlibabaCloud", ("key-1",), quotas),))

    async def story() -> None:
        async with world(config=config) as stage:
            for number in range(12):
                stage.server.create(f"t-{number}", pollIntervalSeconds=5, alibabaCloud=block(f"t-{number}"))
            await asyncio.sleep(600)

            times = [at_s for at_s, _ in stage.vendor.looks][-121:]
            interval_s = (times[-1] - times[0]) / 10
            assert value(stage, "account_round_factor", **LOOKS) == pytest.approx(interval_s / 5, rel=0.05)

    run(story())


def test_polls_of_ended_tasks_which_come_last_are_not_told_as_late() -> None:
    async def story() -> None:
        async with world(alibaba(state=State.STOPPED)) as stage:
            stage.server.create(pollIntervalSeconds=5)
            await asyncio.sleep(120)

            assert len(stage.vendor.looks) > 20
            assert value(stage, "poll_late_seconds_count", vendor="AlibabaCloud") in (None, 0, 1), "the first of all"

    run(story())


def test_of_a_thousand_objects_no_part_has_more_than_a_few_hundred() -> None:
    async def story() -> None:
        async with world(run=False) as stage:
            stage.metrics.begin(stage.follow._showing)
            for number in range(1_000):
                stage.server.create(f"t-{number}", alibabaCloud=block(f"t-{number}"))
            await asyncio.sleep(1)

            parts = [part async for part in stage.metrics.parts()]

            lines = [len(re.findall(rb"^livetask_(?:objects|task|secret)", part, re.MULTILINE)) for part in parts]
            assert sum(lines) > 2_000
            assert max(lines) <= SLICE

    run(story())


def test_an_object_that_comes_or_goes_while_the_metrics_are_read_is_no_trouble() -> None:
    async def story() -> None:
        async with world() as stage:
            uids = [stage.server.create(f"t-{number}", alibabaCloud=block(f"t-{number}")) for number in range(600)]
            await asyncio.sleep(30)

            read = stage.metrics.parts()
            text = b""
            while b"livetask_task_status{" not in text:
                text += await anext(read)
            for number, uid in enumerate(uids[300:]):
                stage.follow.vanished(uid)
                new = stage.server.create(f"new-{number}", alibabaCloud=block(f"new-{number}"))
                stage.follow.changed(RELAY_TASKS, stage.server.copy(new))
            text += b"".join([part async for part in read])

            assert text.count(b"livetask_task_status{") == 600, "as it was when they were asked for"
            assert len(shown(stage, "task_status", kind="RelayTask")) == 600

    run(story())


def test_a_cause_is_told_though_the_api_server_takes_no_status() -> None:
    async def story() -> None:
        async with world(alibaba(stop_fails=VendorUnavailable("down"))) as stage:
            uid = stage.server.create()
            await runs(stage, uid)
            stage.server.refuses["status"] = Unavailable("it does not answer")
            stage.server.delete(uid)
            deleted_s = wall_s()
            await asyncio.sleep(30)
            assert shown(stage, "task_deletion_blocked_since_timestamp_seconds") == []

            await asyncio.sleep(40)

            blocked_s = value(stage, "task_deletion_blocked_since_timestamp_seconds", **NAMES, reason="Running")
            assert blocked_s == pytest.approx(deleted_s, abs=1)

    run(story())


def test_an_object_that_cannot_be_read_and_is_not_followed_is_counted() -> None:
    async def story() -> None:
        async with world() as stage:
            uid = stage.server.create("from-a-newer-crd", alibabaCloud=None, moonCloud={"taskId": "t"})
            await runs(stage, stage.server.create())

            assert value(stage, "unreadable_objects") == 1

            stage.follow.vanished(uid)

            assert value(stage, "unreadable_objects") == 0

    run(story())


def test_an_object_that_can_be_read_again_is_not_counted_any_more() -> None:
    async def story() -> None:
        async with world() as stage:
            uid = stage.server.create()
            await runs(stage, uid)
            stage.server.edit(uid, deletionPolicy="FromANewerCrd")
            await within(5, lambda: value(stage, "unreadable_objects") == 1, "it is counted")

            stage.server.edit(uid, deletionPolicy="Stop")

            await within(5, lambda: value(stage, "unreadable_objects") == 0, "it is not counted any more")

    run(story())


def test_one_that_went_while_the_watch_was_down_is_not_counted_for_ever() -> None:
    async def story() -> None:
        async with world() as stage:
            uid = stage.server.create("from-a-newer-crd", alibabaCloud=None, moonCloud={"taskId": "t"})
            stage.server.create("that-stays", alibabaCloud=None, moonCloud={"taskId": "t"})
            await within(5, lambda: value(stage, "unreadable_objects") == 2, "they are counted")
            stage.server.gone = None

            stage.server.drop(uid)

            await asyncio.sleep(310)
            assert value(stage, "unreadable_objects") == 1

    run(story())


def test_the_clock_of_the_world_is_the_loops() -> None:
    """What the times above are compared with."""

    async def story() -> tuple[float, float]:
        before = now_s()
        await asyncio.sleep(10)
        return before, now_s()

    before, after = run(story())

    assert after - before == pytest.approx(10, abs=0.1)
