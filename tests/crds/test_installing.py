"""The CRDs go into a cluster with one command, cleanly."""

from __future__ import annotations

import pytest
import yaml

from tests.controlplane import ControlPlane
from tests.crds.schema import CRDS, KINDS, crd
from tests.crds.verdict import assert_accepted


def test_one_command_installs_both(crds: ControlPlane) -> None:
    run = crds.kubectl("apply", "--dry-run=server", "-k", str(CRDS), check=False)

    assert_accepted(run)
    assert len(run.stdout.splitlines()) == 2


def test_installing_again_changes_nothing(crds: ControlPlane) -> None:
    run = crds.kubectl("apply", "-k", str(CRDS))

    assert [line.rsplit(" ", 1)[-1] for line in run.stdout.splitlines()] == ["unchanged", "unchanged"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", [["create"], ["apply"], ["apply", "--server-side"]], ids=" ".join)
def test_a_cluster_without_them_takes_them_without_a_warning(crds: ControlPlane, kind: str, how: list[str]) -> None:
    fresh = crd(kind)
    fresh["spec"]["group"] = "fresh.livetask.dev"
    fresh["metadata"]["name"] = f"{KINDS[kind]}.fresh.livetask.dev"

    run = crds.kubectl(*how, "--dry-run=server", "-f", "-", stdin=yaml.safe_dump(fresh), check=False)

    assert_accepted(run)


@pytest.mark.parametrize("kind", KINDS)
def test_the_cluster_has_nothing_against_it(crds: ControlPlane, kind: str) -> None:
    found = crds.get("crd", f"{KINDS[kind]}.livetask.dev")

    conditions = {each["type"]: each["status"] for each in found["status"]["conditions"]}
    assert conditions == {"NamesAccepted": "True", "Established": "True"}
    assert found["status"]["acceptedNames"]["categories"] == ["livetasks"]
