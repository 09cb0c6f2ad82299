"""A task's object gets another name in Git: with the settings of the samples the broadcast goes on."""

from __future__ import annotations

from tests.argocd.conftest import Team
from tests.lifecycle.page import Shell


def test_pruned_last_a_renamed_task_stays_on_the_air(team: Team) -> None:
    team.starts("cup-final")
    app = team.deploys(team.task("cup-final", options="PruneLast=true"))
    app.reaches("Synced", "Healthy")

    team.commits(team.task("final", task="cup-final", options="PruneLast=true"))

    old = team.relays("cup-final")
    old.is_gone(within_s=90)
    app.reaches("Synced", "Healthy")
    assert old.tells("LeftRunning", "Warning")
    assert team.relays("final").reaches("Running")
    assert team.runs("cup-final")
    assert team.stops() == []


def test_with_a_delay_a_renamed_task_stays_on_the_air(team: Team) -> None:
    team.starts("cup-final")
    app = team.deploys(team.task("cup-final", stopDelaySeconds=15))
    app.reaches("Synced", "Healthy")

    team.commits(team.task("final", task="cup-final", stopDelaySeconds=15))

    old, new = team.relays("cup-final"), team.relays("final")
    new.reaches("Running", within_s=60)
    assert (old.body() is None) or old.condition()["reason"] == "StopPending"
    old.is_gone(within_s=60)
    app.reaches("Synced", "Healthy")
    assert old.tells("LeftRunning", "Warning")
    assert team.runs("cup-final")
    assert team.stops() == []


def test_without_either_a_renamed_task_whose_successor_comes_later_is_stopped(team: Team) -> None:
    team.starts("cup-final")
    team.starts("interview")
    app = team.deploys(team.task("cup-final"), team.task("interview"))
    app.reaches("Synced", "Healthy")

    team.commits(team.task("final", task="cup-final", wave=1), team.task("interview", pollIntervalSeconds=6))

    old, new = team.relays("cup-final"), team.relays("final")
    old.is_gone(within_s=60)
    new.reaches("Stopped", within_s=60)
    assert old.tells("StopAccepted", "Normal")
    app.reaches("Synced", "Suspended")
    assert not team.runs("cup-final")


def test_without_either_it_is_a_matter_of_luck_and_whatever_came_is_told(team: Team) -> None:
    team.starts("cup-final")
    app = team.deploys(team.task("cup-final"))
    app.reaches("Synced", "Healthy")

    team.commits(team.task("final", task="cup-final"))

    old, new = team.relays("cup-final"), team.relays("final")
    old.is_gone(within_s=60)
    app.reaches("Synced")
    told = {event["reason"] for event in old.events()}
    stopped = "StopAccepted" in told
    assert ("LeftRunning" in told) != stopped
    assert team.runs("cup-final") != stopped
    new.reaches("Stopped" if stopped else "Running", within_s=60)


def test_pruned_last_a_rename_waits_for_a_task_that_has_ended_unless_only_what_differs_is_applied(
    team: Team, shell: Shell
) -> None:
    team.starts("cup-final")
    team.starts("yesterday", 2)
    app = team.deploys(team.task("cup-final", options="PruneLast=true"), team.task("yesterday"))
    app.reaches("Synced", "Suspended")

    team.commits(team.task("final", task="cup-final", options="PruneLast=true"), team.task("yesterday"))

    app.says("waiting for healthy state of livetask.dev/RelayTask/yesterday")
    app.shows("final", "Healthy")
    assert "deletionTimestamp" not in team.relays("cup-final").body()["metadata"]
    team.ends_sync(shell)
    app.merge({"spec": {"syncPolicy": {"syncOptions": ["ApplyOutOfSyncOnly=true"]}}})
    team.commits(
        team.task("final", task="cup-final", options="PruneLast=true", pollIntervalSeconds=6), team.task("yesterday")
    )
    team.relays("cup-final").is_gone(within_s=90)
    app.reaches("Synced", "Suspended")
    assert team.runs("cup-final")
    assert team.stops() == []
