"""Deleting a RelayTask: stopped means stopped, never somebody else's task, and never at the wrong moment."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.controlplane import ControlPlane
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import Relay, Tenant, until


def running(tenant: Tenant, name: str, task: str | None = None, **spec: object) -> Relay:
    """A RelayTask whose task runs."""
    tenant.starts(task or name)
    relay = tenant.relay(name, task, **spec)
    relay.reaches("Running")
    return relay


def test_a_deleted_task_is_stopped_and_its_object_goes(tenant: Tenant, operator: Operator) -> None:
    relay = running(tenant, "cup-final")
    uid = relay.body()["metadata"]["uid"]

    relay.delete()

    relay.is_gone(within_s=2)
    assert [call.outcome for call in tenant.stops("cup-final")] == ["OK"]
    task = tenant.cloud.task(tenant.account, tenant.app, "cup-final")
    assert task is not None
    assert task.status == 3
    relay.tells("StopAccepted", "Normal")
    outcomes = [line["outcome"] for line in operator.audit(uid=uid)]
    assert outcomes == ["stop_sent", "stop_accepted"]
    sent, accepted = operator.audit(uid=uid)
    assert accepted["request_id"] == tenant.stops("cup-final")[0].request_id
    assert (sent["vendor"], sent["application"], sent["task"]) == ("AlibabaCloud", tenant.app, "cup-final")
    assert (sent["namespace"], sent["name"], sent["last_state"]) == (tenant.namespace, "cup-final", "Running")


def test_a_task_that_is_deleted_before_its_first_look_is_stopped(tenant: Tenant) -> None:
    tenant.starts("hasty")
    tenant.fault("delay", operation="GetMPUTaskStatus", delay_seconds=3)
    relay = tenant.relay("hasty")
    until(lambda: relay.body()["metadata"].get("finalizers"), "the finalizer", within_s=3)

    relay.delete()

    until(lambda: tenant.stops("hasty"), "a stop", within_s=2)
    relay.is_gone(within_s=8)


def test_a_look_that_hangs_does_not_hold_a_deletion_up(tenant: Tenant) -> None:
    relay = running(tenant, "hung")
    with tenant.cloud.faulty("hang", account=tenant.account, operation="GetMPUTaskStatus"):
        looks = len(tenant.looks("hung"))
        until(lambda: len(tenant.looks("hung")) > looks, "a look that hangs", within_s=7)

        relay.delete()

        until(lambda: tenant.stops("hung"), "a stop", within_s=2)
    relay.is_gone(within_s=8)


@pytest.mark.parametrize("status", [2, 3, 4, 5, 6])
def test_a_task_that_has_ended_lets_its_object_go(tenant: Tenant, status: int) -> None:
    tenant.starts("ended", status=status)
    relay = tenant.relay("ended")
    relay.reaches()

    relay.delete()

    relay.is_gone(within_s=3)
    relay.tells("AlreadyGone", "Normal")


def test_a_task_that_the_vendor_does_not_know_lets_its_object_go(tenant: Tenant) -> None:
    relay = tenant.relay("never-started")
    relay.reaches("NotFound", "TaskNotFound")

    relay.delete()

    relay.is_gone(within_s=3)
    relay.tells("AlreadyGone", "Normal")


def test_a_stop_that_is_refused_with_invalid_param_holds_a_task_that_runs(tenant: Tenant) -> None:
    relay = running(tenant, "disputed")
    tenant.fault("error", operation="StopLiveMPUTask", code="InvalidParam", status=400, times=2)

    relay.delete()

    held = relay.holds("Stalled", "InvalidRequest", within_s=3)
    assert "Not stopped yet." in held["message"]
    assert "InvalidParam" in held["message"]
    relay.is_gone(within_s=10)
    assert [call.outcome for call in tenant.stops("disputed")][-1] == "OK"


def test_stopped_means_stopped(tenant: Tenant) -> None:
    """An accepted stop is not believed while the task still runs."""
    tenant.starts("stubborn", ignore_stops=1)
    relay = tenant.relay("stubborn")
    relay.reaches("Running")

    relay.delete()

    relay.tells("StopNotConfirmed", "Warning", within_s=15)
    relay.is_gone(within_s=5)
    assert len(tenant.stops("stubborn")) == 2


def test_a_stop_that_takes_a_moment_is_looked_at_again_and_not_sent_again(tenant: Tenant) -> None:
    tenant.starts("slow", stop_takes_seconds=3.0)
    relay = tenant.relay("slow")
    relay.reaches("Running")

    relay.delete()

    relay.holds("Reconciling", "Stopping", within_s=3)
    relay.is_gone(within_s=8)
    assert len(tenant.stops("slow")) == 1


def test_a_look_that_fails_after_an_accepted_stop_is_not_waited_for(tenant: Tenant) -> None:
    relay = running(tenant, "blind", pollIntervalSeconds=3600)
    tenant.fault("answer", operation="GetMPUTaskStatus", status=503)

    relay.delete()

    relay.is_gone(within_s=7)
    assert "could not be seen" in relay.tells("StopAccepted", "Warning")["message"]


def test_the_delay_runs_and_its_end_and_the_way_out_are_said(tenant: Tenant) -> None:
    relay = running(tenant, "delayed", stopDelaySeconds=4)
    relay.delete()

    pending = relay.holds("Reconciling", "StopPending", within_s=3)

    assert pending["message"].startswith("Will be stopped at Alibaba Cloud at 20")
    assert (
        f"To keep it on the air: kubectl -n {tenant.namespace} patch rlt delayed --type merge "
        """-p '{"spec":{"deletionPolicy":"Orphan"}}'"""
    ) in pending["message"]
    assert tenant.stops("delayed") == []
    relay.is_gone(within_s=7)
    assert len(tenant.stops("delayed")) == 1


def test_a_delay_that_is_shortened_while_it_runs_ends_sooner(tenant: Tenant) -> None:
    relay = running(tenant, "impatient", stopDelaySeconds=3600)
    relay.delete()
    relay.holds("Reconciling", "StopPending", within_s=3)

    relay.edit(stopDelaySeconds=0)

    relay.is_gone(within_s=3)
    assert len(tenant.stops("impatient")) == 1


def test_orphan_lets_the_object_go_and_the_task_run(tenant: Tenant, operator: Operator) -> None:
    relay = running(tenant, "kept", deletionPolicy="Orphan")
    uid = relay.body()["metadata"]["uid"]

    relay.delete()

    relay.is_gone(within_s=2)
    assert tenant.stops("kept") == []
    relay.tells("Orphaned", "Normal")
    assert [line["outcome"] for line in operator.audit(uid=uid)] == ["Orphaned"]


def test_an_edit_to_orphan_while_the_delay_runs_keeps_the_task_on_the_air(tenant: Tenant) -> None:
    relay = running(tenant, "saved", stopDelaySeconds=60)
    relay.delete()
    relay.holds("Reconciling", "StopPending", within_s=3)

    relay.edit(deletionPolicy="Orphan")

    relay.is_gone(within_s=2)
    assert tenant.stops("saved") == []


def test_an_edit_to_orphan_while_a_stop_is_refused_again_and_again_releases_it(tenant: Tenant) -> None:
    relay = running(tenant, "refused", pollIntervalSeconds=3600)
    tenant.fault("answer", operation="StopLiveMPUTask", status=503)
    relay.delete()
    relay.holds("Reconciling", "VendorUnavailable", within_s=4)

    relay.edit(deletionPolicy="Orphan")

    relay.is_gone(within_s=3)
    calls = len(tenant.stops("refused")) + len(tenant.looks("refused"))
    time.sleep(2)  # what must not come cannot be waited for
    assert len(tenant.stops("refused")) + len(tenant.looks("refused")) == calls


def test_a_renamed_object_takes_its_task_over(tenant: Tenant, operator: Operator) -> None:
    old = running(tenant, "old-name", "the-task")
    new = tenant.relay("new-name", "the-task")
    uid = old.body()["metadata"]["uid"]

    old.delete()

    old.is_gone(within_s=3)
    assert tenant.stops() == []
    assert "RelayTask new-name follows it" in old.tells("LeftRunning", "Warning")["message"]
    assert [line["outcome"] for line in operator.audit(uid=uid)] == ["LeftRunning"]
    new.reaches("Running")
    new.delete()
    new.is_gone(within_s=3)
    assert len(tenant.stops("the-task")) == 1


def test_two_owners_that_are_deleted_at_once_stop_the_task(tenant: Tenant) -> None:
    first, second = running(tenant, "first", "shared"), tenant.relay("second", "shared")
    second.reaches("Running")

    first.delete()
    second.delete()

    first.is_gone(within_s=4)
    second.is_gone(within_s=4)
    task = tenant.cloud.task(tenant.account, tenant.app, "shared")
    assert task is not None
    assert task.status == 3


def test_an_orphan_owner_keeps_nothing_running(tenant: Tenant) -> None:
    relay = running(tenant, "owner", "watched")
    watcher = tenant.relay("watcher", "watched", deletionPolicy="Orphan")
    watcher.reaches("Running")

    relay.delete()

    relay.is_gone(within_s=3)
    assert len(tenant.stops("watched")) == 1


def test_an_owner_in_another_namespace_keeps_the_task_only_if_its_own_key_sees_it(
    tenant: Tenant, control_plane: ControlPlane, cloud: Cloud
) -> None:
    control_plane.kubectl("create", "namespace", f"{tenant.namespace}-stranger")
    stranger = Tenant(f"{tenant.namespace}-stranger", tenant.objects, cloud.admin, app=tenant.app)
    relay = running(tenant, "mine")
    claim = stranger.relay("claim", "mine")
    claim.reaches("NotFound")

    relay.delete()

    relay.is_gone(within_s=3)
    assert len(tenant.stops("mine")) == 1


def test_an_owner_that_moved_to_another_namespace_takes_the_task_over(
    tenant: Tenant, control_plane: ControlPlane, cloud: Cloud
) -> None:
    control_plane.kubectl("create", "namespace", f"{tenant.namespace}-new-home")
    home = Tenant(f"{tenant.namespace}-new-home", tenant.objects, cloud.admin, app=tenant.app)
    home.put_secret(accessKeyId=tenant.key_id, accessKeySecret=tenant.secret_key)
    old = running(tenant, "moved")
    new = home.relay("moved")

    old.delete()

    old.is_gone(within_s=5)
    new.reaches("Running")
    assert tenant.stops("moved") == []
    message = old.tells("LeftRunning", "Warning")["message"]
    assert home.namespace not in message


def test_a_key_of_another_account_does_not_leak_the_task(tenant: Tenant, cloud: Cloud) -> None:
    relay = running(tenant, "exchanged")
    cloud.admin.add_account(f"{tenant.account}-other", stopOfUnknown="accept")
    cloud.admin.add_key(f"{tenant.account}-other", f"{tenant.key_id}other", "other-secret")
    tenant.put_secret(accessKeyId=f"{tenant.key_id}other", accessKeySecret="other-secret")
    relay.holds("Stalled", "TaskNotVisible", within_s=15)
    assert relay.status()["state"] == "Running"

    relay.delete()

    held = relay.holds("Stalled", "TaskNotVisible", within_s=4)
    until(lambda: "Not stopped yet." in relay.condition("Stalled").get("message", ""), "the ways out", within_s=4)
    assert "another account" in held["message"]
    tenant.put_secret()
    relay.is_gone(within_s=8)
    task = tenant.cloud.task(tenant.account, tenant.app, "exchanged")
    assert task is not None
    assert task.status == 3


def test_while_stops_are_held_nothing_is_stopped_and_orphan_still_releases(
    own_tenant: Tenant, own_operator: Callable[..., Operator]
) -> None:
    own_operator(config={"stops": "Hold"})
    relay, other = running(own_tenant, "held"), running(own_tenant, "let-go")

    relay.delete()
    other.delete()

    relay.holds("Reconciling", "StopsHeld", within_s=3)
    other.holds("Reconciling", "StopsHeld", within_s=3)
    other.edit(deletionPolicy="Orphan")
    other.is_gone(within_s=3)
    assert own_tenant.stops() == []
    relay.edit(deletionPolicy="Orphan")
    relay.is_gone(within_s=3)


def test_a_cause_that_was_told_of_looks_is_told_again_when_it_holds_a_deletion(tenant: Tenant) -> None:
    relay = running(tenant, "told-again")
    tenant.fault("answer", status=503)
    relay.holds("Reconciling", "VendorUnavailable", within_s=15)

    relay.delete()

    def told() -> list[str]:
        return [event["message"] for event in relay.events() if event["reason"] == "VendorUnavailable"]

    until(lambda: len(told()) == 2, "a second Event", within_s=5)
    assert told()[1].startswith("Not stopped yet.")
    assert '{"spec":{"deletionPolicy":"Orphan"}}' in told()[1]
    tenant.cloud.clear_faults(tenant.account)
    relay.is_gone(within_s=35)


def test_a_finalizer_that_somebody_takes_off_is_missed_aloud(tenant: Tenant, operator: Operator) -> None:
    relay = running(tenant, "forced")
    tenant.fault("answer", operation="StopLiveMPUTask", status=503)
    relay.delete()
    relay.holds("Reconciling", "VendorUnavailable", within_s=4)

    tenant.objects.merge(relay.path, {"metadata": {"finalizers": None}})

    def missed() -> list[str]:
        lines = [line for line in operator.lines() if line.get("namespace") == tenant.namespace]
        return [
            line["message"] for line in lines if line["level"] == "warning" and "gone without a stop" in line["message"]
        ]

    relay.is_gone(within_s=3)
    until(missed, "a warning", within_s=3)


def test_an_edit_to_orphan_does_not_wait_in_a_throttled_accounts_line(tenant: Tenant) -> None:
    relay = running(tenant, "in-line", pollIntervalSeconds=3600)
    tenant.fault("throttle", operation="StopLiveMPUTask", retry_after_ms=60000)
    relay.delete()
    relay.holds("Reconciling", "Throttled", within_s=4)
    relay.edit(stopDelaySeconds=0)  # the next try begins at once, and stands in line for a minute

    relay.edit(deletionPolicy="Orphan")

    relay.is_gone(within_s=4)
    assert len(tenant.stops("in-line")) == 1
