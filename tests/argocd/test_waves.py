"""Sync waves: what a task of an early wave means for those that come after it."""

from __future__ import annotations

import pytest

from tests.argocd.conftest import Team
from tests.lifecycle.page import Shell


def test_a_second_wave_comes_when_the_first_is_on_the_air(team: Team) -> None:
    team.starts("first", 0)
    team.starts("second")

    app = team.deploys(team.task("first"), team.task("second", wave=1))

    app.says("waiting for healthy state of livetask.dev/RelayTask/first")
    assert team.relays("second").body() is None
    team.becomes("first", 1)
    app.reaches("Synced", "Healthy")
    app.ends("Succeeded")


def test_a_first_wave_that_failed_fails_the_sync_at_once(team: Team) -> None:
    team.starts("first", 6)
    team.starts("second")

    app = team.deploys(team.task("first"), team.task("second", wave=1), retry={"limit": 0})

    app.says("one or more synchronization tasks completed unsuccessfully")
    assert app.operation["phase"] == "Failed"
    assert team.relays("second").body() is None
    shown = next(each for each in app.operation["syncResult"]["resources"] if each["name"] == "first")
    assert shown["message"] == team.relays("first").condition("Stalled")["message"]


@pytest.mark.parametrize("why", ["ended", "suspended"])
def test_a_first_wave_that_ended_or_is_suspended_holds_the_sync_until_somebody_ends_it(
    team: Team, shell: Shell, why: str
) -> None:
    team.starts("first", 2 if why == "ended" else 1)
    team.starts("second")

    app = team.deploys(team.task("first", suspend=why == "suspended"), team.task("second", wave=1))

    app.shows("first", "Suspended")
    app.says("waiting for healthy state of livetask.dev/RelayTask/first")
    assert app.operation["phase"] == "Running"
    assert team.relays("second").body() is None
    team.ends_sync(shell)
    assert app.operation["message"].startswith("Operation terminated")


def test_in_one_wave_an_ended_task_holds_nothing(team: Team) -> None:
    team.starts("first", 2)
    team.starts("second")

    app = team.deploys(team.task("first"), team.task("second"))

    app.reaches("Synced", "Suspended")
    app.ends("Succeeded")
    assert team.relays("second").reaches("Running")


def test_pruned_waves_go_in_reverse_each_when_the_one_above_has_gone(team: Team) -> None:
    for task in ("first", "second", "stays"):
        team.starts(task)
    app = team.deploys(team.task("first"), team.task("second", wave=1), team.task("stays", wave=2))
    app.reaches("Synced", "Healthy")
    away = team.fault("reset", operation="StopLiveMPUTask")

    team.commits(team.task("stays", wave=2))

    team.relays("second").holds("Reconciling", "VendorUnavailable", within_s=60)
    app.says("waiting for deletion of livetask.dev/RelayTask/second")
    assert "deletionTimestamp" not in team.relays("first").body()["metadata"]
    team.cloud.clear_faults(fault_id=away)
    team.relays("first").is_gone(within_s=60)
    app.reaches("Synced", "Healthy")
    assert [call.task_id for call in team.stops() if call.stopped_task] == ["second", "first"]


def test_what_is_pruned_last_goes_after_all_waves(team: Team) -> None:
    for task in ("first", "second", "stays"):
        team.starts(task)
    app = team.deploys(team.task("first"), team.task("second", wave=1, options="PruneLast=true"), team.task("stays"))
    app.reaches("Synced", "Healthy")

    team.commits(team.task("stays"))

    team.relays("second").is_gone(within_s=60)
    app.reaches("Synced", "Healthy")
    assert [call.task_id for call in team.stops() if call.stopped_task] == ["first", "second"]
