"""What keeps a look or a stop from being done: the vendor's refusals and unusable Secrets as one value."""

from __future__ import annotations

from dataclasses import dataclass

from livetask_operator.reconcile import words
from livetask_operator.reconcile.reasons import NEEDS_PERSON, Reason
from livetask_operator.reconcile.resource import RelayTask, Resource
from livetask_operator.vendors.contract import VendorError


@dataclass(frozen=True, slots=True)
class Trouble:
    """A cause: its reason is the word in the condition and in the Event, its message says what to do."""

    reason: Reason
    message: str
    retry_after_s: float | None = None
    """How long the vendor asks to wait."""

    @property
    def needs_person(self) -> bool:
        return self.reason in NEEDS_PERSON

    @classmethod
    def of_vendor(cls, task: Resource, error: VendorError, call: str) -> Trouble:
        return cls(Reason(error.reason), words.vendor_trouble(task, error, call), error.retry_after_s)

    @classmethod
    def secret_not_found(cls, task: Resource) -> Trouble:
        return cls(Reason.SECRET_NOT_FOUND, words.secret_not_found(task))

    @classmethod
    def secret_unusable(cls, task: Resource, detail: str) -> Trouble:
        return cls(Reason.SECRET_KEY_MISSING, words.secret_unusable(task, detail))

    @classmethod
    def secret_forbidden(cls, task: Resource) -> Trouble:
        return cls(Reason.SECRET_FORBIDDEN, words.secret_forbidden(task))

    @classmethod
    def not_visible(cls, task: RelayTask) -> Trouble:
        return cls(Reason.TASK_NOT_VISIBLE, words.not_visible(task))
