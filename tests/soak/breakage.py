"""What breaks in a soak: operators, the way to the API server, vendors, Secrets. Each for a while, many at once."""

from __future__ import annotations

import heapq
import itertools
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from livetask_simulator.client import Simulator
from tests.faults.proxy import Exchange, Proxy, Rule
from tests.soak.operators import Replicas
from tests.soak.people import People
from tests.stage.vendors import Alibaba

LASTS_S = (1.0, 12.0)
LEASE_IS_KEPT_S = 2.0
"""So long a leader may be frozen or cut off again and again, and keeps its Lease: the renewal deadline is 10 s."""
REHEARSED_S = 12.0
HUGE_BYTES = 8 * 1024 * 1024
LOST_AT_VENDOR: tuple[tuple[str, dict[str, Any]], ...] = (
    ("throttle", {}),
    ("error", {"code": "InternalError", "status": 500}),
    ("reset", {}),
    ("reset", {"after_effect": True}),
    ("hang", {}),
    ("hang", {"after_effect": True}),
    ("garbage", {}),
    ("garbage", {"after_effect": True}),
    ("truncated", {}),
    ("huge", {"size_bytes": HUGE_BYTES}),
    ("redirect", {}),
    ("drip", {"interval_seconds": 0.05}),
    ("delay", {"delay_seconds": 2.0}),
)


class Breakage:
    """Begins faults by a throw of the dice, and ends each after its time."""

    def __init__(self, dice: random.Random, api: Proxy, cloud: Simulator, people: People, replicas: Replicas) -> None:
        self.kills = True
        """Whether processes are killed, frozen and cut off for so long that they lose their Lease, refused theirs."""
        self.done: Counter[str] = Counter()
        self._dice = dice
        self._api = api
        self._cloud = cloud
        self._people = people
        self._replicas = replicas
        self._ends: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._refusing = False
        self._ways = (
            ("an operator is killed", self._kill, 3),
            ("an operator is asked to end", self._terminate, 2),
            ("an operator is frozen", self._freeze, 3),
            ("the API server refuses connections", self._refuse, 3),
            ("the API server's connections break", self._cut, 3),
            ("the API server answers with an error", self._answer, 6),
            ("the API server is silent", self._silence, 3),
            ("the API server's answers get lost", self._lose, 4),
            ("a vendor fails", self._vendor, 22),
            ("a Secret goes", self._drop_secret, 4),
            ("a Secret holds a wrong key", self._wrong_key, 4),
            ("a key is rotated, the old one revoked", self._rotate, 4),
        )

    def begin(self) -> None:
        """Something breaks."""
        name, way, _ = self._dice.choices(self._ways, [weight for _, _, weight in self._ways])[0]
        way(self._dice.uniform(*LASTS_S))
        self.done[name] += 1

    def rehearse(self) -> None:
        """All vendors answer without end for a while: as much as an operator may ever need at once."""
        fault = self._cloud.fault("huge", size_bytes=HUGE_BYTES)
        self._later(REHEARSED_S, lambda: self._clear(fault))

    def go_on(self) -> None:
        """Mend what is due."""
        while self._ends and self._ends[0][0] <= time.monotonic():
            heapq.heappop(self._ends)[2]()

    def mend_all(self) -> None:
        """Everything works again."""
        while self._ends:
            heapq.heappop(self._ends)[2]()
        self._cloud.clear_faults()
        self._api.let_all_go()

    def _later(self, in_s: float, end: Callable[[], None]) -> None:
        heapq.heappush(self._ends, (time.monotonic() + in_s, next(self._numbers), end))

    def _for(self, rule: Rule, lasts_s: float) -> None:
        self._later(lasts_s, rule.let_go)

    # Operators

    def _kill(self, _: float) -> None:
        if self.kills:
            self._replicas.kill(self._dice.choice(self._replicas.all), signal.SIGKILL)

    def _terminate(self, _: float) -> None:
        if self.kills:
            self._replicas.kill(self._dice.choice(self._replicas.all), signal.SIGTERM)

    def _freeze(self, lasts_s: float) -> None:
        replica = self._dice.choice(self._replicas.all)
        lasts_s = lasts_s * 2 if self.kills else min(lasts_s, LEASE_IS_KEPT_S)
        self._replicas.freeze(replica, lasts_s)
        self._later(lasts_s, lambda: self._replicas.thaw(replica))

    # The way to the API server

    def _outage(self, lasts_s: float) -> float:
        lasts_s = lasts_s * 2 if self.kills else min(lasts_s, LEASE_IS_KEPT_S)
        self._replicas.excuse(lasts_s)
        return lasts_s

    def _refuse(self, lasts_s: float) -> None:
        if self._refusing:
            return
        self._refusing = True
        self._api.refuse()
        self._later(self._outage(lasts_s), self._listen)

    def _listen(self) -> None:
        self._refusing = False
        self._api.listen()

    def _cut(self, _: float) -> None:
        self._api.cut()

    def _answer(self, lasts_s: float) -> None:
        status, reason, headers = self._dice.choice(
            [
                (429, "TooManyRequests", {"Retry-After": "1"}),
                (500, "InternalError", {}),
                (503, "ServiceUnavailable", {}),
                (504, "Timeout", {}),
                (403, "Forbidden", {}),
                (401, "Unauthorized", {}),
                (409, "Conflict", {}),
                (422, "Invalid", {}),
            ]
        )
        share = self._dice.choice((0.2, 0.6, 1.0))
        hits = self._hits(share, writes_only=status in (409, 422), lease_too=self.kills)
        if self.kills:
            self._replicas.excuse(lasts_s)
        self._for(self._api.refuse_as_kubernetes(hits, status, reason, headers=headers), lasts_s)

    def _hits(self, share: float, *, writes_only: bool, lease_too: bool) -> Callable[[Exchange], bool]:
        dice = random.Random(self._dice.random())  # asked in the proxy's thread

        def hits(exchange: Exchange) -> bool:
            spared = (writes_only and exchange.method == "GET") or (not lease_too and "/leases" in exchange.path)
            return not spared and dice.random() < share

        return hits

    def _silence(self, lasts_s: float) -> None:
        self._for(self._api.silence(lambda exchange: exchange.is_watch), lasts_s)

    def _lose(self, lasts_s: float) -> None:
        """Requests are carried out, and their answers never come."""
        rule = self._api.hold_after(lambda exchange: exchange.method == "PATCH", times=self._dice.randrange(1, 20))

        def end() -> None:
            self._api.cut(lambda exchange: exchange in rule.caught)
            rule.let_go()

        self._later(min(lasts_s, 5.0), end)

    # Vendors and Secrets

    def _vendor(self, lasts_s: float) -> None:
        kind, how = self._dice.choice(LOST_AT_VENDOR)
        company = self._dice.choice(self._people.companies)
        whom = {} if self._dice.random() < 0.2 else {"account": company.customer.account}
        fault = self._cloud.fault(kind, **how, **whom)
        self._later(lasts_s, lambda: self._clear(fault))

    def _clear(self, fault: int) -> None:
        self._cloud.clear_faults(fault_id=fault)

    def _drop_secret(self, lasts_s: float) -> None:
        customer = self._dice.choice(self._people.companies).customer
        customer.drop_secret()
        self._later(lasts_s, customer.put_secret)

    def _wrong_key(self, lasts_s: float) -> None:
        customer = self._dice.choice(self._people.companies).customer
        wrong = {name: f"wrong-{value[-8:]}" for name, value in customer.at.key.items()}
        customer.put_secret(**wrong)
        self._later(lasts_s, customer.put_secret)

    def _rotate(self, lasts_s: float) -> None:
        """To a second key for a while, and back: each time the other one is refused at once.

        At Alibaba Cloud alone, who shows a task that was stopped to any key. Elsewhere a stopped task is not there any
        more, and a key that never saw it is no witness to that: a person must say so.
        """
        company = self._dice.choice([each for each in self._people.companies if isinstance(each.customer.at, Alibaba)])
        customer, at = company.customer, company.customer.at
        second = {"accessKeyId": f"LTAIsecond{company.name}", "accessKeySecret": f"s3cond/{company.name}"}
        self._cloud.add_key(at.account, *second.values())
        customer.put_secret(**second)
        self._cloud.revoke_key(at.account, at.key["accessKeyId"])

        def back() -> None:
            at.accept_key()
            customer.put_secret()
            self._cloud.revoke_key(at.account, second["accessKeyId"])

        self._later(lasts_s, back)
