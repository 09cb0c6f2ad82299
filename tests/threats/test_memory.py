"""Mallory wants the operator to run out of memory, to fill its log, or to blow up its metrics.

What is measured is the operator's resident memory for a few of the largest objects; the page says what that comes to.
"""

from __future__ import annotations

import re
from pathlib import Path

from livetask_operator.observability.families import PER_OBJECT
from tests.stage.objects import live_tasks
from tests.stage.processes import Operator
from tests.stage.tenant import Tenant, until
from tests.threats.mallory import HANDS, Mallory, at_once, without_end

KIB, MIB = 1024, 1024 * 1024
OF_EACH = tuple(f"{family.name}{{" for family in PER_OBJECT)
SERIES_OF_A_TASK, SERIES_OF_A_SECRET = 4, 2


def resident(operator: Operator) -> int:
    """The operator's memory, in bytes."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{operator.process.pid}/status").read_text())
    assert found is not None
    return int(found[1]) * KIB


def series(operator: Operator) -> set[str]:
    """The series that its metrics have, without their values."""
    text = operator.answer("/metrics")
    assert text is not None
    return {line.rpartition(" ")[0] for line in text.splitlines() if not line.startswith("#")}


def all_looked_at(mallory: Mallory, kind: str, within_s: float = 60) -> None:
    items = live_tasks(kind, mallory.namespace)

    def done() -> bool:
        return all(body["status"].get("conditions") for body in mallory.objects.get(items)["items"])

    until(done, f"all {kind}s looked at", within_s)


def test_of_fifty_megabytes_of_secrets_nothing_is_kept(mallory: Mallory, operator: Operator) -> None:
    before = resident(operator)
    at_once(lambda n: mallory.secret(f"s-{n}", accessKeyId="k" * (MIB - KIB), accessKeySecret="s"), range(50))

    at_once(lambda n: mallory.relay(f"s-{n}", credentialsSecretRef={"name": f"s-{n}"}), range(50))

    all_looked_at(mallory, "RelayTask")
    body = mallory.objects.get(live_tasks("RelayTask", mallory.namespace, "s-0"))
    message = body["status"]["conditions"][0]["message"]
    assert "has more than 512 characters under accessKeyId" in message
    assert len(message) < KIB
    assert resident(operator) - before < 25 * MIB


def test_of_megabytes_of_annotations_and_finalizers_nothing_is_kept(mallory: Mallory, operator: Operator) -> None:
    before = resident(operator)
    meta = {"annotations": {"a": "x" * 200_000}, "finalizers": [f"example.com/{n:050}" for n in range(50)]}

    def create(number: int) -> None:
        body = {
            "apiVersion": "livetask.dev/v1alpha1",
            "kind": "RelayTask",
            "metadata": {"name": f"a-{number}", **meta},
            "spec": {
                "alibabaCloud": {"appId": "a", "taskId": f"t-{number}"},
                "credentialsSecretRef": {"name": "alibaba"},
            },
        }
        mallory.objects.create(live_tasks("RelayTask", mallory.namespace), body)

    at_once(create, range(40))

    all_looked_at(mallory, "RelayTask")
    assert resident(operator) - before < 25 * MIB


def test_the_largest_preload_tasks_cost_less_than_two_megabytes_each(mallory: Mallory, operator: Operator) -> None:
    """A hundred URLs of 1,024 characters in the spec, and again in the status: 200 KiB of text each."""
    mallory.starts("proof")
    mallory.relay("proof").reaches("Running")
    before = resident(operator)

    def create(number: int) -> None:
        urls = [f"rtmp://{mallory.domain}/{number}/{url}/".ljust(1024, "x") for url in range(100)]
        mallory.preload(f"p-{number}", alibabaCloud={"domainName": mallory.domain, "playUrls": urls})

    at_once(create, range(10))

    all_looked_at(mallory, "PreloadTask")
    assert (resident(operator) - before) / 10 < 2 * MIB


def test_keys_and_regions_make_no_new_series_and_objects_and_secrets_their_own_few(
    mallory: Mallory, victim: Tenant, operator: Operator
) -> None:
    victim.starts("task")
    victim.relay("task").reaches("Running")
    mallory.relay("first", credentialsSecretRef={"name": "missing"})
    mallory.secret("huawei", accessKeyId="HPUAmallory", secretAccessKey="wr0ng")

    def at_huawei(name: str, project: str, region: str) -> None:
        block = {"projectId": project, "region": region, "taskId": "t"}
        mallory.relay(name, alibabaCloud=None, huaweiCloud=block, credentialsSecretRef={"name": "huawei"})

    at_huawei("huawei", "p", "r")
    mallory.wrong_key_of(victim, "wrong", "wr0ng")
    mallory.relay("wrong", credentialsSecretRef={"name": "wrong"})
    all_looked_at(mallory, "RelayTask")
    before = series(operator)

    at_once(lambda n: mallory.wrong_key_of(victim, f"w-{n}", f"wr0ng-{n}"), range(30))
    at_once(lambda n: mallory.relay(f"w-{n}", credentialsSecretRef={"name": f"w-{n}"}), range(30))
    at_once(lambda n: mallory.relay(f"m-{n}", credentialsSecretRef={"name": f"missing-{n}"}), range(30))
    at_once(lambda n: at_huawei(f"r-{n}", f"p-{n}", f"r-{n}"), range(30))

    all_looked_at(mallory, "RelayTask")
    new = series(operator) - before
    of_each = {name for name in new if name.startswith(OF_EACH)}
    others = new - of_each
    assert len(of_each) <= 90 * SERIES_OF_A_TASK + 30 * SERIES_OF_A_SECRET
    assert not [name for name in new if victim.key_id in name]
    assert not [name for name in others if mallory.namespace in name and not name.startswith("livetask_objects{")]
    assert len(others) < 40, "what is new is an outcome, a state or a reason that did not occur before"


def test_the_log_has_a_line_for_a_change_and_none_for_an_edit_or_a_look(mallory: Mallory, operator: Operator) -> None:
    mallory.starts("noisy")
    relay = mallory.relay("noisy")
    relay.reaches("Running")
    before = len(operator.log.read_text().splitlines())

    def disturb(number: int) -> None:
        mallory.edit("noisy", pollIntervalSeconds=5 + number % 100)
        relay.ask(str(number))

    with without_end(disturb, pause_s=HANDS / 50) as done:
        until(lambda: done() > 100, "two hundred edits", within_s=40)

    mine = [line for line in operator.log.read_text().splitlines()[before:] if mallory.namespace in line]
    assert len(mine) < 20, mine
