"""The pages as a whole: their links lead somewhere, and the metrics that they name are those that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from livetask_operator.observability.families import MADE_WHEN_ASKED
from livetask_operator.observability.metrics import Metrics
from tests.conftest import ROOT

PAGES = sorted(
    page.relative_to(ROOT).as_posix()
    for folder in (
        ROOT,
        ROOT / "crds",
        ROOT / "manifests",
        ROOT / "manifests" / "argocd",
        ROOT / "manifests" / "monitoring",
        ROOT / "manifests" / "vendor-policies",
        ROOT / "operator",
    )
    for page in (folder.rglob("*.md") if folder.name == "operator" else folder.glob("*.md"))
)
BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://)([^)#]*)(?:#([^)]*))?\)")
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
METRIC = re.compile(r"\blivetask_(?!operator|simulator)\w+")


def anchors(page: Path) -> set[str]:
    """The headings as links name them: lower case, hyphens for spaces, no other punctuation."""
    headings = HEADING.findall(BLOCK.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_page_and_to_a_heading_of_it(page: str) -> None:
    text = BLOCK.sub("", (ROOT / page).read_text(encoding="utf-8"))

    dead = []
    for path, anchor in LINK.findall(text):
        target = (ROOT / page).parent / path if path else ROOT / page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(f"{path}#{anchor}")

    assert dead == []


@pytest.mark.parametrize("page", PAGES)
def test_no_page_names_a_metric_that_there_is_not(page: str) -> None:
    named = set(METRIC.findall((ROOT / page).read_text(encoding="utf-8")))

    assert named - metrics() == set()


def metrics() -> set[str]:
    """Their names, as queries have them."""
    text = Metrics().text().decode()
    return set(re.findall(r"^# TYPE (livetask_\w+)", text, re.MULTILINE)) | {each.name for each in MADE_WHEN_ASKED}
