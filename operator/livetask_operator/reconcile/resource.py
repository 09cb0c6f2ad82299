"""Objects as the operator reads them, parsed once per event from the untyped body.

What both kinds have, and a RelayTask; a PreloadTask is in `preload_resource.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from sys import intern
from typing import Any, ClassVar, Self, TypeVar

from livetask_operator.reconcile.status import RelayTaskStatus, Status
from livetask_operator.vendors.contract import RelayVendor, TaskRef, Vendor

GROUP = "livetask.dev"
VERSION = "v1alpha1"
RELAY_TASKS = "relaytasks"
FINALIZER = "livetask.dev/stop"
REQUESTED_AT = "livetask.dev/requested-at"
MAX_REQUESTED_AT = 256
"""Characters; a longer annotation is not handled (design, section 2)."""


class DeletionPolicy(StrEnum):
    """What becomes of the vendor's task when its resource is deleted."""

    STOP = "Stop"
    ORPHAN = "Orphan"


class UnreadableResource(ValueError):
    """An object that the API server let through and this operator cannot read, as from a newer CRD."""


@dataclass(frozen=True, slots=True)
class Instant:
    """Now, on both clocks: the wall's for what people read, the monotonic one (seconds) for how long something took."""

    wall: datetime
    mono: float


@dataclass(frozen=True, slots=True)
class Resource(ABC):
    """What an object of either kind is at one moment."""

    uid: str
    namespace: str
    name: str
    resource_version: str
    generation: int
    created: datetime
    deleted: datetime | None
    requested_at: str | None
    vendor: Vendor
    secret: str
    poll_interval_s: int
    suspend: bool
    status: Status

    KIND: ClassVar[str]
    SHORT: ClassVar[str]
    """As kubectl takes it: rlt."""
    NOUN: ClassVar[str]
    """What is looked at, in messages: task."""
    NAMES: ClassVar[str]
    """By what the vendor knows it, in messages: these ids."""

    @property
    @abstractmethod
    def subject(self) -> str:
        """What is followed, by its names at the vendor, in messages."""

    @property
    def region(self) -> str:
        """The vendor's region that the object names; empty where it names none."""
        return ""

    @property
    def is_polled(self) -> bool:
        """Whether it is looked at at intervals."""
        return not self.suspend

    @property
    def label(self) -> str:
        """namespace/name, as people grep for it."""
        return f"{self.namespace}/{self.name}"

    @property
    def is_deleted(self) -> bool:
        return self.deleted is not None

    @property
    def was_looked_at(self) -> bool:
        return self.status.condition("Ready") is not None

    @property
    def request_waits(self) -> bool:
        """Whether somebody asked for a look that was not done yet."""
        return self.requested_at is not None and self.requested_at != self.status.last_handled_requested_at

    def with_status(self, status: Status, resource_version: str) -> Self:
        return replace(self, status=status, resource_version=resource_version)

    def is_newer_than(self, other: Resource) -> bool:
        """Whether this was read after the other was written (resource versions grow: Kubernetes 1.35 promises it)."""
        try:
            return int(self.resource_version) > int(other.resource_version)
        except ValueError:
            return self.resource_version != other.resource_version


@dataclass(frozen=True, slots=True)
class Finalizers:
    """Of an object's finalizers what is needed to put ours on and take it off; anybody may add a megabyte of others."""

    some: bool
    ours_at: int | None
    """Its place among them."""

    @classmethod
    def of(cls, names: Sequence[str]) -> Finalizers:
        return cls(bool(names), names.index(FINALIZER) if FINALIZER in names else None)


@dataclass(frozen=True, slots=True)
class RelayTask(Resource):
    """One RelayTask object at one moment."""

    finalizers: Finalizers
    vendor: RelayVendor
    ref: TaskRef
    deletion_policy: DeletionPolicy
    stop_delay_s: int | None
    status: RelayTaskStatus

    KIND: ClassVar[str] = "RelayTask"
    SHORT: ClassVar[str] = "rlt"
    NOUN: ClassVar[str] = "task"
    NAMES: ClassVar[str] = "these ids"

    @classmethod
    def from_body(cls, body: Mapping[str, Any], vendors: Mapping[str, RelayVendor]) -> RelayTask:
        """Parse an object. `vendors` is keyed by block. Raises UnreadableResource, with the object's name in it."""
        with reading(cls.KIND, body):
            spec = body["spec"]
            vendor = only_vendor(spec, vendors)
            return cls(
                **common_fields(body),
                finalizers=Finalizers.of(body["metadata"].get("finalizers") or ()),
                vendor=vendor,
                ref=vendor.task(spec[vendor.block]),
                deletion_policy=DeletionPolicy(spec.get("deletionPolicy", "Stop")),
                stop_delay_s=spec.get("stopDelaySeconds"),
                status=RelayTaskStatus.from_body(body.get("status")),
            )

    @property
    def subject(self) -> str:
        return f"task {self.ref.task} of {self.ref.application}"

    @property
    def region(self) -> str:
        return self.ref.region

    @property
    def has_finalizer(self) -> bool:
        return self.finalizers.ours_at is not None


@contextmanager
def reading(kind: str, body: Mapping[str, Any]) -> Iterator[None]:
    """Whatever makes an object unreadable is UnreadableResource, with the object's name in it."""
    label = f"{kind} {body['metadata']['namespace']}/{body['metadata']['name']}"
    try:
        yield
    except UnreadableResource as error:
        raise UnreadableResource(f"{label} {error}") from error
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise UnreadableResource(f"{label} cannot be read ({type(error).__name__}: {error})") from error


AnyVendor = TypeVar("AnyVendor", bound=Vendor)


def only_vendor(spec: Mapping[str, Any], vendors: Mapping[str, AnyVendor]) -> AnyVendor:
    """The one vendor whose block is set. `vendors` is keyed by block."""
    blocks = [block for block in vendors if spec.get(block) is not None]
    if len(blocks) != 1:
        raise UnreadableResource(f"has no vendor block that this operator knows ({', '.join(vendors)})")
    return vendors[blocks[0]]


def common_fields(body: Mapping[str, Any]) -> dict[str, Any]:
    """What is read alike for both kinds, by the names of Resource's fields."""
    meta, spec = body["metadata"], body["spec"]
    return {
        "uid": meta["uid"],
        "namespace": intern(meta["namespace"]),
        "name": meta["name"],
        "resource_version": meta["resourceVersion"],
        "generation": int(meta.get("generation", 0)),
        "created": moment(meta["creationTimestamp"]),
        "deleted": moment(meta["deletionTimestamp"]) if meta.get("deletionTimestamp") else None,
        "requested_at": _requested_at(meta),
        "secret": intern(spec["credentialsSecretRef"]["name"]),
        "poll_interval_s": int(spec.get("pollIntervalSeconds", 30)),
        "suspend": bool(spec.get("suspend", False)),
    }


def moment(text: str) -> datetime:
    """A Kubernetes date-time, in UTC. Raises ValueError or OverflowError."""
    return datetime.fromisoformat(text.upper().replace("Z", "+00:00")).astimezone(UTC)


def _requested_at(meta: Mapping[str, Any]) -> str | None:
    value = (meta.get("annotations") or {}).get(REQUESTED_AT)
    return value if value and len(value) <= MAX_REQUESTED_AT else None
