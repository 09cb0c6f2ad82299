"""The sample for Alertmanager: who gets which alert, and which says nothing while another says it all."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from tests.monitoring.made import FOLDER
from tests.monitoring.servers import Alertmanager
from tests.monitoring.test_rules import rules
from tests.stage.objects import wait_for

SAMPLE = FOLDER / "alertmanager.yaml"
SPORTS = {"vendor": "AlibabaCloud", "account": "sports", "task_namespace": "sports", "job": "livetask-operator"}
NEWS = {"vendor": "AlibabaCloud", "account": "news", "task_namespace": "news", "job": "livetask-operator"}


@pytest.fixture
def alertmanager(programs: Mapping[str, Path], tmp_path: Path) -> Iterator[Alertmanager]:
    server = Alertmanager(programs["alertmanager"], SAMPLE, tmp_path)
    yield server
    server.stop()


def unwatched(labels: Mapping[str, str], reason: str) -> dict[str, str]:
    return {**labels, "alertname": "LivetaskRelayUnwatched", "severity": "critical", "reason": reason}


def numbered(alerts: Mapping[str, Mapping[str, str]]) -> list[dict[str, str]]:
    return [{**labels, "number": number} for number, labels in alerts.items()]


def test_alertmanager_takes_the_sample(programs: Mapping[str, Path]) -> None:
    run = subprocess.run([str(programs["amtool"]), "check-config", str(SAMPLE)], capture_output=True, check=False)

    assert run.returncode == 0, run.stdout.decode() + run.stderr.decode()


def test_an_alert_that_says_it_all_silences_those_that_it_explains_and_no_others(alertmanager: Alertmanager) -> None:
    outage = {"alertname": "LivetaskVendorUnavailable", "vendor": "AlibabaCloud", "account": "sports"}
    refused = {**NEWS, "alertname": "LivetaskCredentialsRejected", "reason": "CredentialsRejected"}

    alertmanager.post(
        numbered(
            {
                "outage": {**outage, "call": "GetMPUTaskStatus"},
                "refused key": {**refused, "secret": "alibaba"},
                "hidden by the outage": unwatched(SPORTS, "VendorUnavailable"),
                "hidden by the outage, too": unwatched(SPORTS, "Stale"),
                "hidden by the refused key": unwatched(NEWS, "CredentialsRejected"),
                "another account's outage": unwatched(NEWS, "VendorUnavailable"),
                "the account, for another cause": unwatched(SPORTS, "SecretNotFound"),
                "the namespace, for another cause": unwatched(NEWS, "PermissionDenied"),
                "another's refused key": unwatched(SPORTS, "CredentialsRejected"),
                "a relay of the account that is down": {**SPORTS, "alertname": "LivetaskRelayDown"},
                "a deletion that the outage holds up": {**SPORTS, "alertname": "LivetaskDeletionBlocked"},
            }
        )
    )

    hidden = {"hidden by the outage", "hidden by the outage, too", "hidden by the refused key"}
    wait_for(lambda: alertmanager.silenced() == hidden, lambda: f"{hidden}; it is {alertmanager.silenced()}", 10)


@pytest.mark.parametrize("job", ["livetask-operator", ""])
def test_while_no_operator_is_at_work_its_other_alerts_wait(alertmanager: Alertmanager, job: str) -> None:
    down = {"alertname": "LivetaskOperatorDown", "severity": "critical"} | ({"job": job} if job else {})
    shard_b = {**SPORTS, "job": "livetask-operator-b"}

    alertmanager.post(
        numbered(
            {
                "down": down,
                "what fired before": {**SPORTS, "alertname": "LivetaskRelayDown"},
                "at another shard": {**shard_b, "alertname": "LivetaskRelayDown"},
                "of somebody else": {"alertname": "NodeDown", "job": "livetask-operator"},
            }
        )
    )

    hidden = {"what fired before"} | (set() if job else {"at another shard"})
    wait_for(lambda: alertmanager.silenced() == hidden, lambda: f"{hidden}; it is {alertmanager.silenced()}", 10)


def test_what_is_critical_wakes_somebody_and_nothing_else_does(alertmanager: Alertmanager) -> None:
    severities = {name: rule["labels"]["severity"] for name, rule in rules().items()}

    alertmanager.post(
        numbered({name: {"alertname": name, "severity": severity} for name, severity in severities.items()})
    )

    expected = {name: "on-call" if severity == "critical" else "morning" for name, severity in severities.items()}
    assert wait_for(lambda: alertmanager.receivers() or None, "receivers", 10) == expected


def test_each_alert_that_the_sample_names_exists() -> None:
    body = yaml.safe_load(SAMPLE.read_text())
    matchers = [
        matcher
        for rule in body["inhibit_rules"]
        for matcher in (*rule["source_matchers"], *rule["target_matchers"])
        if "alertname=" in matcher and "~" not in matcher
    ]

    assert {matcher.split('"')[1] for matcher in matchers} <= set(rules())
