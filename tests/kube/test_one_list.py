"""Many tasks of one Huawei Cloud project are followed with as few calls as its list has pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from livetask_simulator.client import Call
from tests.kube.rounds import rounds
from tests.stage.objects import Objects
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import until
from tests.stage.vendors import Customer, Huawei

TASKS = 250
PAGES = 3
INTERVAL_S = 5.0


@pytest.fixture
def project(kubeconfig: Path, cloud: Cloud, namespace: str, objects: Objects, tmp_path: Path) -> Iterator[Customer]:
    operator = Operator(
        kubeconfig, cloud.url, tmp_path, arguments=("--no-leader-elect", "--selector", "stage=one-list")
    )
    yield Customer.moves_in(f"{namespace}-project", objects, cloud.admin, Huawei, stage="one-list")
    assert operator.stop() == 0


def test_250_tasks_of_a_project_are_followed_with_3_calls_a_round(project: Customer) -> None:
    names = [f"task-{number:03}" for number in range(TASKS)]
    for name in names:
        project.at.start(name)
    relays = [project.relay(name, pollIntervalSeconds=int(INTERVAL_S)) for name in names]
    for relay in relays:
        relay.reaches("Running", within_s=30)
    since = project.looks()[-1].seq

    def looks() -> list[Call]:
        return project.cloud.calls(account=project.account, operation="ListPullTasks", since=since)

    until(lambda: len(rounds(looks(), INTERVAL_S)) >= 4, "four rounds", within_s=30)

    _, first, second, *_ = rounds(looks(), INTERVAL_S)  # the first of all may have been cut
    assert [len(first), len(second)] == [PAGES, PAGES]
    assert {call.task_id for call in (*first, *second)} == {""}, "nothing was asked for one by one"
    project.at.end(names[7])
    relays[7].reaches("Stopped", "Stopped", within_s=INTERVAL_S + 3)
