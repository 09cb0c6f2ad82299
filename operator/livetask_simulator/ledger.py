"""The ledger: every request that reached a simulated cloud, and what became of it.

Apart, because it is how tests find out what a client really sent; nothing else reads it.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import takewhile

from livetask_simulator.clock import Clock
from livetask_simulator.exchange import Identity, Received, Reply

CALLS_KEPT_PER_ACCOUNT = 200_000


@dataclass(slots=True, kw_only=True)
class Call:
    """One request. Opened when it arrives, closed when its answer (or the lack of one) is settled."""

    seq: int
    at: datetime
    monotonic_s: float
    vendor: str
    account: str | None
    key_id: str
    operation: str
    version: str
    app_id: str
    task_id: str
    method: str
    user_agent: str
    outcome: str | None = None
    """`OK` or the vendor's error code; None where the operation was not carried out, or not yet."""
    http_status: int | None = None
    """The status sent; None where no answer was."""
    request_id: str = ""
    fault: str | None = None
    throttled: bool = False
    stopped_task: bool | None = None
    finished: bool = False
    took_s: float = 0.0

    def settle(self, reply: Reply) -> None:
        """Note what the operation came to."""
        self.outcome = reply.outcome
        self.http_status = reply.status
        self.request_id = reply.request_id
        self.throttled = reply.throttled
        self.stopped_task = reply.stopped_task

    def to_json(self) -> dict[str, object]:
        """The call as the admin API shows it: camelCase names, the time as ISO 8601."""
        plain = {_camel(each.name): getattr(self, each.name) for each in fields(self)}
        return plain | {"at": self.at.isoformat()}

    def to_row(self) -> list[object]:
        """The call in short, for who reads hundreds of thousands: the fields of ROW, in that order."""
        return [getattr(self, name) for name in ROW]


ROW = ("seq", "monotonic_s", "account", "operation", "task_id", "throttled")


class Ledger:
    """All calls, in the order of their arrival, kept per account."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last_seq = 0
        self._throttled = 0
        self._calls: dict[str | None, deque[Call]] = {}

    def open(self, identity: Identity, received: Received) -> Call:
        """Write down a request that has just arrived."""
        self._last_seq += 1
        call = Call(
            seq=self._last_seq,
            at=self._clock.now(),
            monotonic_s=self._clock.monotonic(),
            vendor=identity.vendor,
            account=identity.account,
            key_id=identity.key_id,
            operation=identity.operation,
            version=identity.version,
            app_id=identity.app_id,
            task_id=identity.task_id,
            method=received.method,
            user_agent=received.header("user-agent"),
        )
        self._calls.setdefault(call.account, deque(maxlen=CALLS_KEPT_PER_ACCOUNT)).append(call)
        return call

    def close(self, call: Call) -> None:
        """Note that nothing more happens to a request."""
        call.finished = True
        call.took_s = round(self._clock.monotonic() - call.monotonic_s, 6)
        self._throttled += call.throttled

    def calls(self, wanted: Mapping[str, object], *, since: int = 0, limit: int | None = None) -> list[Call]:
        """Calls after `since` whose fields equal the wanted ones, oldest first; the newest `limit` of them."""
        found = [call for call in self._of_account(wanted, since) if _fits(call, wanted)]
        found.sort(key=lambda call: call.seq)
        return found if limit is None else found[len(found) - min(limit, len(found)) :]

    def counts(self, wanted: Mapping[str, object]) -> dict[str, dict[str, int]]:
        """How many calls per operation: in all, throttled, and by outcome."""
        per_operation: dict[str, Counter[str]] = {}
        for call in self._of_account(wanted):
            if _fits(call, wanted):
                counter = per_operation.setdefault(call.operation, Counter())
                counter.update(["total", f"outcome:{call.outcome}", *(["throttled"] if call.throttled else [])])
        return {operation: dict(counter) for operation, counter in per_operation.items()}

    def tally(self) -> dict[str, int]:
        """How many calls there have been in all, and of these throttled; forgotten ones too. Costs nothing to ask."""
        return {"calls": self._last_seq, "throttled": self._throttled}

    def forget(self, account: str | None) -> None:
        """Drop one account's calls, or all where None."""
        if account is None:
            self._calls.clear()
        else:
            self._calls.pop(account, None)

    def _of_account(self, wanted: Mapping[str, object], since: int = 0) -> Iterator[Call]:
        kept: Iterable[deque[Call]] = self._calls.values()
        if "account" in wanted:
            account = wanted["account"]
            kept = [self._calls.get(account if isinstance(account, str) else None, deque())]
        for calls in kept:
            # The newest first, up to where the asker was last time: what came before is not gone through again.
            yield from takewhile(lambda call: call.seq > since, reversed(calls))


def _fits(call: Call, wanted: Mapping[str, object]) -> bool:
    return all(getattr(call, name) == value for name, value in wanted.items())


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
