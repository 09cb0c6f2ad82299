"""How often an account may call an operation: sliding windows, as the vendors document them.

Apart, because every vendor counts this way; what differs is the numbers.
"""

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Quota:
    """At most `limit` calls in any `window_s` seconds."""

    limit: int
    window_s: float
    retry_after_ms: int | None = None
    """What a throttled answer says in x-acs-retry-after; None: it says nothing, as most do."""


class SlidingWindow:
    """The calls let through lately. A refused call does not count against the next one."""

    def __init__(self, quota: Quota) -> None:
        self.quota = quota
        self._admitted: deque[float] = deque()

    def admit(self, now_s: float) -> bool:
        """Whether one more call fits at this moment; counts it if so."""
        while self._admitted and self._admitted[0] <= now_s - self.quota.window_s:
            self._admitted.popleft()
        if len(self._admitted) >= self.quota.limit:
            return False
        self._admitted.append(now_s)
        return True


class Limits:
    """The windows of every account and operation, opened when first used."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], SlidingWindow] = {}

    def window(self, account: str, operation: str, documented: Quota) -> SlidingWindow:
        """The window that counts an account's calls of an operation."""
        return self._windows.setdefault((account, operation), SlidingWindow(documented))

    def set(self, account: str, operation: str, quota: Quota) -> None:
        """Give an account a quota of its own, with a fresh window."""
        self._windows[account, operation] = SlidingWindow(quota)

    def forget(self, account: str | None) -> None:
        """Back to the documented quotas, for one account or all where None."""
        if account is None:
            self._windows.clear()
        else:
            self._windows = {key: window for key, window in self._windows.items() if key[0] != account}
