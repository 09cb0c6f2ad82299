"""A RelayTask's status follows its task at the vendor, and nothing is written when nothing changes."""

from __future__ import annotations

import itertools
import time

import pytest

from tests.controlplane import ControlPlane
from tests.reconcile.checker import contradictions
from tests.reconcile.kstatus import kstatus
from tests.stage.tenant import Tenant, until

SERVICE_ACCOUNT = "system:serviceaccount:livetask-system:livetask-operator"


@pytest.mark.parametrize(
    ("status", "state", "ready", "reason", "also", "kubernetes"),
    [
        (0, "Pending", "Unknown", "Pending", "Reconciling", "InProgress"),
        (1, "Running", "True", "Running", None, "Current"),
        (2, "Stopped", "False", "Stopped", None, "InProgress"),
        (3, "Stopped", "False", "Stopped", None, "InProgress"),
        (4, "Stopped", "False", "Stopped", None, "InProgress"),
        (5, "Failed", "False", "TaskFailed", "Stalled", "Failed"),
        (6, "Failed", "False", "TaskFailed", "Stalled", "Failed"),
        (99, "Unknown", "Unknown", "UnknownVendorStatus", None, "InProgress"),
    ],
)
def test_each_word_of_the_vendor_has_its_state(
    tenant: Tenant, status: int, state: str, ready: str, reason: str, also: str | None, kubernetes: str
) -> None:
    tenant.starts("cup-final")
    tenant.cloud.set_task(tenant.account, tenant.app, "cup-final", raw_status=status)

    relay = tenant.relay("cup-final")

    seen = relay.reaches(state, reason, within_s=3)
    assert seen["vendorStatus"] == str(status)
    assert seen["vendor"] == "AlibabaCloud"
    assert relay.condition("Ready")["status"] == ready
    assert {kind for kind in ("Reconciling", "Stalled") if relay.condition(kind)} == ({also} if also else set())
    assert contradictions(relay.body()) == []
    assert kstatus(relay.body()) == kubernetes


def test_the_status_follows_a_task_through_its_life(tenant: Tenant) -> None:
    tenant.starts("concert", status=0)
    relay = tenant.relay("concert")
    relay.reaches("Pending", within_s=3)

    tenant.becomes("concert", 1)
    relay.reaches("Running", within_s=7)
    tenant.becomes("concert", 6)
    failed = relay.reaches("Failed", within_s=7)

    assert failed["vendorStatus"] == "6"
    assert relay.condition()["message"] == (
        "Alibaba Cloud says 6 (trouble with the push URL). "
        "Check the URL and start the task again with the same id; this object follows."
    )
    assert [event["reason"] for event in relay.events()] == ["Pending", "Running", "TaskFailed"]
    assert [event["type"] for event in relay.events()] == ["Normal", "Normal", "Warning"]


def test_quiet(tenant: Tenant, control_plane: ControlPlane) -> None:
    """Polls that find nothing new write nothing."""
    tenant.starts("quiet")
    relay = tenant.relay("quiet")
    relay.reaches("Running")
    relay.tells("Running", "Normal")
    before = [write for write in control_plane.writes(SERVICE_ACCOUNT) if write.namespace == tenant.namespace]
    looks = len(tenant.looks("quiet"))

    until(lambda: len(tenant.looks("quiet")) >= looks + 2, "two more looks", within_s=15)

    after = [write for write in control_plane.writes(SERVICE_ACCOUNT) if write.namespace == tenant.namespace]
    assert after == before
    patches = [(write.resource, write.subresource) for write in before if write.resource == "relaytasks"]
    assert patches == [("relaytasks", ""), ("relaytasks", "status")], "a created task costs a finalizer and a status"


def test_the_interval_is_kept(tenant: Tenant) -> None:
    tenant.starts("steady")
    tenant.relay("steady", pollIntervalSeconds=5).reaches("Running")

    calls = until(lambda: (found := tenant.looks("steady"))[3:] and found, "four looks", within_s=25)

    gaps = [later.monotonic_s - sooner.monotonic_s for sooner, later in itertools.pairwise(calls)]
    assert all(4.5 <= gap <= 6.5 for gap in gaps), gaps


def test_somebody_who_asks_gets_a_look_at_once_but_not_more_often_than_every_five_seconds(tenant: Tenant) -> None:
    tenant.starts("asked")
    relay = tenant.relay("asked", pollIntervalSeconds=3600)
    relay.reaches("Running")
    tenant.becomes("asked", 2)
    began = time.monotonic()

    relay.ask("first")
    relay.reaches("Stopped", within_s=7)
    relay.ask("second")
    until(lambda: relay.status().get("lastHandledRequestedAt") == "second", "the second answer", within_s=8)

    assert time.monotonic() - began >= 5
    assert len(tenant.looks("asked")) == 3


def test_a_suspended_task_is_not_looked_at_and_resumes(tenant: Tenant) -> None:
    tenant.starts("paused")
    relay = tenant.relay("paused", suspend=True)
    relay.reaches(reason="Suspended", within_s=3)
    relay.ask("while suspended")
    assert tenant.looks("paused") == []
    assert kstatus(relay.body()) == "InProgress"

    relay.edit(suspend=False)

    relay.reaches("Running", "Running", within_s=3)
    assert relay.status()["lastHandledRequestedAt"] == "while suspended"
    assert relay.status()["observedGeneration"] == relay.body()["metadata"]["generation"]


def test_an_edit_is_acted_on_at_once(tenant: Tenant) -> None:
    tenant.starts("edited")
    relay = tenant.relay("edited", pollIntervalSeconds=3600)
    relay.reaches("Running")

    relay.edit(pollIntervalSeconds=60)

    generation = relay.body()["metadata"]["generation"]
    until(lambda: relay.status()["observedGeneration"] == generation, "the new generation", within_s=3)
    assert relay.condition()["observedGeneration"] == generation


def test_the_operator_changes_its_status_and_its_finalizer_and_nothing_else(tenant: Tenant) -> None:
    tenant.starts("declared")
    relay = tenant.relay("declared")
    relay.reaches("Running")

    body = relay.body()

    assert body["metadata"]["finalizers"] == ["livetask.dev/stop"]
    assert "annotations" not in body["metadata"]
    assert body["metadata"]["generation"] == 1
    managed = {(entry["manager"], entry.get("subresource", "")) for entry in body["metadata"]["managedFields"]}
    ours = {entry for entry in managed if entry[0] == "livetask-operator"}
    assert ours == {("livetask-operator", ""), ("livetask-operator", "status")}


def test_a_status_that_somebody_wipes_is_written_again(tenant: Tenant) -> None:
    tenant.starts("wiped")
    relay = tenant.relay("wiped", pollIntervalSeconds=3600)
    relay.reaches("Running")

    tenant.objects.merge(f"{relay.path}/status", {"status": None})

    relay.reaches("Running", within_s=3)
