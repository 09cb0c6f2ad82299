"""Others work on a RelayTask too: what they and the operator do does not get into each other's way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gitops.declared import OTHER_FINALIZER, OWN_FINALIZER, Declared
from tests.gitops.gitopscheck import GitopsCheck
from tests.stage.objects import Objects, wait_for
from tests.stage.processes import Cloud, Operator
from tests.stage.vendors import Alibaba, Customer

STAGE = "other-hands"
GARBAGE_COLLECTOR = "foregroundDeletion"
"""The finalizer of a foreground deletion. Its owner looks for new kinds every 30 seconds, which is not waited for."""


@pytest.fixture(scope="module")
def operator(kubeconfig: Path, cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    folder = tmp_path_factory.mktemp("operator")
    arguments = ("--no-leader-elect", "--selector", f"stage={STAGE}")
    operator = Operator(kubeconfig, cloud.url, folder, arguments=arguments)
    yield operator
    assert operator.stop() == 0


@pytest.fixture
def customer(operator: Operator, objects: Objects, cloud: Cloud, namespace: str) -> Customer:
    return Customer.moves_in(f"{namespace}-{STAGE}", objects, cloud.admin, Alibaba, stage=STAGE)


@pytest.fixture
def declared(customer: Customer) -> Declared:
    """A relay that runs, synced by client-side apply."""
    customer.at.start("cup-final")
    declared = Declared(customer, "cup-final", "client")
    declared.sync()
    declared.relay.reaches("Running", "Running")
    return declared


def test_foreground_deletion_stops_the_task_once_and_leaves_the_object_to_the_garbage_collector(
    declared: Declared,
) -> None:
    declared.delete()

    declared.is_let_go()
    assert declared.customer.stopped() == ["cup-final"]
    assert (declared.relay.body() or {}).get("metadata", {}).get("finalizers", []) in ([GARBAGE_COLLECTOR], [])
    assert len(declared.customer.stops()) == 1


def test_a_finalizer_of_somebody_else_keeps_the_object_and_costs_no_second_stop(declared: Declared) -> None:
    declared.finalize(OTHER_FINALIZER)
    declared.relay.delete()
    declared.is_let_go()
    looks, status = len(declared.customer.looks()), declared.relay.status()

    declared.relay.ask("what is it now?")
    declared.customer.put_secret()

    assert declared.customer.stopped() == ["cup-final"]
    assert declared.live()["metadata"]["finalizers"] == [OTHER_FINALIZER]
    declared.finalize()
    declared.relay.is_gone(within_s=10)
    assert len(declared.customer.stops()) == 1
    assert len(declared.customer.looks()) <= looks + 1, "nothing is followed that was let go"
    assert status["state"] in ("Running", "Stopped")


def test_an_object_that_is_replaced_has_its_finalizer_again_and_its_status_still(
    declared: Declared, plain_argo: GitopsCheck
) -> None:
    before = declared.relay.status()

    declared.replace()

    assert OWN_FINALIZER not in declared.git["metadata"]
    declared.is_adopted()
    assert declared.relay.status() == before
    assert declared.wrong(plain_argo) == []
    declared.relay.delete()
    declared.relay.is_gone(within_s=10)
    assert declared.customer.stopped() == ["cup-final"]


def test_annotations_that_are_wiped_cost_nothing(declared: Declared, plain_argo: GitopsCheck) -> None:
    declared.relay.ask("once")
    wait_for(lambda: declared.relay.status().get("lastHandledRequestedAt") == "once", "the look", within_s=10)
    status, looks = declared.relay.status(), len(declared.customer.looks())

    declared.change({"metadata": {"annotations": None}})

    declared.sync()
    assert declared.wrong(plain_argo) == []
    wait_for(lambda: len(declared.customer.looks()) > looks, "the next look, in its time", within_s=15)
    assert declared.relay.status() == status
    assert len(declared.customer.looks()) == looks + 1


def test_argo_cd_sees_what_somebody_changes_by_hand(declared: Declared, plain_argo: GitopsCheck) -> None:
    """The guard's own guard: a change of what Git has is a difference in each way of comparing."""
    declared.change({"spec": {"pollIntervalSeconds": 60}})

    assert [each.partition(":")[0] for each in declared.wrong(plain_argo)] == ["three-way", "server-side"]
