"""Syncs: Git is followed, changes by hand are put back, what left Git is pruned; the operator causes none of it."""

from __future__ import annotations

import pytest

from tests.argocd.conftest import Team
from tests.controlplane import ControlPlane
from tests.stage.objects import wait_for
from tests.stage.tenant import until


def test_a_spec_that_was_changed_by_hand_is_healed(team: Team) -> None:
    team.starts("cup-final")
    app = team.deploys(team.task("cup-final", stopDelaySeconds=60))
    app.reaches("Synced", "Healthy")
    relay = team.relays("cup-final")

    relay.edit(stopDelaySeconds=0)

    wait_for(lambda: relay.body()["spec"]["stopDelaySeconds"] == 60, "what Git says again", 60)
    app.reaches("Synced", "Healthy")
    assert team.stops() == []


def test_self_heal_reverts_what_git_names_and_leaves_what_it_does_not(team: Team) -> None:
    for task in ("named", "left-out"):
        team.starts(task)
    app = team.deploys(
        team.task("named", suspend=False, deletionPolicy="Stop"),
        team.task("left-out"),
    )
    app.reaches("Synced", "Healthy")
    named, left_out = team.relays("named"), team.relays("left-out")

    left_out.edit(suspend=True, deletionPolicy="Orphan")
    left_out.reaches(reason="Suspended")
    named.edit(suspend=True, deletionPolicy="Orphan")

    wait_for(lambda: wishes(named.body()["spec"]) == (False, "Stop"), "what Git says again", 60)
    app.reaches("Synced", "Suspended")
    assert wishes(left_out.body()["spec"]) == (True, "Orphan")


def wishes(spec: dict[str, object]) -> tuple[object, object]:
    return spec["suspend"], spec["deletionPolicy"]


def test_a_task_that_left_git_is_pruned_stopped_and_waited_for(team: Team) -> None:
    for task in ("cup-final", "interview"):
        team.starts(task)
    app = team.deploys(team.task("cup-final"), team.task("interview"))
    app.reaches("Synced", "Healthy")
    away = team.fault("reset", operation="StopLiveMPUTask")

    team.commits(team.task("cup-final"))

    interview = team.relays("interview")
    interview.holds("Reconciling", "VendorUnavailable", within_s=60)
    assert app.resource("interview")["requiresPruning"]
    app.reaches("OutOfSync", "Progressing")
    team.cloud.clear_faults(fault_id=away)
    interview.is_gone(within_s=60)
    app.reaches("Synced", "Healthy")
    assert not team.runs("interview")
    assert team.runs("cup-final")


def test_a_live_event_is_pruned_only_when_somebody_has_confirmed_it(team: Team) -> None:
    for task in ("cup-final", "interview"):
        team.starts(task)
    app = team.deploys(team.task("cup-final", options="Prune=confirm"), team.task("interview"))
    app.reaches("Synced", "Healthy")

    team.commits(team.task("interview", pollIntervalSeconds=6))

    app.says("waiting for pruning confirmation of livetask.dev/RelayTask/cup-final")
    assert app.operation["phase"] == "Running"
    assert "deletionTimestamp" not in team.relays("cup-final").body()["metadata"]
    assert team.relays("interview").body()["spec"]["pollIntervalSeconds"] == 5, "the rest of its wave waits, too"
    app.confirm()
    team.relays("cup-final").is_gone(within_s=60)
    until(lambda: team.relays("interview").body()["spec"]["pollIntervalSeconds"] == 6, "the rest of the commit", 60)
    app.reaches("Synced", "Healthy")
    assert [call.task_id for call in team.stops()] == ["cup-final"]


def test_the_last_task_of_an_application_is_not_pruned_by_a_slip(team: Team) -> None:
    team.starts("cup-final")
    app = team.deploys(team.task("cup-final"))
    app.reaches("Synced", "Healthy")

    team.commits()

    until(lambda: "auto-sync will wipe out all resources" in str(app.status.get("conditions")), "its refusal", 60)
    assert "deletionTimestamp" not in team.relays("cup-final").body()["metadata"]
    assert team.runs("cup-final")


def test_a_task_that_was_deleted_by_hand_is_stopped_and_its_object_comes_back_to_say_so(team: Team) -> None:
    team.starts("cup-final")
    app = team.deploys(team.task("cup-final"))
    app.reaches("Synced", "Healthy")
    first = team.relays("cup-final").body()["metadata"]["uid"]

    team.relays("cup-final").delete()

    until(lambda: (team.relays("cup-final").body() or {}).get("metadata", {}).get("uid") not in (None, first), "it", 90)
    team.relays("cup-final").reaches("Stopped", within_s=60)
    app.reaches("Synced", "Suspended")
    assert not team.runs("cup-final")


def test_another_task_under_the_same_name_is_refused_and_nothing_is_stopped(team: Team) -> None:
    team.starts("cup-final")
    team.starts("semi-final")
    app = team.deploys(team.task("cup-final", task="semi-final"), retry={"limit": 0})
    app.reaches("Synced", "Healthy")

    team.commits(team.task("cup-final"))

    app.says("failed to apply")
    assert "cannot be changed" in str(app.operation)
    assert team.stops() == []
    assert team.relays("cup-final").body()["spec"]["alibabaCloud"]["taskId"] == "semi-final"


@pytest.mark.parametrize("last", ["the task alone", "both"])
def test_a_task_whose_key_left_git_with_it_is_stopped_even_where_the_key_was_pruned_first(
    team: Team, control_plane: ControlPlane, last: str
) -> None:
    for task in ("cup-final", "stays"):
        team.starts(task)
    of_git = team.secret("of-git", options="PruneLast=true" if last == "both" else "")
    cup_final = team.task("cup-final", options="PruneLast=true", credentialsSecretRef={"name": "of-git"})
    app = team.deploys(team.task("stays"), of_git, cup_final)
    app.reaches("Synced", "Healthy")

    team.commits(team.task("stays"))

    team.relays("cup-final").is_gone(within_s=90)
    app.reaches("Synced", "Healthy")
    assert [call.task_id for call in team.stops() if call.stopped_task] == ["cup-final"]
    deletions = [write for write in control_plane.writes() if write.verb == "delete"]
    pruned = dict.fromkeys(each.name for each in deletions if each.namespace == team.namespace)  # it may ask twice
    if last == "the task alone":
        assert [name for name in pruned if name != "alibaba"] == ["of-git", "cup-final"], "its wave did not count"
