"""What the vendor refused, per exact credential, so that a refused key is not tried again and again by each object.

Shared within one exact credential only: nobody blocks another's key by naming its id.
"""

from __future__ import annotations

from dataclasses import dataclass

from livetask_operator.polling import backoff
from livetask_operator.vendors.contract import Credential, CredentialsRejected, PermissionDenied, VendorError

FORGET_AFTER_S = 3600.0


@dataclass(slots=True)
class _Refusal:
    error: VendorError
    first_s: float
    next_try_s: float
    count: int


class Refusals:
    """Which credentials, and which calls of a credential, are not tried before when."""

    def __init__(self) -> None:
        self._refusals: dict[tuple[str, str], _Refusal] = {}

    def standing(self, credential: Credential, call: str, now_s: float) -> tuple[VendorError, float] | None:
        """The refusal that still stands, and when it may be tried again. None: ask.

        The one who is told to ask takes the turn: others wait until the answer is there or a moment has passed.
        """
        noted = [self._refusals[key] for key in _keys(credential, call) if key in self._refusals]
        standing = [refusal for refusal in noted if now_s < refusal.next_try_s]
        if standing:
            latest = max(standing, key=lambda refusal: refusal.next_try_s)
            return latest.error, latest.next_try_s
        for refusal in noted:
            refusal.next_try_s = now_s + backoff.REFUSED_KEY_S[0]
        return None

    def noted(self, credential: Credential, call: str) -> int:
        """How many refusals in a row are noted: who waited in a line sees by it whether there was one meanwhile."""
        return sum(self._refusals[key].count for key in _keys(credential, call) if key in self._refusals)

    def refused(self, credential: Credential, call: str, error: VendorError, now_s: float) -> float | None:
        """Note a refusal. Returns when to try again, or None where the error is not of this kind."""
        whole, one_call = _keys(credential, call)
        if isinstance(error, CredentialsRejected):
            key = whole
        elif isinstance(error, PermissionDenied):
            key = one_call
        else:
            return None
        old = self._refusals.get(key)
        first_s, count = (old.first_s, old.count + 1) if old else (now_s, 1)
        if isinstance(error, CredentialsRejected):
            next_try_s = backoff.next_try_of_refused_key(first_s, now_s)
        else:
            next_try_s = now_s + backoff.after_failed_look(count)
        self._refusals[key] = _Refusal(error, first_s, next_try_s, count)
        self._forget_old(now_s)
        return next_try_s

    def accepted(self, credential: Credential, call: str) -> bool:
        """Note that a call was let through. Returns whether that ends a refusal."""
        ended = [self._refusals.pop(key, None) for key in _keys(credential, call)]
        return any(ended)

    def secret_changed(self, credential: Credential) -> None:
        """A Secret holds this credential anew: its refusals are counted from now on."""
        for key in [key for key in self._refusals if key[0] == credential.fingerprint]:
            del self._refusals[key]

    def _forget_old(self, now_s: float) -> None:
        for key in [key for key, refusal in self._refusals.items() if refusal.next_try_s + FORGET_AFTER_S < now_s]:
            del self._refusals[key]


def _keys(credential: Credential, call: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return (credential.fingerprint, ""), (credential.fingerprint, call)
