"""A RelayTask as it is read from the API server's words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from livetask_operator.reconcile.resource import FINALIZER, DeletionPolicy, Finalizers, RelayTask, UnreadableResource
from livetask_operator.reconcile.status import RelayTaskStatus
from livetask_operator.vendors.contract import TaskRef
from tests.reconcile.given import HUAWEI, VENDORS, relay_body, relay_task


def test_an_object_that_says_only_what_it_must_has_the_contracts_defaults() -> None:
    task = relay_task()

    assert task.ref == TaskRef("AlibabaCloud", application="arena", task="relay-1")
    assert (task.poll_interval_s, task.deletion_policy, task.stop_delay_s) == (30, DeletionPolicy.STOP, None)
    assert not task.suspend
    assert not task.is_deleted
    assert not task.was_looked_at
    assert task.status.observed_generation == -1


def test_an_object_is_read_whole() -> None:
    task = relay_task(
        "derby",
        "news",
        vendor=HUAWEI,
        block={"region": "cn-north-4"},
        generation=7,
        deleted_after_s=90,
        requested_at="now",
        status={"observedGeneration": 6, "lastHandledRequestedAt": "before", "seenWithKeyHash": "aa"},
        credentialsSecretRef={"name": "huawei"},
        pollIntervalSeconds=5,
        deletionPolicy="Orphan",
        stopDelaySeconds=0,
        suspend=True,
    )

    assert task.label == "news/derby"
    assert task.ref == TaskRef("HuaweiCloud", "arena", "relay-1", region="cn-north-4")
    assert task.created == datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
    assert task.deleted == datetime(2026, 11, 21, 20, 1, 30, tzinfo=UTC)
    assert (task.secret, task.poll_interval_s, task.stop_delay_s) == ("huawei", 5, 0)
    assert task.deletion_policy is DeletionPolicy.ORPHAN
    assert task.suspend
    assert task.has_finalizer
    assert task.request_waits
    assert task.status == RelayTaskStatus(6, last_handled_requested_at="before", seen_with_key_hash="aa")


def test_a_handled_request_does_not_wait() -> None:
    assert not relay_task(requested_at="now", status={"lastHandledRequestedAt": "now"}).request_waits


@pytest.mark.parametrize(("length", "waits"), [(0, False), (1, True), (256, True), (257, False)])
def test_a_request_longer_than_256_characters_is_not_handled(length: int, waits: bool) -> None:
    assert relay_task(requested_at="x" * length).request_waits is waits


def _without_secret(body: dict[str, Any]) -> None:
    del body["spec"]["credentialsSecretRef"]


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        pytest.param(lambda body: body["spec"].pop("alibabaCloud"), "no vendor block that this", id="no vendor"),
        pytest.param(
            lambda body: body["spec"].update(huaweiCloud={}), "no vendor block that this operator", id="two vendors"
        ),
        pytest.param(_without_secret, "cannot be read (KeyError", id="no Secret"),
        pytest.param(
            lambda body: body["spec"].update(deletionPolicy="Pause"), "'Pause' is not a valid", id="another policy"
        ),
        pytest.param(
            lambda body: body["spec"].update(pollIntervalSeconds="often"), "cannot be read (ValueError", id="no number"
        ),
        pytest.param(
            lambda body: body["metadata"].update(creationTimestamp="yesterday"), "cannot be read", id="no time"
        ),
        pytest.param(
            lambda body: body["spec"].update(alibabaCloud={}), "cannot be read (KeyError", id="an empty block"
        ),
    ],
)
def test_an_object_from_a_newer_crd_is_unreadable_by_name_and_not_a_crash(harm: Any, says: str) -> None:
    body = relay_body()

    harm(body)

    with pytest.raises(UnreadableResource, match=r"^RelayTask sports/cup-final ") as caught:
        RelayTask.from_body(body, VENDORS)
    assert says in str(caught.value)


def test_resource_versions_tell_which_reading_is_newer() -> None:
    older = relay_task()

    assert replace(older, resource_version="1000").is_newer_than(replace(older, resource_version="999"))
    assert not older.is_newer_than(older)
    assert replace(older, resource_version="opaque-2").is_newer_than(replace(older, resource_version="opaque-1"))


def test_of_other_finalizers_nothing_is_kept_but_where_ours_is_among_them() -> None:
    body = relay_body()
    body["metadata"]["finalizers"] = [*(f"example.com/{number}" for number in range(5_000)), FINALIZER]

    task = RelayTask.from_body(body, VENDORS)

    assert task.has_finalizer
    assert task.finalizers == Finalizers(some=True, ours_at=5_000)


@pytest.mark.parametrize(("names", "some"), [([], False), (["example.com/hold"], True)])
def test_an_object_without_our_finalizer_shows_whether_it_has_others(names: list[str], some: bool) -> None:
    body = relay_body()
    body["metadata"]["finalizers"] = names

    task = RelayTask.from_body(body, VENDORS)

    assert not task.has_finalizer
    assert task.finalizers == Finalizers(some=some, ours_at=None)
