"""What `kubectl apply -k manifests/monitoring` brings: judged by the real CRDs, held to the install that it watches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.controlplane import ControlPlane
from tests.manifests.conftest import rendered
from tests.monitoring.kinds import prometheus_crds
from tests.monitoring.made import FOLDER, RULES

BASE = ROOT / "manifests" / "base"
RUNBOOKS = "https://git.example.com/livetask-operator/blob/main"


@pytest.fixture(scope="module")
def monitored(installed: ControlPlane) -> Iterator[ControlPlane]:
    """The control plane with the install and, for as long as it is needed, the Prometheus operator's CRDs."""
    files = prometheus_crds()
    for crd in files:
        installed.kubectl("apply", "--server-side", "-f", str(crd))
        name = yaml.safe_load(crd.read_text())["metadata"]["name"]
        installed.wait_until_established(f"crd/{name}")
    yield installed
    installed.kubectl("delete", "-k", str(FOLDER), "--ignore-not-found")
    for crd in files:
        installed.kubectl("delete", "-f", str(crd))


def one(objects: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = [each for each in objects if each["kind"] == kind]
    return found


def from_file(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text()))


def test_the_cluster_takes_all_of_it(monitored: ControlPlane) -> None:
    applied = monitored.kubectl("apply", "-k", str(FOLDER), "--validate=strict").stdout

    assert sorted(line.partition(" ")[0] for line in applied.splitlines()) == [
        "configmap/livetask-operator-dashboard",
        "podmonitor.monitoring.coreos.com/livetask-operator",
        "prometheusrule.monitoring.coreos.com/livetask-operator",
    ]


def test_the_rules_are_the_same_as_an_object_and_as_a_file() -> None:
    assert from_file(FOLDER / "prometheusrule.yaml")["spec"] == from_file(RULES)


def test_each_alert_links_to_where_the_runbook_can_be_read(control_plane: ControlPlane) -> None:
    groups = one(rendered(control_plane, FOLDER), "PrometheusRule")["spec"]["groups"]

    links = [rule["annotations"]["runbook_url"] for group in groups for rule in group["rules"]]

    expected = [
        f"{RUNBOOKS}/{rule['annotations']['runbook_url']}"
        for group in from_file(RULES)["groups"]
        for rule in group["rules"]
    ]
    assert links == expected


def test_what_is_scraped_are_the_operators_pods_and_the_network_policy_lets_it_in() -> None:
    monitor = from_file(FOLDER / "podmonitor.yaml")
    deployment = from_file(BASE / "deployment.yaml")
    policy = from_file(BASE / "network.yaml")
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    (selected,) = monitor["spec"]["selector"]["matchExpressions"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]

    assert labels[selected["key"]] in selected["values"]
    assert monitor["metadata"]["namespace"] == deployment["metadata"]["namespace"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert endpoint["port"] in [port["name"] for port in container["ports"]]
    let_in = [port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]]
    assert endpoint["port"] in let_in
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()


def test_the_sample_without_the_prometheus_operator_scrapes_the_same() -> None:
    (endpoint,) = from_file(FOLDER / "podmonitor.yaml")["spec"]["podMetricsEndpoints"]
    (scrape,) = from_file(FOLDER / "prometheus.yaml")["scrape_configs"]

    assert scrape["scrape_interval"] == endpoint["interval"]
    assert scrape.get("metrics_path", "/metrics") == endpoint["path"]


def test_grafanas_sidecar_finds_the_dashboard(control_plane: ControlPlane) -> None:
    dashboard = one(rendered(control_plane, FOLDER), "ConfigMap")

    assert dashboard["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert dashboard["data"]["livetask-operator.json"] == (FOLDER / "dashboard.json").read_text()
