"""What keeps a look or a stop from being done: its own reason, a Warning, what to do; and recovery by itself.

Each cause at each vendor, all of them played at once (`scenes.py`), then judged one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kube.causes import CASES, Case
from tests.kube.scenes import DeletionScene, LookScene, condition_of, play
from tests.reconcile.checker import contradictions
from tests.stage.objects import Objects
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import Tenant, until
from tests.stage.vendors import Customer

BLOCKING = [case for case in CASES if case.cause.blocks]


@dataclass(frozen=True)
class Played:
    """What was seen."""

    looks: Mapping[Case, LookScene]
    deletions: Mapping[Case, DeletionScene]


@pytest.fixture(scope="module")
def played(
    kubeconfig: Path, cloud: Cloud, objects: Objects, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Played]:
    """Every cause at every vendor, each with a tenant of its own, followed by one operator."""
    arguments = ("--no-leader-elect", "--selector", "stage=trouble")
    operator = Operator(kubeconfig, cloud.url, tmp_path_factory.mktemp("trouble"), arguments=arguments)

    def customer(case: Case, namespace: str) -> Customer:
        return Customer.moves_in(namespace, objects, cloud.admin, case.side, stage="trouble")

    played = Played(
        {case: LookScene(customer(case, f"trouble-{n}"), case.cause) for n, case in enumerate(CASES)},
        {case: DeletionScene(customer(case, f"blocked-{n}"), case.cause) for n, case in enumerate(BLOCKING)},
    )
    play([*played.looks.values(), *played.deletions.values()])
    yield played
    assert operator.stop() == 0


@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_cause_has_its_reason_and_heals_by_itself(played: Played, case: Case) -> None:
    scene, cause = played.looks[case], case.cause

    ready, held = condition_of(scene.broken, "Ready"), condition_of(scene.broken, cause.kind)

    assert (ready["status"], ready["reason"], held.get("reason")) == (cause.ready, cause.reason, cause.reason)
    assert cause.words(case.side) in held["message"]
    assert contradictions(scene.broken) == []
    assert (cause.reason, "Warning") in [(event["reason"], event["type"]) for event in scene.events]
    assert condition_of(scene.after, "Ready")["reason"] == "Running"
    assert contradictions(scene.after) == []


@pytest.mark.parametrize("case", BLOCKING, ids=str)
def test_deletion_never_hangs_in_silence(played: Played, case: Case) -> None:
    """Each cause blocks a deletion with words, and both ways out work."""
    scene, cause = played.deletions[case], case.cause

    for name, body in scene.held.items():
        held = condition_of(body, cause.kind_deleted)
        assert held.get("reason") == cause.reason
        assert cause.words(case.side) in held["message"]
        assert held["message"].startswith("Not stopped yet. ")
        assert f"kubectl -n {scene.customer.namespace} patch rlt {name} --type merge" in held["message"]
        assert (cause.reason, "Warning") in [(event["reason"], event["type"]) for event in scene.events[name]]
    assert (scene.orphan_went, scene.mended_went) == (True, True)
    assert scene.running == {"mended": False, "orphaned": True}
    assert scene.stopped == ["mended"]


def test_a_secret_that_goes_with_the_task_does_not_block_it(tenant: Tenant) -> None:
    tenant.starts("together")
    relay = tenant.relay("together")
    relay.reaches("Running")
    tenant.drop_secret()
    relay.reaches(reason="SecretNotFound", within_s=15)

    relay.delete()

    relay.is_gone(within_s=4)
    assert [call.outcome for call in tenant.stops("together")] == ["OK"]


def test_a_single_failed_look_changes_nothing_and_the_second_is_told(tenant: Tenant) -> None:
    tenant.starts("hiccup")
    relay = tenant.relay("hiccup", pollIntervalSeconds=30)
    relay.reaches("Running")
    version = relay.body()["metadata"]["resourceVersion"]
    tenant.fault("answer", status=503)
    relay.ask("now")
    until(lambda: relay.status().get("lastHandledRequestedAt") == "now", "the failed look", within_s=8)
    assert relay.condition("Ready")["status"] == "True"
    assert not relay.condition("Reconciling")

    relay.holds("Reconciling", "VendorUnavailable", within_s=15)

    assert relay.condition("Ready")["status"] == "True"
    assert relay.body()["metadata"]["resourceVersion"] != version


def test_no_stale_ready(tenant: Tenant) -> None:
    """Ready does not outlive what is known."""
    tenant.starts("stale")
    relay = tenant.relay("stale", pollIntervalSeconds=5)
    relay.reaches("Running")

    tenant.fault("answer", status=503)

    relay.reaches("Running", "VendorUnavailable", within_s=25)
    assert relay.condition("Ready")["status"] == "Unknown"


def test_a_refused_key_is_tried_sparingly_and_once_for_all_its_objects(tenant: Tenant) -> None:
    for number in range(20):
        tenant.starts(f"task-{number}")
    tenant.put_secret(accessKeyId=tenant.key_id, accessKeySecret="wr0ng-s3cr3t")

    relays = [tenant.relay(f"task-{number}") for number in range(20)]
    for relay in relays:
        relay.holds("Stalled", "CredentialsRejected", within_s=10)

    assert len(tenant.looks()) <= 3, "a wrong key asked again and again locks an account"
    tenant.put_secret()
    for relay in relays:
        relay.reaches("Running", within_s=12)


def test_rotation_without_a_restart(tenant: Tenant) -> None:
    """A rotated key is in use within five seconds."""
    tenant.starts("rotated")
    relay = tenant.relay("rotated", pollIntervalSeconds=3600)
    relay.reaches("Running")
    new_key = f"{tenant.key_id}new"
    tenant.cloud.add_key(tenant.account, new_key, "n3w-s3cr3t")

    tenant.put_secret(accessKeyId=new_key, accessKeySecret="n3w-s3cr3t")

    until(lambda: tenant.cloud.calls(key_id=new_key), "a call with the new key", within_s=6)
    relay.reaches("Running")
