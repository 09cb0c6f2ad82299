"""The same tasks by Flux, with its real kustomize-controller: the sample's health checks, and a rename."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.argocd.conftest import Team
from tests.argocd.flux import Flux, Kustomization
from tests.controlplane import ControlPlane
from tests.stage.objects import Objects
from tests.stage.processes import Cloud, Operator


@pytest.fixture(scope="module")
def flux(installed: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flux]:
    with Flux(installed, tmp_path_factory.mktemp("flux")) as flux:
        yield flux


@pytest.fixture
def live(operator: Operator, namespace: str, objects: Objects, cloud: Cloud, tmp_path: Path) -> Team:
    """A team that uses Flux."""
    return Team(namespace, objects, cloud, tmp_path)


@pytest.fixture
def kustomization(flux: Flux, objects: Objects, namespace: str) -> Kustomization:
    return Kustomization(flux, objects, namespace)


def test_tasks_that_ended_or_are_suspended_are_done_and_one_that_starts_is_waited_for(
    live: Team, kustomization: Kustomization
) -> None:
    for task, status in {"on-air": 1, "ended": 2, "starting": 0}.items():
        live.starts(task, status)
    revision = kustomization.commits(
        live.task("on-air"), live.task("ended"), live.task("starting"), live.task("put-aside", suspend=True)
    )

    kustomization.begins()

    live.relays("starting").reaches("Pending")
    kustomization.becomes("Unknown", "Progressing", revision)
    live.becomes("starting", 1)
    kustomization.becomes("True", "ReconciliationSucceeded", revision)


def test_without_the_expressions_one_that_ended_is_waited_for_until_the_timeout(
    live: Team, kustomization: Kustomization
) -> None:
    live.starts("ended", 2)
    revision = kustomization.commits(live.task("ended"))

    kustomization.begins(healthCheckExprs=None, timeout="15s")

    words = kustomization.becomes("False", "HealthCheckFailed", revision)
    assert f"RelayTask/{live.namespace}/ended status: 'InProgress'" in words


@pytest.mark.parametrize("by", ["the sample's expressions", "kstatus"])
def test_a_task_that_failed_fails_it_long_before_the_timeout(live: Team, kustomization: Kustomization, by: str) -> None:
    live.starts("cup-final", 6)
    revision = kustomization.commits(live.task("cup-final"))

    kustomization.begins(**({"healthCheckExprs": None} if by == "kstatus" else {}))

    words = kustomization.becomes("False", "HealthCheckFailed", revision)
    assert f"RelayTask/{live.namespace}/cup-final status: 'Failed'" in words


def test_a_task_that_is_renamed_within_one_kustomization_stays_on_the_air(
    live: Team, kustomization: Kustomization
) -> None:
    live.starts("cup-final")
    revision = kustomization.commits(live.task("cup-final"))
    kustomization.begins()
    kustomization.becomes("True", "ReconciliationSucceeded", revision)

    revision = kustomization.commits(live.task("final", task="cup-final"))

    kustomization.becomes("True", "ReconciliationSucceeded", revision)
    old = live.relays("cup-final")
    old.is_gone(within_s=30)
    assert old.tells("LeftRunning", "Warning")
    assert live.runs("cup-final")
    assert live.stops() == []


def test_it_puts_back_what_git_names_and_leaves_what_it_does_not(live: Team, kustomization: Kustomization) -> None:
    live.starts("cup-final")
    kustomization.commits(live.task("cup-final", stopDelaySeconds=60))
    kustomization.begins()
    relay = live.relays("cup-final")
    relay.reaches("Running")

    relay.edit(stopDelaySeconds=0, suspend=True, deletionPolicy="Orphan")
    relay.reaches(reason="Suspended")
    revision = kustomization.commits(live.task("cup-final", stopDelaySeconds=60, pollIntervalSeconds=6))

    kustomization.becomes("True", "ReconciliationSucceeded", revision)
    spec = relay.body()["spec"]
    assert (spec["stopDelaySeconds"], spec["suspend"], spec["deletionPolicy"]) == (60, True, "Orphan")
