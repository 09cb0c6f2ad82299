"""What the vendor refused, per exact credential, so that a refused key is not tried again and again by each object.

Shared within one exact credential only: nobody blocks another's key by naming its id.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from livetask_operator.polling import backoff
from livetask_operator.vendors.contract import Credential, CredentialsRejected, PermissionDenied, VendorError

FORGET_AFTER_S = 3600.0
MAX_KEYS = 10_000
"""So many refused keys are remembered, the latest. A Secret that gets a wrong key each second must not cost memory."""
WHOLE_KEY = ""
"""In place of a call: the key is refused for all of them."""


@dataclass(slots=True)
class _Refusal:
    error: VendorError
    first_s: float
    next_try_s: float
    count: int


class Refusals:
    """Which credentials, and which calls of a credential, are not tried before when."""

    def __init__(self) -> None:
        self._refusals: OrderedDict[str, dict[str, _Refusal]] = OrderedDict()
        """By fingerprint, the latest refused last, and by call. Nothing here takes longer the more keys there are."""

    def standing(self, credential: Credential, call: str, now_s: float) -> tuple[VendorError, float] | None:
        """The refusal that still stands, and when it may be tried again. None: ask.

        The one who is told to ask takes the turn: others wait until the answer is there or a moment has passed.
        """
        noted = list(self._noted(credential, call))
        standing = [refusal for refusal in noted if now_s < refusal.next_try_s]
        if standing:
            latest = max(standing, key=lambda refusal: refusal.next_try_s)
            return latest.error, latest.next_try_s
        for refusal in noted:
            refusal.next_try_s = now_s + backoff.REFUSED_KEY_S[0]
        return None

    def noted(self, credential: Credential, call: str) -> int:
        """How many refusals in a row are noted: who waited in a line sees by it whether there was one meanwhile."""
        return sum(refusal.count for refusal in self._noted(credential, call))

    def since_s(self, credential: Credential) -> dict[str, float]:
        """Since when it is refused, whatever for, by reason; in monotonic seconds."""
        since: dict[str, float] = {}
        for refusal in self._refusals.get(credential.fingerprint, {}).values():
            reason = refusal.error.reason
            since[reason] = min(refusal.first_s, since.get(reason, refusal.first_s))
        return since

    def refused(self, credential: Credential, call: str, error: VendorError, now_s: float) -> float | None:
        """Note a refusal. Returns when to try again, or None where the error is not of this kind."""
        if isinstance(error, CredentialsRejected):
            refused = WHOLE_KEY
        elif isinstance(error, PermissionDenied):
            refused = call
        else:
            return None
        of_key = self._refusals.setdefault(credential.fingerprint, {})
        old = of_key.get(refused)
        first_s, count = (old.first_s, old.count + 1) if old else (now_s, 1)
        if isinstance(error, CredentialsRejected):
            next_try_s = backoff.next_try_of_refused_key(first_s, now_s)
        else:
            next_try_s = now_s + backoff.after_failed_look(count)
        # Without its traceback, whose frames would keep the request and the answer for as long.
        of_key[refused] = _Refusal(error.with_traceback(None), first_s, next_try_s, count)
        self._refusals.move_to_end(credential.fingerprint)
        self._forget_old(now_s)
        return next_try_s

    def accepted(self, credential: Credential, call: str) -> bool:
        """Note that a call was let through. Returns whether that ends a refusal."""
        of_key = self._refusals.get(credential.fingerprint, {})
        ended = [of_key.pop(each, None) for each in (WHOLE_KEY, call)]
        if not of_key:
            self._refusals.pop(credential.fingerprint, None)
        return any(ended)

    def secret_changed(self, credential: Credential) -> None:
        """A Secret holds this credential anew: its refusals are counted from now on."""
        self._refusals.pop(credential.fingerprint, None)

    def _noted(self, credential: Credential, call: str) -> Iterator[_Refusal]:
        of_key = self._refusals.get(credential.fingerprint, {})
        return (of_key[each] for each in (WHOLE_KEY, call) if each in of_key)

    def _forget_old(self, now_s: float) -> None:
        while self._refusals:
            longest_ago = next(iter(self._refusals.values()))
            still_counts = any(refusal.next_try_s + FORGET_AFTER_S >= now_s for refusal in longest_ago.values())
            if still_counts and len(self._refusals) <= MAX_KEYS:
                return
            self._refusals.popitem(last=False)
