"""Quiet in Argo CD: a status makes no application OutOfSync, and none is compared with Git again because of one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.argocd.application import Application
from tests.argocd.conftest import Team
from tests.argocd.installation import ArgoCD
from tests.stage.tenant import Preload, until

PRELOADS = ("one", "two", "three", "four")
PROGRESS = (20, 40, 60, 80)
ENABLED = "resource.ignoreResourceUpdatesEnabled"


@dataclass(frozen=True)
class Count:
    """What the controller has seen and done so far, by its own metrics and log."""

    events: float
    """Changes of PreloadTasks that its watch told it."""
    reconciliations: float
    asked: int
    """How often a change of a PreloadTask had it compare the application again."""

    @classmethod
    def of(cls, argocd: ArgoCD, app: Application) -> Count:
        asked = argocd.said(
            msg="Requesting app refresh caused by object update", application=app.name, kind="PreloadTask"
        )
        events = argocd.metric("argocd_cluster_events_total", kind="PreloadTask")
        return cls(events, argocd.metric("argocd_app_reconcile_count"), len(asked))

    def since(self, before: Count) -> Count:
        return Count(
            self.events - before.events, self.reconciliations - before.reconciliations, self.asked - before.asked
        )


def test_progress_makes_no_application_out_of_sync_and_asks_for_no_comparison(team: Team, argocd: ArgoCD) -> None:
    app = preloading(team)
    before = Count.of(argocd, app)

    watched(team)

    made = Count.of(argocd, app).since(before)
    assert made.events >= len(PRELOADS) * (len(PROGRESS) - 1), "it was told of them"
    assert made.asked == 0
    assert made.reconciliations <= 1, "one may be due by its own clock"
    app.reaches("Synced", "Healthy", within_s=60)
    assert out_of_syncs(argocd, app) == []


def test_where_no_change_is_ignored_each_asks_for_a_comparison_and_still_none_is_out_of_sync(
    team: Team, argocd: ArgoCD, ignoring_nothing: None
) -> None:
    app = preloading(team)
    before = Count.of(argocd, app)

    watched(team)

    made = Count.of(argocd, app).since(before)
    assert made.asked >= len(PRELOADS) * (len(PROGRESS) - 1)
    assert made.reconciliations >= len(PROGRESS) - 1
    app.reaches("Synced", "Healthy", within_s=60)
    assert out_of_syncs(argocd, app) == []


@pytest.fixture
def ignoring_nothing(argocd: ArgoCD) -> Iterator[None]:
    """An Argo CD that was told to have every change of every resource compared."""
    argocd.configure(**{ENABLED: "false"})
    yield
    argocd.configure(**{ENABLED: None})


def preloading(team: Team) -> Application:
    """An application whose preloads have begun, and go on by and by."""
    app = team.deploys(*(task(team, name) for name in PRELOADS))
    for number, name in enumerate(PRELOADS):
        life = [(12.0 + 7.0 * step + number, percent, "Success") for step, percent in enumerate((*PROGRESS, 100))]
        team.preloads(name, process=1, life=life)
    for name in PRELOADS:
        Preload(team, name).reaches("Preloading", within_s=60)
    app.reaches("Synced", "Progressing")
    return app


def watched(team: Team) -> None:
    """Wait until each has told all its progress but the last."""

    def told() -> bool:
        return all(Preload(team, name).status().get("progress", 0) >= PROGRESS[-1] for name in PRELOADS)

    until(told, "all progress", 120)


def out_of_syncs(argocd: ArgoCD, app: Application) -> list[str]:
    """How often it left Synced, by the controller's log."""
    told = [each["msg"] for each in argocd.said(application=app.name)]
    return [line for line in told if line.startswith("Updated sync status: Synced")]


def task(team: Team, name: str) -> dict[str, Any]:
    return {
        "apiVersion": "livetask.dev/v1alpha1",
        "kind": "PreloadTask",
        "metadata": {"name": name},
        "spec": {
            "alibabaCloud": {"domainName": team.domain, "playUrls": [team.url(name)]},
            "credentialsSecretRef": {"name": "alibaba"},
            "pollIntervalSeconds": 5,
        },
    }
