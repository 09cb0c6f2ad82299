"""What this process knows of one object: as it was last read or written, its looks, and how far its stop has come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from livetask_operator.kube.api import ObjectApi
from livetask_operator.polling.quota import Lane, QuotaKey
from livetask_operator.reconcile.looks import Looks
from livetask_operator.reconcile.resource import Instant, Resource
from livetask_operator.reconcile.status import Status
from livetask_operator.reconcile.stopping import LetGo
from livetask_operator.vendors.contract import Credential


@dataclass(slots=True)
class StopProgress:
    """How far the stop of a deleted object has come. Times are seconds of the monotonic clock."""

    seen_s: float
    """When this process saw the deletion."""
    failures: int = 0
    accepted_s: float | None = None
    """When the vendor accepted the newest stop."""
    confirmations: int = 0
    """Looks since then that still showed the task."""
    accepted_times: int = 0
    waits_since_s: float | None = None
    """Since when other owners' first looks are waited for. One clock for all: else whoever made a new claim every half
    minute would keep the task running."""
    hastened: set[str] = field(default_factory=set)
    """Whose first looks were asked for: once each, as their own back-off says when to try again."""
    blocked: bool = False
    """A cause is written; `Stopping` would say less."""
    let_go: LetGo | None = None
    """Nothing is owed any more: only the finalizer is still to be taken off."""


AnyTask = TypeVar("AnyTask", bound=Resource)


class Kind(Protocol):
    """What is particular to a kind of objects: how one is read, looked at, let go and settled."""

    api: ObjectApi
    looks_stand: bool
    """Whether the same look says the same at any time."""

    def read(self, body: Mapping[str, Any]) -> Resource:
        """Parse an object. Raises UnreadableResource."""

    def take_over(self, task: Any, now_s: float) -> Record[Any]:
        """Begin to follow an object."""

    def leave(self, record: Record[Any]) -> None:
        """Follow an object no more."""

    def is_in_order(self, task: Any) -> bool:
        """Whether the object has of us what it should have."""

    def has_ended(self, task: Any) -> bool:
        """Whether its task has ended: others are looked at first."""

    def is_owed(self, record: Record[Any]) -> bool:
        """Whether a stop was still owed for the object when it was last read."""

    def settle(self, record: Record[Any], now: Instant) -> Callable[[Any], Status]:
        """What a living object's status should say now."""

    def quota(self, task: Any, credential: Credential) -> QuotaKey:
        """What a look is counted by."""

    async def step(self, record: Record[Any]) -> float | None:
        """One step. Returns in how many seconds the next is due; None: when something happens. Raises KubeError."""


@dataclass(slots=True)
class Record(Generic[AnyTask]):
    """One object that this process follows."""

    kind: Kind
    task: AnyTask
    track: Looks[Any]
    step: asyncio.Task[None] | None = None
    may_cancel: bool = False
    """The step under way is a look: it can be given up without harm."""
    lane: Lane = Lane.POLL
    """The lane of the step under way."""
    asks: bool = False
    """The step under way is a look, and waits for its answer."""
    left_line: Callable[[str], None] = lambda _: None
    """Told its uid when the step under way stands in no line any more; one for all objects."""
    quota: QuotaKey | None = None
    """What its looks are counted by; None until its vendor accepted its key: who only names a key is counted apart."""
    last_look_s: float = float("-inf")
    failed_steps: int = 0
    accepted: Credential | None = field(default=None, repr=False)
    """The last credential that the vendor accepted for this object."""
    stop: StopProgress | None = None
    said: tuple[Resource, Any, int] | None = field(default=None, repr=False)
    """The object, the good look and the slowness that its status says in full."""
    dropped: Mapping[str, Any] | None = field(default=None, repr=False)
    """What the API server did not take of the status that was written last; tried again after a while."""
    dropped_s: float = float("-inf")
    sent: Status | None = None
    """The status of a write without an answer so far: its event may come before that."""

    @property
    def polls(self) -> bool:
        """Whether the step under way is a look that nobody asked for: who asks now need not wait behind it."""
        return self.asks and self.lane is Lane.POLL

    def begun(self) -> None:
        """The step under way stands in no line any more: the next may."""
        self.left_line(self.task.uid)
