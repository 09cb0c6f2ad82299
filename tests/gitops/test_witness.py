"""Each status that an operator writes on the tests' control plane is seen, and a wrong one is told at the end."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from tests.controlplane import ControlPlane
from tests.gitops.customizations import read_object
from tests.gitops.rows import ROWS
from tests.gitops.table import complaints
from tests.gitops.written import file_of
from tests.stage.footprint import OPERATOR, trespasses
from tests.stage.objects import Objects, live_tasks
from tests.stage.witness import PLANTED, Witness

FAILED = next(file_of(row) for row in ROWS if (row.kind, row.name) == ("RelayTask", "failed"))


def make(objects: Objects, namespace: str, name: str) -> Mapping[str, Any]:
    """An object whose status is spoiled on purpose. Returns a sound status for it."""
    body = copy.deepcopy(read_object(FAILED))
    status = body.pop("status")
    body["metadata"] = {"name": name, "labels": {PLANTED: "true"}}
    objects.create(live_tasks("RelayTask", namespace), body)
    return dict(status)


def write(objects: Objects, namespace: str, name: str, status: Mapping[str, Any], *, by: str = OPERATOR) -> None:
    path = live_tasks("RelayTask", namespace, name)
    objects.merge(f"{path}/status?fieldManager={by}", {"status": status})


def test_every_status_is_seen_and_one_that_the_table_does_not_have_is_told(
    crds: ControlPlane, objects: Objects, namespace: str
) -> None:
    with Witness(crds, spoils=True) as witness:
        status = make(objects, namespace, "cup-final")
        for number in range(5):
            write(objects, namespace, "cup-final", {**status, "vendorStatus": str(number)})
        no_words = {**status, "conditions": [each for each in status["conditions"] if each["type"] != "Stalled"]}
        write(objects, namespace, "cup-final", no_words)

    seen = [body["status"].get("vendorStatus") for body in witness.bodies.values()]
    assert seen == [None, "0", "1", "2", "3", "4", status["vendorStatus"]]
    found = complaints(witness.bodies.values())
    assert len(found) == 2
    assert "kstatus computes InProgress, our reading of it InProgress, and the table says Failed" in found[0]
    assert "Argo CD says Progressing, and the table says Degraded" in found[1]


def test_a_status_that_somebody_else_had_a_hand_in_is_no_operators(
    crds: ControlPlane, objects: Objects, namespace: str
) -> None:
    with Witness(crds, spoils=True) as witness:
        status = make(objects, namespace, "by-hand")
        write(objects, namespace, "by-hand", {**status, "vendorStatus": "by hand"}, by="kubectl")
        write(objects, namespace, "by-hand", {**status, "conditions": []})

    seen = [body["status"] for body in witness.bodies.values() if body["metadata"]["namespace"] == namespace]
    assert seen == [{"observedGeneration": -1}]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"spec": {"suspend": True}}, "f:spec through the object itself"),
        ({"metadata": {"annotations": {"looked-at": "now"}}}, "metadata.f:annotations"),
        ({"metadata": {"labels": {"state": "running"}}}, "metadata.f:labels"),
        ({"metadata": {"finalizers": ["example.com/other"]}}, 'the finalizer v:"example.com/other"'),
    ],
)
def test_an_operator_that_changes_more_than_its_status_and_its_finalizer_is_told(
    crds: ControlPlane, objects: Objects, namespace: str, change: Mapping[str, Any], told: str
) -> None:
    make(objects, namespace, "cup-final")
    path = live_tasks("RelayTask", namespace, "cup-final")
    objects.merge(f"{path}?fieldManager={OPERATOR}", {"metadata": {"finalizers": ["livetask.dev/stop"]}})
    assert list(trespasses(objects.get(path))) == []

    objects.merge(f"{path}?fieldManager={OPERATOR}", change)

    assert list(trespasses(objects.get(path))) == [f"RelayTask {namespace}/cup-final: {told}"]
