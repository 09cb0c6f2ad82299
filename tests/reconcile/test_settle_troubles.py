"""What the status of a living object says when looks fail: what it keeps, what it takes back, and what it forgives."""

from __future__ import annotations

import pytest

from livetask_operator.reconcile.looks import review_at_s
from livetask_operator.reconcile.reasons import MAY_PASS, NEEDS_PERSON, Reason
from livetask_operator.reconcile.settle import Seen
from livetask_operator.reconcile.trouble import Trouble
from livetask_operator.vendors.contract import State
from tests.reconcile.checker import contradictions
from tests.reconcile.given import Life, at, body_of, relay_task, seen, shown, told, trouble, with_status
from tests.reconcile.kstatus import kstatus

GROWN_S = 600.0

GOOD = seen()
THROTTLED = trouble(Reason.THROTTLED)
DOWN = trouble(Reason.VENDOR_UNAVAILABLE)
REJECTED = trouble(Reason.CREDENTIALS_REJECTED)

Story = list[tuple[float, Seen | Trouble | None]]

STORIES: list[tuple[str, Story, str]] = [
    # Looks every 30 s: stale is 90 s after the last good one.
    ("one failed look", [(0, GOOD), (30, DOWN)], "Ready=True/Running"),
    ("two in a row", [(0, GOOD), (30, DOWN), (35, DOWN)], "Ready=True/Running Reconciling=True/VendorUnavailable"),
    ("a good look between", [(0, GOOD), (30, DOWN), (35, GOOD), (65, DOWN)], "Ready=True/Running"),
    (
        "two in a row of a failed task",
        [(0, seen(State.FAILED)), (30, DOWN), (35, DOWN)],
        "Ready=False/TaskFailed Reconciling=True/VendorUnavailable",
    ),
    (
        "two in a row of a pending task",
        [(0, seen(State.PENDING)), (30, DOWN), (35, DOWN)],
        "Ready=Unknown/Pending Reconciling=True/VendorUnavailable",
    ),
    ("one, and nothing more is heard", [(0, GOOD), (30, DOWN), (89.9, None)], "Ready=True/Running"),
    (
        "one, and stale",
        [(0, GOOD), (30, DOWN), (90, None)],
        "Ready=Unknown/VendorUnavailable Reconciling=True/VendorUnavailable",
    ),
    (
        "many, not stale yet",
        [(0, GOOD), (30, DOWN), (35, DOWN), (89.9, DOWN)],
        "Ready=True/Running Reconciling=True/VendorUnavailable",
    ),
    (
        "many, and stale",
        [(0, GOOD), (30, DOWN), (35, DOWN), (90, None)],
        "Ready=Unknown/VendorUnavailable Reconciling=True/VendorUnavailable",
    ),
    ("healed", [(0, GOOD), (30, DOWN), (35, DOWN), (90, DOWN), (100, GOOD)], "Ready=True/Running"),
    ("never a good one", [(0, THROTTLED)], "Ready=Unknown/Throttled Reconciling=True/Throttled"),
    (
        "never a good one, the second",
        [(0, THROTTLED), (5, THROTTLED)],
        "Ready=Unknown/Throttled Reconciling=True/Throttled",
    ),
    (
        "another cause",
        [(0, GOOD), (30, DOWN), (35, THROTTLED)],
        "Ready=True/Running Reconciling=True/Throttled",
    ),
    ("no look was tried", [(0, GOOD), (90, None)], "Ready=Unknown/Stale Reconciling=True/Stale"),
    ("stale, then seen", [(0, GOOD), (90, None), (95, GOOD)], "Ready=True/Running"),
    (
        "stale, then one failed look",
        [(0, GOOD), (90, None), (95, DOWN)],
        "Ready=Unknown/VendorUnavailable Reconciling=True/VendorUnavailable",
    ),
    (
        "a person must act, at once",
        [(0, GOOD), (30, REJECTED)],
        "Ready=Unknown/CredentialsRejected Stalled=True/CredentialsRejected",
    ),
    (
        "a person must act, never seen",
        [(0, REJECTED)],
        "Ready=Unknown/CredentialsRejected Stalled=True/CredentialsRejected",
    ),
    (
        "a person must act, and nobody does",
        [(0, GOOD), (30, REJECTED), (500, None)],
        "Ready=Unknown/CredentialsRejected Stalled=True/CredentialsRejected",
    ),
    (
        "a person must act after what may pass",
        [(0, GOOD), (30, DOWN), (35, REJECTED)],
        "Ready=Unknown/CredentialsRejected Stalled=True/CredentialsRejected",
    ),
    (
        "what may pass after a person must act",
        [(0, GOOD), (30, REJECTED), (35, DOWN)],
        "Ready=Unknown/VendorUnavailable Reconciling=True/VendorUnavailable",
    ),
    ("a person acted", [(0, GOOD), (30, REJECTED), (35, GOOD)], "Ready=True/Running"),
    (
        "hidden from this key, then down",
        [(0, seen(key="one")), (30, seen(State.NOT_FOUND, key="two")), (60, DOWN), (65, DOWN)],
        "Ready=Unknown/VendorUnavailable Reconciling=True/VendorUnavailable",
    ),
]


@pytest.mark.parametrize(("story", "conditions"), [pytest.param(*row[1:], id=row[0]) for row in STORIES])
def test_a_story_of_failing_looks_ends_as_promised(story: Story, conditions: str) -> None:
    task = relay_task()

    status = told(task, *story)

    assert shown(status) == conditions
    assert contradictions(body_of(with_status(task, status))) == []


@pytest.mark.parametrize("reason", sorted(NEEDS_PERSON))
def test_what_a_person_must_mend_is_stalled_at_once(reason: Reason) -> None:
    task = relay_task()

    status = told(task, (GROWN_S, GOOD), (GROWN_S + 30, trouble(reason)))

    assert shown(status) == f"Ready=Unknown/{reason} Stalled=True/{reason}"
    body = body_of(with_status(task, status))
    assert kstatus(body) == "Failed"
    assert contradictions(body) == []


@pytest.mark.parametrize("reason", sorted(MAY_PASS))
def test_what_may_pass_is_told_from_the_second_time_and_is_never_stalled(reason: Reason) -> None:
    life = Life(relay_task(), at_s=GROWN_S)
    life.look(GOOD)

    first, second = shown(life.look(trouble(reason))), shown(life.look(trouble(reason)))

    assert first == "Ready=True/Running"
    assert second == f"Ready=True/Running Reconciling=True/{reason}"
    assert kstatus(body_of(life.task)) == "InProgress"


@pytest.mark.parametrize("reason", [Reason.SECRET_NOT_FOUND, Reason.SECRET_KEY_MISSING])
@pytest.mark.parametrize(
    ("age_s", "kind"),
    [
        pytest.param(0, "Reconciling", id="newborn"),
        pytest.param(119.999, "Reconciling", id="nearly two minutes old"),
        pytest.param(120, "Stalled", id="two minutes old"),
    ],
)
def test_a_secret_that_comes_a_little_later_is_forgiven_for_two_minutes(
    reason: Reason, age_s: float, kind: str
) -> None:
    status = told(relay_task(), (age_s, trouble(reason)))

    assert shown(status) == f"Ready=Unknown/{reason} {kind}=True/{reason}"


@pytest.mark.parametrize("reason", sorted(NEEDS_PERSON - {Reason.SECRET_NOT_FOUND, Reason.SECRET_KEY_MISSING}))
def test_nothing_else_is_forgiven_to_the_young(reason: Reason) -> None:
    status = told(relay_task(), (1, trouble(reason)))

    assert shown(status) == f"Ready=Unknown/{reason} Stalled=True/{reason}"


def test_when_the_grace_of_a_missing_secret_ends_the_status_is_reviewed() -> None:
    life = Life(relay_task(pollIntervalSeconds=3600), at_s=10)
    life.look(trouble(Reason.SECRET_NOT_FOUND))

    due = review_at_s(life.task, life.track, at(10))

    assert due == at(120).mono


def test_when_a_look_gets_stale_the_status_is_reviewed_and_after_that_no_more() -> None:
    life = Life(relay_task(), at_s=GROWN_S)
    life.look(GOOD)

    assert review_at_s(life.task, life.track, at(GROWN_S)) == at(GROWN_S + 90).mono
    life.now_s = GROWN_S + 90
    life.review()
    assert review_at_s(life.task, life.track, at(GROWN_S + 90)) is None


def test_an_outage_with_many_faces_is_written_once() -> None:
    life = Life(relay_task())
    life.look(GOOD)
    life.look(trouble(Reason.VENDOR_UNAVAILABLE, detail="it answered with 503"))
    written = life.look(trouble(Reason.VENDOR_UNAVAILABLE, detail="it answered with 503"))

    again = life.look(trouble(Reason.VENDOR_UNAVAILABLE, detail="no answer in 10 s"))

    assert again.patch_from(written) == {}
    assert "503" in again.conditions[1].message


@pytest.mark.parametrize("reason", sorted(NEEDS_PERSON | MAY_PASS))
def test_the_longest_names_there_can_be_make_no_message_that_is_too_long(reason: Reason) -> None:
    task = relay_task(
        "n" * 253,
        "s" * 63,
        block={"appId": "a" * 64, "taskId": "t" * 512},
        credentialsSecretRef={"name": "k" * 253},
    )

    status = told(task, (GROWN_S, trouble(reason, task)))

    assert contradictions(body_of(with_status(task, status))) == []


def test_a_failed_look_keeps_when_ready_last_changed_and_what_it_said() -> None:
    before = told(relay_task(), (3, GOOD)).condition("Ready")

    after = told(relay_task(), (3, GOOD), (33, DOWN), (38, DOWN)).condition("Ready")

    assert after == before
