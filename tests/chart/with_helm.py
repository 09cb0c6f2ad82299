"""The chart with the real Helm: linted, rendered, packed, installed. Run by `make test-chart`.

`make test` leaves it out: Helm is built first, which takes minutes.
"""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.objects import by_key
from tests.conftest import ROOT
from tests.controlplane import ControlPlane
from tests.manifests.conftest import rendered
from tests.programs import Kit, Program

CHART = ROOT / "manifests" / "chart"
KIT = Kit("Helm", Path(__file__).parent, (Program("helm", "helm.sh/helm/v4/cmd/helm", 200),))
Helm = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """The command, with a home of its own."""
    program = KIT.obtain()["helm"]
    home = tmp_path_factory.mktemp("helm")
    env = {"PATH": os.environ["PATH"], "HOME": str(home)}

    def run(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run([str(program), *arguments], capture_output=True, text=True, check=False, env=env)
        assert not check or done.returncode == 0, done.stderr
        return done

    return run


def template(helm: Helm, *settings: str, namespace: str = "livetask-system") -> list[dict[str, Any]]:
    shown = helm("template", "livetask-operator", str(CHART), "--namespace", namespace, *settings)
    return list(yaml.safe_load_all(shown.stdout))


def test_helm_finds_nothing_wrong_with_the_chart(helm: Helm) -> None:
    said = helm("lint", "--strict", str(CHART)).stdout

    assert "0 chart(s) failed" in said
    assert "[WARNING]" not in said


@pytest.mark.parametrize(
    ("settings", "folder"),
    [((), "manifests"), (("--set", "namespaces={live,sports}"), "manifests/confined")],
    ids=["cluster-wide", "confined"],
)
def test_helm_and_kustomize_make_the_same_objects(
    helm: Helm, crds: ControlPlane, settings: Sequence[str], folder: str
) -> None:
    by_helm = by_key(template(helm, *settings))

    assert by_helm == by_key(rendered(crds, ROOT / folder))


def test_each_value_gets_to_where_it_belongs(helm: Helm) -> None:
    resources = {"requests": {"cpu": "1"}}
    settings = (
        "--set=image=registry.example.com/livetask-operator@sha256:abc",
        "--set=config.stops=Hold",
        f"--set-json=resources={json.dumps(resources)}",
    )

    objects = {each["kind"]: each for each in template(helm, *settings, namespace="operators")}

    (container,) = objects["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example.com/livetask-operator@sha256:abc"
    assert container["resources"] == resources
    assert yaml.safe_load(objects["ConfigMap"]["data"]["config.yaml"]) == {"stops": "Hold"}
    assert objects["ClusterRoleBinding"]["subjects"][0]["namespace"] == "operators"
    assert {each["metadata"].get("namespace", "operators") for each in objects.values()} == {"operators"}


def test_another_configuration_rolls_the_deployment(helm: Helm) -> None:
    volumes = [
        {each["kind"]: each for each in template(helm, *settings)}["Deployment"]["spec"]["template"]["spec"]["volumes"]
        for settings in ((), ("--set=config.stops=Hold",))
    ]

    assert volumes[0] != volumes[1]


@pytest.mark.parametrize("value", ["replicas=3", "namespaces={UPPER}", "image=no-tag"])
def test_a_value_that_is_wrong_or_unknown_is_refused(helm: Helm, value: str) -> None:
    refused = helm("template", str(CHART), "--set", value, check=False)

    assert refused.returncode != 0
    assert value.partition("=")[0] in refused.stderr


def test_a_package_of_the_chart_stands_on_its_own(helm: Helm, tmp_path: Path) -> None:
    helm("package", str(CHART), "--destination", str(tmp_path))

    (package,) = tmp_path.glob("*.tgz")
    with tarfile.open(package) as tar:
        assert all(member.isfile() for member in tar)
    from_package = helm("template", "livetask-operator", str(package), "--namespace", "livetask-system").stdout
    assert by_key(yaml.safe_load_all(from_package)) == by_key(template(helm))


def test_a_release_is_installed_and_its_uninstall_keeps_the_crds(helm: Helm, crds: ControlPlane) -> None:
    place = ("--namespace", "by-helm", "--kubeconfig", str(crds.kubeconfig))

    helm("install", "livetask-operator", str(CHART), "--create-namespace", *place)
    deployment = crds.get("-n", "by-helm", "deployment/livetask-operator")
    helm("uninstall", "livetask-operator", *place)

    assert deployment["spec"]["replicas"] == 2
    assert crds.kubectl("-n", "by-helm", "get", "deployment,role,pdb,networkpolicy", "-o", "name").stdout == ""
    assert crds.kubectl("get", "crd", "relaytasks.livetask.dev", "-o", "name").returncode == 0
