"""Faults made to order: which requests they strike, how often, and what they are.

Apart from misbehaviour.py, which carries them out over the wire: this is the bookkeeping.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from livetask_simulator.exchange import Identity


class FaultKind(StrEnum):
    """What goes wrong."""

    # Instead of the answer; the operation is not carried out, unless after_effect is set.
    ERROR = "error"
    THROTTLE = "throttle"
    ANSWER = "answer"
    RESET = "reset"
    HANG = "hang"
    GARBAGE = "garbage"
    HUGE = "huge"
    REDIRECT = "redirect"
    GZIP_BOMB = "gzip-bomb"
    # On the way of the real answer; the operation is carried out.
    DELAY = "delay"
    TRUNCATED = "truncated"
    DRIP = "drip"
    COOKIE = "cookie"
    CONTENT_TYPE = "content-type"


CARRIED_OUT = frozenset(
    {FaultKind.DELAY, FaultKind.TRUNCATED, FaultKind.DRIP, FaultKind.COOKIE, FaultKind.CONTENT_TYPE}
)


@dataclass(kw_only=True)
class Fault:
    """One fault. A field left None, or empty, matches every request."""

    kind: FaultKind
    vendor: str | None = None
    account: str | None = None
    key_id: str | None = None
    operation: str | None = None
    app_id: str | None = None
    task_id: str | None = None
    times: int | None = None
    """How many requests it strikes; None: every one, until it is cleared."""
    skip: int = 0
    """How many requests it lets pass first."""
    after_effect: bool = False
    """The operation is carried out, and only its answer is lost or garbled."""
    delay_s: float = 0.0
    """How long to wait before the operation, or, with after_effect, between the operation and the answer."""
    status: int | None = None
    code: str = ""
    message: str = ""
    retry_after_ms: int | None = None
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    size_bytes: int | None = None
    interval_s: float = 0.5
    """Between two bytes of a drip."""
    fault_id: int = 0
    struck: int = 0

    @property
    def takes_effect(self) -> bool:
        """Whether the operation is carried out."""
        return self.after_effect or self.kind in CARRIED_OUT

    def matches(self, identity: Identity) -> bool:
        """Whether it is meant for this request."""
        return all(
            wanted is None or wanted == named
            for wanted, named in (
                (self.vendor, identity.vendor),
                (self.account, identity.account),
                (self.key_id, identity.key_id),
                (self.operation, identity.operation),
                (self.app_id, identity.app_id),
                (self.task_id, identity.task_id),
            )
        )


class Faults:
    """The faults that are set, in the order they were added; the first that matches strikes."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._last_id = 0

    def add(self, fault: Fault) -> Fault:
        """Set a fault; it gets an id."""
        self._last_id += 1
        fault.fault_id = self._last_id
        self._faults.append(fault)
        return fault

    def strike(self, identity: Identity) -> Fault | None:
        """The fault for this request, counted; None where none is meant for it."""
        for fault in self._faults:
            if not fault.matches(identity):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.struck += 1
            if fault.times is not None and fault.struck >= fault.times:
                self._faults.remove(fault)
            return fault
        return None

    def all(self, account: str | None = None) -> list[Fault]:
        """The faults that are set, of one account or all."""
        return [fault for fault in self._faults if account is None or fault.account == account]

    def clear(self, *, account: str | None = None, fault_id: int | None = None) -> int:
        """Clear one fault, one account's, or all; returns how many."""
        kept = [
            fault
            for fault in self._faults
            if (account is not None and fault.account != account)
            or (fault_id is not None and fault.fault_id != fault_id)
        ]
        cleared = len(self._faults) - len(kept)
        self._faults = kept
        return cleared
