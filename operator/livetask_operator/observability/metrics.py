"""The metrics of one operator: those that are kept up to date all the time, and how all of them are written.

Those that are made of what is there when they are asked for are named in `families.py`. The registry is the operator's
own, so that two operators in one process (in tests) do not add up.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from livetask_operator.observability.calls import Calls, Quota

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

CALL_SECONDS = (0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 10.0)
"""A call takes 10 seconds at most, all included."""
ANSWER_BYTES = (256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576)
"""An answer has a mebibyte at most."""
LATE_SECONDS = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 150.0, 300.0, 900.0, 3600.0)

STOP_OUTCOMES = (
    "stop_sent",
    "stop_not_sent",
    "stop_accepted",
    "stop_gone",
    "stop_unsettled",
    "stop_failed",
    "AlreadyGone",
    "LeftRunning",
    "Orphaned",
)
"""The words of the audit lines."""


class View(Protocol):
    """What the process that follows objects shows of them, made when it is asked for."""

    def account_label(self, vendor: str, account: str) -> str:
        """An account as metrics name it."""

    def now_s(self) -> float:
        """The clock that calls are told by: seconds, monotonic."""

    def parts(self) -> Iterator[str]:
        """Whole lines of the text format, in parts that take a millisecond or two each; some are empty."""


class Metrics:
    """The metrics of one operator."""

    def __init__(self) -> None:
        # A second series per counter that tells when it was made, which nobody asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._view: View | None = None
        self._calls = Calls()
        self._call_seconds = Histogram(
            "livetask_vendor_call_seconds",
            "How long calls to vendors took.",
            ["vendor", "call"],
            buckets=CALL_SECONDS,
            registry=self.registry,
        )
        self._answer_bytes = Histogram(
            "livetask_vendor_answer_bytes",
            "How large the vendors' answers were.",
            ["vendor", "call"],
            buckets=ANSWER_BYTES,
            registry=self.registry,
        )
        self._poll_late = Histogram(
            "livetask_poll_late_seconds",
            "How late polls went out against their due time; ended tasks, which come after all others, are left out.",
            ["vendor"],
            buckets=LATE_SECONDS,
            registry=self.registry,
        )
        self._stops = Counter(
            "livetask_stops_total",
            "What became of stops, with the words of the audit lines: one deletion may bring several.",
            ["vendor", "outcome"],
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
        # To find a series by its labels costs more than to count in it.
        self._seconds_of: dict[tuple[str, str], Histogram] = {}
        self._sizes_of: dict[tuple[str, str], Callable[[float], None]] = {}
        self._lateness_of: dict[str, Histogram] = {}

    # What happens

    def called(self, quota: Quota, outcome: str, seconds: float, now_s: float) -> None:
        """A call to a vendor, counted by its vendor, account and name, is over."""
        self._calls.count(quota, outcome, now_s)
        key = (quota[0], quota[2])
        took = self._seconds_of.get(key)
        if took is None:
            took = self._seconds_of[key] = self._call_seconds.labels(*key)
        took.observe(seconds)

    def answer_sizes(self, vendor: str, call: str) -> Callable[[float], None]:
        """What is to be told how many bytes each answer to such a call has."""
        key = (vendor, call)
        if key not in self._sizes_of:
            self._sizes_of[key] = self._answer_bytes.labels(*key).observe
        return self._sizes_of[key]

    def polled(self, vendor: str, late_s: float) -> None:
        """A poll has gone out, so late against its due time."""
        late = self._lateness_of.get(vendor)
        if late is None:
            late = self._lateness_of[vendor] = self._poll_late.labels(vendor)
        late.observe(max(0.0, late_s))

    def stop(self, vendor: str, outcome: str) -> None:
        """Something became of a stop; `outcome` as the audit line has it."""
        self._stops.labels(vendor, outcome.partition(":")[0]).inc()

    def stops_to_come(self, vendor: str) -> None:
        """Show that there were none: a first failure would else be no rise, but a series that was not there before."""
        for outcome in STOP_OUTCOMES:
            self._stops.labels(vendor, outcome)

    def begin(self, view: View) -> None:
        """This process follows objects from now on."""
        self._view = view

    def end(self) -> None:
        """It does not any more."""
        self._view = None

    # What is shown

    async def parts(self) -> AsyncGenerator[bytes, None]:
        """All of them in Prometheus' text format, of type CONTENT_TYPE; between the parts others have their turn."""
        for part in self._parts():
            if part:
                yield part
            await asyncio.sleep(0)

    def text(self) -> bytes:
        """All of them at once."""
        return b"".join(self._parts())

    def _parts(self) -> Iterator[bytes]:
        yield generate_latest(self.registry)
        view = self._view
        if view is None:
            return
        for part in self._calls.parts(view.account_label, view.now_s()):
            yield _encoded(part)
        for part in view.parts():
            yield _encoded(part)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")  # half of a surrogate pair in a name must not cost all the others
