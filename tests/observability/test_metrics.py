"""What Prometheus gets to read of what is kept up to date all the time.

What is made when it is asked for, of objects and accounts, is in `tests/kube/test_shown.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from livetask_operator.observability.calls import FORGOTTEN_AFTER_S
from livetask_operator.observability.metrics import Metrics, View

SPORTS = ("AlibabaCloud", "sports", "GetMPUTaskStatus")
CALL = dict(zip(("vendor", "account", "call"), SPORTS, strict=True))
HOUR_S = 3600.0


class Nothing(View):
    """A process that leads and follows no object; accounts are named as they are."""

    clock_s = 0.0

    def account_label(self, vendor: str, account: str) -> str:
        return account

    def now_s(self) -> float:
        return self.clock_s

    def parts(self) -> Iterator[str]:
        yield ""


@pytest.fixture
def nothing() -> Nothing:
    return Nothing()


@pytest.fixture
def metrics(nothing: Nothing) -> Metrics:
    metrics = Metrics()
    metrics.begin(nothing)
    return metrics


def families(metrics: Metrics) -> Mapping[str, Metric]:
    return {family.name: family for family in text_string_to_metric_families(metrics.text().decode())}


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    samples = (sample for family in families(metrics).values() for sample in family.samples)
    return next((each.value for each in samples if (each.name, each.labels) == (name, labels)), None)


def test_calls_are_counted_by_account_and_by_what_came_of_them(metrics: Metrics) -> None:
    metrics.called(SPORTS, "ok", 0.07, now_s=1.0)
    metrics.called(SPORTS, "ok", 0.07, now_s=2.0)
    metrics.called(SPORTS, "Throttled", 0.02, now_s=3.0)

    assert value(metrics, "livetask_vendor_calls_total", **CALL, outcome="ok") == 2
    assert value(metrics, "livetask_vendor_calls_total", **CALL, outcome="Throttled") == 1
    of_both = {"vendor": "AlibabaCloud", "call": "GetMPUTaskStatus"}
    assert value(metrics, "livetask_vendor_call_seconds_count", **of_both) == 3


def test_an_account_that_was_not_called_for_hours_is_shown_no_more(metrics: Metrics, nothing: Nothing) -> None:
    metrics.called(SPORTS, "ok", 0.07, now_s=0.0)
    metrics.called(("HuaweiCloud", "quiet", "ListPullTasks"), "ok", 0.07, now_s=HOUR_S)

    nothing.clock_s = FORGOTTEN_AFTER_S + 1

    shown = {sample.labels["account"] for sample in families(metrics)["livetask_vendor_calls"].samples}
    assert shown == {"quiet"}


def test_accounts_that_come_and_go_cost_no_memory_where_nobody_reads_the_metrics(metrics: Metrics) -> None:
    for number in range(20_000):
        metrics.called(("AlibabaCloud", f"key-{number}", "GetMPUTaskStatus"), "ok", 0.07, now_s=10.0 * number)

    assert len(metrics._calls._accounts) < 2_000


def test_an_answers_size_and_a_polls_lateness_are_told_by_vendor(metrics: Metrics) -> None:
    metrics.answer_sizes("AlibabaCloud", "GetMPUTaskStatus")(300)
    metrics.polled("AlibabaCloud", 0.7)
    metrics.polled("AlibabaCloud", -0.001)

    call = {"vendor": "AlibabaCloud", "call": "GetMPUTaskStatus"}
    assert value(metrics, "livetask_vendor_answer_bytes_bucket", **call, le="256.0") == 0
    assert value(metrics, "livetask_vendor_answer_bytes_bucket", **call, le="1024.0") == 1
    assert value(metrics, "livetask_poll_late_seconds_sum", vendor="AlibabaCloud") == 0.7
    assert value(metrics, "livetask_poll_late_seconds_bucket", vendor="AlibabaCloud", le="0.1") == 1


def test_stops_are_there_from_the_start_and_a_failed_one_counts_whatever_its_reason(metrics: Metrics) -> None:
    metrics.stops_to_come("AlibabaCloud")
    assert value(metrics, "livetask_stops_total", vendor="AlibabaCloud", outcome="stop_failed") == 0

    metrics.stop("AlibabaCloud", "stop_failed:Throttled")
    metrics.stop("AlibabaCloud", "stop_failed:PermissionDenied")
    metrics.stop("AlibabaCloud", "LeftRunning")

    assert value(metrics, "livetask_stops_total", vendor="AlibabaCloud", outcome="stop_failed") == 2
    assert value(metrics, "livetask_stops_total", vendor="AlibabaCloud", outcome="LeftRunning") == 1


def test_who_does_not_lead_any_more_shows_no_accounts(metrics: Metrics) -> None:
    metrics.called(SPORTS, "ok", 0.07, now_s=1.0)

    metrics.end()

    assert "sports" not in metrics.text().decode()
    assert value(metrics, "livetask_leader") == 0


def test_two_operators_in_one_process_do_not_add_up(metrics: Metrics) -> None:
    metrics.leader.set(1)

    other = Metrics()

    assert value(other, "livetask_leader") == 0


def test_the_process_shows_its_own_memory(metrics: Metrics) -> None:
    assert (value(metrics, "process_resident_memory_bytes") or 0) > 0


async def test_read_in_parts_it_is_the_same_text(metrics: Metrics) -> None:
    metrics.called(SPORTS, "ok", 0.07, now_s=1.0)

    parts = [part async for part in metrics.parts()]

    ours = [line for line in b"".join(parts).splitlines() if b"livetask_" in line]
    assert len(parts) > 2
    assert ours == [line for line in metrics.text().splitlines() if b"livetask_" in line]
