"""The operator as a process: it ends in time, and comes back from a crash."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import OWN_NAMESPACE, ROOT
from tests.controlplane import ControlPlane
from tests.stage.objects import Objects, wait_for
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import Tenant, until

Start = Callable[..., Operator]
LEASE = "/apis/coordination.k8s.io/v1/namespaces/livetask-system/leases/livetask-operator"


def test_a_signal_ends_it_in_time_also_while_the_vendor_hangs(own_tenant: Tenant, own_operator: Start) -> None:
    operator = own_operator()
    own_tenant.starts("hung")
    own_tenant.fault("hang", operation="GetMPUTaskStatus")
    own_tenant.relay("hung")
    until(lambda: own_tenant.looks("hung"), "a look that hangs")
    began = time.monotonic()

    code = operator.stop()

    assert code == 0
    assert time.monotonic() - began < 10
    assert not [line for line in operator.lines() if line["level"] in ("error", "critical")]


def test_a_crash_costs_nothing(own_tenant: Tenant, own_operator: Start) -> None:
    """Killed while a stop is under way it stops the task after its restart."""
    operator = own_operator()
    own_tenant.starts("cut")
    relay = own_tenant.relay("cut")
    relay.reaches("Running")
    fault = own_tenant.fault("hang", operation="StopLiveMPUTask")
    relay.delete()
    until(lambda: own_tenant.stops("cut"), "a stop that hangs")

    operator.kill()
    own_tenant.cloud.clear_faults(fault_id=fault)
    operator.start()

    relay.is_gone(within_s=10)
    task = own_tenant.cloud.task(own_tenant.account, own_tenant.app, "cut")
    assert task is not None
    assert task.status == 3


def test_killed_after_the_vendor_accepted_it_finds_the_task_gone(own_tenant: Tenant, own_operator: Start) -> None:
    operator = own_operator()
    own_tenant.starts("carried-out")
    relay = own_tenant.relay("carried-out")
    relay.reaches("Running")
    fault = own_tenant.fault("hang", operation="StopLiveMPUTask", after_effect=True)
    relay.delete()
    until(lambda: any(call.stopped_task for call in own_tenant.stops("carried-out")), "the stop's effect")

    operator.kill()
    own_tenant.cloud.clear_faults(fault_id=fault)
    operator.start()

    relay.is_gone(within_s=10)
    relay.tells("AlreadyGone", "Normal")


def test_nothing_is_missed(own_tenant: Tenant, own_operator: Start) -> None:
    """What was deleted while it was away is stopped when it is back."""
    operator = own_operator()
    own_tenant.starts("meanwhile")
    relay = own_tenant.relay("meanwhile")
    relay.reaches("Running")
    operator.kill()

    relay.delete()
    assert relay.body() is not None
    operator.start()

    relay.is_gone(within_s=10)
    assert [call.outcome for call in own_tenant.stops("meanwhile")] == ["OK"]


def test_a_restart_writes_nothing_when_nothing_changed(
    own_tenant: Tenant, own_operator: Start, control_plane: ControlPlane
) -> None:
    operator = own_operator()
    own_tenant.starts("same")
    relay = own_tenant.relay("same")
    relay.reaches("Running")
    operator.stop()
    body, looks = relay.body(), len(own_tenant.looks("same"))

    operator.start()

    until(lambda: len(own_tenant.looks("same")) > looks + 1, "two looks", within_s=20)
    assert relay.body() == body


@pytest.fixture
def lease_free(installed: ControlPlane) -> Iterator[None]:
    yield
    installed.kubectl("-n", "livetask-system", "delete", "lease", "livetask-operator", "--ignore-not-found")


@pytest.mark.usefixtures("lease_free")
def test_one_of_two_replicas_acts_and_hands_over_at_its_end(
    own_tenant: Tenant, kubeconfig: Path, cloud: Cloud, tmp_path: Path
) -> None:
    arguments = ("--leader-elect", "--selector", "operator=own")
    first = Operator(kubeconfig, cloud.url, tmp_path / "first", arguments=arguments)
    second: Operator | None = None
    try:
        own_tenant.starts("led")
        relay = own_tenant.relay("led")
        relay.reaches("Running")
        second = Operator(kubeconfig, cloud.url, tmp_path / "second", arguments=arguments)
        holder = own_tenant.objects.get(LEASE)["spec"]["holderIdentity"]
        labels = f'kind="RelayTask",task_namespace="{own_tenant.namespace}",task="led",vendor="AlibabaCloud"'
        assert f"livetask_task_status{{{labels}" in (first.answer("/metrics") or "")
        standby = second.answer("/metrics") or ""
        assert "livetask_leader 0.0" in standby
        assert "task_namespace=" not in standby
        assert "account=" not in standby

        assert first.stop() == 0
        relay.delete()

        relay.is_gone(within_s=8)
        assert own_tenant.objects.get(LEASE)["spec"]["holderIdentity"] not in ("", holder)
        assert "livetask_leader 1.0" in (second.answer("/metrics") or "")
    finally:
        first.process.stop()
        if second is not None:
            second.process.stop()


def test_an_uninstall_stops_nothing_by_accident(cloud: Cloud, tmp_path: Path) -> None:
    """On a control plane of its own: deleting a CRD would take every other test's objects with it."""
    with ControlPlane(folder=tmp_path / "controlplane") as cluster, Objects(cluster) as objects:
        cluster.kubectl("apply", "-k", str(ROOT / "crds"))
        cluster.wait_until_established("crd/relaytasks.livetask.dev")
        cluster.kubectl("apply", "-k", str(ROOT / "manifests"))
        cluster.kubectl("create", "namespace", "uninstalled")
        operator = Operator(cluster.kubeconfig_of(OWN_NAMESPACE, "livetask-operator"), cloud.url, tmp_path / "operator")
        try:
            tenant = Tenant("uninstalled", objects, cloud.admin)
            tenant.starts("on-air")
            tenant.starts("delayed")
            relay, delayed = tenant.relay("on-air"), tenant.relay("delayed", stopDelaySeconds=3600)
            relay.reaches("Running")
            delayed.reaches("Running")
            delayed.delete()
            delayed.holds("Reconciling", "StopPending")

            cluster.kubectl("delete", "crd", "relaytasks.livetask.dev", "--timeout=30s")

            assert tenant.stops() == []
            outcomes = {line["name"]: line["outcome"] for line in operator.audit(namespace="uninstalled")}
            assert outcomes == {"on-air": "Orphaned", "delayed": "Orphaned"}
            assert [line for line in operator.lines() if line["level"] == "warning" and "on-air" in line["message"]]
            relay.tells("Orphaned", "Warning")

            cluster.kubectl("apply", "-k", str(ROOT / "crds"))
            cluster.wait_until_established("crd/relaytasks.livetask.dev")
            # Established comes before all is served: for a moment the API server says 429, its storage is initializing.
            listed = ("get", "relaytasks", "--namespace", relay.tenant.namespace)
            wait_for(lambda: cluster.kubectl(*listed, check=False).returncode == 0, "served again", 10)
            tenant.relay("on-air").reaches("Running", within_s=20)
        finally:
            operator.process.stop()


def test_crds_that_come_after_the_operator_are_noticed_though_nothing_tells_of_them(
    cloud: Cloud, tmp_path: Path
) -> None:
    """Confined to a namespace it hears of no CRD; across the cluster it may hear of one before that is served."""
    with ControlPlane(folder=tmp_path / "controlplane") as cluster, Objects(cluster) as objects:
        cluster.kubectl("create", "namespace", "early")
        confined = ("--no-leader-elect", "--namespace", "early")
        operator = Operator(cluster.kubeconfig, cloud.url, tmp_path / "operator", arguments=confined, waits=False)
        try:
            wait_for(lambda: "not served" in operator.log.read_text(), "it says what is missing", 20)

            cluster.kubectl("apply", "-k", str(ROOT / "crds"))
            cluster.wait_until_established("crd/relaytasks.livetask.dev")
            tenant = Tenant("early", objects, cloud.admin)
            tenant.starts("cup-final")
            listed = ("get", "relaytasks", "--namespace", tenant.namespace)
            wait_for(lambda: cluster.kubectl(*listed, check=False).returncode == 0, "served", 10)
            tenant.relay("cup-final").reaches("Running", within_s=20)

            wait_for(lambda: operator.answer("/readyz"), "ready", 20)
        finally:
            operator.process.stop()
