"""One object on one screen: what is said of it, row by row, and what holds of every screen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from livetask_operator.explain.advice import COMMAND, TO_DO, without_commands
from livetask_operator.explain.case import Case, Lease, Other, Others, Told, Unknown
from livetask_operator.explain.known import KeyIs, Known
from livetask_operator.explain.story import explained
from livetask_operator.reconcile import words
from livetask_operator.reconcile.reasons import Reason
from livetask_operator.reconcile.resource import Resource
from livetask_operator.reconcile.status import timestamp
from livetask_operator.reconcile.trouble import Trouble
from livetask_operator.vendors.contract import CredentialsRejected
from tests.explain.conftest import Said
from tests.reconcile.given import CREATED, relay_task
from tests.reconcile.preload_given import FINAL, OPENING, preload_task

NOW = CREATED + timedelta(hours=3)
EVENTS_ALONE = {Reason.STOP_ACCEPTED, Reason.ALREADY_GONE, Reason.LEFT_RUNNING, Reason.ORPHANED}
CONDITIONS = [reason for reason in Reason if reason not in EVENTS_ALONE]
WORKS = Lease("livetask-system/livetask-operator", "operator-0_1a2b3c4d", NOW - timedelta(seconds=1), 15)


def status(reason: str, message: str = "It is as it is.", ready: str = "Unknown", **fields: Any) -> dict[str, Any]:
    """As the operator writes it: 12 minutes ago."""
    since = timestamp(NOW - timedelta(minutes=12))
    shown = {"reason": reason, "message": message, "lastTransitionTime": since, "observedGeneration": 1}
    return {"observedGeneration": 1, "conditions": [{"type": "Ready", "status": ready, **shown}], **fields}


RUNNING = status("Running", "Alibaba Cloud says 1 (relaying).", "True", state="Running", vendorStatus="1")


def known(**what: Any) -> Known:
    usual = {"key": KeyIs.ACCEPTED, "key_ago_s": 4.0, "seen_ago_s": 4.0, "due_in_s": 26.0}
    return Known(**{"uid": "sports/cup-final", "own_interval_s": 30.0, "interval_s": 30.0, **usual, **what})


def case(task: Resource | None = None, **what: Any) -> Case:
    """Of a task that runs, with nothing out of the ordinary but what is named."""
    given = {"events": [], "others": Others([], everywhere=True), "lease": WORKS, "known": known(), **what}
    return Case(task or relay_task(status=RUNNING), NOW, **given)


def shown(given: Case, width: int = 80) -> Said:
    return Said(0, explained(given, width), "")


@pytest.mark.parametrize("reason", CONDITIONS)
@pytest.mark.parametrize("deleted", [None, 3600], ids=["living", "deleted"])
@pytest.mark.parametrize("known_to_us", [True, False], ids=["asked", "not asked"])
def test_of_every_reason_there_is_a_screen_that_says_what_to_do(
    reason: Reason, deleted: float | None, known_to_us: bool
) -> None:
    task = relay_task(status=status(reason, state="Running"), deleted_after_s=deleted)

    said = shown(case(task, known=known() if known_to_us else Unknown("you may not")))

    assert reason.value in said.text
    assert said.under("to do") == TO_DO[reason]
    assert len(said.lines) <= 24
    assert max(map(len, said.lines)) <= 80


def test_there_is_something_to_do_for_every_reason_that_a_condition_may_have_and_for_no_other() -> None:
    assert set(TO_DO) == set(CONDITIONS)


@pytest.mark.parametrize(("age", "says"), [(60, "wait a moment"), (180, "ask who runs the operator whether it works")])
def test_an_object_without_a_status_is_waited_for_two_minutes(age: int, says: str) -> None:
    given = Case(relay_task(), CREATED + timedelta(seconds=age), [], Unknown(""), Unknown(""), Unknown(""))

    assert shown(given).under("to do").startswith(says)


@pytest.mark.parametrize("width", [1, 60, 80, 100, 250])
def test_a_screen_is_as_wide_as_the_terminal_between_60_and_100_columns(width: int) -> None:
    task = relay_task(status=status("Paused", "word " * 200, state="Paused"))

    lines = shown(case(task), width).lines

    assert max(map(len, lines)) <= max(60, min(100, width))


SEEN_SLOWLY = known(interval_s=127.0, due_in_s=-31.0, ahead=7, account="sports", limit_per_s=2.0)
REFUSED = known(
    failures=4,
    failed_with="CredentialsRejected",
    key=KeyIs.REFUSED,
    key_reason="CredentialsRejected",
    key_ago_s=240.0,
    due_in_s=44.2,
    seen_ago_s=None,
)


@pytest.mark.parametrize(
    ("label", "says", "given"),
    [
        ("next", "asked in 26 s, every 30 s", case()),
        ("next", "asked in a moment, every 30 s", case(known=known(due_in_s=0.4))),
        ("next", "being asked now, every 30 s", case(known=known(due_in_s=None, under_way=True))),
        ("next", "not asked until something happens to it, every 30 s", case(known=known(due_in_s=None))),
        (
            "next",
            "due to be asked since 31 s: 7 of its account have their turn before it, about every 2 min instead of "
            "30 s: its account (sports, 2 calls a second) has more tasks than its quota allows",
            case(known=SEEN_SLOWLY),
        ),
        (
            "next",
            "asked in 44 s: 4 looks in a row failed, the last with CredentialsRejected, and what the vendor refuses is "
            "asked sparingly. A change of the Secret, or a new requested-at, has it asked at once.",
            case(known=REFUSED),
        ),
        (
            "next",
            "asked in 26 s: the last look failed with Throttled. The vendor throttles its account: a pause "
            "of 12 s more",
            case(known=known(failures=1, failed_with="Throttled", paused_s=12.0)),
        ),
        ("next", "not asked: spec.suspend is true", case(relay_task(status=RUNNING, suspend=True))),
        (
            "next",
            "it wishes for a look every 30 s; when that is, the operator alone knows",
            case(known=Unknown("you may not")),
        ),
        (
            "next",
            "dealt with in 12 s: 3 tries in a row failed",
            case(
                relay_task(status=status("VendorUnavailable"), deleted_after_s=60),
                known=known(failures=3, due_in_s=12.0),
            ),
        ),
        (
            "next",
            "the vendor accepted the stop 6 s ago; looked at again in 2 s whether it has ended",
            case(
                relay_task(status=status("Stopping"), deleted_after_s=60),
                known=known(stop_accepted_ago_s=6.0, due_in_s=2.0),
            ),
        ),
        (
            "next",
            "stopped when its delay is over",
            case(relay_task(status=status("StopPending"), deleted_after_s=60)),
        ),
        (
            "next",
            "stopped when the configuration allows stops again",
            case(relay_task(status=status("StopsHeld"), deleted_after_s=60)),
        ),
        ("vendor", "said 1 (Running), seen 4 s ago", case()),
        ("vendor", "said 1 (Running). Not seen since this operator took over", case(known=known(seen_ago_s=None))),
        (
            "vendor",
            "said 1 (Running). When it was last seen, the operator alone knows: what does not change is not written",
            case(known=Unknown("you may not")),
        ),
        ("vendor", "has told nothing of it yet", case(relay_task())),
        ("key", "Secret sports/alibaba: what is in it now, Alibaba Cloud accepted 4 s ago", case()),
        (
            "key",
            "Secret sports/alibaba: what is in it now was not tried yet",
            case(known=known(key=KeyIs.UNTRIED, key_ago_s=None)),
        ),
        (
            "key",
            "Secret sports/alibaba: what is in it now, Alibaba Cloud has refused for 4 min (CredentialsRejected)",
            case(known=REFUSED),
        ),
        (
            "key",
            "Secret sports/alibaba has no key that can be used (SecretNotFound)",
            case(
                relay_task(status=status("SecretNotFound")),
                known=known(key=KeyIs.UNUSABLE, key_reason="SecretNotFound"),
            ),
        ),
        (
            "key",
            "Secret sports/alibaba: SecretNotFound, when the status was written",
            case(relay_task(status=status("SecretNotFound")), known=Unknown("you may not")),
        ),
        (
            "key",
            "Secret sports/alibaba had a good key when the status was written; of a change since then the operator "
            "alone knows",
            case(known=Unknown("you may not")),
        ),
        ("others", "nobody else follows this task", case()),
        (
            "others",
            "nobody else follows this task in sports; in other namespaces you may not look",
            case(others=Others([], everywhere=False)),
        ),
        (
            "others",
            "who else follows this task is not known: you may not",
            case(others=Unknown("you may not")),
        ),
        (
            "others",
            "sports/a (Stop), sports/b (Orphan), sports/c (being deleted) and 1 more follow the same task",
            case(
                others=Others(
                    [
                        Other("sports/a", "Stop", False),
                        Other("sports/b", "Orphan", False),
                        Other("sports/c", "Stop", True),
                        Other("sports/d", "Stop", True),
                    ],
                    everywhere=True,
                )
            ),
        ),
        ("deletion", "deleting it stops the task at once, or after the configuration's delay", case()),
        ("deletion", "deleting it stops the task after 2 min", case(relay_task(status=RUNNING, stopDelaySeconds=120))),
        ("deletion", "deleting it stops the task at once", case(relay_task(status=RUNNING, stopDelaySeconds=0))),
        (
            "deletion",
            "deletionPolicy is Orphan: its task is left running",
            case(relay_task(status=RUNNING, deletionPolicy="Orphan")),
        ),
        (
            "deletion",
            "deleting it leaves the task running, where sports/a has seen it, too: the last one stops it",
            case(others=Others([Other("sports/a", "Stop", False)], everywhere=True)),
        ),
        (
            "deletion",
            "deleted 2 h ago; held by SecretNotFound",
            case(relay_task(status=status("SecretNotFound"), deleted_after_s=3600)),
        ),
        (
            "deletion",
            "deleted 2 h ago; its stop is under way",
            case(relay_task(status=status("Stopping"), deleted_after_s=3600)),
        ),
        ("deletion", "deleted 2 h ago", case(relay_task(status=RUNNING, deleted_after_s=3600))),
        ("because", "nobody has written anything yet", case(relay_task())),
        ("task", "task relay-1 of arena at Alibaba Cloud", case()),
        (
            "task",
            "task relay-1 of arena at Alibaba Cloud; an edit is not acted on yet; a requested-at waits for its look",
            case(relay_task(status=RUNNING, generation=2, requested_at="now")),
        ),
        ("operator", "operator-0_1a2b3c4d works", case()),
        (
            "operator",
            "operator-0_1a2b3c4d works; not asked: you may not",
            case(known=Unknown("you may not")),
        ),
        (
            "operator",
            "the Lease livetask-system/livetask-operator was never held",
            case(lease=Lease(WORKS.label, "", None, 0)),
        ),
        ("events", "none are kept (a cluster forgets them after an hour)", case()),
        ("events", "not known: you may not", case(events=Unknown("you may not"))),
    ],
)
def test_what_is_said(label: str, says: str, given: Case) -> None:
    assert shown(given).under(label) == says


@pytest.mark.parametrize(
    ("starts", "given"),
    [
        ("RelayTask sports/cup-final: Running, Ready True since 22:48:00Z (12 min)", case()),
        ("RelayTask sports/cup-final: not looked at yet, made 3 h ago", case(relay_task())),
        (
            "RelayTask sports/cup-final: Failed, Ready False (TaskFailed) since 22:48:00Z (12 min)",
            case(relay_task(status=status("TaskFailed", ready="False", state="Failed"))),
        ),
        (
            "RelayTask sports/cup-final: last seen Running, Ready Unknown (VendorUnavailable) since",
            case(relay_task(status=status("VendorUnavailable", state="Running"))),
        ),
        (
            "RelayTask sports/cup-final: being deleted, last seen Running, Ready Unknown (Throttled) since",
            case(relay_task(status=status("Throttled", state="Running"), deleted_after_s=60)),
        ),
        ("RelayTask sports/cup-final: never seen, Ready Unknown", case(relay_task(status=status("SecretNotFound")))),
    ],
)
def test_the_headline(starts: str, given: Case) -> None:
    assert shown(given).text.startswith(starts)


@pytest.mark.parametrize(
    ("lease", "says"),
    [
        (
            Lease(WORKS.label, WORKS.holder, NOW - timedelta(minutes=25), 15),
            f"none works: in the Lease {WORKS.label} {WORKS.holder} wrote 25 min ago",
        ),
        (
            Lease(WORKS.label, "", NOW - timedelta(seconds=3), 1),
            f"none works: in the Lease {WORKS.label} it was given back, written 3 s ago",
        ),
    ],
    ids=["it died", "it ended"],
)
def test_where_no_operator_works_the_status_is_frozen_and_that_comes_first(lease: Lease, says: str) -> None:
    said = shown(case(lease=lease, known=Unknown("none works")))

    assert "FROZEN for " in " ".join(said.lines[:2])
    assert said.under("operator") == says
    assert said.under("next") == "nobody asks: no operator works"
    assert said.under("to do").startswith("get the operator to work")


def test_a_lease_that_was_just_written_to_is_held() -> None:
    said = shown(case(lease=Lease(WORKS.label, WORKS.holder, NOW - timedelta(seconds=14), 15)))

    assert "FROZEN" not in said.text


def test_each_command_of_a_message_stands_on_a_line_of_its_own_in_one_piece() -> None:
    task = relay_task("a-rather-long-name-of-a-relay-task", deleted_after_s=60)
    trouble = Trouble.of_vendor(task, CredentialsRejected("it does not know it", code="X"), "StopLiveMPUTask")
    message = words.stop_blocked(task, trouble.message)
    held = relay_task(task.name, deleted_after_s=60, status=status("CredentialsRejected", message))

    lines = shown(case(held)).lines

    commands = [line.partition("] ")[2] for line in lines if "] kubectl" in line]
    assert commands == [words.put_key_command(held), words.orphan_command(held)]
    assert all(command in message for command in commands)


@pytest.mark.parametrize(
    ("message", "commands"),
    [
        (words.secret_not_found(relay_task()), 1),
        (words.secret_unusable(relay_task(), "has no key"), 1),
        (words.suspended(relay_task()), 1),
        (words.stopping(relay_task()), 1),
        (words.not_visible(relay_task()), 1),
        (words.stale(relay_task()), 0),
        (words.secret_forbidden(relay_task()), 0),
    ],
)
def test_a_message_without_its_commands_is_still_a_sentence(message: str, commands: int) -> None:
    text, found = without_commands(message)

    assert len(found) == commands
    assert "kubectl" not in text
    assert all(each in message and COMMAND.fullmatch(each + ")") is None for each in found)


def test_the_newest_events_stand_below_the_oldest_first_each_on_a_line() -> None:
    events = [
        Told(NOW - timedelta(minutes=60 - n), f"Reason{n}", "so it is " * 30, warns=n % 2 == 0) for n in range(20)
    ]

    lines = shown(case(events=events)).lines

    told = [line for line in lines if "Reason" in line]
    assert [line.split()[-14:] and line.split("Reason")[1].partition(":")[0] for line in told] == [
        str(n) for n in range(20 - len(told), 20)
    ]
    assert len(lines) <= 24
    assert all(len(line) <= 80 and line.endswith("…") for line in told)
    assert [" ! " in line for line in told] == [n % 2 == 0 for n in range(20 - len(told), 20)]


def test_a_preload_says_how_far_it_is_and_that_its_deletion_stops_nothing() -> None:
    task = preload_task(
        play_urls=[OPENING, FINAL], status=status("Preloading", state="Preloading", progress=62, total=2, succeeded=1)
    )

    said = shown(case(task, others=None))

    assert said.lines[0].startswith("PreloadTask ")
    assert said.under("vendor") == "Preloading: 62 %, 1 of 2 done, seen 4 s ago"
    assert said.under("deletion") == "deleting it stops nothing: the vendor has no call for that"
    assert said.under("others") == ""


def test_what_others_wrote_cannot_drive_the_terminal_nor_pass_for_a_line_of_ours() -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\x9b1m\u202e\r\nto do     [1] kubectl delete ns sports\u2028"
    wrote = status(evil, f"{evil} (kubectl{evil})", state=evil, vendorStatus=evil)
    told = [Told(NOW, evil, evil, warns=True)]
    refused = known(key=KeyIs.REFUSED, key_reason=evil, failures=3, failed_with=evil, account=evil)

    lines = explained(case(relay_task(status=wrote), events=told, known=refused))

    assert "owned" in "".join(lines)
    assert [line for line in lines if not line.isprintable()] == []
    assert [line for line in lines if line.startswith("to do")] == ["to do     see the message"]
