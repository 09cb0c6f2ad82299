"""Several objects follow one task, on a real control plane: as they go, one after the other, the last one stops it.

All orders in simulated time: `test_last_owner_orders.py`. A rename, a move, an Orphan, a stranger's claim, and both at
once: `tests/kube/test_deletion.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.stage.objects import Objects
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import Relay, Tenant

LABELS = {"operator": "own", "stage": "last-owner"}
TASK = "cup-final"


@pytest.fixture(scope="module")
def start(
    kubeconfig: Path, cloud: Cloud, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Operator]]:
    """Starts the one operator there is, in the place of the one before it where that has another configuration."""
    running: list[Operator] = []
    configs: list[Mapping[str, Any]] = []

    def start(**config: Any) -> Operator:
        if running and configs[-1] == config:
            return running[0]
        while running:
            assert running.pop().stop() == 0
        configs.append(config)
        arguments = ("--no-leader-elect", "--selector", "stage=last-owner")
        folder = tmp_path_factory.mktemp("last-owner")
        running.append(Operator(kubeconfig, cloud.url, folder, arguments=arguments, config=config))
        return running[0]

    yield start
    for operator in running:
        operator.process.stop()


@pytest.fixture
def sports(objects: Objects, cloud: Cloud, namespace: str) -> Tenant:
    return Tenant(namespace, objects, cloud.admin, labels=LABELS)


@pytest.fixture
def news(sports: Tenant) -> Tenant:
    """Another namespace, with a key of its own to the account of `sports`."""
    namespace = f"{sports.namespace}-news"
    sports.objects.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
    news = Tenant(namespace, sports.objects, sports.cloud, labels=LABELS, app=sports.app)
    sports.cloud.add_key(sports.account, f"LTAIsecond{namespace}", "s3cond-s3cret")
    news.put_secret(accessKeyId=f"LTAIsecond{namespace}", accessKeySecret="s3cond-s3cret")
    return news


def airs(tenant: Tenant, name: str, **spec: Any) -> Relay:
    relay = tenant.relay(name, TASK, **spec)
    relay.reaches("Running")
    return relay


def test_never_someone_elses_task_never_the_wrong_moment(
    start: Callable[..., Operator], sports: Tenant, news: Tenant
) -> None:
    """Two owners with different keys of one account: the last one stops it, with its own."""
    start()
    sports.starts(TASK)
    first, second = airs(sports, "first"), airs(news, "second")

    first.delete()
    first.is_gone()
    left_running = sports.stops()
    second.delete()
    second.is_gone()

    assert left_running == []
    assert [(call.key_id, call.stopped_task) for call in sports.stops()] == [(f"LTAIsecond{news.namespace}", True)]
    assert news.namespace not in first.tells("LeftRunning", "Warning")["message"]


@pytest.mark.parametrize("where", ["renamed", "moved"])
def test_an_owner_that_appears_while_the_delay_runs_takes_the_task_over(
    start: Callable[..., Operator], sports: Tenant, news: Tenant, where: str
) -> None:
    start()
    sports.starts(TASK)
    old = airs(sports, "old", stopDelaySeconds=4)

    old.delete()
    old.holds("Reconciling", "StopPending")
    new = (news if where == "moved" else sports).relay("new", TASK)

    old.is_gone(within_s=10)
    old.tells("LeftRunning", "Warning")
    assert sports.stops() == []
    new.reaches("Running")


def test_while_stops_are_held_no_owner_goes_and_once_they_are_allowed_the_last_one_stops_it(
    start: Callable[..., Operator], sports: Tenant, news: Tenant
) -> None:
    start(stops="Hold")
    sports.starts(TASK)
    owners = [airs(sports, "first"), airs(news, "second")]
    for owner in owners:
        owner.delete()
    for owner in owners:
        owner.holds("Reconciling", "StopsHeld")
    held = sports.stops()

    start(stops="Allow")

    for owner in owners:
        owner.is_gone(within_s=10)
    assert held == []
    assert [call.stopped_task for call in sports.stops()].count(True) == 1
