"""What can be changed once an object exists, and what cannot: the same while it waits for its deletion."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.controlplane import ControlPlane
from tests.crds.verdict import Refusal, assert_accepted, assert_refused

ACCEPTED = Path(__file__).parent / "accepted"

ALIBABA, TENCENT, HUAWEI, PRELOAD = "relay-alibaba", "relay-tencent", "relay-huawei", "preload-all-fields"
FIXED = "cannot be changed once the object exists"
NO_SWAP = "the vendor block cannot be added, removed or swapped once the object exists"
LIFE = ("live", "dying")
NAMES = (ALIBABA, TENCENT, HUAWEI, PRELOAD)


@dataclass(frozen=True)
class Edit:
    """A merge patch of spec to an object of the folder `accepted`, and what is said to it."""

    name: str
    of: str
    spec: dict[str, Any] | None
    refusals: tuple[Refusal, ...] = ()

    @property
    def patch(self) -> str:
        return json.dumps({"spec": self.spec})


_TENCENT_BLOCK = {"sdkAppId": 1, "region": "ap-singapore", "taskId": "x"}
_ALIBABA_BLOCK = {"appId": "a", "taskId": "t"}


def _fixed(name: str, of: str, block: str, change: dict[str, Any]) -> Edit:
    return Edit(name, of, {block: change}, (Refusal(f"spec.{block}", FIXED),))


def _no_swap(name: str, of: str, change: dict[str, Any]) -> Edit:
    return Edit(name, of, change, (Refusal("spec", NO_SWAP),))


REFUSED = (
    _fixed("the-task-at-alibaba", ALIBABA, "alibabaCloud", {"taskId": "anotherTask"}),
    _fixed("the-application-at-alibaba", ALIBABA, "alibabaCloud", {"appId": "anotherApp"}),
    _fixed("the-task-at-tencent", TENCENT, "tencentCloud", {"taskId": "4321"}),
    _fixed("the-application-at-tencent", TENCENT, "tencentCloud", {"sdkAppId": 2}),
    _fixed("the-region-at-tencent", TENCENT, "tencentCloud", {"region": "ap-mumbai"}),
    _fixed("the-task-at-huawei", HUAWEI, "huaweiCloud", {"taskId": "another"}),
    _fixed("the-project-at-huawei", HUAWEI, "huaweiCloud", {"projectId": "another"}),
    _fixed("the-region-at-huawei", HUAWEI, "huaweiCloud", {"region": "cn-east-3"}),
    _fixed("the-domain-of-a-preload", PRELOAD, "alibabaCloud", {"domainName": "other.example.com"}),
    _fixed("one-more-task-of-a-preload", PRELOAD, "alibabaCloud", {"taskIds": ["yourTaskId", "another"]}),
    _fixed("no-tasks-of-a-preload", PRELOAD, "alibabaCloud", {"taskIds": None}),
    _fixed("other-urls-of-a-preload", PRELOAD, "alibabaCloud", {"playUrls": ["rtmp://live.example.com/app/b"]}),
    _fixed("the-moment-of-a-preload", PRELOAD, "alibabaCloud", {"createdAfter": "2026-11-21T18:00:00Z"}),
    _fixed("no-moment-of-a-preload", PRELOAD, "alibabaCloud", {"createdAfter": None}),
    _no_swap("a-second-vendor", ALIBABA, {"tencentCloud": _TENCENT_BLOCK}),
    _no_swap("no-vendor", ALIBABA, {"alibabaCloud": None}),
    _no_swap("another-vendor-than-alibaba", ALIBABA, {"alibabaCloud": None, "tencentCloud": _TENCENT_BLOCK}),
    _no_swap("another-vendor-than-tencent", TENCENT, {"tencentCloud": None, "alibabaCloud": _ALIBABA_BLOCK}),
    _no_swap("another-vendor-than-huawei", HUAWEI, {"huaweiCloud": None, "alibabaCloud": _ALIBABA_BLOCK}),
    Edit("no-vendor-of-a-preload", PRELOAD, {"alibabaCloud": None}, (Refusal("spec.alibabaCloud", "Required value"),)),
    Edit("no-spec", ALIBABA, None, (Refusal("spec", "Required value"),)),
    Edit(
        "no-secret", ALIBABA, {"credentialsSecretRef": None}, (Refusal("spec.credentialsSecretRef", "Required value"),)
    ),
    Edit(
        "a-policy-that-is-none",
        ALIBABA,
        {"deletionPolicy": "orphan"},
        (Refusal("spec.deletionPolicy", '"Stop", "Orphan"'),),
    ),
    Edit(
        "an-interval-too-short",
        TENCENT,
        {"pollIntervalSeconds": 1},
        (Refusal("spec.pollIntervalSeconds", "equal to 5"),),
    ),
)

ALLOWED = (
    Edit("to-orphan", ALIBABA, {"deletionPolicy": "Orphan"}),
    Edit("to-orphan-at-tencent", TENCENT, {"deletionPolicy": "Orphan"}),
    Edit("to-orphan-at-huawei", HUAWEI, {"deletionPolicy": "Orphan"}),
    Edit("the-policy-to-its-default", ALIBABA, {"deletionPolicy": None}),
    Edit("a-delay", ALIBABA, {"stopDelaySeconds": 3600}),
    Edit("no-delay", ALIBABA, {"stopDelaySeconds": None}),
    Edit("suspended", HUAWEI, {"suspend": True}),
    Edit("another-secret", TENCENT, {"credentialsSecretRef": {"name": "new-key"}}),
    Edit("another-interval", TENCENT, {"pollIntervalSeconds": 5}),
    Edit("everything-at-once", ALIBABA, {
        "deletionPolicy": "Orphan", "stopDelaySeconds": 1, "suspend": True, "pollIntervalSeconds": 60,
        "credentialsSecretRef": {"name": "new-key"},
    }),
    Edit("the-same-vendor-block-again", ALIBABA, {"alibabaCloud": {"appId": "yourAppId", "taskId": "yourTaskId"}}),
    Edit("a-preload-suspended", PRELOAD, {"suspend": False}),
    Edit("another-secret-of-a-preload", PRELOAD, {"credentialsSecretRef": {"name": "new-key"}}),
    Edit("another-interval-of-a-preload", PRELOAD, {"pollIntervalSeconds": 3600}),
    Edit("the-same-moment-in-another-zone", PRELOAD, {"alibabaCloud": {"createdAfter": "2026-11-21T02:00:00+08:00"}}),
)  # fmt: skip


@pytest.fixture(scope="module")
def objects(crds: ControlPlane, room: str) -> Iterator[str]:
    """Two of each: one that lives, and one that is being deleted and waits for a finalizer. Nothing changes them."""
    for name in NAMES:
        for life in LIFE:
            body = crds.kubectl(
                "-n", room, "create", "--dry-run=client", "-o", "json", "-f", str(ACCEPTED / f"{name}.yaml")
            ).stdout
            manifest = json.loads(body)
            manifest["metadata"] |= {"name": f"{life}-{name}", "finalizers": ["livetask.dev/stop"]}
            crds.kubectl("-n", room, "create", "-f", "-", stdin=json.dumps(manifest))
    crds.kubectl("-n", room, "delete", "--wait=false", *(_object("dying", name) for name in NAMES))
    yield room
    for life in LIFE:
        for name in NAMES:
            crds.kubectl(
                "-n", room, "patch", _object(life, name), "--type=merge", "-p", '{"metadata":{"finalizers":null}}'
            )


def _object(life: str, name: str) -> str:
    kind, _, _ = name.partition("-")
    return f"{kind}task/{life}-{name}"


@pytest.mark.parametrize("life", LIFE)
@pytest.mark.parametrize("edit", REFUSED, ids=lambda edit: edit.name)
def test_what_names_the_task_cannot_be_changed(crds: ControlPlane, objects: str, edit: Edit, life: str) -> None:
    run = crds.kubectl(
        "-n",
        objects,
        "patch",
        _object(life, edit.of),
        "--type=merge",
        "--dry-run=server",
        "-p",
        edit.patch,
        check=False,
    )

    assert_refused(run, list(edit.refusals))


@pytest.mark.parametrize("life", LIFE)
@pytest.mark.parametrize("edit", ALLOWED, ids=lambda edit: edit.name)
def test_what_does_not_name_the_task_can_be_changed(crds: ControlPlane, objects: str, edit: Edit, life: str) -> None:
    run = crds.kubectl(
        "-n",
        objects,
        "patch",
        _object(life, edit.of),
        "--type=merge",
        "--dry-run=server",
        "-p",
        edit.patch,
        check=False,
    )

    assert_accepted(run)


def test_a_changed_task_is_refused_by_both_kinds_of_apply(crds: ControlPlane, objects: str) -> None:
    text = (ACCEPTED / f"{ALIBABA}.yaml").read_text()
    changed = text.replace("name: alibaba", f"name: live-{ALIBABA}").replace("yourTaskId", "anotherTask")

    client = crds.kubectl("-n", objects, "apply", "-f", "-", stdin=changed, check=False)
    server = crds.kubectl(
        "-n", objects, "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=changed, check=False
    )

    assert_refused(client, [Refusal("spec.alibabaCloud", FIXED)])
    assert_refused(server, [Refusal("spec.alibabaCloud", FIXED)])


def test_orphan_written_while_being_deleted_stays_written(crds: ControlPlane, objects: str) -> None:
    dying = _object("dying", HUAWEI)

    crds.kubectl("-n", objects, "patch", dying, "--type=merge", "-p", '{"spec":{"deletionPolicy":"Orphan"}}')

    found = crds.get("-n", objects, dying)
    assert found["spec"]["deletionPolicy"] == "Orphan"
    assert found["metadata"]["deletionTimestamp"]


def test_an_object_being_deleted_takes_no_new_finalizer(crds: ControlPlane, objects: str) -> None:
    patch = '{"metadata":{"finalizers":["livetask.dev/stop","example.com/another"]}}'

    run = crds.kubectl("-n", objects, "patch", _object("dying", ALIBABA), "--type=merge", "-p", patch, check=False)

    assert_refused(run, [Refusal("metadata.finalizers", "Forbidden: no new finalizers can be added")])
