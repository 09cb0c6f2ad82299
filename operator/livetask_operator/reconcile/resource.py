"""A RelayTask as the operator reads it: parsed once per event from the untyped body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from livetask_operator.reconcile.status import RelayTaskStatus
from livetask_operator.vendors.contract import RelayVendor, TaskRef

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
class RelayTask:
    """One RelayTask object at one moment."""

    uid: str
    namespace: str
    name: str
    resource_version: str
    generation: int
    created: datetime
    deleted: datetime | None
    finalizers: tuple[str, ...]
    requested_at: str | None
    vendor: RelayVendor
    ref: TaskRef
    secret: str
    poll_interval_s: int
    deletion_policy: DeletionPolicy
    stop_delay_s: int | None
    suspend: bool
    status: RelayTaskStatus

    @classmethod
    def from_body(cls, body: Mapping[str, Any], vendors: Mapping[str, RelayVendor]) -> RelayTask:
        """Parse an object. `vendors` is keyed by block. Raises UnreadableResource, with the object's name in it."""
        meta, spec = body["metadata"], body["spec"]
        label = f"RelayTask {meta['namespace']}/{meta['name']}"
        blocks = [block for block in vendors if spec.get(block) is not None]
        if len(blocks) != 1:
            raise UnreadableResource(f"{label} has no vendor block that this operator knows ({', '.join(vendors)})")
        vendor = vendors[blocks[0]]
        try:
            return cls(
                uid=meta["uid"],
                namespace=meta["namespace"],
                name=meta["name"],
                resource_version=meta["resourceVersion"],
                generation=int(meta.get("generation", 0)),
                created=_moment(meta["creationTimestamp"]),
                deleted=_moment(meta["deletionTimestamp"]) if meta.get("deletionTimestamp") else None,
                finalizers=tuple(meta.get("finalizers") or ()),
                requested_at=_requested_at(meta),
                vendor=vendor,
                ref=vendor.task(spec[blocks[0]]),
                secret=spec["credentialsSecretRef"]["name"],
                poll_interval_s=int(spec.get("pollIntervalSeconds", 30)),
                deletion_policy=DeletionPolicy(spec.get("deletionPolicy", "Stop")),
                stop_delay_s=spec.get("stopDelaySeconds"),
                suspend=bool(spec.get("suspend", False)),
                status=RelayTaskStatus.from_body(body.get("status")),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise UnreadableResource(f"{label} cannot be read ({type(error).__name__}: {error})") from error

    def with_status(self, status: RelayTaskStatus, resource_version: str) -> RelayTask:
        return replace(self, status=status, resource_version=resource_version)

    @property
    def label(self) -> str:
        """namespace/name, as people grep for it."""
        return f"{self.namespace}/{self.name}"

    @property
    def has_finalizer(self) -> bool:
        return FINALIZER in self.finalizers

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

    def is_newer_than(self, other: RelayTask) -> bool:
        """Whether this was read after the other was written (resource versions grow: Kubernetes 1.35 promises it)."""
        try:
            return int(self.resource_version) > int(other.resource_version)
        except ValueError:
            return self.resource_version != other.resource_version


def _requested_at(meta: Mapping[str, Any]) -> str | None:
    value = (meta.get("annotations") or {}).get(REQUESTED_AT)
    return value if value and len(value) <= MAX_REQUESTED_AT else None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
