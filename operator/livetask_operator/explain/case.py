"""What was found out about one object, with the rights of who asks: what is there, and of the rest why it is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from livetask_operator.explain.known import Known
from livetask_operator.reconcile.resource import Resource


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that was not found out, and why: a line for a person."""

    why: str


@dataclass(frozen=True, slots=True)
class Told:
    """One Event."""

    at: datetime
    reason: str
    message: str
    warns: bool
    times: int = 1


@dataclass(frozen=True, slots=True)
class Other:
    """Another RelayTask that names the same task at the vendor."""

    label: str
    """namespace/name."""
    policy: str
    deleted: bool


@dataclass(frozen=True, slots=True)
class Others:
    """All that were found; in one namespace alone, where who asks may not list more."""

    found: Sequence[Other]
    everywhere: bool


@dataclass(frozen=True, slots=True)
class Lease:
    """The operator's Lease: who holds it, and when they last wrote to it."""

    label: str
    """namespace/name."""
    holder: str
    """Empty: given back, or never held."""
    renewed: datetime | None
    lasts_s: float


@dataclass(frozen=True, slots=True)
class Case:
    """All of it."""

    task: Resource
    now: datetime
    """By the API server's clock: the asking machine's may be wrong, and the ages of everything with it."""
    events: Sequence[Told] | Unknown
    """Oldest first."""
    others: Others | Unknown | None
    """None: of a kind whose deletion stops nothing."""
    lease: Lease | Unknown
    known: Known | Unknown
