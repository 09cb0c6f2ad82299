"""Mallory names somebody else's task: to have it stopped, to keep it on the air, or to learn of it."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.stage.objects import Objects, live_tasks
from tests.stage.tenant import Relay, Tenant, until
from tests.threats.mallory import Mallory, without_end

KEYS = ("own-key", "victims-id", "no-secret", "no-such-key")
"""With what Mallory names the task."""


def claims(mallory: Mallory, victim: Tenant, task: str, **spec: object) -> list[str]:
    """Create an object with each kind of key that names the victim's task. Returns their names."""
    mallory.wrong_key_of(victim, "victims-id", "wr0ng")
    mallory.secret("no-such-key", accessKeyId="LTAInobody", accessKeySecret="wr0ng")
    secrets = {"own-key": "alibaba", "victims-id": "victims-id", "no-secret": "none", "no-such-key": "no-such-key"}
    for name, secret in secrets.items():
        mallory.names(name, victim, task, credentialsSecretRef={"name": secret}, **spec)
    return list(secrets)


def looked_at(mallory: Mallory, names: list[str]) -> None:
    """Wait until each of these objects has been looked at."""
    items = live_tasks("RelayTask", mallory.namespace)

    def done() -> bool:
        bodies = {body["metadata"]["name"]: body for body in mallory.objects.get(items)["items"]}
        return all(bodies[name]["status"].get("conditions") for name in names)

    until(done, "all have been looked at")


@pytest.fixture
def on_air(victim: Tenant) -> Relay:
    """A task of the victim's that runs, and is followed."""
    victim.starts("cup-final")
    relay = victim.relay("cup-final")
    relay.reaches("Running")
    return relay


def test_nobody_stops_a_followed_task_by_naming_it(mallory: Mallory, victim: Tenant, on_air: Relay) -> None:
    names = claims(mallory, victim, "cup-final")
    looked_at(mallory, names)

    for name in names:
        mallory.objects.delete(live_tasks("RelayTask", mallory.namespace, name))

    until(lambda: not mallory.objects.get(live_tasks("RelayTask", mallory.namespace))["items"], "they went")
    assert victim.cloud.calls(operation="StopLiveMPUTask", task_id="cup-final") == [], "no stop was even sent"
    assert on_air.status()["state"] == "Running"
    assert on_air.condition()["status"] == "True"


def test_nobody_stops_a_task_that_nobody_follows_with_a_key_that_is_not_its_owners(
    mallory: Mallory, victim: Tenant
) -> None:
    victim.starts("rehearsal")
    names = claims(mallory, victim, "rehearsal")
    looked_at(mallory, names)

    for name in names:
        mallory.objects.delete(live_tasks("RelayTask", mallory.namespace, name))

    sent = until(lambda: victim.cloud.calls(operation="StopLiveMPUTask", task_id="rehearsal"), "a stop that was tried")
    until(lambda: mallory.objects.get(live_tasks("RelayTask", mallory.namespace, "own-key")) is None, "its own went")
    task = victim.cloud.task(victim.account, victim.app, "rehearsal")
    assert task is not None
    assert task.status == 1, "it runs"
    assert not any(call.stopped_task for call in sent)


def test_nobody_keeps_a_task_on_the_air_by_naming_it(mallory: Mallory, victim: Tenant, on_air: Relay) -> None:
    looked_at(mallory, claims(mallory, victim, "cup-final"))
    mallory.names("suspended", victim, "cup-final", suspend=True)

    on_air.delete()

    on_air.is_gone(within_s=6)
    assert [call.stopped_task for call in victim.stops("cup-final")] == [True]


def test_not_even_with_keys_that_never_come_to_a_look_for_longer_than_thirty_seconds(
    mallory: Mallory, victim: Tenant, on_air: Relay
) -> None:
    """Takes half a minute: so long, once, another namespace's owner is waited for that no look told of yet."""
    mallory.fault("throttle")
    began_s = time.monotonic()

    def another(number: int) -> None:
        mallory.names(f"new-{number}", victim, "cup-final")

    with without_end(another, pause_s=1.0):
        until(lambda: mallory.objects.get(live_tasks("RelayTask", mallory.namespace))["items"], "a claim")
        on_air.delete()
        on_air.is_gone(within_s=45)

    assert time.monotonic() - began_s >= 30
    assert [call.stopped_task for call in victim.stops("cup-final")] == [True]


def test_nobody_sees_what_another_key_is_told_in_a_reading_that_many_share(mallory: Mallory, victim: Tenant) -> None:
    """One list shows all tasks of a project, one all preloads of a domain: to those with exactly that key."""
    project, key_id = f"project-{victim.namespace}", f"HPUA{victim.namespace}"
    victim.cloud.huawei.add_account(victim.account)
    victim.cloud.huawei.add_key(victim.account, key_id, victim.secret_key)
    victim.put_secret("huawei", accessKeyId=key_id, secretAccessKey=victim.secret_key)
    mallory.secret("huawei", accessKeyId=key_id, secretAccessKey="wr0ng")
    mallory.wrong_key_of(victim, "victims-id", "wr0ng")
    victim.preloads("opening")
    at_huawei: dict[str, dict[str, Any]] = {}
    for task in ("first", "second"):
        victim.cloud.huawei.start_task(victim.account, project, task)
        block = {"projectId": project, "region": "cn-north-4", "taskId": task}
        at_huawei[task] = {"alibabaCloud": None, "huaweiCloud": block, "credentialsSecretRef": {"name": "huawei"}}
    followed = [victim.relay(task, **at_huawei[task]) for task in at_huawei]
    preload = victim.preload("opening", tasks=["opening"])
    domain: dict[str, Any] = {"alibabaCloud": {"domainName": victim.domain, "taskIds": ["opening"]}}

    tried = [mallory.relay(task, **at_huawei[task]) for task in at_huawei]
    peeks = [
        mallory.preload(f"peek-{secret}", **domain, credentialsSecretRef={"name": secret})
        for secret in ("alibaba", "victims-id")
    ]

    for each in followed:
        each.reaches("Running")
    preload.reaches("Succeeded")
    for claim in tried:
        claim.reaches(reason="CredentialsRejected")
    assert peeks[0].reaches("NotFound")["succeeded"] == 0
    peeks[1].reaches(reason="CredentialsRejected")
    until(lambda: len(victim.cloud.calls(key_id=key_id, outcome="OK")) > 2, "more readings of the victim's")
    statuses = [each.status() for each in (*tried, *peeks)]
    assert {status.get("state") for status in statuses} <= {None, "NotFound"}
    assert {row["state"] for peek in peeks for row in peek.rows()} <= {"NotFound"}
    assert victim.url("opening") not in json.dumps(statuses)


def test_whoever_follows_the_same_task_is_not_told_to_another_namespace(
    mallory: Mallory, victim: Tenant, on_air: Relay, admin: Objects
) -> None:
    names = claims(mallory, victim, "cup-final")
    looked_at(mallory, names)
    for name in names:
        mallory.objects.delete(live_tasks("RelayTask", mallory.namespace, name))
    until(lambda: mallory.objects.get(live_tasks("RelayTask", mallory.namespace, "own-key")) is None, "its own went")

    shown = json.dumps(
        [
            [body.get("status") for body in mallory.objects.get(live_tasks("RelayTask", mallory.namespace))["items"]],
            mallory.objects.get(f"/api/v1/namespaces/{mallory.namespace}/events"),
        ]
    )

    assert f"{victim.namespace}/" not in shown
    assert victim.key_id not in shown
    assert on_air.name in shown, "it is the task's id, which Mallory named"
