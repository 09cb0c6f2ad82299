"""What the status of a PreloadTask says after good and failed looks, edits, a suspension, a restart, and at the end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from livetask_operator.reconcile.looks import review_at_s
from livetask_operator.reconcile.preload_settle import state_of
from livetask_operator.reconcile.preload_status import TaskRow
from livetask_operator.reconcile.reasons import Reason
from livetask_operator.reconcile.trouble import Trouble
from livetask_operator.vendors.contract import PreloadRow, PreloadRows, RowState
from tests.reconcile.checker import contradictions
from tests.reconcile.given import at, shown
from tests.reconcile.kstatus import kstatus
from tests.reconcile.preload_given import (
    FINAL,
    GROWN_S,
    LATE_S,
    OPENING,
    PENDING,
    THROTTLED,
    UNKNOWN,
    PreloadLife,
    body_of_preload,
    done,
    failed,
    preload_task,
    preload_trouble,
    preloaded,
    row,
    rows,
    with_preload_status,
)

REJECTED = preload_trouble(Reason.CREDENTIALS_REJECTED)


@pytest.mark.parametrize(
    ("told", "state", "conditions", "health"),
    [
        (
            [PENDING],
            "Pending",
            "Ready=Unknown/Pending Succeeded=Unknown/Pending Reconciling=True/Pending",
            "InProgress",
        ),
        (
            [row()],
            "Preloading",
            "Ready=Unknown/Preloading Succeeded=Unknown/Preloading Reconciling=True/Preloading",
            "InProgress",
        ),
        ([done()], "Succeeded", "Ready=True/Succeeded Succeeded=True/Succeeded", "Current"),
        (
            [failed()],
            "Failed",
            "Ready=False/PreloadFailed Succeeded=False/PreloadFailed Stalled=True/PreloadFailed",
            "Failed",
        ),
        (
            [],
            "NotFound",
            "Ready=False/TaskNotFound Succeeded=False/TaskNotFound Stalled=True/TaskNotFound",
            "Failed",
        ),
        (
            [UNKNOWN],
            "Unknown",
            "Ready=Unknown/UnknownVendorStatus Succeeded=Unknown/UnknownVendorStatus",
            "InProgress",
        ),
    ],
    ids=["Pending", "Preloading", "Succeeded", "Failed", "NotFound", "Unknown"],
)
def test_each_state_has_its_row_in_the_table(told: list[PreloadRow], state: str, conditions: str, health: str) -> None:
    task = preload_task()

    status = preloaded(task, (GROWN_S, rows(*told)))

    assert (status.state, shown(status)) == (state, conditions)
    body = body_of_preload(with_preload_status(task, status))
    assert kstatus(body) == health
    assert contradictions(body) == []


def test_expired_has_its_row_in_the_table() -> None:
    task = preload_task()

    status = preloaded(task, (GROWN_S, rows(row())), (LATE_S, rows()))

    assert shown(status) == "Ready=False/Expired Succeeded=False/Expired Stalled=True/Expired"
    body = body_of_preload(with_preload_status(task, status))
    assert kstatus(body) == "Failed"
    assert contradictions(body) == []


@pytest.mark.parametrize(
    ("states", "together"),
    [
        ("Preloading Failed Expired NotFound Unknown Succeeded", "Preloading"),
        ("Pending Failed", "Preloading"),
        ("Pending Succeeded", "Preloading"),
        ("Pending Expired", "Preloading"),
        ("Pending Unknown", "Preloading"),
        ("Pending Pending", "Pending"),
        ("Pending NotFound", "Pending"),
        ("Unknown Failed Expired NotFound Succeeded", "Unknown"),
        ("Failed Expired NotFound Succeeded", "Failed"),
        ("Expired NotFound Succeeded", "Expired"),
        ("NotFound Succeeded", "NotFound"),
        ("Succeeded Succeeded", "Succeeded"),
        ("Succeeded Rehearsing", "Unknown"),
        ("Failed Rehearsing", "Unknown"),
    ],
)
def test_the_states_of_all_are_taken_together_in_the_contracts_order(states: str, together: str) -> None:
    there = [TaskRow(state, task_id=str(number)) for number, state in enumerate(states.split())]

    assert state_of(there) == together
    assert state_of(there[::-1]) == together


def test_a_good_look_fills_the_whole_status() -> None:
    url = row(progress=62, area="overseas", description="Successfully", start_time=at(0).wall, end_time=at(3600).wall)

    status = preloaded(
        preload_task(task_ids=["t-2"], play_urls=[OPENING]), (5, rows(url, failed(task_id="t-2", url=FINAL)))
    )

    message = "Alibaba Cloud has completed 0 of 2 preloads, 1 failed. It is looked at again until all have ended."
    common = {
        "status": "Unknown",
        "reason": "Preloading",
        "message": message,
        "lastTransitionTime": "2026-11-21T20:00:05Z",
        "observedGeneration": 1,
    }
    assert status.to_body() == {
        "observedGeneration": 1,
        "state": "Preloading",
        "progress": 46,
        "total": 2,
        "succeeded": 0,
        "failed": 1,
        "tasks": [
            {
                "taskId": "t-2",
                "playUrl": FINAL,
                "state": "Failed",
                "progress": 30,
                "vendorStatus": "Failed",
                "createTime": "2026-11-21T19:59:00Z",
            },
            {
                "taskId": "t-1",
                "playUrl": OPENING,
                "area": "overseas",
                "state": "Preloading",
                "progress": 62,
                "vendorStatus": "preloading",
                "description": "Successfully",
                "createTime": "2026-11-21T19:59:00Z",
                "startTime": "2026-11-21T20:00:00Z",
                "endTime": "2026-11-21T21:00:00Z",
            },
        ],
        "conditions": [
            {"type": "Ready"} | common,
            {"type": "Succeeded"} | common,
            {"type": "Reconciling"} | common | {"status": "True"},
        ],
    }


@pytest.mark.parametrize(
    ("told", "progress"),
    [
        pytest.param([row(progress=50), row(url=FINAL, task_id="t-2", progress=51)], 50, id="rounded down"),
        pytest.param([row(progress=None), done(url=FINAL, task_id="t-2")], 50, id="unsaid is 0"),
        pytest.param([done()], 50, id="never seen is 0"),
        pytest.param([row(RowState.SUCCEEDED, None), done(url=FINAL, task_id="t-2")], 100, id="complete is 100"),
    ],
)
def test_the_progress_is_the_mean_over_all(told: list[PreloadRow], progress: int) -> None:
    status = preloaded(preload_task(play_urls=[OPENING, FINAL]), (GROWN_S, rows(*told)))

    assert status.progress == progress


@pytest.mark.parametrize(
    ("age_s", "kind"),
    [
        pytest.param(0, "Reconciling", id="newborn"),
        pytest.param(119.999, "Reconciling", id="nearly two minutes old"),
        pytest.param(120, "Stalled", id="two minutes old"),
    ],
)
def test_a_preload_that_is_not_there_yet_is_forgiven_for_two_minutes(age_s: float, kind: str) -> None:
    status = preloaded(preload_task(), (age_s, rows()))

    assert shown(status) == f"Ready=False/TaskNotFound Succeeded=False/TaskNotFound {kind}=True/TaskNotFound"


def test_when_the_grace_ends_the_status_is_reviewed_without_another_look() -> None:
    life = PreloadLife(preload_task(pollIntervalSeconds=3600), at_s=20)
    life.look(rows())

    assert review_at_s(life.task, life.track, at(20)) == at(120).mono
    life.now_s = 120.0
    assert "Stalled=True/TaskNotFound" in shown(life.review())


def test_a_look_that_says_the_same_again_changes_nothing() -> None:
    first = preloaded(preload_task(), (5, rows(row())))

    again = preloaded(preload_task(), (5, rows(row())), (35, rows(row())), (65, rows(row())))

    assert again.patch_from(first) == {}


def test_the_status_follows_each_percent() -> None:
    life = PreloadLife(preload_task())
    before = life.look(rows(row(progress=50)))

    patch = life.look(rows(row(progress=51))).patch_from(before)

    assert sorted(patch) == ["progress", "tasks"], "the conditions have nothing new to say"


Story = list[tuple[float, PreloadRows | Trouble | None]]
SEEN = rows(row())
PRELOADING = "Ready=Unknown/Preloading Succeeded=Unknown/Preloading"
STORIES: list[tuple[str, Story, str]] = [
    ("one failed look", [(0, SEEN), (30, THROTTLED)], f"{PRELOADING} Reconciling=True/Preloading"),
    ("two in a row", [(0, SEEN), (30, THROTTLED), (35, THROTTLED)], f"{PRELOADING} Reconciling=True/Throttled"),
    (
        "two in a row, not there",
        [(GROWN_S, rows()), (630, THROTTLED), (635, THROTTLED)],
        "Ready=False/TaskNotFound Succeeded=False/TaskNotFound Reconciling=True/Throttled",
    ),
    (
        "many, and stale",
        [(0, SEEN), (30, THROTTLED), (35, THROTTLED), (90, None)],
        "Ready=Unknown/Throttled Succeeded=Unknown/Throttled Reconciling=True/Throttled",
    ),
    (
        "no look was tried",
        [(0, SEEN), (90, None)],
        "Ready=Unknown/Stale Succeeded=Unknown/Stale Reconciling=True/Stale",
    ),
    (
        "a person must act",
        [(0, SEEN), (30, REJECTED)],
        "Ready=Unknown/CredentialsRejected Succeeded=Unknown/CredentialsRejected Stalled=True/CredentialsRejected",
    ),
    ("a person acted", [(0, SEEN), (30, REJECTED), (35, SEEN)], f"{PRELOADING} Reconciling=True/Preloading"),
    (
        "never read to the end",
        [(0, rows(complete=False))],
        "Ready=Unknown/InvalidResponse Succeeded=Unknown/InvalidResponse Reconciling=True/InvalidResponse",
    ),
    ("at last read to the end", [(0, rows(complete=False)), (5, SEEN)], f"{PRELOADING} Reconciling=True/Preloading"),
]


@pytest.mark.parametrize(("story", "conditions"), [pytest.param(*each[1:], id=each[0]) for each in STORIES])
def test_a_story_of_failing_looks_ends_as_promised(story: Story, conditions: str) -> None:
    task = preload_task()

    status = preloaded(task, *story)

    assert shown(status) == conditions
    assert contradictions(body_of_preload(with_preload_status(task, status))) == []


def test_a_secret_that_comes_a_little_later_is_forgiven() -> None:
    status = preloaded(preload_task(), (1, preload_trouble(Reason.SECRET_NOT_FOUND)))

    assert "Reconciling=True/SecretNotFound" in shown(status)


def test_a_suspended_object_keeps_what_was_seen_and_follows_its_generation() -> None:
    life = PreloadLife(preload_task())
    before = life.look(SEEN)

    life.task = replace(life.task, suspend=True, generation=2)
    status = life.review()

    assert shown(status) == "Ready=Unknown/Suspended Succeeded=Unknown/Suspended"
    assert (status.state, status.tasks, status.observed_generation) == ("Preloading", before.tasks, 2)
    assert review_at_s(life.task, life.track, at(life.now_s)) is None


def test_an_object_that_nobody_looked_at_yet_gets_no_status_however_long_it_takes() -> None:
    task = preload_task()

    status = preloaded(task, (0, None), (10_000, None))

    assert status == task.status
    assert kstatus(body_of_preload(task)) == "InProgress"
