"""The alerts of `manifests/monitoring/`: tried by promtool, held to the runbook and to the metrics that there are."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lifecycle.page import Page
from tests.monitoring.made import FOLDER, MADE, RULES
from tests.test_pages import anchors, metrics

UNIT_TESTS = Path(__file__).parent / "rules_test.yaml"
METRIC = re.compile(r"\blivetask_\w+")
FAILED = re.compile(r"alertname: (\w+), time")

Rule = dict[str, Any]


def rules() -> dict[str, Rule]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def promtool(programs: Mapping[str, Path], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(programs["promtool"]), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def fails(programs: Mapping[str, Path], folder: Path, change: Callable[[Rule], None]) -> set[str]:
    """The alerts that the unit tests find wrong once every rule is changed."""
    body = yaml.safe_load(RULES.read_text())
    for group in body["groups"]:
        for rule in group["rules"]:
            change(rule)
    (folder / "rules.yaml").write_text(yaml.safe_dump(body))
    (folder / "test.yaml").write_text(
        UNIT_TESTS.read_text().replace(f"../../manifests/monitoring/{RULES.name}", "rules.yaml")
    )
    run = promtool(programs, "test", "rules", str(folder / "test.yaml"))
    assert run.returncode in (0, 1), run.stderr
    return set(FAILED.findall(run.stdout + run.stderr))


def test_each_alert_fires_when_it_should_and_clears(programs: Mapping[str, Path]) -> None:
    checked = promtool(programs, "check", "rules", str(RULES))
    tried = promtool(programs, "test", "rules", str(UNIT_TESTS))

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert tried.returncode == 0, tried.stdout + tried.stderr


def never(rule: Rule) -> None:
    rule["expr"] = "vector(1) > 2"


def always(rule: Rule) -> None:
    rule["expr"] = "vector(1)"
    rule.pop("for", None)


def without_a_wait(rule: Rule) -> None:
    """Neither before it fires nor, for a relay that is down, before that is forgotten."""
    rule.pop("for", None)
    rule.pop("keep_firing_for", None)
    rule["expr"] = re.sub(r"> (30|60|120|300)\b", "> 0", rule["expr"])


def for_ever(rule: Rule) -> None:
    rule["keep_firing_for"] = "10h"


@pytest.mark.parametrize("fault", [never, always, without_a_wait, for_ever])
def test_a_rule_that_is_wrong_is_found(
    programs: Mapping[str, Path], tmp_path: Path, fault: Callable[[Rule], None]
) -> None:
    found = fails(programs, tmp_path, fault)

    assert found == set(rules())


def test_an_alert_stays_the_same_while_another_replica_takes_over(programs: Mapping[str, Path], tmp_path: Path) -> None:
    def by_pod(rule: Rule) -> None:
        rule["expr"] = rule["expr"].replace("(instance, pod, container, endpoint", "(container")

    assert {"LivetaskRelayDown", "LivetaskUnknownVendorWord"} <= fails(programs, tmp_path, by_pod)


@pytest.mark.parametrize("name", rules())
def test_an_alert_says_how_bad_it_is_what_it_is_and_where_to_read_on(name: str) -> None:
    rule = rules()[name]
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")

    assert rule["labels"] == {"severity": rule["labels"]["severity"]}
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert page == "manifests/monitoring/runbook.md"
    assert anchor == name.lower()


def test_the_runbook_has_an_entry_for_each_alert_and_no_other() -> None:
    entries = {anchor for anchor in anchors(FOLDER / "runbook.md") if anchor.startswith("livetask")}

    assert entries == {name.lower() for name in rules()}


@pytest.mark.parametrize("name", rules())
def test_each_entry_says_what_it_means_how_to_see_the_cause_and_what_to_do(name: str) -> None:
    entry = Page("manifests/monitoring/runbook.md").section(name)

    assert [words for words in ("**It means**", "**To see", "**What to do**") if words not in entry] == []


def test_no_alert_asks_for_a_metric_that_there_is_not() -> None:
    asked = {metric for rule in rules().values() for metric in METRIC.findall(rule["expr"])}

    assert asked - metrics() == set()


def test_the_page_lists_each_alert_with_how_bad_it_is() -> None:
    table = Page("manifests/monitoring/README.md").section("The alerts")

    listed = dict(re.findall(r"^\| `(Livetask\w+)` \| (\w+) \|", table, re.MULTILINE))

    assert listed == {name: rule["labels"]["severity"] for name, rule in rules().items()}


@pytest.mark.parametrize("name", MADE)
def test_what_is_made_from_something_else_is_up_to_date(name: str) -> None:
    assert (FOLDER / name).read_text() == MADE[name](), "make monitoring"
