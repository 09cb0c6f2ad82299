"""Inside the quota, as the vendor counts it: also when many objects come at once, and when the operator is killed."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from livetask_operator.config import parse
from livetask_operator.reconcile.resource import RELAY_TASKS
from livetask_operator.vendors.contract import Credential
from livetask_simulator.client import Call
from tests.kube.small_world import Vendor, alibaba, run, within, world
from tests.stage.objects import Objects
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import Tenant, until
from tests.stage.vendors import Alibaba, Customer

CROWD = 10
"""Objects of each Secret: at 5 s, twice what the quotas allow."""
TEAM_PER_S = 3
SOLO_PER_S = 2
ON_THE_WAY_S = 0.1
"""The simulator notes a call when it gets to it, and not when it was sent: so much of a second is the machine's."""


@dataclass
class Crowd:
    """What reached the vendor with three keys: two of one account, and one that two namespaces' Secrets hold."""

    team: list[Call]
    solo: list[Call]
    team_keys: tuple[str, str]
    solo_apps: tuple[str, str]
    last_before: int
    """The number of the last call before the operator was killed."""


@pytest.fixture(scope="module")
def crowd(
    kubeconfig: Path, cloud: Cloud, objects: Objects, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Crowd]:
    """More objects than the quotas allow, followed for some seconds before and after the operator is killed."""
    east, west, solo, twin = (
        Customer.moves_in(f"quota-{name}", objects, cloud.admin, Alibaba, stage="quota")
        for name in ("east", "west", "solo", "twin")
    )
    second_key = {"accessKeyId": "LTAIeastAsWell", "accessKeySecret": "s3cr3t/east-as-well"}
    cloud.admin.add_key(east.account, *second_key.values())
    west.put_secret(**second_key)
    twin.put_secret(**solo.at.key)
    team_keys = (east.at.key["accessKeyId"], second_key["accessKeyId"])
    team = {"name": "team", "vendor": "alibabaCloud", "keyIds": list(team_keys)}
    config = {
        "quotas": {"alibabaCloud": {"GetMPUTaskStatus": SOLO_PER_S}},
        "accounts": [{**team, "quotas": {"GetMPUTaskStatus": {"perSecond": TEAM_PER_S, "perMinute": 600}}}],
    }
    for customer, account in ((east, east.account), (west, east.account), (solo, solo.account), (twin, solo.account)):
        for number in range(CROWD):
            cloud.admin.start_task(account, customer.app, f"task-{number}")
            customer.relay(f"task-{number}")
    arguments = ("--no-leader-elect", "--selector", "stage=quota")
    operator = Operator(kubeconfig, cloud.url, tmp_path_factory.mktemp("quota"), config=config, arguments=arguments)
    until(lambda: len(east.looks()) >= 7 * TEAM_PER_S, "some seconds' calls", within_s=30)
    operator.kill()
    last_before = max(call.seq for call in [*east.looks(), *solo.looks()])
    operator.start()
    until(lambda: east.looks()[-1].seq > last_before, "calls after the restart", within_s=30)
    until(lambda: len(east.looks()) >= 12 * TEAM_PER_S, "some seconds' more", within_s=30)
    yield Crowd(east.looks(), solo.looks(), team_keys, (solo.app, twin.app), last_before)
    assert operator.stop() == 0


def most_in_a_second(moments_s: list[float], second_s: float = 1.0) -> int:
    """The most calls in any second."""
    return max(bisect_left(moments_s, start_s + second_s) - index for index, start_s in enumerate(moments_s))


def most_that_arrived_in_a_second(calls: list[Call]) -> int:
    return most_in_a_second([call.monotonic_s for call in calls], 1.0 - ON_THE_WAY_S)


def per_second(calls: list[Call], last_before: int) -> float:
    """Calls a second before the operator was killed."""
    moments_s = [call.monotonic_s for call in calls if call.seq <= last_before]
    return (len(moments_s) - 1) / (moments_s[-1] - moments_s[0])


def test_inside_the_quota(crowd: Crowd) -> None:
    """In no second are there more calls than the quota, though the operator is killed."""
    assert most_that_arrived_in_a_second(crowd.team) <= TEAM_PER_S
    assert most_that_arrived_in_a_second(crowd.solo) <= SOLO_PER_S


def test_keys_of_one_account_share_its_own_quota_and_use_it(crowd: Crowd) -> None:
    used = per_second(crowd.team, crowd.last_before)

    assert {call.key_id for call in crowd.team} == set(crowd.team_keys)
    assert 0.9 * TEAM_PER_S <= used <= 1.1 * TEAM_PER_S


def test_one_key_in_two_namespaces_has_one_quota(crowd: Crowd) -> None:
    used = per_second(crowd.solo, crowd.last_before)

    assert {call.app_id for call in crowd.solo} == set(crowd.solo_apps)
    assert 0.9 * SOLO_PER_S <= used <= 1.1 * SOLO_PER_S


def test_a_process_that_begins_the_moment_its_predecessor_is_killed_keeps_its_second() -> None:
    """Processes take their time to start; here the next one acts at once."""

    async def story() -> list[float]:
        vendor = alibaba()
        config = parse("quotas: {alibabaCloud: {GetMPUTaskStatus: 2}}", "config.yaml")
        for looks in (10, 20, 30):
            async with world(vendor, config) as stage:
                for number in range(20):
                    stage.server.create(f"task-{number}", block={"taskId": str(number)}, pollIntervalSeconds=5)
                await within(30, partial(_has_seen, vendor, looks), "some seconds' looks")
        return [moment_s for moment_s, _ in vendor.looks]

    sent_s = run(story())

    assert most_in_a_second(sent_s) <= 2
    assert max(later - sooner for sooner, later in pairwise(sent_s)) < 1.5, "nobody waits for longer than needed"


def test_many_keys_of_one_account_keep_its_second_when_the_operator_starts() -> None:
    """Each of them would have a trial of its own, if their objects' statuses did not say that they were good."""
    keys = [f"key-{number}" for number in range(20)]
    quotas = "quotas: {GetMPUTaskStatus: 3}"
    account = f"accounts: [{{name: sports, vendor: alibabaCloud, keyIds: [{', '.join(keys)}], {quotas}}}]"

    async def story() -> list[float]:
        vendor = alibaba()
        async with world(vendor, parse(account, "config.yaml"), watch=False) as stage:
            for key in keys:
                stage.secrets.data[f"sports/{key}"] = {"id": key, "key": "secret"}
                block = {"taskId": f"task-{key}"}
                uid = stage.server.create(f"task-{key}", block=block, credentialsSecretRef={"name": key})
                stage.server.body(uid)["status"] = {"seenWithKeyHash": Credential(key, "secret").key_hash}
                stage.follow.changed(RELAY_TASKS, stage.server.copy(uid))
            await within(30, partial(_has_seen, vendor, len(keys)), "a look at each")
        return [moment_s for moment_s, _ in vendor.looks]

    assert most_in_a_second(run(story())) <= 3


def _has_seen(vendor: Vendor, looks: int) -> bool:
    return len(vendor.looks) >= looks


def test_objects_that_come_all_at_once_are_looked_at_without_one_throttled_call(tenant: Tenant) -> None:
    domains = [f"edge-{number}.{tenant.domain}" for number in range(15)]
    for domain in domains:
        tenant.cloud.add_preload(tenant.account, domain, f"rtmp://{domain}/app/final")

    objects = [
        tenant.preload(
            f"edge-{number}", alibabaCloud={"domainName": domain, "playUrls": [f"rtmp://{domain}/app/final"]}
        )
        for number, domain in enumerate(domains)
    ]

    for each in objects:
        each.reaches("Succeeded", within_s=15)
    calls = tenant.lists()
    assert len(calls) >= len(domains)
    assert not [call for call in calls if call.throttled]
