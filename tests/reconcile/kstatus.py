"""What kstatus makes of an object, as Flux, Argo CD's users, kpt and Helm read it; its rules, in its order.

Source: pkg/kstatus/status of cli-utils (`Compute`), for a kind that it has no rules of its own for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

Kstatus = Literal["InProgress", "Current", "Failed", "Terminating"]


def kstatus(body: Mapping[str, Any]) -> Kstatus:
    """The first rule that has something to say decides; where none has, the object is as it should be."""
    meta, status = body["metadata"], body.get("status") or {}
    if meta.get("deletionTimestamp"):
        return "Terminating"
    if "generation" in meta and "observedGeneration" in status and status["observedGeneration"] != meta["generation"]:
        return "InProgress"
    conditions: Sequence[Mapping[str, Any]] = status.get("conditions") or ()
    for condition in conditions:  # of two that contradict each other the first in the list counts
        match condition.get("type"), condition.get("status"):
            case "Reconciling", "True":
                return "InProgress"
            case "Stalled", "True":
                return "Failed"
    for condition in conditions:
        match condition.get("type"), condition.get("status"):
            case "Ready", "True":
                return "Current"
            case "Ready", "False" | "Unknown":
                return "InProgress"
    return "Current"
