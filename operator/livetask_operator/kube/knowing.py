"""What this process knows of one object and nobody else can tell: asked for by a person, over the HTTP port.

Reads what others keep and changes nothing. It looks through all objects, which is dear only to who asks all the time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from livetask_operator.config import Config
from livetask_operator.explain.known import KeyIs, Known
from livetask_operator.kube.asking import Asking
from livetask_operator.kube.record import Record
from livetask_operator.kube.secrets import Secrets
from livetask_operator.kube.turns import Turns
from livetask_operator.polling.quota import QuotaKey, Quotas
from livetask_operator.reconcile.trouble import Trouble
from livetask_operator.vendors.contract import Credential


class Knowing:
    """Tells of the objects that are followed. `records` are they, as they are at any time."""

    def __init__(
        self,
        records: Mapping[str, Record[Any]],
        turns: Turns,
        asking: Asking,
        quotas: Quotas,
        secrets: Secrets,
        config: Config,
        monotonic: Callable[[], float],
    ) -> None:
        self._records = records
        self._turns = turns
        self._asking = asking
        self._quotas = quotas
        self._secrets = secrets
        self._config = config
        self._monotonic = monotonic

    def answer(self, plural: str, namespace: str, name: str) -> Mapping[str, Any] | None:
        """One object, as it is sent."""
        known = self.of(plural, namespace, name)
        return None if known is None else known.to_json()

    def of(self, plural: str, namespace: str, name: str) -> Known | None:
        """One object; None: it is not followed."""
        record = next((each for each in self._records.values() if _is(each, plural, namespace, name)), None)
        if record is None:
            return None
        now_s, task, track, stop = self._monotonic(), record.task, record.track, record.stop
        under_way = self._turns.is_under_way(task.uid)
        due_in_s = None if under_way else self._turns.due_in_s(task.uid)
        failed_with = track.latest.reason.value if isinstance(track.latest, Trouble) else ""
        _, account, call = record.quota or ("", "", "")
        key, key_reason, key_since_s = self._key(record)
        return Known(
            uid=task.uid,
            own_interval_s=float(task.poll_interval_s),
            interval_s=track.interval_s,
            key=key,
            key_reason=key_reason,
            key_ago_s=None if key_since_s is None else now_s - key_since_s,
            seen_ago_s=None if track.good_s is None else now_s - track.good_s,
            failures=track.failures if stop is None else stop.failures,
            failed_with=failed_with if stop is None else "",
            under_way=under_way,
            due_in_s=due_in_s,
            ahead=self._turns.ahead_of(task.uid),
            account=self._config.account_label(task.vendor.name, account) if account else "",
            call=call,
            limit_per_s=None if record.quota is None else self._quotas.limit_per_s(record.quota),
            paused_s=0.0 if record.quota is None else self._quotas.paused_s(record.quota),
            stop_accepted_ago_s=None if stop is None or stop.accepted_s is None else now_s - stop.accepted_s,
        )

    def _key(self, record: Record[Any]) -> tuple[KeyIs, str, float | None]:
        """What its vendor said to it, why, and when; in monotonic seconds."""
        credential = self._secrets.known(record.task)
        if isinstance(credential, Trouble):
            return KeyIs.UNUSABLE, credential.reason.value, None
        if not isinstance(credential, Credential):
            return KeyIs.UNTRIED, "", None
        refused = self._asking.refused_since_s(credential)
        if refused:
            reason = min(refused, key=lambda each: refused[each])
            return KeyIs.REFUSED, reason, refused[reason]
        quota: QuotaKey = record.kind.quota(record.task, credential)
        if self._asking.is_proven(credential, quota):
            return KeyIs.ACCEPTED, "", self._asking.accepted_s(credential)
        return KeyIs.UNTRIED, "", None


def _is(record: Record[Any], plural: str, namespace: str, name: str) -> bool:
    task = record.task
    return task.name == name and task.namespace == namespace and record.kind.api.plural == plural
