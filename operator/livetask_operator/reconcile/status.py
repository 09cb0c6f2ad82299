"""Statuses and their conditions: read from an object, compared, turned into the smallest patch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from sys import intern
from typing import Any, ClassVar, Literal, Protocol, Self

ConditionStatus = Literal["True", "False", "Unknown"]

MAX_VENDOR_STATUS = 128
"""Characters of `vendorStatus` (design, section 2): one field too long would refuse the whole patch."""
OWN_CONDITIONS = ("Ready", "Reconciling", "Stalled")
REASONS_PAGE = "crds/reasons.md"
MAX_CONDITIONS = 16
"""That the CRDs take."""
MAX_MESSAGE = 1024
"""Characters of a condition's message; the CRD takes more, and an Event no more than this."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A condition as a decision wants it, without the times."""

    type: str
    status: ConditionStatus
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A metav1 condition."""

    type: str
    status: str
    reason: str
    message: str
    last_transition_time: str
    observed_generation: int

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Condition:
        return cls(  # most objects say the same: one string each for all of them
            type=intern(str(body.get("type", ""))),
            status=intern(str(body.get("status", "Unknown"))),
            reason=intern(str(body.get("reason", ""))),
            message=intern(str(body.get("message", ""))),
            last_transition_time=str(body.get("lastTransitionTime", "")),
            observed_generation=int(body.get("observedGeneration", 0)),
        )

    def to_body(self) -> dict[str, Any]:
        return {
            "type": self.type,
            "status": self.status,
            "reason": self.reason,
            "message": self.message,
            "lastTransitionTime": self.last_transition_time,
            "observedGeneration": self.observed_generation,
        }


class Entry(Protocol):
    """One of a list in a status: a condition, or a row."""

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Self: ...

    def to_body(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Status:
    """What the statuses of both kinds have in common; a field that is None is not there."""

    observed_generation: int = -1
    last_handled_requested_at: str | None = None
    conditions: tuple[Condition, ...] = ()

    FIELDS: ClassVar[Mapping[str, str]] = {}
    """The kind's own fields and their names in the object."""
    LISTS: ClassVar[Mapping[str, type[Entry]]] = {"conditions": Condition}
    """Fields that hold lists, and what is in them; they have the same names in the object."""
    ECHOES: ClassVar[tuple[str, ...]] = ()
    """Conditions that always say what Ready says, under the kind's own word for it."""

    @classmethod
    def from_body(cls, body: Mapping[str, Any] | None) -> Self:
        body = body or {}
        own: dict[str, Any] = {field: body.get(name) for field, name in cls.FIELDS.items()}
        for name, entry in cls.LISTS.items():
            own[name] = tuple(entry.from_body(each) for each in body.get(name) or ())
        return cls(
            observed_generation=int(body.get("observedGeneration", -1)),
            last_handled_requested_at=body.get("lastHandledRequestedAt"),
            **own,
        )

    def to_body(self) -> dict[str, Any]:
        body: dict[str, Any] = {"observedGeneration": self.observed_generation}
        fields = {"last_handled_requested_at": "lastHandledRequestedAt", **self.FIELDS}
        body |= {name: value for field, name in fields.items() if (value := getattr(self, field)) is not None}
        lists = {name: [entry.to_body() for entry in getattr(self, name)] for name in self.LISTS}
        return body | {name: entries for name, entries in lists.items() if entries}

    def patch_from(self, old: Self) -> dict[str, Any]:
        """The merge patch that turns the old status into this one; empty where nothing changed."""
        before, after = old.to_body(), self.to_body()
        changed = {name: value for name, value in after.items() if before.get(name) != value}
        return changed | {name: None for name in before if name not in after}

    def condition(self, kind: str) -> Condition | None:
        return next((condition for condition in self.conditions if condition.type == kind), None)

    @property
    def headline(self) -> Condition | None:
        """The condition that says most: what is stalled, else what is under way, else whether it is ready."""
        for kind in ("Stalled", "Reconciling"):
            condition = self.condition(kind)
            if condition is not None and condition.status == "True":
                return condition
        return self.condition("Ready")

    def with_conditions(self, wanted: Iterable[Wanted], generation: int, now: datetime) -> Self:
        """This status with exactly these conditions of ours; a transition time moves only where the status does.

        Conditions of other types are others', or a later version's, and stay.
        """
        conditions = []
        for want in self._with_echoes(wanted):
            old = self.condition(want.type)
            kept = old is not None and old.status == want.status and bool(old.last_transition_time)
            conditions.append(
                Condition(
                    type=want.type,
                    status=want.status,
                    reason=want.reason,
                    message=_with_page(want)[:MAX_MESSAGE],
                    last_transition_time=old.last_transition_time if old is not None and kept else timestamp(now),
                    observed_generation=generation,
                )
            )
        others = [each for each in self.conditions if each.type not in (*OWN_CONDITIONS, *self.ECHOES)]
        return replace(self, observed_generation=generation, conditions=(*conditions, *others)[:MAX_CONDITIONS])

    def _with_echoes(self, wanted: Iterable[Wanted]) -> Iterator[Wanted]:
        for want in wanted:
            yield want
            if want.type == "Ready":
                yield from (replace(want, type=echo) for echo in self.ECHOES)

    def at_generation(self, generation: int) -> Self:
        """The same status, said of a newer generation."""
        own = (*OWN_CONDITIONS, *self.ECHOES)
        conditions = tuple(
            replace(each, observed_generation=generation) if each.type in own else each for each in self.conditions
        )
        return replace(self, observed_generation=generation, conditions=conditions)


@dataclass(frozen=True, slots=True)
class RelayTaskStatus(Status):
    """The status subresource of a RelayTask."""

    vendor: str | None = None
    task_id: str | None = None
    state: str | None = None
    vendor_status: str | None = None
    scheduled_start_time: str | None = None
    scheduled_end_time: str | None = None
    seen_with_key_hash: str | None = None

    FIELDS: ClassVar[Mapping[str, str]] = {
        "vendor": "vendor",
        "task_id": "taskId",
        "state": "state",
        "vendor_status": "vendorStatus",
        "scheduled_start_time": "scheduledStartTime",
        "scheduled_end_time": "scheduledEndTime",
        "seen_with_key_hash": "seenWithKeyHash",
    }


def _with_page(want: Wanted) -> str:
    """A condition's message. Where a person must act, which Argo CD and Flux show, it ends with where to read more."""
    return f"{want.message} More: {REASONS_PAGE}#{want.reason.lower()}" if want.type == "Stalled" else want.message


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with whole seconds, as Kubernetes writes it; the year has four digits, whatever a vendor says."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
