"""A PreloadTask as it is read from the API server's words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from livetask_operator.reconcile.preload_resource import PreloadTask
from livetask_operator.reconcile.resource import UnreadableResource
from tests.reconcile.preload_given import FINAL, OPENING, PRELOAD_VENDORS, preload_body, preload_task


def test_an_object_that_says_only_what_it_must_has_the_contracts_defaults() -> None:
    task = preload_task(task_ids=["t-1"])

    assert (task.domain, task.task_ids, task.play_urls) == ("live.example.com", ("t-1",), ())
    assert task.created_after == datetime(2026, 11, 21, 14, 0, tzinfo=UTC), "6 hours before the object was created"
    assert (task.poll_interval_s, task.suspend) == (30, False)
    assert task.is_polled
    assert not task.is_deleted
    assert not task.was_looked_at
    assert task.status.observed_generation == -1


def test_an_object_is_read_whole() -> None:
    task = preload_task(
        "replay",
        "news",
        task_ids=["t-1", "t-2"],
        play_urls=[FINAL, OPENING],
        block={"createdAfter": "2026-11-20t18:00:00.5+08:00"},
        generation=7,
        requested_at="now",
        status={"observedGeneration": 6, "lastHandledRequestedAt": "before"},
        credentialsSecretRef={"name": "other"},
        pollIntervalSeconds=5,
        suspend=True,
    )

    assert (task.label, task.generation, task.secret, task.poll_interval_s) == ("news/replay", 7, "other", 5)
    assert (task.task_ids, task.play_urls) == (("t-1", "t-2"), (FINAL, OPENING))
    assert task.created_after == datetime(2026, 11, 20, 10, 0, 0, 500_000, tzinfo=UTC)
    assert task.request_waits
    assert not task.is_polled


@pytest.mark.parametrize("state", ["Succeeded", "Failed", "Expired"])
def test_what_has_ended_is_polled_no_more(state: str) -> None:
    assert not preload_task(status={"state": state}).is_polled


@pytest.mark.parametrize("state", ["Pending", "Preloading", "NotFound", "Unknown", "Rehearsing"])
def test_what_has_not_ended_is_polled(state: str) -> None:
    assert preload_task(status={"state": state}).is_polled


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        pytest.param(lambda spec: spec.pop("alibabaCloud"), "has no vendor block that this operator", id="no vendor"),
        pytest.param(lambda spec: spec.pop("credentialsSecretRef"), "cannot be read (KeyError", id="no Secret"),
        pytest.param(lambda spec: spec["alibabaCloud"].pop("playUrls"), "names no preload", id="no preload"),
        pytest.param(lambda spec: spec["alibabaCloud"].pop("domainName"), "cannot be read (KeyError", id="no domain"),
        pytest.param(lambda spec: spec["alibabaCloud"].update(createdAfter="yesterday"), "(ValueError", id="no moment"),
        pytest.param(
            lambda spec: spec["alibabaCloud"].update(createdAfter="0001-01-01T00:00:00+08:00"),
            "cannot be read (OverflowError",
            id="a moment before all time",
        ),
    ],
)
def test_an_object_from_a_newer_crd_is_unreadable_by_name_and_not_a_crash(harm: Any, says: str) -> None:
    body = preload_body()

    harm(body["spec"])

    with pytest.raises(UnreadableResource, match=r"^PreloadTask sports/opening ") as caught:
        PreloadTask.from_body(body, PRELOAD_VENDORS)
    assert says in str(caught.value)


def test_a_url_that_the_status_repeats_is_kept_once() -> None:
    # In the status it is another text of the same characters.
    rows = [{"playUrl": f"{FINAL} "[:-1], "state": "Preloading"}, {"taskId": "t", "state": "Pending"}]
    task = preload_task(play_urls=[FINAL], status={"observedGeneration": 1, "tasks": rows})

    assert task.status.tasks[0].play_url is task.play_urls[0]
    assert task.status.tasks[1].play_url is None
