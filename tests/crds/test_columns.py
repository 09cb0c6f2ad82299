"""What `kubectl get` and `kubectl explain` show, and what can be selected."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from livetask_operator.reconcile.reasons import Reason
from livetask_operator.vendors.contract import State
from tests.controlplane import ControlPlane
from tests.crds.schema import KINDS, Field, fields

ACCEPTED = Path(__file__).parent / "accepted"
LONG_AGO = "2020-01-01T00:00:00Z"


def ready(status: str, reason: str, message: str) -> dict[str, Any]:
    return {
        "type": "Ready",
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": LONG_AGO,
        "observedGeneration": 1,
    }


STATUSES = {
    "rlt/alibaba": {
        "observedGeneration": 1,
        "vendor": "AlibabaCloud",
        "taskId": "yourTaskId",
        "state": "Failed",
        "vendorStatus": "6",
        "conditions": [ready("False", "TaskFailed", "Check the URL.")],
    },
    "plt/url": {
        "observedGeneration": 1,
        "state": "Preloading",
        "progress": 62,
        "total": 4,
        "failed": 1,
        "conditions": [ready("Unknown", "Preloading", "2 of 4 are done.")],
    },
}


@pytest.fixture(scope="module")
def seen(crds: ControlPlane, room: str) -> str:
    """One object of each kind with a status, and one of each vendor that was not looked at yet."""
    for name in ("relay-alibaba", "relay-tencent", "relay-huawei", "preload-url"):
        crds.kubectl("-n", room, "create", "-f", str(ACCEPTED / f"{name}.yaml"))
    for target, status in STATUSES.items():
        patch = json.dumps({"status": status})
        crds.kubectl("-n", room, "patch", target, "--subresource=status", "--type=merge", "-p", patch)
    return room


def table(text: str) -> list[dict[str, str]]:
    """What kubectl prints, by its headings. A heading may have one space in it."""
    heading, *lines = text.splitlines()
    starts = [(match.group(), match.start()) for match in re.finditer(r"\S+(?: \S+)*", heading)]
    ends = [start for _, start in starts[1:]] + [None]
    return [{name: line[start:end].strip() for (name, start), end in zip(starts, ends, strict=True)} for line in lines]


def test_the_columns_of_a_relay_task(crds: ControlPlane, seen: str) -> None:
    (row,) = table(crds.kubectl("-n", seen, "get", "rlt", "alibaba").stdout)

    assert list(row) == ["NAME", "STATE", "READY", "REASON", "SINCE", "AGE"]
    assert list(row.values())[:4] == ["alibaba", "Failed", "False", "TaskFailed"]
    assert re.fullmatch(r"\d+y(\d+d)?", row["SINCE"])
    assert re.fullmatch(r"\d+m?\d*s", row["AGE"])


def test_the_wide_columns_of_a_relay_task(crds: ControlPlane, seen: str) -> None:
    (row,) = table(crds.kubectl("-n", seen, "get", "rlt", "alibaba", "-o", "wide").stdout)

    assert list(row)[5:] == ["AGE", "DELETED", "VENDOR", "TASK", "VENDOR STATUS", "MESSAGE"]
    assert list(row.values())[6:] == ["", "AlibabaCloud", "yourTaskId", "6", "Check the URL."]


def test_the_columns_of_a_preload_task(crds: ControlPlane, seen: str) -> None:
    (row,) = table(crds.kubectl("-n", seen, "get", "plt", "url").stdout)

    assert list(row) == ["NAME", "STATE", "PROGRESS", "READY", "REASON", "SINCE", "AGE"]
    assert list(row.values())[:5] == ["url", "Preloading", "62", "Unknown", "Preloading"]
    assert re.fullmatch(r"\d+y(\d+d)?", row["SINCE"])


def test_the_wide_columns_of_a_preload_task(crds: ControlPlane, seen: str) -> None:
    (row,) = table(crds.kubectl("-n", seen, "get", "plt", "url", "-o", "wide").stdout)

    assert list(row)[6:] == ["AGE", "DELETED", "DOMAIN", "URLS", "FAILED", "MESSAGE"]
    assert list(row.values())[7:] == ["", "live.example.com", "4", "1", "2 of 4 are done."]


@pytest.mark.parametrize("short", ["rlt", "plt"])
def test_what_is_being_deleted_says_since_when(crds: ControlPlane, namespace: str, short: str) -> None:
    held = {"rlt": "relay-alibaba", "plt": "preload-url"}[short]
    crds.kubectl("-n", namespace, "create", "-f", str(ACCEPTED / f"{held}.yaml"))
    finalizer = '{"metadata":{"finalizers":["tests.livetask.dev/held"]}}'
    crds.kubectl("-n", namespace, "patch", short, "--type=merge", "-p", finalizer, held.partition("-")[2])
    crds.kubectl("-n", namespace, "delete", short, "--all", "--wait=false")

    (row,) = table(crds.kubectl("-n", namespace, "get", short, "-o", "wide").stdout)

    assert re.fullmatch(r"\d+s", row["DELETED"])
    crds.kubectl("-n", namespace, "patch", short, "--type=merge", "-p", '{"metadata":{"finalizers":null}}', row["NAME"])


def test_both_kinds_fit_into_120_columns_with_the_longest_words_that_there_are(crds: ControlPlane, seen: str) -> None:
    """Beside a namespace of 12 and a name of 16 characters; kubectl writes the kind before the name."""
    longest = "PreloadTask.livetask.dev/"
    words = ("n" * 12, longest + "n" * 16, max(State, key=len), "Unknown", max(Reason, key=len), "2y364d", "2y364d")
    headings = crds.kubectl("-n", seen, "get", "rlt", "-A").stdout.splitlines()[0].split()

    widths = [max(len(heading), len(word)) for heading, word in zip(headings, words, strict=True)]

    assert sum(widths) + 3 * (len(widths) - 1) <= 120


def test_what_was_not_looked_at_yet_shows_nothing_but_its_age(crds: ControlPlane, seen: str) -> None:
    (row,) = table(crds.kubectl("-n", seen, "get", "rlt", "huawei").stdout)

    assert [value for name, value in row.items() if name not in ("NAME", "AGE")] == [""] * 4


def test_one_word_gets_both_kinds(crds: ControlPlane, seen: str) -> None:
    names = crds.kubectl("-n", seen, "get", "livetasks", "-o", "name").stdout.split()

    assert sorted(names) == [
        "preloadtask.livetask.dev/url",
        "relaytask.livetask.dev/alibaba",
        "relaytask.livetask.dev/huawei",
        "relaytask.livetask.dev/tencent",
    ]


@pytest.mark.parametrize(
    ("short", "selector", "names"),
    [
        ("rlt", "status.state=Failed", ["alibaba"]),
        ("rlt", "status.state!=Failed", ["huawei", "tencent"]),
        ("rlt", "status.state=", ["huawei", "tencent"]),
        ("rlt", "spec.alibabaCloud.taskId=yourTaskId", ["alibaba"]),
        ("rlt", "spec.tencentCloud.taskId=1234", ["tencent"]),
        ("rlt", "spec.huaweiCloud.taskId=7864b3dc-e92f-42db-a754-08e627b6d8dd", ["huawei"]),
        ("rlt", "spec.alibabaCloud.taskId=yourTaskId,status.state=Running", []),
        ("plt", "status.state=Preloading", ["url"]),
        ("plt", "status.state=Failed", []),
    ],
)
def test_tasks_are_found_by_state_and_by_task(
    crds: ControlPlane, seen: str, short: str, selector: str, names: list[str]
) -> None:
    found = crds.get("-n", seen, short, f"--field-selector={selector}")

    assert sorted(item["metadata"]["name"] for item in found["items"]) == names


def test_failed_tasks_are_found_in_all_namespaces(crds: ControlPlane, seen: str) -> None:
    found = crds.get("rlt", "-A", "--field-selector", "status.state=Failed")

    assert (seen, "alibaba") in {(each["metadata"]["namespace"], each["metadata"]["name"]) for each in found["items"]}


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_can_be_explained(crds: ControlPlane, kind: str) -> None:
    short = {"RelayTask": "rlt", "PreloadTask": "plt"}[kind]
    blocks = [each.path for each in fields(kind) if each.schema["type"] == "object"]

    told = {block: explained(crds, f"{short}.{block.replace('[]', '')}") for block in blocks}

    inner = [each for each in fields(kind) if each.path not in ("spec", "status") and not each.is_item]
    unexplained = [each.path for each in inner if _first_words(each) not in told[each.path.rpartition(".")[0]]]
    assert unexplained == []


def explained(cluster: ControlPlane, path: str) -> str:
    """What kubectl explain says, in single spaces. The API server publishes a schema a moment after it took the CRD."""
    deadline = time.monotonic() + 20
    while (run := cluster.kubectl("explain", path, check=False)).returncode != 0:
        assert time.monotonic() < deadline, run.stderr
        time.sleep(0.2)
    return " ".join(run.stdout.split())


def _first_words(field: Field) -> str:
    return " ".join(str(field.schema["description"]).split()[:6])
