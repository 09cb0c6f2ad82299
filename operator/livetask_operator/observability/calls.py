"""Calls to vendors, counted by account: made for many accounts that come and go, as keys are rotated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from livetask_operator.observability.exposition import sliced
from livetask_operator.observability.families import VENDOR_CALLS

FORGOTTEN_AFTER_S = 7200.0
"""Twice the longest interval: an account that was not called for so long is shown no more."""
SWEPT_AT = 1_000

Quota = tuple[str, str, str]
"""The vendor, the account and the call."""


@dataclass(slots=True)
class _Account:
    called_s: float
    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    """By call and outcome."""


class Calls:
    """How many calls each account made, and what came of them."""

    def __init__(self) -> None:
        self._accounts: dict[tuple[str, str], _Account] = {}

    def count(self, quota: Quota, outcome: str, now_s: float) -> None:
        """A call is over. `now_s`: seconds, monotonic."""
        vendor, account, call = quota
        entry = self._accounts.get((vendor, account))
        if entry is None:
            if len(self._accounts) % SWEPT_AT == SWEPT_AT - 1:
                self._forget_old(now_s)
            entry = self._accounts[vendor, account] = _Account(now_s)
        entry.called_s = now_s
        key = (call, outcome)
        entry.counts[key] = entry.counts.get(key, 0) + 1

    def parts(self, label: Callable[[str, str], str], now_s: float) -> Iterator[str]:
        """The metric, some accounts at a time. `label(vendor, account)`: how an account is named."""
        self._forget_old(now_s)
        yield VENDOR_CALLS.head
        for accounts in sliced(list(self._accounts.items())):
            yield "".join(
                VENDOR_CALLS.line((label(vendor, account), call, outcome, vendor), float(count))
                for (vendor, account), entry in accounts
                for (call, outcome), count in entry.counts.items()
            )

    def _forget_old(self, now_s: float) -> None:
        since_s = now_s - FORGOTTEN_AFTER_S
        for account in [each for each, entry in self._accounts.items() if entry.called_s < since_s]:
            del self._accounts[account]
