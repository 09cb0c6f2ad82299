"""What metrics show of each object and each Secret, so that an alert can name the relay.

Nothing is kept for it that a record does not have already: at 10,000 objects each byte of a record counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from livetask_operator.config import Config
from livetask_operator.kube.asking import Asking
from livetask_operator.kube.proven import was_seen
from livetask_operator.kube.record import Record
from livetask_operator.kube.secrets import Held, Secrets
from livetask_operator.observability import families
from livetask_operator.observability.exposition import sliced
from livetask_operator.polling.quota import QuotaKey
from livetask_operator.reconcile import stopping
from livetask_operator.reconcile.resource import Instant, RelayTask, Resource, moment
from livetask_operator.vendors.contract import Credential


class Each:
    """One answer to who asks for the metrics."""

    def __init__(
        self,
        records: Mapping[str, Record[Any]],
        config: Config,
        asking: Asking,
        secrets: Secrets,
        now: Instant,
        account_label: Callable[[str, str], str],
    ) -> None:
        self._all = records
        self._config = config
        self._asking = asking
        self._secrets = secrets
        self._now = now
        self._account_label = account_label
        self._labels: dict[QuotaKey, str] = {}
        # To a hundredth: a time that stays the same must read the same each time, or Prometheus keeps each of them.
        self._wall_s = round(now.wall.timestamp() - now.mono, 2)

    def parts(self) -> Iterator[str]:
        """Whole lines, in parts that take a millisecond or two each; some are empty."""
        named: defaultdict[tuple[str, str], dict[str, Record[Any]]] = defaultdict(dict)
        for records in sliced(list(self._all.values())):
            for record in records:
                # Of two with one name the later is there: that the other is gone was not told yet. A series is one.
                named[record.task.KIND, record.task.namespace][record.task.name] = record
            yield ""
        there = [record for of_namespace in named.values() for record in of_namespace.values()]
        del named
        for family, line in (
            (families.TASK_STATUS, self._status),
            (families.TASK_STATUS_SINCE, self._status_since),
            (families.TASK_LAST_SEEN, self._last_seen),
            (families.TASK_DELETION_BLOCKED, self._deletion_blocked),
        ):
            yield family.head
            for records in sliced(there):
                yield "".join(map(line, records))
        yield from self._secret_parts()

    def _status(self, record: Record[Any]) -> str:
        task = record.task
        ready = task.status.condition("Ready")
        status, reason = ("", "") if ready is None else (ready.status, ready.reason)
        labels = (*_names(task), task.vendor.name, self._account(record), task.status.state or "", status, reason)
        return families.TASK_STATUS.line(labels, 1.0)

    def _account(self, record: Record[Any]) -> str:
        """As it stands with the calls that are made for it; empty where there is no key to call with."""
        quota, task = record.quota, record.task
        if quota is None:
            credential = self._secrets.known(task)
            if not isinstance(credential, Credential):
                return ""
            quota = record.kind.quota(task, credential)
            if not self._asking.draws_on(quota, credential, seen=was_seen(task, credential)):
                return families.UNPROVEN
        label = self._labels.get(quota)
        if label is None:
            label = self._labels[quota] = self._account_label(quota[0], quota[1])
        return label

    def _status_since(self, record: Record[Any]) -> str:
        task: Resource = record.task
        ready = task.status.condition("Ready")
        since_s = task.created.timestamp() if ready is None else _seconds(ready.last_transition_time)
        return families.TASK_STATUS_SINCE.line(_names(task), task.created.timestamp() if since_s is None else since_s)

    def _last_seen(self, record: Record[Any]) -> str:
        good_s = record.track.good_s
        return "" if good_s is None else families.TASK_LAST_SEEN.line(_names(record.task), self._at(good_s))

    def _deletion_blocked(self, record: Record[Any]) -> str:
        task = record.task
        if not isinstance(task, RelayTask) or not task.is_deleted:
            return ""
        due = stopping.stop_due(task, self._config.stop_delay_s)
        reason = stopping.blocked_by(task, due, self._now)
        labels = (*_names(task), reason or "")
        return "" if reason is None else families.TASK_DELETION_BLOCKED.line(labels, due.timestamp())

    def _secret_parts(self) -> Iterator[str]:
        credentials = list(self._secrets.held())
        for family, lines in (
            (families.SECRET_ACCEPTED, self._accepted),
            (families.SECRET_REFUSED, self._refused),
        ):
            yield family.head
            for some in sliced(credentials):
                yield "".join(line for held in some for line in lines(held))

    def _accepted(self, held: Held) -> Iterator[str]:
        accepted_s = self._asking.accepted_s(held.credential)
        if accepted_s is not None:
            # Not later than it was read: it may hold another by now, of which nothing is known yet.
            at_s = self._at(min(accepted_s, held.read_s))
            yield families.SECRET_ACCEPTED.line((held.namespace, held.name, held.vendor), at_s)

    def _refused(self, held: Held) -> Iterator[str]:
        for reason, since_s in self._asking.refused_since_s(held.credential).items():
            labels = (held.namespace, held.name, held.vendor, reason)
            yield families.SECRET_REFUSED.line(labels, self._at(since_s))

    def _at(self, mono_s: float) -> float:
        """A moment of the monotonic clock, in seconds since 1970."""
        return round(self._wall_s + mono_s, 2)


def _names(task: Resource) -> tuple[str, str, str]:
    return task.KIND, task.namespace, task.name


def _seconds(text: str) -> float | None:
    try:
        return moment(text).timestamp()
    except (ValueError, OverflowError):
        return None  # somebody else wrote it
