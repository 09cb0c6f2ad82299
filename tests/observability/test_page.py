"""The page of all metrics says of each what the operator does: its type and its labels, and of no other."""

from __future__ import annotations

import re

from livetask_operator.observability.families import MADE_WHEN_ASKED
from livetask_operator.observability.metrics import Metrics
from tests.conftest import ROOT

PAGE = ROOT / "manifests" / "monitoring" / "metrics.md"
ROW = re.compile(r"^\| `(livetask_\w+)` \| (\w+) \|([^|]*)\| (.+) \|$", re.MULTILINE)
OF_ONE_SAMPLE = {"le"}


def on_the_page(text: str) -> dict[str, tuple[str, frozenset[str]]]:
    return {name: (type_, frozenset(re.findall(r"`(\w+)`", labels))) for name, type_, labels, _ in ROW.findall(text)}


def in_the_operator() -> dict[str, tuple[str, frozenset[str]]]:
    """Type and labels by name; of those that are kept, from a series of each."""
    metrics = Metrics()
    metrics.called(("AlibabaCloud", "sports", "GetMPUTaskStatus"), "ok", 0.1, now_s=1.0)
    metrics.answer_sizes("AlibabaCloud", "GetMPUTaskStatus")(300)
    metrics.polled("AlibabaCloud", 0.1)
    metrics.stop("AlibabaCloud", "Orphaned")
    metrics.writes.labels("status", "ok")
    kept = {}
    for family in metrics.registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        if name.startswith("livetask_"):
            labels = frozenset(label for sample in family.samples for label in sample.labels) - OF_ONE_SAMPLE
            kept[name] = (family.type, labels)
    return kept | {family.name: (family.type, frozenset(family.labels)) for family in MADE_WHEN_ASKED}


def test_the_page_names_each_metric_with_its_type_and_its_labels() -> None:
    assert on_the_page(PAGE.read_text(encoding="utf-8")) == in_the_operator()


def test_one_that_is_missing_or_made_up_or_has_another_label_is_found() -> None:
    page = PAGE.read_text(encoding="utf-8")
    leader = next(line for line in page.splitlines() if "`livetask_leader` |" in line)

    for wrong in (
        page.replace(leader, ""),
        page.replace(leader, f"{leader}\n{leader.replace('livetask_leader', 'livetask_follower')}"),
        page.replace("`livetask_deletions_waiting` | gauge | `reason`", "`livetask_deletions_waiting` | gauge | `why`"),
        page.replace("`livetask_leader` | gauge", "`livetask_leader` | counter"),
    ):
        assert wrong != page
        assert on_the_page(wrong) != in_the_operator()
