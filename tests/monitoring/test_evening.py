"""An evening on which things go wrong: whether dashboard and alerts tell it, and the runbook leads to the causes.

A real Prometheus scrapes a real operator. One file, as the evening is played once for it.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.controlplane import ControlPlane
from tests.lifecycle.page import Page, Shell
from tests.monitoring.made import FOLDER
from tests.monitoring.panels import ROWS, Panel
from tests.monitoring.queries import EACH
from tests.monitoring.scene import CROWD, Scene, follow, watch
from tests.monitoring.servers import Prometheus
from tests.stage.objects import Objects, wait_for
from tests.stage.processes import Cloud

PREFIX = "evening-"
RUNBOOK = Page("manifests/monitoring/runbook.md")
SCRAPE_S = 1
SCRAPED_WITHIN_S = 30.0
PANELS = {panel.title: panel for panels in ROWS.values() for panel in panels}

Sample = Mapping[str, Any]


@dataclass(frozen=True)
class Evening:
    """What was to be seen, once all of it had gone wrong."""

    prometheus: Prometheus
    began_s: float
    alerts: list[Mapping[str, Any]]
    log: Path
    """The operator's."""

    def asks(
        self, query: str, *, vendor: str = ".*", namespace: str = ".*", account: str = ".*"
    ) -> list[dict[str, Any]]:
        """What Grafana would get with these variables."""
        variables = {"$__rate_interval": "20s", "$vendor": vendor, "$namespace": namespace, "$account": account}
        for name, value in variables.items():
            query = query.replace(name, value)
        return self.prometheus.query(query)

    def number(self, title: str, **variables: str) -> float:
        """What a stat shows."""
        (sample,) = self.asks(PANELS[title].queries[0][0], **variables)
        return float(sample["value"][1])

    def rows(self, title: str, *labels: str, query: int = 0, **variables: str) -> dict[tuple[str, ...], float]:
        """What a table or a graph shows: its values by these labels."""
        found = self.asks(PANELS[title].queries[query][0], **variables)
        return {tuple(each["metric"].get(label, "") for label in labels): float(each["value"][1]) for each in found}


@pytest.fixture(scope="module")
def evening(
    programs: Mapping[str, Path],
    control_plane: ControlPlane,
    kubeconfig: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Evening]:
    """Takes half a minute: three intervals pass until what is not seen is known to be so."""
    folder = tmp_path_factory.mktemp("evening")
    with ExitStack() as ends, Objects(control_plane) as objects:
        cloud = Cloud(folder)
        ends.callback(cloud.stop)
        scene = Scene(objects, cloud, PREFIX)
        began_s = time.time()
        operator = follow(scene, kubeconfig, cloud, folder / "operator")
        ends.callback(operator.process.stop)
        prometheus = watch(programs["prometheus"], operator, folder, scrape_s=SCRAPE_S)
        ends.callback(prometheus.stop)
        scene.opens()
        scene.goes_wrong()
        scene.shows()
        seen = Evening(prometheus, began_s, [], operator.log)
        wait_for(lambda: len(seen.rows("Keys", "secret", query=1)) == 1, "the refused key is scraped", SCRAPED_WITHIN_S)
        wait_for(lambda: len(seen.rows("What needs a look", "task")) == 9, "all is scraped", SCRAPED_WITHIN_S)
        fired = wait_for(lambda: len(prometheus.firing()) >= 2 and prometheus.firing(), "two alerts", SCRAPED_WITHIN_S)
        yield replace(seen, alerts=fired)
        scene.leaves()


@pytest.mark.parametrize("panel", PANELS.values(), ids=lambda panel: panel.title)
def test_every_query_of_every_panel_has_data(evening: Evening, panel: Panel) -> None:
    for query, name in panel.queries:
        found = evening.asks(query)

        assert found, query
        assert all(label in found[0]["metric"] for label in re.findall(r"\{\{(\w+)\}\}", name)), query


def test_a_panel_that_asks_for_what_there_is_not_would_be_found(evening: Evening) -> None:
    query = PANELS["What needs a look"].queries[0][0]

    assert evening.asks(query.replace("livetask_task_status", "livetask_tasks")) == []
    assert evening.asks(query.replace("task_namespace=~", "exported_namespace=~"), namespace=".+") == []


def test_the_numbers_at_the_top_are_those_of_the_evening(evening: Evening) -> None:
    assert evening.number("On the air") == CROWD + 1  # and the cup final
    assert evening.number("Down") == 2
    assert evening.number("Unwatched") == 5
    assert evening.number("Deletions held up") == 2
    assert evening.number("Keys refused") == 1
    assert evening.number("Operators at work") == 1


def test_what_is_broken_is_named_with_its_cause_and_since_when(evening: Evening) -> None:
    names = "task", "state", "reason"
    broken = evening.rows("What needs a look", *names)
    since, seen = (evening.rows("What needs a look", *EACH.split(", "), query=query) for query in (1, 2))

    assert set(broken) == {
        ("concert", "Failed", "TaskFailed"),
        ("gala", "NotFound", "TaskNotFound"),
        ("replay", "Unknown", "UnknownVendorStatus"),
        ("warm-up", "Failed", "PreloadFailed"),
        ("headlines", "Running", "CredentialsRejected"),
        ("interview", "Running", "CredentialsRejected"),
        ("weather", "Running", "CredentialsRejected"),
        ("festival", "Running", "VendorUnavailable"),
        ("backstage", "Running", "VendorUnavailable"),
    }
    assert {task for _, _, task in since} == {task for _, _, task in seen} == {task for task, _, _ in broken}
    for at_ms in (*since.values(), *seen.values()):
        assert evening.began_s - 1 <= at_ms / 1000 <= time.time()
    unwatched = ("RelayTask", f"{PREFIX}music", "festival")
    assert seen[unwatched] < since[unwatched]


def test_held_up_deletions_stops_and_keys_are_told(evening: Evening) -> None:
    held_up = evening.rows("What holds deletions up", "task", "reason")
    stops = evening.rows("Stops", "vendor", "outcome")
    accepted = evening.rows("Keys", "task_namespace", "secret")
    refused = evening.rows("Keys", "task_namespace", "secret", "reason", query=1)

    assert set(held_up) == {("encore", "StopNotConfirmed"), ("opening", "VendorUnavailable")}
    assert stops["AlibabaCloud", "stop_accepted"] >= 2
    assert stops["AlibabaCloud", "stop_failed"] >= 1
    assert (f"{PREFIX}sports", "alibaba") in accepted
    assert set(refused) == {(f"{PREFIX}news", "tencent", "CredentialsRejected")}


def test_an_account_with_too_many_tasks_is_shown_with_how_much_it_uses(evening: Evening) -> None:
    crowd, sports = ("arcade", "GetMPUTaskStatus"), ("sports", "GetMPUTaskStatus")
    slower = evening.rows("Times slower than asked for", "account", "call")
    used = evening.rows("Quota used", "account", "call")
    answers = evening.rows("Answers", "vendor", "outcome")

    assert slower[crowd] > 1.5
    assert slower[sports] < 1.1
    assert 0.5 < used[crowd] <= 1.1
    assert used[sports] < 0.2
    assert answers["AlibabaCloud", "ok"] > 0
    assert answers["HuaweiCloud", "VendorUnavailable"] > 0
    assert answers["TencentCloud", "CredentialsRejected"] > 0


def test_what_runs_where_adds_up(evening: Evening) -> None:
    place = evening.rows("Tasks by vendor, account and namespace", "kind", "account", "task_namespace", "state")
    states = evening.rows("Relays by state", "state")

    assert place["RelayTask", "arcade", f"{PREFIX}arcade", "Running"] == CROWD
    assert place["RelayTask", "music", f"{PREFIX}music", "Running"] == 2
    assert place["PreloadTask", "sports", f"{PREFIX}sports", "Succeeded"] == 1
    relays = {key: count for key, count in place.items() if key[0] == "RelayTask"}
    assert sum(states.values()) == sum(relays.values())
    assert states["Failed",] == states["NotFound",] == states["Unknown",] == states["Pending",] == 1


def test_the_variables_narrow_it_down(evening: Evening) -> None:
    broken = evening.rows("What needs a look", "task_namespace", vendor="HuaweiCloud")

    assert evening.number("On the air", namespace=f"{PREFIX}(sports|news)") == 1
    assert evening.number("On the air", account="arcade") == CROWD
    assert evening.number("Unwatched", vendor="TencentCloud") == 3
    assert set(broken) == {(f"{PREFIX}music",)}


def test_the_variables_offer_what_there_is(evening: Evening) -> None:
    offered = {}
    for variable in json.loads((FOLDER / "dashboard.json").read_text())["templating"]["list"][1:]:
        series, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["definition"]).groups()  # type: ignore[union-attr]
        found = evening.asks(f"group by ({label}) ({series})")
        offered[variable["name"]] = {sample["metric"][label] for sample in found}

    assert offered["vendor"] == {"AlibabaCloud", "TencentCloud", "HuaweiCloud"}
    assert offered["namespace"] == {f"{PREFIX}{name}" for name in ("sports", "news", "music", "arcade")}
    assert offered["account"] == {"sports", "news", "music", "arcade"}


def test_the_alerts_name_the_relays_that_are_down(evening: Evening) -> None:
    down = {
        alert["labels"]["task"]: alert
        for alert in evening.alerts
        if alert["labels"]["alertname"] == "LivetaskRelayDown"
    }

    assert set(down) == {"concert", "gala"}
    assert down["concert"]["annotations"]["summary"] == (
        f"Relay {PREFIX}sports/concert is off the air: AlibabaCloud says Failed"
    )
    assert down["gala"]["labels"]["state"] == "NotFound"


@pytest.fixture
def shell(control_plane: ControlPlane, evening: Evening, tmp_path: Path) -> Shell:
    """A prompt with the evening's cluster. No node has the Pods' logs here: they are what the operator wrote."""
    shell = Shell(tmp_path, {"one": control_plane})
    kubectl = shell.programs / "kubectl"
    kubectl.unlink()
    kubectl.write_text(
        f'#!/bin/sh\n[ "$3" != logs ] || exec cat {evening.log}\nexec {control_plane.kubectl_path} "$@"\n'
    )
    kubectl.chmod(0o755)
    return shell


@pytest.mark.parametrize("entry", [title for title in RUNBOOK.typed() if title.startswith("Livetask")])
def test_what_the_runbook_says_to_type_can_be_typed(shell: Shell, entry: str) -> None:
    for block in RUNBOOK.blocks(entry):
        for command in filter(None, block.splitlines()):
            shown = shell.type(command.replace("-n sports ", f"-n {PREFIX}sports "))

            assert shown.strip() or "describe pods" in command or "get pods" in command, command


def test_the_runbook_leads_to_the_cause(shell: Shell) -> None:
    def typed(entry: str, block: int = 0) -> str:
        return shell.type(
            RUNBOOK.blocks(entry)[block].replace("-n sports ", f"-n {PREFIX}sports ").replace("cup-final", "concert")
        )

    assert "Alibaba Cloud says 6 (trouble with the push URL)" in typed("LivetaskRelayDown")
    assert all(name in typed("LivetaskRelayUnwatched") for name in ("headlines", "festival"))
    assert "99" in typed("LivetaskUnknownVendorWord")
    assert "VendorUnavailable" in typed("LivetaskVendorUnavailable")
    assert "encore" in typed("LivetaskStopNotConfirmed", 1)
