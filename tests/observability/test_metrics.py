"""What Prometheus gets to read."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from livetask_operator.observability.metrics import Metrics
from livetask_operator.polling.quota import Turnstile

SPORTS = ("AlibabaCloud", "sports", "GetMPUTaskStatus")
OTHER_UNITS = ("milliseconds", "ms", "minutes", "hours", "percent", "kilobytes", "megabytes")


@pytest.fixture
def metrics() -> Metrics:
    """Each metric with a sample."""
    metrics = Metrics()
    metrics.called("AlibabaCloud", "GetMPUTaskStatus", "ok", 0.07)
    metrics.called("AlibabaCloud", "GetMPUTaskStatus", "Throttled", 0.02)
    metrics.show_rounds({SPORTS: 4.5})
    metrics.show_quotas({SPORTS: Turnstile(10.0, lambda: 100.0)})
    metrics.count_objects("RelayTask", {"Running": 3, "Failed": 1})
    metrics.count_deletions({"CredentialsRejected": 1})
    metrics.writes.labels("status", "ok").inc()
    metrics.secrets_in_use.set(2)
    metrics.secret_age_seconds.set(4.5)
    metrics.leader.set(1)
    metrics.loop_lag_seconds.set(0.002)
    return metrics


def families(metrics: Metrics) -> dict[str, Metric]:
    found: Iterable[Metric] = text_string_to_metric_families(metrics.text().decode())
    return {family.name: family for family in found}


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_every_metric_is_there_under_its_name(metrics: Metrics) -> None:
    ours = {sample.name for family in families(metrics).values() for sample in family.samples}

    assert {name for name in ours if name.startswith("livetask_")} == {
        "livetask_vendor_calls_total",
        "livetask_vendor_call_seconds_bucket",
        "livetask_vendor_call_seconds_count",
        "livetask_vendor_call_seconds_sum",
        "livetask_account_round_factor",
        "livetask_quota_limit_per_second",
        "livetask_quota_rate_per_second",
        "livetask_quota_used_per_second",
        "livetask_quota_waiting",
        "livetask_deletions_waiting",
        "livetask_objects",
        "livetask_api_writes_total",
        "livetask_events_dropped_total",
        "livetask_secrets_in_use",
        "livetask_secret_age_seconds",
        "livetask_leader",
        "livetask_loop_lag_seconds",
    }


def test_the_names_keep_the_rules_of_prometheus(metrics: Metrics) -> None:
    for family in families(metrics).values():
        assert family.documentation, f"{family.name} has no help text"
        assert family.type != "unknown", f"{family.name} has no type"
        assert not family.name.endswith(OTHER_UNITS), f"{family.name} is not in a base unit"
        is_counter = family.type == "counter"
        for sample in family.samples:
            assert sample.name.endswith("_total") == is_counter, f"{sample.name} is a {family.type}"
            assert sample.name != family.name or not is_counter


def test_calls_are_counted_by_what_came_of_them(metrics: Metrics) -> None:
    ask = {"vendor": "AlibabaCloud", "call": "GetMPUTaskStatus"}

    assert value(metrics, "livetask_vendor_calls_total", **ask, outcome="ok") == 1
    assert value(metrics, "livetask_vendor_calls_total", **ask, outcome="Throttled") == 1


def test_an_accounts_quota_and_rounds_are_shown_while_it_is_in_use(metrics: Metrics) -> None:
    sports = dict(zip(("vendor", "account", "call"), SPORTS, strict=True))
    assert value(metrics, "livetask_account_round_factor", **sports) == 4.5
    assert value(metrics, "livetask_quota_limit_per_second", **sports) == 10
    assert value(metrics, "livetask_quota_waiting", **sports, who="people") == 0

    metrics.show_rounds({})
    metrics.show_quotas({})

    assert value(metrics, "livetask_account_round_factor", **sports) is None
    assert value(metrics, "livetask_quota_limit_per_second", **sports) is None


def test_a_state_that_no_object_has_any_more_shows_none(metrics: Metrics) -> None:
    metrics.count_objects("RelayTask", {"Running": 4})

    assert value(metrics, "livetask_objects", kind="RelayTask", state="Running") == 4
    assert value(metrics, "livetask_objects", kind="RelayTask", state="Failed") == 0


def test_two_operators_in_one_process_do_not_add_up(metrics: Metrics) -> None:
    other = Metrics()

    other.leader.set(0)

    assert value(metrics, "livetask_leader") == 1


def test_the_process_shows_its_own_memory(metrics: Metrics) -> None:
    assert (value(metrics, "process_resident_memory_bytes") or 0) > 0
