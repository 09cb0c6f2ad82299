"""All metrics that the operator shows: their names, labels and meaning in one place.

They live in a registry of their own, so that two operators in one process (in tests) do not add up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

CALL_SECONDS = (0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 10.0)
"""A call takes 10 seconds at most, all included."""


class Quota(Protocol):
    """What is shown of an account's quota for a call."""

    @property
    def limit_per_s(self) -> float: ...
    @property
    def rate_per_s(self) -> float: ...
    @property
    def used_last_second(self) -> int: ...
    @property
    def people_waiting(self) -> int: ...
    @property
    def polls_waiting(self) -> int: ...


class Metrics:
    """The metrics of one operator."""

    def __init__(self) -> None:
        # A second series per counter that tells when it was made, which nobody asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.vendor_calls = Counter(
            "livetask_vendor_calls_total",
            "Calls to vendors, by what came of them: ok, or the reason as in conditions.",
            ["vendor", "call", "outcome"],
            registry=self.registry,
        )
        self.vendor_call_seconds = Histogram(
            "livetask_vendor_call_seconds",
            "How long calls to vendors took.",
            ["vendor", "call"],
            buckets=CALL_SECONDS,
            registry=self.registry,
        )
        account = ["vendor", "account", "call"]
        self.round_factor = Gauge(
            "livetask_account_round_factor",
            "How many times longer than it wishes an object of the account waits for its next look: 1 is in time.",
            account,
            registry=self.registry,
        )
        self.quota_limit = Gauge(
            "livetask_quota_limit_per_second",
            "Calls a second that the configuration allows the account.",
            account,
            registry=self.registry,
        )
        self.quota_rate = Gauge(
            "livetask_quota_rate_per_second",
            "Calls a second that may go out now: less after throttling answers, 0 in a pause.",
            account,
            registry=self.registry,
        )
        self.quota_used = Gauge(
            "livetask_quota_used_per_second", "Calls of the last second.", account, registry=self.registry
        )
        self.quota_waiting = Gauge(
            "livetask_quota_waiting",
            "Calls that wait for their turn, by who waits: people (deletions, new, edited or asked for) or polls.",
            [*account, "who"],
            registry=self.registry,
        )
        self.objects = Gauge(
            "livetask_objects", "Objects that are followed, by state.", ["kind", "state"], registry=self.registry
        )
        self.deletions_waiting = Gauge(
            "livetask_deletions_waiting",
            "Deleted objects that are still there, by what they wait for: the reason of their Ready.",
            ["reason"],
            registry=self.registry,
        )
        self.writes = Counter(
            "livetask_api_writes_total",
            "Writes to the Kubernetes API server: status, finalizer or event.",
            ["kind", "outcome"],
            registry=self.registry,
        )
        self.events_dropped = Counter(
            "livetask_events_dropped_total", "Events that waited too long to be posted.", registry=self.registry
        )
        self.secrets_in_use = Gauge(
            "livetask_secrets_in_use", "Secrets that are read again and again.", registry=self.registry
        )
        self.secret_age_seconds = Gauge(
            "livetask_secret_age_seconds",
            "How long ago the Secret in use was read that was not read for the longest.",
            registry=self.registry,
        )
        self.leader = Gauge("livetask_leader", "1 while this process holds the Lease.", registry=self.registry)
        self.loop_lag_seconds = Gauge(
            "livetask_loop_lag_seconds",
            "How late the event loop was the last time it was asked.",
            registry=self.registry,
        )
        self._calls: dict[tuple[str, str, str], tuple[Counter, Histogram]] = {}
        self._shown: set[tuple[str, str]] = set()

    def called(self, vendor: str, call: str, outcome: str, seconds: float) -> None:
        """A call to a vendor is over."""
        key = (vendor, call, outcome)
        if key not in self._calls:  # to find a series by its labels costs more than to count in it
            self._calls[key] = (self.vendor_calls.labels(*key), self.vendor_call_seconds.labels(vendor, call))
        calls, took = self._calls[key]
        calls.inc()
        took.observe(seconds)

    def show_rounds(self, factors: Mapping[tuple[str, str, str], float]) -> None:
        """Show by how much each account's objects are looked at less often than they wish."""
        self.round_factor.clear()
        for account, factor in factors.items():
            self.round_factor.labels(*account).set(factor)

    def show_quotas(self, quotas: Mapping[tuple[str, str, str], Quota]) -> None:
        """Show how each account's quota is used; accounts that are not used any more are shown no more."""
        for gauge in (self.quota_limit, self.quota_rate, self.quota_used, self.quota_waiting):
            gauge.clear()
        for account, quota in quotas.items():
            self.quota_limit.labels(*account).set(quota.limit_per_s)
            self.quota_rate.labels(*account).set(quota.rate_per_s)
            self.quota_used.labels(*account).set(quota.used_last_second)
            self.quota_waiting.labels(*account, "people").set(quota.people_waiting)
            self.quota_waiting.labels(*account, "polls").set(quota.polls_waiting)

    def count_objects(self, kind: str, by_state: Mapping[str, int]) -> None:
        """Show how many objects of a kind are in which state; a state that has none any more shows 0."""
        now = {(kind, state) for state in by_state}
        for gone in {shown for shown in self._shown if shown[0] == kind} - now:
            self.objects.labels(*gone).set(0)
        for state, count in by_state.items():
            self.objects.labels(kind, state).set(count)
        self._shown |= now

    def count_deletions(self, by_reason: Mapping[str, int]) -> None:
        """Show how many deleted objects wait for what; a reason that none has any more is shown no more."""
        self.deletions_waiting.clear()
        for reason, count in by_reason.items():
            self.deletions_waiting.labels(reason).set(count)

    def text(self) -> bytes:
        """All of them in Prometheus' text format, of type CONTENT_TYPE."""
        return generate_latest(self.registry)
