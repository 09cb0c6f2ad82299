"""The samples and the example Application as they stand in manifests/, and what its page has people type."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from livetask_simulator.client import Simulator
from tests.argocd.application import Application, Repository
from tests.argocd.conftest import PAGE
from tests.argocd.installation import ArgoCD
from tests.conftest import ROOT
from tests.lifecycle.page import Shell
from tests.stage.objects import Objects, live_tasks, wait_for
from tests.stage.processes import Cloud, Operator

SAMPLES = ROOT / "manifests" / "samples" / "gitops"
ACCOUNT, APP = "of-the-samples", "yourAppId"
TASKS = ("cup-final", "press-conference", "interview", "rehearsal")
DELAY_S = 20


class Live:
    """The samples' team: its folder in Git, its tasks at the vendor, its Application."""

    def __init__(self, shell: Shell, repository: Repository, cloud: Simulator, objects: Objects) -> None:
        self.shell = shell
        self.repository = repository
        self.cloud = cloud
        self.objects = objects
        self.application = Application("live", objects)

    def relay(self, name: str) -> Any:
        return self.objects.get(live_tasks("RelayTask", "live", name))

    def on_air(self) -> list[str]:
        return [task.task_id for task in self.cloud.tasks(ACCOUNT) if task.status == 1]

    def follows(self, name: str) -> str:
        """The state of a task's object."""
        body = self.relay(name)
        return "" if body is None else str(body["status"].get("state", ""))

    def comes_up(self, name: str) -> None:
        """Wait until a task's object says that it runs."""
        wait_for(lambda: self.follows(name) == "Running", f"{name} on the air", 90)

    def renames(self, *names: str) -> str:
        """Commit other names for these objects: each of them gets `-2`."""
        file = "relaytasks.yaml"
        bodies = list(yaml.safe_load_all((self.repository.folder / file).read_text()))
        for body in bodies:
            if body["metadata"]["name"] in names:
                body["metadata"]["name"] += "-2"
        return self.repository.commits({file: yaml.safe_dump_all(bodies)})


@pytest.fixture
def live(
    argocd: ArgoCD, operator: Operator, objects: Objects, cloud: Cloud, shell: Shell, tmp_path: Path
) -> Iterator[Live]:
    cloud.admin.add_account(ACCOUNT)
    cloud.admin.add_key(ACCOUNT, "yourAccessKeyId", "yourAccessKeySecret")
    for task in TASKS:
        cloud.admin.start_task(ACCOUNT, APP, task)
    cloud.admin.add_preload(ACCOUNT, "play.example.com", "rtmp://play.example.com/live/cup-final", task_id="1")
    repository = Repository(tmp_path / "tasks")
    # Two minutes are for people.
    repository.commits(
        {
            path.name: path.read_text().replace("stopDelaySeconds: 120", f"stopDelaySeconds: {DELAY_S}")
            for path in SAMPLES.glob("*.yaml")
            if path.name != "flux.yaml"
        }
    )
    for name in ("project.yaml", "tasks.yaml"):
        file = shell.folder / "manifests" / "argocd" / name
        file.write_text(file.read_text().replace("https://git.example.com/live/tasks.git", repository.url))
    live = Live(shell, repository, cloud.admin, objects)
    yield live
    if live.application.body() is not None:
        live.application.merge({"metadata": {"finalizers": None}})
        live.application.delete()


def test_the_samples_come_up_survive_renames_and_go_when_somebody_says_so(live: Live) -> None:
    app = live.application

    live.shell.type_all(PAGE.blocks("Install it"))
    live.shell.type_all(PAGE.blocks("A team's tasks"))

    app.reaches("Synced", "Healthy")
    app.ends("Succeeded")

    live.renames("cup-final", "press-conference", "interview")
    app.refresh()
    for name in ("cup-final", "press-conference", "interview"):
        live.comes_up(f"{name}-2")
    app.says("waiting for pruning confirmation of livetask.dev/RelayTask/cup-final")
    assert live.relay("interview") is None, "its delay ran, as it was pruned first"
    assert live.relay("press-conference") is not None, "it is pruned in the wave that waits for somebody"
    live.shell.type_all(PAGE.blocks("Say yes to a prune"))
    app.reaches("Synced", "Healthy")
    wait_for(lambda: live.relay("cup-final") is None, "the first name of the cup final is gone", DELAY_S + 30)
    assert live.relay("press-conference") is None
    assert sorted(live.on_air()) == sorted(TASKS)

    app.delete()
    wait_for(lambda: "deletionTimestamp" in app.body()["metadata"], "its deletion", 30)
    assert sorted(live.on_air()) == sorted(TASKS)
    live.shell.type_all(PAGE.blocks("Say yes to a prune"))
    app.is_gone(within_s=DELAY_S + 90)
    assert live.on_air() == []
    assert live.objects.get("/api/v1/namespaces/live/secrets/alibaba") is None
    assert "deletionTimestamp" not in live.objects.get("/api/v1/namespaces/live")["metadata"]


def test_all_that_the_page_has_people_type_is_typed_here() -> None:
    assert set(PAGE.typed()) == {
        "Install it",
        "A team's tasks",
        "Say yes to a prune",
        "All in one",  # test_whole.py
        "End a sync that waits",  # test_waves.py, test_rename.py
    }
