"""Mallory uses up what all tenants share: turns, reads of Secrets, calls, Events, the operator's time.

The sizes are such that a test takes seconds; what is measured does not depend on them beyond that: each of these
attacks fills a line, and the victim's one stands in another.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import pytest

from tests.stage.objects import live_tasks, secrets
from tests.stage.processes import Operator
from tests.stage.tenant import Relay, Tenant, until
from tests.threats.conftest import STOPS_PER_SECOND
from tests.threats.mallory import HANDS, Mallory, at_once, without_end

MANY = 300


@pytest.fixture
def on_air(victim: Tenant) -> list[Relay]:
    """Five tasks of the victim's that run, each looked at every five seconds."""
    relays = []
    for number in range(5):
        victim.starts(f"task-{number}")
        relays.append(victim.relay(f"task-{number}"))
    for relay in relays:
        relay.reaches("Running")
    return relays


def longest_gap_s(victim: Tenant, task: str, since_s: float) -> float:
    """The longest time without a look at a task, since then (monotonic) and until now, in seconds."""
    times = [call.monotonic_s for call in victim.looks(task) if call.monotonic_s >= since_s]
    return max(after - before for before, after in itertools.pairwise([since_s, *times, time.monotonic()]))


def acts_on_people(victim: Tenant, relays: list[Relay]) -> dict[str, float]:
    """How long the victim waits for a new object, for an edit to be acted on, and for a deletion. Seconds."""
    took_s = {}
    victim.starts("late")

    def timed(what: str, doing: Callable[[], object], done: Callable[[], object]) -> None:
        began_s = time.monotonic()
        doing()
        until(done, what, within_s=60)
        took_s[what] = time.monotonic() - began_s

    late = Relay(victim, "late")
    timed("created", lambda: victim.relay("late"), lambda: late.status().get("state") == "Running")
    generation = relays[0].body()["metadata"]["generation"]
    edited = relays[0]
    timed(
        "edited",
        lambda: edited.edit(pollIntervalSeconds=6),
        lambda: edited.status()["observedGeneration"] > generation,
    )
    timed("deleted", relays[1].delete, lambda: relays[1].body() is None)
    return took_s


def test_hundreds_of_deletions_do_not_keep_anothers_task_running(
    mallory: Mallory, victim: Tenant, on_air: list[Relay]
) -> None:
    for number in range(MANY):
        mallory.starts(f"d-{number}")
    at_once(lambda n: mallory.relay(f"d-{n}", pollIntervalSeconds=3600), range(MANY))
    items = live_tasks("RelayTask", mallory.namespace)
    until(lambda: all(body["status"].get("state") for body in mallory.objects.get(items)["items"]), "seen", within_s=60)

    at_once(lambda n: mallory.objects.delete(live_tasks("RelayTask", mallory.namespace, f"d-{n}")), range(MANY))
    on_air[0].delete()
    deleted_s = time.monotonic()

    on_air[0].is_gone(within_s=MANY / STOPS_PER_SECOND)
    (stop,) = victim.stops("task-0")
    went_first = [call for call in mallory.stops() if deleted_s < call.monotonic_s < stop.monotonic_s]
    assert stop.stopped_task
    assert len(went_first) < MANY / 10, "the line was long, and the victim's did not stand in it"


def test_rotated_keys_are_in_use_soon_whatever_secrets_others_name(mallory: Mallory, victim: Tenant) -> None:
    """Within five seconds by a clock that the test holds: tests/kube/test_secret_reads.py. Here the machine is busy.

    In one line with the victim's, at 40 reads a second, these 600 would take 15.
    """
    names = [f"key-{number}" for number in range(5)]
    for name in names:
        victim.starts(name)
        victim.put_secret(name, accessKeyId=victim.key_id, accessKeySecret=victim.secret_key)
        victim.relay(name, pollIntervalSeconds=3600, credentialsSecretRef={"name": name}).reaches("Running")
        victim.cloud.add_key(victim.account, f"{victim.key_id}{name}", "n3w-s3cr3t")
    at_once(
        lambda n: mallory.relay(f"m-{n}", pollIntervalSeconds=3600, credentialsSecretRef={"name": f"missing-{n}"}),
        range(600),
    )

    began_s = time.monotonic()
    for name in names:
        new = {"accessKeyId": f"{victim.key_id}{name}", "accessKeySecret": "n3w-s3cr3t"}
        victim.objects.merge(secrets(victim.namespace, name), {"stringData": new})

    def all_in_use() -> bool:
        return all(victim.cloud.calls(key_id=f"{victim.key_id}{name}") for name in names)

    until(all_in_use, "all new keys in use", within_s=20)
    assert time.monotonic() - began_s <= 12


def test_nobody_uses_up_anothers_quota_or_blocks_its_key_by_naming_its_id(
    mallory: Mallory, victim: Tenant, on_air: list[Relay]
) -> None:
    since_s = time.monotonic()
    at_once(lambda n: mallory.wrong_key_of(victim, f"wrong-{n}", f"wr0ng-{n}"), range(MANY))
    at_once(
        lambda n: mallory.names(
            f"n-{n}", victim, "task-0", pollIntervalSeconds=3600, credentialsSecretRef={"name": f"wrong-{n}"}
        ),
        range(MANY),
    )

    took_s = acts_on_people(victim, on_air)

    assert max(took_s.values()) < 10, took_s
    assert longest_gap_s(victim, "task-4", since_s) < 15
    assert on_air[4].condition()["status"] == "True"
    assert not [call for call in victim.looks() if call.throttled]


def test_a_storm_of_edits_and_requests_does_not_hold_up_others(
    mallory: Mallory, victim: Tenant, on_air: list[Relay]
) -> None:
    for number in range(100):
        mallory.starts(f"storm-{number}")
    at_once(lambda n: mallory.relay(f"storm-{n}"), range(100))
    since_s = time.monotonic()

    def disturb(number: int) -> None:
        path = live_tasks("RelayTask", mallory.namespace, f"storm-{number % 100}")
        annotations = {"livetask.dev/requested-at": str(number)}
        mallory.objects.merge(
            path, {"metadata": {"annotations": annotations}, "spec": {"pollIntervalSeconds": 5 + number // 100 % 2}}
        )

    with without_end(disturb, pause_s=HANDS / 100) as done:
        took_s = acts_on_people(victim, on_air)
        until(lambda: time.monotonic() - since_s > 8, "a while", within_s=20)

    assert done() > 100, "it was a storm"
    assert max(took_s.values()) < 10, took_s
    assert longest_gap_s(victim, "task-4", since_s) < 15
    assert on_air[4].condition()["status"] == "True"


def test_objects_that_flap_do_not_keep_others_events_from_them(
    mallory: Mallory, victim: Tenant, on_air: list[Relay]
) -> None:
    for number in range(100):
        mallory.starts(f"flap-{number}")
    at_once(lambda n: mallory.relay(f"flap-{n}"), range(100))

    with without_end(
        lambda number: mallory.edit(f"flap-{number % 100}", suspend=number // 100 % 2 == 0), HANDS / 100
    ) as done:
        until(lambda: done() > 150, "a flood", within_s=30)
        on_air[0].edit(suspend=True)
        on_air[0].tells("Suspended", "Normal", within_s=15)


def test_a_secret_with_a_new_wrong_key_each_moment_disturbs_nobody(
    mallory: Mallory, victim: Tenant, on_air: list[Relay], operator: Operator
) -> None:
    at_once(lambda n: mallory.wrong_key_of(victim, f"turning-{n}", "wr0ng"), range(20))
    at_once(lambda n: mallory.relay(f"t-{n}", credentialsSecretRef={"name": f"turning-{n % 20}"}), range(100))
    since_s = time.monotonic()

    def turn(number: int) -> None:
        mallory.set_key(f"turning-{number % 20}", accessKeySecret=f"wr0ng-{number}")

    with without_end(turn, pause_s=HANDS / 40):
        took_s = acts_on_people(victim, on_air)
        until(lambda: time.monotonic() - since_s > 8, "a while", within_s=20)

    assert max(took_s.values()) < 10, took_s
    assert longest_gap_s(victim, "task-4", since_s) < 15
    assert on_air[4].condition()["status"] == "True"
