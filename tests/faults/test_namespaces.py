"""A namespace is deleted with tasks in it, by the real namespace controller: all are stopped, and it goes.

Deleting the CRDs: `tests/kube/test_process.py`. The operator first, and then the resources:
`tests/lifecycle/test_moving.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from tests.controlplane import ControlPlane
from tests.lifecycle.page import Page
from tests.stage.objects import Objects, live_tasks
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import Relay, until
from tests.stage.vendors import Alibaba, Customer, Huawei, Side, Tencent

SIDES = cast("list[type[Side]]", [Alibaba, Tencent, Huawei])
GONE_WITHIN_S = 40.0
"""The namespace controller comes back to what is still there after some seconds, and then after more."""


@pytest.fixture(scope="module")
def operator(kubeconfig: Path, cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """One operator; a test may kill it and start it again."""
    arguments = ("--no-leader-elect", "--selector", "stage=namespaces")
    operator = Operator(kubeconfig, cloud.url, tmp_path_factory.mktemp("namespaces"), arguments=arguments)
    yield operator
    assert operator.stop() == 0


@pytest.fixture(scope="module")
def move_in(operator: Operator, objects: Objects, cloud: Cloud) -> Callable[[str, type[Side]], Customer]:
    """Makes customers of the operator's, each in a namespace of that name."""
    return lambda name, side: Customer.moves_in(name, objects, cloud.admin, side, stage="namespaces")


def airs(customer: Customer, *tasks: str) -> list[Relay]:
    """RelayTasks whose tasks run."""
    for task in tasks:
        customer.at.start(task)
    relays = [customer.relay(task, pollIntervalSeconds=5) for task in tasks]
    for relay in relays:
        relay.reaches("Running")
    return relays


def delete(customer: Customer) -> None:
    """Ask for the deletion of the customer's namespace."""
    customer.objects.delete(f"/api/v1/namespaces/{customer.namespace}")


def is_there(customer: Customer) -> bool:
    return customer.objects.get(f"/api/v1/namespaces/{customer.namespace}") is not None


def goes(customer: Customer) -> None:
    def what_is_left() -> str:
        return json.dumps(customer.objects.get(live_tasks("RelayTask", customer.namespace))["items"], indent=1)

    try:
        until(lambda: not is_there(customer), "the namespace gone", GONE_WITHIN_S)
    except AssertionError as error:
        raise AssertionError(f"{error}; there is {what_is_left()}") from None


@dataclass(frozen=True)
class Gone:
    """Customers whose namespaces were deleted, all at once, and are gone."""

    all_at_once: list[Customer]
    secret_first: Customer


@pytest.fixture(scope="module")
def gone(move_in: Callable[[str, type[Side]], Customer]) -> Gone:
    customers = [move_in(f"goes-{side.block.lower()}", side) for side in SIDES]
    secret_first = move_in("goes-after-its-secret", Alibaba)
    for customer in customers:
        airs(customer, "first", "second")
    customers[0].preload("opening", streams=["opening"])
    relays = airs(secret_first, "first", "second")
    secret_first.drop_secret()
    for relay in relays:
        relay.reaches(reason="SecretNotFound")

    for customer in (*customers, secret_first):
        delete(customer)
    for customer in (*customers, secret_first):
        goes(customer)
    return Gone(customers, secret_first)


def test_a_namespace_that_is_deleted_takes_each_task_off_the_air_once_and_goes(gone: Gone) -> None:
    assert [sorted(customer.stopped()) for customer in gone.all_at_once] == [["first", "second"]] * len(SIDES)


def test_it_goes_too_where_its_secret_went_long_before_its_tasks(gone: Gone) -> None:
    assert sorted(gone.secret_first.stopped()) == ["first", "second"]


def test_where_the_operator_restarted_in_between_it_says_why_it_waits_and_the_way_out_works_as_written(
    move_in: Callable[[str, type[Side]], Customer], operator: Operator, control_plane: ControlPlane
) -> None:
    customer = move_in("sports", Alibaba)
    airs(customer, "cup-final", "interview")
    operator.kill()
    customer.drop_secret()
    delete(customer)
    operator.start()
    relays = [Relay(customer, "cup-final"), Relay(customer, "interview")]

    for relay in relays:
        held = relay.holds("Stalled", "SecretNotFound")
        assert "none can be created: stop the task in the vendor's console. To let it go without" in held["message"]
    with pytest.raises(RuntimeError, match="is being terminated"):
        customer.put_secret()
    for task in ("cup-final", "interview"):
        customer.at.end(task)  # as somebody does in the console
    for commands in Page("manifests/on-call.md").blocks("A namespace does not go"):
        type_in(control_plane, commands)

    goes(customer)
    assert customer.stops() == []


def type_in(control_plane: ControlPlane, commands: str) -> None:
    """Type commands as the page has them, as the administrator. Raises AssertionError where one fails."""
    path = f"{Path(control_plane.kubectl_path).parent}{os.pathsep}{os.environ['PATH']}"
    env = {"PATH": path, "KUBECONFIG": str(control_plane.kubeconfig), "HOME": str(control_plane.folder)}
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands], env=env, capture_output=True, text=True, check=False, timeout=60
    )
    assert run.returncode == 0, f"{commands}\n{run.stdout}{run.stderr}"
