"""Uninstalling, backing up, restoring and moving, as `manifests/moving.md` says."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.lifecycle.conftest import Place, Places
from tests.lifecycle.on_air import INSTALL, STARTED_WITHIN_S, airs, running
from tests.lifecycle.page import Page, Shell
from tests.stage.objects import wait_for
from tests.stage.tenant import Relay

PAGE = Page("manifests/moving.md")


def test_an_uninstall_that_is_to_stop_the_tasks_stops_each_once_and_leaves_nothing(
    place: Place, shell: Shell, sports: str
) -> None:
    shell.type(INSTALL)
    tenant = place.tenant(sports)
    airs(tenant, "cup-final")
    airs(tenant, "interview")
    tenant.starts("rehearsal")
    tenant.relay("rehearsal", deletionPolicy="Orphan").reaches("Running")
    tenant.preload("opening", streams=["opening"])

    shell.type_all(PAGE.blocks("Uninstall and stop every task"))

    assert running(tenant, "cup-final", "interview", "rehearsal") == [False, False, True]
    assert sorted(call.task_id for call in tenant.stops()) == ["cup-final", "interview"]
    assert_nothing_is_left(place)


def test_an_uninstall_without_the_operator_stops_none_and_leaves_nothing(
    place: Place, shell: Shell, sports: str
) -> None:
    shell.type(INSTALL)
    tenant = place.tenant(sports)
    airs(tenant, "cup-final")
    airs(tenant, "interview")
    shell.type("kubectl delete -k manifests/")

    shell.type_all(PAGE.blocks("Uninstall when the operator is gone already"))

    assert tenant.stops() == []
    assert running(tenant, "cup-final", "interview") == [True, True]
    assert_nothing_is_left(place)


def assert_nothing_is_left(place: Place) -> None:
    wait_for(lambda: place.kinds() == "", lambda: f"no kinds; there are {place.kinds()}", 10)
    assert place.objects.get("/api/v1/namespaces/livetask-system") is None
    assert place.node.running() == []
    for resource in ("clusterroles", "clusterrolebindings"):
        found = place.objects.get(f"/apis/rbac.authorization.k8s.io/v1/{resource}")["items"]
        assert [each["metadata"]["name"] for each in found if "livetask" in each["metadata"]["name"]] == []


def test_an_uninstall_that_is_to_leave_the_tasks_running_stops_none_and_a_restore_follows_them_again(
    place: Place, shell: Shell, sports: str
) -> None:
    shell.type(INSTALL)
    tenant = place.tenant(sports)
    relays = [airs(tenant, "cup-final"), airs(tenant, "ends-meanwhile")]
    before = [relay.body() for relay in relays]
    tenant.preloads("opening")
    preload = tenant.preload("opening", streams=["opening"])
    preload.reaches("Succeeded")
    shell.type_all(PAGE.blocks("Back up"))

    shell.type_all(PAGE.blocks("Uninstall and leave every task running"))

    assert tenant.stops() == []
    assert running(tenant, "cup-final", "ends-meanwhile") == [True, True]
    for relay in relays:
        relay.tells("Orphaned", "Warning")
    assert_nothing_is_left(place)
    tenant.becomes("ends-meanwhile", 2)

    shell.type_all(PAGE.blocks("Restore"))

    relays[0].reaches("Running", within_s=STARTED_WITHIN_S)
    relays[1].reaches("Stopped", within_s=STARTED_WITHIN_S)
    preload.reaches("Succeeded")
    after = [relay.body() for relay in relays]
    assert [each["spec"] for each in after] == [each["spec"] for each in before]
    assert {each["metadata"]["uid"] for each in after}.isdisjoint(each["metadata"]["uid"] for each in before)
    assert tenant.stops() == []
    relays[0].delete()
    relays[0].is_gone()
    assert [call.task_id for call in tenant.stops()] == ["cup-final"]


def test_production_restored_into_staging_cannot_stop_production(places: Places, tmp_path: Path, sports: str) -> None:
    production, staging = places("production"), places("staging")
    shell = Shell(tmp_path, {"production": production.cluster, "staging": staging.cluster})
    shell.type(INSTALL)
    tenant = production.tenant(sports)
    relay = airs(tenant, "cup-final")
    shell.type_all(PAGE.blocks("Back up"))
    as_velero_does(shell.folder / "livetasks.yaml")
    copy = Relay(staging.tenant(sports), "cup-final")

    hold, tidy_up = PAGE.blocks("Restore production into staging")
    shell.type("kubectl config use-context staging")
    shell.type(hold)
    copy.reaches("Running", within_s=STARTED_WITHIN_S)
    copy.delete()
    copy.holds("Reconciling", "StopsHeld")
    shell.type(tidy_up)

    copy.is_gone()
    assert tenant.stops() == []
    assert running(tenant, "cup-final") == [True]
    assert relay.reaches("Running")["observedGeneration"] == 1


def as_velero_does(backup: Path) -> None:
    """Leave of each object what Velero restores: no status, and no metadata that the API server gives it."""
    dropped = {
        "generateName",
        "selfLink",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "ownerReferences",
    }
    listed = yaml.safe_load(backup.read_text())
    for item in listed["items"]:
        item.pop("status", None)
        item["metadata"] = {key: value for key, value in item["metadata"].items() if key not in dropped}
    assert all("livetask.dev/stop" in item["metadata"]["finalizers"] for item in listed["items"])
    backup.write_text(yaml.safe_dump(listed))


def test_a_move_to_another_cluster_ends_no_broadcast_and_is_never_blind(
    places: Places, tmp_path: Path, sports: str
) -> None:
    old, new = places("old"), places("new")
    shell = Shell(tmp_path, {"old": old.cluster, "new": new.cluster})
    shell.type(INSTALL)
    tenant = old.tenant(sports)
    stayed = [airs(tenant, "cup-final"), airs(tenant, "interview")]
    there = new.tenant(sports)

    hold, bring, leave = PAGE.blocks("Move to another cluster")
    shell.type(hold)
    shell.type(bring)
    moved = [Relay(there, "cup-final"), Relay(there, "interview")]
    assert [relay.reaches("Running")["state"] for relay in (*moved, *stayed)] == ["Running"] * 4
    shell.type(leave)

    assert tenant.stops() == []
    assert running(tenant, "cup-final", "interview") == [True, True]
    assert_nothing_is_left(old)
    moved[0].delete()
    moved[0].is_gone()
    assert running(tenant, "cup-final", "interview") == [False, True]


@pytest.mark.parametrize("page", ["moving", "upgrading", "installing"])
def test_nothing_is_to_be_typed_that_no_test_types(page: str) -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))

    titles = Page(f"manifests/{page}.md").typed()

    assert titles != []
    assert [title for title in titles if f'blocks("{title}")' not in tests] == []
