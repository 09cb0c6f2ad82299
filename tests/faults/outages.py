"""The ways in which an API server goes away, or answers with what nobody expects. Each lasts as long as its `with`.

`happened` waits until the operator has met it.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import TracebackType
from typing import ClassVar, Self

from tests.faults.proxy import Exchange, Matches, Proxy, Rule, everything
from tests.stage.objects import wait_for
from tests.stage.processes import Operator

MET_WITHIN_S = 30.0


class Outage(ABC):
    """One of them."""

    def __init__(self, proxy: Proxy, operator: Operator) -> None:
        self.proxy = proxy
        self.operator = operator
        self.begins()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ends()

    @abstractmethod
    def begins(self) -> None: ...

    @abstractmethod
    def happened(self) -> None:
        """Wait until the operator has met it."""

    @abstractmethod
    def ends(self) -> None: ...


class Refused(Outage):
    """Nobody listens."""

    def begins(self) -> None:
        self._before = self._failures()
        self.proxy.refuse()

    def _failures(self) -> int:
        return self.operator.log.read_text().count("failed; will retry")

    def happened(self) -> None:
        wait_for(lambda: self._failures() > self._before, "refused connections in the log", MET_WITHIN_S)

    def ends(self) -> None:
        self.proxy.listen()


class Ruled(Outage):
    """What a rule of the proxy does to requests."""

    matches: Matches = staticmethod(everything)
    count = 3

    def begins(self) -> None:
        self.rule = self.makes()
        self.proxy.cut()

    @abstractmethod
    def makes(self) -> Rule: ...

    def happened(self) -> None:
        self.rule.wait(self.count, MET_WITHIN_S)

    def ends(self) -> None:
        self.rule.let_go()


class Reset(Ruled):
    def makes(self) -> Rule:
        return self.proxy.reset(everything)


class Answered(Ruled):
    """Every request gets one answer."""

    status, reason, headers = 0, "", dict[str, str]()

    def makes(self) -> Rule:
        return self.proxy.refuse_as_kubernetes(self.matches, self.status, self.reason, headers=self.headers)


class Unavailable(Answered):
    """As of an API server that shuts down."""

    status, reason = 503, "ServiceUnavailable"


class Broken(Answered):
    """As of an API server that has lost its etcd."""

    status, reason = 500, "InternalError"


class Busy(Answered):
    """As of priority and fairness, when too many ask."""

    status, reason, headers = 429, "TooManyRequests", {"Retry-After": "1"}


class Forbidden(Answered):
    """As of RBAC that is applied anew, or an authorizer that is away."""

    status, reason = 403, "Forbidden"


def is_watch_of_relays(exchange: Exchange) -> bool:
    return exchange.is_watch and exchange.path.endswith("/relaytasks")


def is_first_list_of_relays(exchange: Exchange) -> bool:
    """kopf's, which asks for pages, and for no field."""
    query = exchange.query
    listed = exchange.method == "GET" and exchange.path.endswith("/relaytasks") and not exchange.is_watch
    return listed and "limit" in query and query["limit"] != "1" and "fieldSelector" not in query


class OddWatch(Ruled):
    """The next watch of RelayTasks gets one odd answer, and the one after it none: the API server is well again."""

    count = 1
    headers: ClassVar[Mapping[str, str]] = {}

    def makes(self) -> Rule:
        status, body = self.says()
        headers = {"Content-Type": "application/json", **self.headers}
        return self.proxy.answer(is_watch_of_relays, status, body, headers, times=1)

    @abstractmethod
    def says(self) -> tuple[int, str]: ...


def _status(code: int, reason: str) -> dict[str, object]:
    said = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return {**said, "message": "said by the test", "reason": reason, "code": code}


class GoneInTheStream(OddWatch):
    """As the API server says it when its cache does not reach back so far."""

    def says(self) -> tuple[int, str]:
        return 200, json.dumps({"type": "ERROR", "object": _status(410, "Expired")}) + "\n"


class GoneAtOnce(OddWatch):
    """The same as an answer of its own."""

    def says(self) -> tuple[int, str]:
        return 410, json.dumps(_status(410, "Expired"))


class ErrorInTheStream(OddWatch):
    """As when etcd changes its leader."""

    def says(self) -> tuple[int, str]:
        return 200, json.dumps({"type": "ERROR", "object": _status(500, "InternalError")}) + "\n"


class HalfALine(OddWatch):
    """As of a load balancer that closes a connection in good order in the middle of an event."""

    def says(self) -> tuple[int, str]:
        return 200, '{"type":"MODIFIED","object":{"apiVersion":"livetask.dev/v1alpha1","kin'


class NotServed(OddWatch):
    """As of an API server that has not read its CRDs yet."""

    def says(self) -> tuple[int, str]:
        return 404, "404 page not found\n"


class BusyUntilADate(OddWatch):
    """As of a load balancer that takes HTTP at its word: Retry-After may be a date."""

    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}

    def says(self) -> tuple[int, str]:
        return 429, json.dumps(_status(429, "TooManyRequests"))


class SomebodyElsesList(Ruled):
    """A load balancer answers the next list with a page of its own. The list is brought about by a 410."""

    count = 1

    def makes(self) -> Rule:
        gone = json.dumps({"type": "ERROR", "object": _status(410, "Expired")}) + "\n"
        self.proxy.answer(is_watch_of_relays, 200, gone, {"Content-Type": "application/json"}, times=1)
        page = "<html>Back soon</html>"
        return self.proxy.answer(is_first_list_of_relays, 200, page, {"Content-Type": "text/html"}, times=1)
