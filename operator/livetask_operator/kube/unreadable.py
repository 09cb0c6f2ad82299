"""Objects that the API server let through and this operator cannot read, as with a newer CRD: nobody follows them.

Apart from the objects that are followed: of these nothing is known but that they are there.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

log = logging.getLogger("livetask.follow")


@dataclass(frozen=True, slots=True)
class _Seen:
    why: str
    at_s: float


class Unreadable:
    """Them, by uid. Times are seconds, monotonic."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def __len__(self) -> int:
        return len(self._seen)

    def note(self, uid: str, why: str, now_s: float) -> None:
        """One is there. The log has a line for each reason, not one for each time that it is listed."""
        before = self._seen.get(uid)
        if before is None or before.why != why:
            log.error("%s; it is not followed", why)
        self._seen[uid] = _Seen(why, now_s)

    def forget(self, uid: str) -> None:
        """It is gone, or can be read by now."""
        self._seen.pop(uid, None)

    def forget_before(self, since_s: float) -> None:
        """All were listed since then: who was not among them is gone, and nobody told."""
        for uid in [uid for uid, seen in self._seen.items() if seen.at_s < since_s]:
            del self._seen[uid]
