"""The chart's source against kustomize's, without Helm, whose build takes minutes (`make test-chart` has the real one).

The chart reads the kustomize folders' own files, by links, and changes them in the few places where kustomize does.
Here those changes are made by hand: what kustomize does beyond them, the chart's template must do as well.
"""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.chart.objects import CONFIG, by_key
from tests.conftest import ROOT
from tests.controlplane import ControlPlane
from tests.manifests.conftest import rendered

MANIFESTS = ROOT / "manifests"
CHART = MANIFESTS / "chart"
LINKS = {"base": "base", "cluster-wide": "cluster-wide", "people": "people", "followed": "confined/followed"}


def test_the_chart_reads_the_files_that_kustomize_reads() -> None:
    assert {link: (CHART / link).resolve() for link in LINKS} == {
        link: (MANIFESTS / folder).resolve() for link, folder in LINKS.items()
    }
    assert [path.name for path in (CHART / "templates").glob("*.yaml")] == ["operator.yaml"]


def test_the_chart_has_the_version_of_the_image() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    (deployment,) = yaml.safe_load_all((MANIFESTS / "base" / "deployment.yaml").read_text())

    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"livetask-operator:{chart['appVersion']}"
    assert chart["version"] == chart["appVersion"]


@pytest.mark.parametrize("namespaces", [(), ("live", "sports")], ids=["cluster-wide", "confined"])
def test_kustomize_changes_nothing_that_the_chart_does_not(crds: ControlPlane, namespaces: tuple[str, ...]) -> None:
    folders = ("base",) if namespaces else ("base", "cluster-wide", "people")
    objects = [each for folder in folders for each in files_of(folder)]
    for namespace in namespaces:
        for each in files_of("followed"):
            each["metadata"]["namespace"] = namespace
            objects.append(each)
    for each in objects:
        each["metadata"].setdefault("labels", {})["app.kubernetes.io/name"] = "livetask-operator"
        if each["kind"] == "Deployment":
            pod = each["spec"]["template"]["spec"]
            pod["containers"][0]["args"] += [f"--namespace={namespace}" for namespace in namespaces]
            pod |= {} if namespaces else {"priorityClassName": "livetask-operator"}

    made = by_key(rendered(crds, MANIFESTS / "confined" if namespaces else MANIFESTS))

    config = made.pop(("ConfigMap", "livetask-system", CONFIG))
    assert config["data"] == {"config.yaml": (CHART / "base" / "config.yaml").read_text()}
    assert made == by_key(objects)


def files_of(link: str) -> list[dict[str, Any]]:
    """The objects that the chart finds in one of its folders."""
    paths = sorted(
        path for path in (CHART / link).glob("*.yaml") if path.name not in ("kustomization.yaml", "config.yaml")
    )
    return [each for path in paths for each in yaml.safe_load_all(path.read_text())]
