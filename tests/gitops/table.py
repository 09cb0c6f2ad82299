"""What Argo CD and kstatus must make of any status, by the design's table; and who does not agree with it.

The table is written out here and in `tests/faults/conditions.py`, so that a slip in a script or in the operator is not
repeated in what catches it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.faults.conditions import health_in_table
from tests.gitops.customizations import CUSTOMIZATIONS, GROUP
from tests.gitops.gitopscheck import Argo, GitopsCheck
from tests.reconcile.checker import PASSING_REASONS, PERSON_REASONS
from tests.reconcile.kstatus import kstatus

Body = Mapping[str, Any]

ARGO_OF_REASON: Mapping[str, Argo] = {
    "Pending": "Progressing",
    "Running": "Healthy",
    "Paused": "Suspended",
    "Stopped": "Suspended",
    "TaskFailed": "Degraded",
    "TaskNotFound": "Degraded",
    "UnknownVendorStatus": "Progressing",
    "Suspended": "Suspended",
    "Stale": "Progressing",
    "Preloading": "Progressing",
    "Succeeded": "Healthy",
    "PreloadFailed": "Degraded",
    "Expired": "Degraded",
    **dict.fromkeys(PASSING_REASONS, "Progressing"),
    **dict.fromkeys(PERSON_REASONS, "Degraded"),
}


def argo_in_table(body: Body) -> Argo:
    """The last column but one."""
    status = body.get("status") or {}
    conditions = {each["type"]: each for each in status.get("conditions") or ()}
    if body["metadata"].get("deletionTimestamp") or "Ready" not in conditions:
        return "Progressing"
    if status.get("observedGeneration") != body["metadata"]["generation"]:
        return "Progressing"
    if conditions.get("Reconciling", {}).get("status") == "True":
        return "Progressing"
    return ARGO_OF_REASON[conditions["Ready"]["reason"]]


def complaints(bodies: Collection[Body]) -> list[str]:
    """The disagreements over all that a witness saw. Raises ProgramUnavailable."""
    if not bodies:
        return []
    with tempfile.TemporaryDirectory() as folder, GitopsCheck(Path(folder)) as check:
        check.customize({f"{GROUP}/{each.kind}": each.override() for each in CUSTOMIZATIONS})
        return list(disagreements(bodies, check))


def disagreements(bodies: Iterable[Body], check: GitopsCheck) -> Iterator[str]:
    """Where kstatus, our own reading of its rules, or Argo CD with our scripts says something else than the table."""
    for body in bodies:
        ready = [each for each in (body.get("status") or {}).get("conditions") or () if each["type"] == "Ready"]
        label = f"{body['kind']} {body['metadata']['namespace']}/{body['metadata']['name']} {ready}"
        wanted, real, ours = health_in_table(body), check.kstatus(body), kstatus(body)
        if {real, ours} != {wanted}:
            yield f"{label}: kstatus computes {real}, our reading of it {ours}, and the table says {wanted}"
        health, _ = check.health(body)
        if health != argo_in_table(body):
            yield f"{label}: Argo CD says {health}, and the table says {argo_in_table(body)}"
