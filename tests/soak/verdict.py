"""What a soak comes to: five numbers that must be 0, or small, and the table that shows them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from livetask_simulator.client import Call
from tests.faults.ledger import STOP_CALLS
from tests.reconcile.checker import contradictions

MEMORY_GROWTH_MAX = 0.05
ON_AIR = frozenset({"Running"})
STATE_OF_STATUS: Mapping[str, Mapping[object, frozenset[str]]] = {
    "AlibabaCloud": {
        0: frozenset({"Pending"}),
        1: ON_AIR,
        2: frozenset({"Stopped"}),
        3: frozenset({"Stopped"}),
        5: frozenset({"Failed"}),
    },
    # One that ended before it was ever seen is not known to have been.
    "TencentCloud": {"InProgress": ON_AIR, "NotExist": frozenset({"Stopped", "NotFound"})},
    "HuaweiCloud": {"running": ON_AIR, "finished": frozenset({"Stopped"})},
}
FINAL = frozenset({"Succeeded", "Expired"})
"""Of preloads: nothing takes these back, and there is nothing to suspend."""


@dataclass
class Owed:
    """A task at a vendor, and what its owners' ends make due. Times are of the monotonic clock, which all share."""

    task: str
    living: set[str] = field(default_factory=set)
    """The names of objects that follow it and are not deleted."""
    deleted_s: float | None = None
    """When the last of them was deleted; a stop before is a wrong one."""
    orphaned: bool = False
    """It was never to be stopped."""

    @property
    def may_be_stopped_from_s(self) -> float:
        return float("inf") if self.living or self.orphaned or self.deleted_s is None else self.deleted_s

    @property
    def must_have_ended(self) -> bool:
        return not self.living and not self.orphaned and self.deleted_s is not None


def leaked(owed: Iterable[Owed], running: Iterable[str]) -> list[str]:
    """Tasks that run though nobody wants them to."""
    still = set(running)
    return [each.task for each in owed if each.must_have_ended and each.task in still]


def stopped_wrongly(owed: Mapping[str, Owed], calls: Iterable[Call]) -> list[str]:
    """Tasks that got a stop which nobody had asked for, or not yet."""
    found = []
    for call in calls:
        if call.operation in STOP_CALLS:
            task = owed.get(call.task_id)
            if task is None or call.monotonic_s < task.may_be_stopped_from_s:
                found.append(call.task_id)
    return found


def status_is_wrong(body: Mapping[str, Any], states: frozenset[str]) -> list[str]:
    """What is wrong with a living object's status, now that nothing is broken any more."""
    meta, status = body["metadata"], body.get("status", {})
    label = f"{meta['namespace']}/{meta['name']}"
    if "deletionTimestamp" in meta:
        return [f"{label} was deleted and is still there"]
    found = contradictions(body)
    if status.get("observedGeneration") != meta["generation"]:
        found.append(f"observedGeneration is {status.get('observedGeneration')} of {meta['generation']}")
    ready: Mapping[str, Any] = next((each for each in status.get("conditions", []) if each["type"] == "Ready"), {})
    if body["spec"].get("suspend") and status.get("state") not in FINAL:
        if ready.get("reason") != "Suspended":
            found.append(f"it is suspended, and Ready says {ready.get('reason')}")
    elif status.get("state") not in states:
        found.append(f"the state is {status.get('state')}, and the vendor's is {' or '.join(sorted(states))}")
    elif ready.get("reason") in ("Stale", "Throttled", "VendorUnavailable", "InvalidResponse"):
        found.append(f"Ready says {ready['reason']}, and all is well")
    return [f"{label}: {each}" for each in found]


@dataclass(frozen=True)
class Verdict:
    """How a soak ended."""

    leaked: Sequence[str] = ()
    stopped_wrongly: Sequence[str] = ()
    wrong_statuses: Sequence[str] = ()
    unplanned_exits: Sequence[str] = ()
    writes_when_quiet: Sequence[str] = ()
    memory_growth: float | None = None
    """Of the process that led at the end; None where it did not lead long enough to tell."""
    must_tell_memory: bool = True

    @property
    def rows(self) -> list[tuple[str, str, bool]]:
        """What, how many or how much, and whether it may be so."""
        counted = {
            "tasks leaked": self.leaked,
            "wrong stops": self.stopped_wrongly,
            "statuses wrong after convergence": self.wrong_statuses,
            "unplanned exits": self.unplanned_exits,
            "writes when all is quiet": self.writes_when_quiet,
        }
        growth = self.memory_growth
        told = "not measured: too short a life" if growth is None else f"{growth:+.1%}"
        fits = not self.must_tell_memory if growth is None else growth < MEMORY_GROWTH_MAX
        return [*((what, str(len(found)), not found) for what, found in counted.items()), ("memory growth", told, fits)]

    @property
    def details(self) -> list[str]:
        """The first of each kind of what is wrong."""
        kinds = (
            ("leaked", self.leaked),
            ("stopped wrongly", self.stopped_wrongly),
            ("status", self.wrong_statuses),
            ("exit", self.unplanned_exits),
            ("write", self.writes_when_quiet),
        )
        return [f"{kind}: {each}" for kind, found in kinds for each in found[:20]]

    @property
    def holds(self) -> bool:
        return all(fits for _, _, fits in self.rows)

    def table(self) -> str:
        width = max(len(what) for what, _, _ in self.rows)
        return "\n".join(f"{what:<{width}}  {told:<12}  {'ok' if fits else 'NO'}" for what, told, fits in self.rows)
