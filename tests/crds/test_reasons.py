"""The page of all reasons, `crds/reasons.md`: an entry for each that the operator gives, true to what it writes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from livetask_operator.reconcile import preload_settle, settle, stopping
from livetask_operator.reconcile.reasons import (
    FORGIVEN_WHILE_YOUNG,
    MAY_PASS,
    NEEDS_PERSON,
    REASON_OF_PRELOAD,
    REASON_OF_STATE,
    Reason,
)
from livetask_operator.reconcile.status import Status
from tests.conftest import ROOT
from tests.lifecycle.page import Page
from tests.monitoring.test_rules import rules
from tests.reconcile.given import at, relay_task

PAGE = Page("crds/reasons.md")
OPERATOR = ROOT / "operator" / "livetask_operator"
ENTRY = re.compile(r"^### `(\w+)`$", re.MULTILINE)
FACTS = re.compile(
    r"^(?P<conditions>[^·\n]+) · (?P<event>Normal|Warning) · ends by itself: (?P<itself>.+)$", re.MULTILINE
)
WHILE_YOUNG = " (Reconciling in the object's first 2 minutes)"


def facts(reason: Reason) -> Mapping[str, str]:
    """The first line of an entry."""
    found = FACTS.search(PAGE.section(f"`{reason}`"))
    assert found, f"{reason} begins with no line of facts"
    return found.groupdict()


def told(status: Status) -> str:
    """A status' conditions, as the page tells them."""
    ready, *beside = sorted(status.conditions, key=lambda each: each.type != "Ready")
    return ", ".join([f"Ready {ready.status}", *(each.type for each in beside if each.status == "True")])


def written() -> dict[Reason, str]:
    """What the operator writes for each reason."""
    task, now = relay_task(), at(0)
    states = [(REASON_OF_STATE[state], shown) for state, shown in settle.SHOWN.items()]
    states += [(REASON_OF_PRELOAD[state], shown) for state, shown in preload_settle.SHOWN.items()]
    found = {reason: f"Ready {ready}" + (f", {beside}" if beside else "") for reason, (ready, beside) in states}
    found |= dict.fromkeys(NEEDS_PERSON, "Ready Unknown, Stalled")
    found |= dict.fromkeys(MAY_PASS | {Reason.STALE}, "Ready Unknown, Reconciling")
    found = {reason: words + WHILE_YOUNG * (reason in FORGIVEN_WHILE_YOUNG) for reason, words in found.items()}
    return found | {
        Reason.SUSPENDED: "Ready Unknown",
        Reason.STOP_PENDING: told(stopping.pending_status(task, now.wall, now)),
        Reason.STOPPING: told(stopping.stopping_status(task, now)),
        Reason.STOP_NOT_CONFIRMED: told(stopping.unconfirmed_status(task, now)),
        Reason.STOPS_HELD: told(stopping.held_status(task, now)),
    }


def unused(sources: Iterable[str]) -> set[Reason]:
    """The reasons that nothing in these sources gives: neither by its name, nor as an error's word."""
    text = "\n".join(sources)
    return {reason for reason in Reason if not re.search(rf'Reason\.{reason.name}\b|\breason = "{reason}"', text)}


def sources() -> list[Path]:
    """Where reasons are given: not where they are listed, nor where advice is given about them."""
    folders = (OPERATOR / name for name in ("kube", "reconcile", "vendors"))
    return [path for folder in folders for path in folder.rglob("*.py") if path.name != "reasons.py"]


def test_every_reason_has_an_entry_and_there_is_no_other() -> None:
    assert sorted(ENTRY.findall(PAGE.text)) == sorted(Reason)


def test_every_reason_is_given_somewhere() -> None:
    states = {*REASON_OF_STATE.values(), *REASON_OF_PRELOAD.values()}  # given by these tables

    assert unused(path.read_text() for path in sources()) - states == set()


def test_a_reason_that_nothing_gives_is_found() -> None:
    text = "\n".join(path.read_text() for path in sources()).replace("Reason.STOPS_HELD", "")

    assert Reason.STOPS_HELD in unused([text])


@pytest.mark.parametrize("reason", Reason)
def test_an_entry_says_what_to_do_and_whether_it_ends_by_itself(reason: Reason) -> None:
    entry = PAGE.section(f"`{reason}`")

    assert re.search(r"\*\*What to do\*\*:\s+\w+", entry)
    assert facts(reason)["itself"].strip()
    assert facts(reason)["event"] == ("Warning" if reason.is_warning else "Normal")
    assert facts(reason)["conditions"] == written().get(reason, "No condition")


def test_every_alert_that_an_entry_names_is_one() -> None:
    assert set(re.findall(r"\[(Livetask\w+)\]", PAGE.text)) <= set(rules())
