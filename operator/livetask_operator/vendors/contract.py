"""What a vendor can do for the operator, what it answers, and the error tree.

This is all that the rest of the operator knows of a vendor. A vendor is a folder beside this file and a line in
`catalogue.py`.

The error tree, whose classes decide retry, condition and Event:

    VendorError
    +-- NeedsPerson            somebody must act; Stalled
    |   +-- CredentialsRejected   the vendor does not accept the key, its signature or its token
    |   +-- PermissionDenied      the key is good, but may not do this
    |   +-- InvalidRequest        the vendor refuses what the spec names
    |   +-- ClockSkew             this machine's clock and the vendor's are too far apart
    |   +-- AccountSuspended      overdue, or the service is not enabled
    |   +-- EndpointNotFound      the host does not exist
    +-- MayPass                it may heal by itself; Reconciling from the second in a row
        +-- Throttled             over the account's quota
        +-- VendorUnavailable     5xx, refused, reset, timeout, TLS
        +-- InvalidResponse       not what the vendor documents
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from typing import Protocol

CALL_TIMEOUT_S = 10.0
"""How long one vendor call may take, all included (design, section 2)."""

MAX_ANSWER_BYTES = 1024 * 1024
"""Larger answers are refused as InvalidResponse."""


class State(StrEnum):
    """A relay task's state, the same words for every vendor (design, section 2)."""

    PENDING = "Pending"
    RUNNING = "Running"
    PAUSED = "Paused"
    STOPPED = "Stopped"
    FAILED = "Failed"
    NOT_FOUND = "NotFound"
    UNKNOWN = "Unknown"

    @property
    def is_gone(self) -> bool:
        """Whether a task in this state no longer runs and needs no stop."""
        return self in (State.STOPPED, State.FAILED, State.NOT_FOUND)

    @property
    def is_alive(self) -> bool:
        """Whether a task in this state costs money, or will as soon as its source appears."""
        return self in (State.PENDING, State.RUNNING, State.PAUSED)


@dataclass(frozen=True, slots=True)
class TaskRef:
    """One task at one vendor: what the immutable vendor block of a spec names."""

    vendor: str
    """The vendor's word, as in `status.vendor`: AlibabaCloud."""
    application: str
    """appId, sdkAppId or projectId."""
    task: str
    region: str = ""

    @property
    def identity(self) -> tuple[str, str, str]:
        """What makes two resources follow the same task."""
        return (self.vendor, self.application, self.task)


@dataclass(frozen=True, slots=True)
class Credential:
    """A key as it was read from a Secret. Its repr tells nothing of it."""

    key_id: str = field(repr=False)
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    key_hash: str = field(init=False, repr=False, compare=False)
    """A short hash of the key's id, for `status.seenWithKeyHash`: tells keys apart, and nothing else."""
    fingerprint: str = field(init=False, repr=False, compare=False)
    """Identifies this exact credential, secret and token included. Stays in memory: never written, never logged."""

    def __post_init__(self) -> None:
        whole = "\0".join((self.key_id, self.secret, self.token or ""))
        object.__setattr__(self, "key_hash", hashlib.sha256(self.key_id.encode()).hexdigest()[:16])
        object.__setattr__(self, "fingerprint", hashlib.sha256(whole.encode()).hexdigest())


@dataclass(frozen=True, slots=True)
class Observation:
    """What the vendor said of a task. That it does not know the task is an observation too, not an error."""

    state: State
    vendor_status: str
    """Word for word what the vendor said."""
    meaning: str = ""
    """Our words for the vendor's word: "trouble with the push URL"."""
    advice: str = ""
    """What a person can do about it; empty where there is nothing to do."""
    request_id: str = field(default="", compare=False)
    """The vendor's, for logs alone: never in a condition, never in an Event."""
    scheduled_start: datetime | None = None
    scheduled_end: datetime | None = None
    if_seen: Observation | None = None
    """For a NOT_FOUND: what it means where the task was seen before. One word may say "ended" and "never was"."""


class VendorError(Exception):
    """A call that did not say what was asked. It never means that the task is gone."""

    reason = "VendorUnavailable"
    """One word of the closed list of reasons."""

    def __init__(
        self,
        detail: str,
        *,
        code: str = "",
        request_id: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        """
        detail: our words, never the vendor's text, which may echo what was signed; the same for the same cause.
        code: the vendor's error code, cut to what such codes look like.
        """
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.request_id = request_id
        self.retry_after_s = retry_after_s


class NeedsPerson(VendorError):
    """Heals only when somebody acts."""


class CredentialsRejected(NeedsPerson):
    reason = "CredentialsRejected"


class PermissionDenied(NeedsPerson):
    reason = "PermissionDenied"


class InvalidRequest(NeedsPerson):
    reason = "InvalidRequest"


class ClockSkew(NeedsPerson):
    reason = "ClockSkew"


class AccountSuspended(NeedsPerson):
    reason = "AccountSuspended"


class EndpointNotFound(NeedsPerson):
    reason = "EndpointNotFound"


class MayPass(VendorError):
    """May heal by itself."""


class Throttled(MayPass):
    reason = "Throttled"


class VendorUnavailable(MayPass):
    reason = "VendorUnavailable"


class InvalidResponse(MayPass):
    reason = "InvalidResponse"


class SecretUnusable(Exception):
    """A Secret that has no usable value under a key that the vendor needs. The message names keys, never values."""


class StopOutcome(Enum):
    """What a stop call that was not refused came to."""

    ACCEPTED = "accepted"
    GONE = "gone"
    """The vendor says that the task has ended or does not exist, in words that are on the list of what gone is."""
    UNSETTLED = "unsettled"
    """An answer that may mean gone or may mean a bad request: only a look can tell."""


@dataclass(frozen=True, slots=True)
class StopAnswer:
    """The vendor's answer to a stop call."""

    outcome: StopOutcome
    request_id: str = ""
    code: str = ""


Look = Observation | VendorError


class Vendor(Protocol):
    """A vendor by its names and its keys, whatever it is asked for."""

    name: str
    """AlibabaCloud, as in `status.vendor`."""
    title: str
    """Alibaba Cloud, as in messages."""
    block: str
    """alibabaCloud: the block of the spec, and the key in the configuration."""
    secret_keys: tuple[str, ...]
    """The keys that a Secret must have, as a person creates it: accessKeyId, accessKeySecret."""

    def credential(self, data: Mapping[str, str]) -> Credential:
        """The credential in a Secret's decoded data. Raises SecretUnusable."""


Turn = Callable[[], Awaitable[None]]
"""Waits until the account's quota allows one more call."""


async def at_once() -> None:
    """A Turn for whoever counts no calls."""


class NotSent(Exception):
    """At the moment of handing a request over it turned out that it must not be sent. It was not."""


Guard = Callable[[], None]
"""Returns where a request may be handed over, now. Raises NotSent."""

_guard: ContextVar[Guard] = ContextVar("guard", default=lambda: None)


@contextmanager
def guarded(guard: Guard) -> Iterator[None]:
    """Have each request that is made in here pass a guard, in the very step that hands it to the network.

    Not earlier: a connection may take seconds to be made, and a process may be stopped meanwhile and go on much later.
    """
    token = _guard.set(guard)
    try:
        yield
    finally:
        _guard.reset(token)


def check_guard() -> None:
    """For whoever sends: nothing may be awaited between this and the sending. Raises NotSent."""
    _guard.get()()


Scale = Callable[[float], None]
"""Is told how many bytes an answer has."""

_scale: ContextVar[Scale] = ContextVar("scale", default=lambda _: None)


@contextmanager
def weighed(scale: Scale) -> Iterator[None]:
    """Have the size of each answer that comes in here told."""
    token = _scale.set(scale)
    try:
        yield
    finally:
        _scale.reset(token)


def weigh(answer_bytes: int) -> None:
    """For whoever receives: an answer of so many bytes has come, or so much of one that was given up."""
    _scale.get()(answer_bytes)


class RelayVendor(Vendor, Protocol):
    """What the operator asks of a vendor's relay service."""

    look_call: str
    """The call behind `look`, as it is named in quotas and metrics: GetMPUTaskStatus."""
    look_batch: int
    """How many tasks of one account and region a single `look_call` can show: 1, or the length of the vendor's page.

    A look at more tasks takes more calls; so does a task that the vendor's list should have and has not.
    """
    stop_call: str
    task_field: str
    """The spec's field that names the task, selectable: spec.alibabaCloud.taskId."""

    def task(self, block: Mapping[str, object]) -> TaskRef:
        """The task that a vendor block of a spec names."""

    def account(self, credential: Credential, task: TaskRef) -> str:
        """What the vendor counts calls by: the key's id, or the project."""

    async def look(
        self, credential: Credential, tasks: Sequence[TaskRef], turn: Turn = at_once
    ) -> Mapping[TaskRef, Look]:
        """Observe tasks, in as few calls as the vendor's API allows; `turn` is awaited before each of them.

        Returns a look for every task: an Observation, or the VendorError that hid it; raises nothing of its own.
        A failed call never reads as "the task is gone". Source: vendor-apis.md, sections 1.6, 3.2, 4.4.
        """

    async def stop(self, credential: Credential, task: TaskRef) -> StopAnswer:
        """Stop one task. Raises VendorError where the vendor refused or did not answer: it may be stopped all the same.

        Source: vendor-apis.md, sections 1.3, 3.4, 4.3.
        """


class RowState(StrEnum):
    """A preload's state at the vendor, the same words for every vendor (design, section 2)."""

    PENDING = "Pending"
    PRELOADING = "Preloading"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class PreloadRow:
    """One preload of one URL, as the vendor tells it. Texts are cut to what the CRD takes."""

    task_id: str
    play_url: str
    """As the vendor spells it. One that is longer than a spec's may be ends in …, so that it is no spec's."""
    state: RowState
    area: str = ""
    progress: int | None = None
    """Percent, 0 to 100; None where the vendor did not say, or not in a way that can be read."""
    vendor_status: str = ""
    """Word for word what the vendor said."""
    description: str = ""
    """What the vendor adds to it."""
    create_time: datetime | None = None
    """Aware, as all times here; None where the vendor did not say: then it cannot be the newest row of its URL."""
    start_time: datetime | None = None
    end_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class PreloadNames:
    """The preloads that one object follows, of a domain."""

    task_ids: tuple[str, ...]
    """These tasks, at any age."""
    play_urls: tuple[str, ...]
    """The newest preload of each of these URLs."""
    since: datetime
    """Rows of `play_urls` that were created before need not be told (they may be)."""


@dataclass(frozen=True, slots=True)
class PreloadRows:
    """What the vendor said of the preloads that were asked for."""

    rows: tuple[PreloadRow, ...]
    """All rows of a URL or none: of a URL whose rows could not all be read, the newest may be missing."""
    complete: bool
    """Whether an item without a row is unknown to the vendor. Otherwise nothing may be concluded from its absence."""


class PreloadVendor(Vendor, Protocol):
    """What the operator asks of a vendor's preload service."""

    list_call: str
    """The call behind `rows`, as it is named in quotas and metrics: DescribeLiveStreamPreloadTasks."""

    def account(self, credential: Credential) -> str:
        """What the vendor counts calls by: the key's id."""

    async def rows(
        self, credential: Credential, domain: str, asked: Collection[PreloadNames], turn: Turn = at_once
    ) -> Mapping[PreloadNames, PreloadRows]:
        """All that the vendor remembers of these preloads of a domain, in as few calls as its API allows.

        Returns rows for each of `asked`: its own, and complete or not by what it names alone. `turn` is awaited before
        each request; nothing is sent without it. Raises VendorError, for all of them together: where they are several,
        one of them may be what the vendor refuses. Source: vendor-apis.md, section 2.2.
        """
