"""Which credentials a vendor has accepted, at which accounts, and when last.

What is not proven draws on a small budget of its own: whoever only names an account does not draw on its budget.
"""

from __future__ import annotations

from livetask_operator.polling.quota import QuotaKey
from livetask_operator.reconcile.resource import Resource
from livetask_operator.vendors.contract import Credential

MAX_PROVEN = 10_000


class Proven:
    """By fingerprint. Times are seconds of the monotonic clock."""

    def __init__(self) -> None:
        self._proven: set[str] = set()
        self._at: set[tuple[str, str, str]] = set()
        """And at which vendor and account."""
        self._accepted_s: dict[str, float] = {}

    def __contains__(self, credential: Credential) -> bool:
        """Whether a vendor has accepted it, and has not refused it since."""
        return credential.fingerprint in self._proven

    def at(self, credential: Credential, quota: QuotaKey) -> bool:
        """Whether a vendor has accepted exactly this credential for this account."""
        return (credential.fingerprint, *quota[:2]) in self._at and credential in self

    def accepted_s(self, credential: Credential) -> float | None:
        """When a vendor last accepted it; None where that is not known."""
        return self._accepted_s.get(credential.fingerprint)

    def accepted(self, credential: Credential, now_s: float) -> None:
        """A vendor has accepted it again, for an account that it is proven for."""
        self._accepted_s[credential.fingerprint] = now_s

    def prove(self, credential: Credential, quota: QuotaKey, now_s: float) -> None:
        """A vendor has accepted it for this account."""
        if len(self._at) >= MAX_PROVEN:
            for each in (self._at, self._proven, self._accepted_s):
                each.clear()  # most are of keys that were rotated long ago; the others prove themselves again
        self._proven.add(credential.fingerprint)
        self._at.add((credential.fingerprint, *quota[:2]))
        self.accepted(credential, now_s)

    def rejected(self, credential: Credential) -> None:
        """A vendor does not accept it any more."""
        self._proven.discard(credential.fingerprint)


def was_seen(task: Resource, credential: Credential) -> bool:
    """Whether this key saw the object's task before, as its status says."""
    return getattr(task.status, "seen_with_key_hash", None) == credential.key_hash
