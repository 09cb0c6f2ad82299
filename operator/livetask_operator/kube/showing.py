"""What metrics show of objects, accounts and Secrets: made when it is asked for, of what is there at that moment.

Made in parts, between which others have their turn. A metric's series stand together in what Prometheus reads, so for
each metric all are gone through once more: that keeps nothing of the thousands of lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sized
from typing import Any

from livetask_operator.config import Config
from livetask_operator.kube.asking import Asking
from livetask_operator.kube.record import Record
from livetask_operator.kube.secrets import Secrets
from livetask_operator.kube.showing_each import Each
from livetask_operator.observability import families
from livetask_operator.observability.exposition import sliced
from livetask_operator.polling.quota import QuotaKey, Quotas
from livetask_operator.polling.rounds import Rounds
from livetask_operator.reconcile.resource import Instant


class Showing:
    """Writes them. `records`: all objects that are followed, by uid; `unreadable`: those that cannot be."""

    def __init__(
        self,
        records: Mapping[str, Record[Any]],
        unreadable: Sized,
        config: Config,
        rounds: Rounds[QuotaKey],
        quotas: Quotas,
        asking: Asking,
        secrets: Secrets,
        now: Callable[[], Instant],
    ) -> None:
        self._records = records
        self._unreadable = unreadable
        self._config = config
        self._rounds = rounds
        self._quotas = quotas
        self._asking = asking
        self._secrets = secrets
        self._now = now

    def account_label(self, vendor: str, account: str) -> str:
        """An account as metrics name it: from the configuration, a short hash, or of keys that are not proven."""
        return account if account == families.UNPROVEN else self._config.account_label(vendor, account)

    def now_s(self) -> float:
        """Seconds, monotonic."""
        return self._now().mono

    def parts(self) -> Iterator[str]:
        """Whole lines, in parts that take a millisecond or two each; some are empty."""
        objects: Counter[tuple[str, ...]] = Counter()
        waiting: Counter[str] = Counter()
        longest_s: dict[QuotaKey, int] = {}
        for records in sliced(list(self._records.values())):
            for record in records:
                task = record.task
                ready = task.status.condition("Ready")
                reason = "" if ready is None else ready.reason
                objects[task.KIND, task.vendor.name, task.namespace, task.status.state or "", reason] += 1
                if task.is_deleted:
                    waiting[reason] += 1
                elif record.quota is not None and task.is_polled:
                    longest_s[record.quota] = max(task.poll_interval_s, longest_s.get(record.quota, 0))
            yield ""
        yield families.OBJECTS.head
        for part in sliced(objects.items()):
            yield "".join(families.OBJECTS.line(labels, float(count)) for labels, count in part)
        yield families.UNREADABLE.head + families.UNREADABLE.line((), float(len(self._unreadable)))
        yield families.DELETIONS_WAITING.head
        yield "".join(families.DELETIONS_WAITING.line((reason,), float(count)) for reason, count in waiting.items())
        yield from self._account_parts(longest_s)
        if self._config.object_metrics:
            each = Each(self._records, self._config, self._asking, self._secrets, self._now(), self.account_label)
            yield from each.parts()

    def _account_parts(self, longest_s: Mapping[QuotaKey, int]) -> Iterator[str]:
        factors = self._rounds.factors(self.now_s())
        yield families.ROUND_FACTOR.head
        for part in sliced(factors.items()):
            yield "".join(families.ROUND_FACTOR.line(self._labels(quota), factor) for quota, factor in part)
        yield families.ROUND_SECONDS.head
        for each in sliced(longest_s.items()):
            yield "".join(
                families.ROUND_SECONDS.line(self._labels(quota), self._rounds.factor(quota) * interval_s)
                for quota, interval_s in each
            )
        turnstiles = [(self._labels(quota), turnstile) for quota, turnstile in self._quotas]
        for family, value in (
            (families.QUOTA_LIMIT, lambda each: float(each.limit_per_s)),
            (families.QUOTA_RATE, lambda each: each.rate_per_s),
            (families.QUOTA_USED, lambda each: float(each.used_last_second)),
            (families.QUOTA_LEFT, lambda each: max(0.0, each.rate_per_s - each.used_last_second)),
        ):
            yield family.head
            for some in sliced(turnstiles):
                yield "".join(family.line(labels, value(turnstile)) for labels, turnstile in some)
        yield families.QUOTA_WAITING.head
        for some in sliced(turnstiles):
            yield "".join(
                families.QUOTA_WAITING.line((*labels, "people"), float(turnstile.people_waiting))
                + families.QUOTA_WAITING.line((*labels, "polls"), float(turnstile.polls_waiting))
                for labels, turnstile in some
            )

    def _labels(self, quota: QuotaKey) -> tuple[str, str, str]:
        vendor, account, call = quota
        return self.account_label(vendor, account), call, vendor
