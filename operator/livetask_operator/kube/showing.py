"""What metrics show of all objects and accounts together: counted now and then, as it costs a look at each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from livetask_operator.config import Config
from livetask_operator.kube.record import Record
from livetask_operator.observability.metrics import Metrics
from livetask_operator.polling.quota import QuotaKey, Quotas
from livetask_operator.polling.rounds import Rounds


class Showing:
    """Brings the metrics of objects and accounts up to date."""

    def __init__(self, metrics: Metrics, config: Config, rounds: Rounds[QuotaKey], quotas: Quotas) -> None:
        self._metrics = metrics
        self._config = config
        self._rounds = rounds
        self._quotas = quotas

    def show(self, records: Iterable[Record[Any]], now_s: float) -> None:
        """Count the objects by state, and show each account's rounds and quota."""
        counts: dict[str, Counter[str]] = {"RelayTask": Counter(), "PreloadTask": Counter()}
        waiting: Counter[str] = Counter()
        for record in records:
            if record.task.is_deleted:
                waiting[reason_of(record.task)] += 1
            counts[record.task.KIND][getattr(record.task.status, "state", None) or ""] += 1
        for kind, by_state in counts.items():
            self._metrics.count_objects(kind, by_state)
        self._metrics.count_deletions(waiting)
        factors = self._rounds.factors(now_s).items()
        self._metrics.show_rounds({self._labels(quota): factor for quota, factor in factors})
        self._metrics.show_quotas({self._labels(quota): turnstile for quota, turnstile in self._quotas})

    def _labels(self, quota: QuotaKey) -> QuotaKey:
        vendor, account, call = quota
        return vendor, self._config.account_label(vendor, account), call


def reason_of(task: Any) -> str:
    """Of its Ready; empty where it has none yet."""
    return next((each.reason for each in task.status.conditions if each.type == "Ready"), "")
