"""A client of the admin API, for tests and demos. Blocking, standard library alone.

Apart from the simulator, which it shares no code with: it works against a simulator in another process.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode

from livetask_simulator.alibaba.preload_client import PreloadOrders
from livetask_simulator.client_words import Raw as Raw
from livetask_simulator.client_words import camel, part, raw_order, snake_keys
from livetask_simulator.huawei.client import HuaweiOrders
from livetask_simulator.tencent.client import TencentOrders

TIMEOUT_S = 10.0
NOT_FOUND = 404


class AdminError(Exception):
    """The admin API refused an order; the words are its own."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request that reached a simulated cloud. See the table in README.md."""

    seq: int
    at: str
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
    outcome: str | None
    http_status: int | None
    request_id: str
    fault: str | None
    throttled: bool
    stopped_task: bool | None
    finished: bool
    took_s: float


class Row(NamedTuple):
    """A request in short."""

    seq: int
    monotonic_s: float
    account: str | None
    operation: str
    task_id: str
    throttled: bool


class Tally(NamedTuple):
    """How many requests reached the simulated clouds, and how many of these were throttled."""

    calls: int
    throttled: int


@dataclass(frozen=True, kw_only=True)
class Task:
    """A relay task as the simulated cloud has it."""

    app_id: str
    task_id: str
    edition: str
    status: int
    age_seconds: float
    ended_seconds_ago: float | None
    ignore_stops: int
    stop_takes_seconds: float
    stops_accepted: int


class Simulator(PreloadOrders):
    """Orders to a simulator that runs at an address, such as http://127.0.0.1:8900."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.tencent = TencentOrders(self._send)
        """Orders to the simulated Tencent Cloud; those below are to Alibaba Cloud, or go for all clouds."""
        self.huawei = HuaweiOrders(self._send)
        """Orders to the simulated Huawei Cloud."""

    def add_account(self, account: str, **settings: object) -> None:
        """Add an account, or change its settings (camelCase, as in README.md: service="overdue")."""
        self._send("PUT", _account(account), settings)

    def remove_account(self, account: str) -> None:
        """Forget an account with everything that it has."""
        self._send("DELETE", _account(account))

    def add_key(
        self,
        account: str,
        key_id: str,
        secret: str,
        *,
        token: str | None = None,
        token_expired: bool = False,
        active: bool = True,
        allow: Sequence[str] | None = None,
        denial: str = "Forbidden.RAM",
    ) -> None:
        """Add a key, or replace it. A key with a token is temporary; `allow` names the operations that it may call."""
        key = {
            "secret": secret,
            "token": token,
            "tokenExpired": token_expired,
            "active": active,
            "allow": None if allow is None else list(allow),
            "denial": denial,
        }
        self._send("PUT", f"{_account(account)}/keys/{part(key_id)}", key)

    def revoke_key(self, account: str, key_id: str) -> None:
        """Make a key unknown: InvalidAccessKeyId.NotFound from now on."""
        self._send("DELETE", f"{_account(account)}/keys/{part(key_id)}")

    def quota(
        self,
        account: str,
        operation: str,
        limit: int,
        *,
        window_seconds: float = 1.0,
        retry_after_ms: int | None = None,
        edition: str | None = None,
    ) -> None:
        """Let an account call an operation `limit` times in any `window_seconds`, in one edition or all."""
        quota: dict[str, object] = {"limit": limit, "windowSeconds": window_seconds, "retryAfterMs": retry_after_ms}
        if edition is not None:
            quota["edition"] = edition
        self._send("PUT", f"{_account(account)}/quotas/{part(operation)}", quota)

    def start_task(
        self,
        account: str,
        app_id: str,
        task_id: str,
        status: int = 1,
        life: Sequence[tuple[float, int]] = (),
        *,
        edition: str = "live",
        ignore_stops: int = 0,
        stop_takes_seconds: float = 0.0,
    ) -> Task:
        """Have a task with a status now and, by its life, others later: [(seconds from now, status), ...]."""
        order = {
            "status": status,
            "life": [list(turn) for turn in life],
            "edition": edition,
            "ignoreStops": ignore_stops,
            "stopTakesSeconds": stop_takes_seconds,
        }
        return _task(self._send("PUT", _task_path(account, app_id, task_id), order))

    def set_task(
        self,
        account: str,
        app_id: str,
        task_id: str,
        *,
        status: int | None = None,
        life: Sequence[tuple[float, int]] = (),
        raw_status: object = Raw.UNCHANGED,
        ignore_stops: int | None = None,
        stop_takes_seconds: float | None = None,
    ) -> Task:
        """Change what is named. `raw_status` is any JSON value (99, "1", None, True), Raw.MISSING or Raw.USUAL."""
        order: dict[str, object] = {"status": status, "life": [list(turn) for turn in life]}
        if raw_status is not Raw.UNCHANGED:
            order["rawStatus"] = raw_order(raw_status)
        if ignore_stops is not None:
            order["ignoreStops"] = ignore_stops
        if stop_takes_seconds is not None:
            order["stopTakesSeconds"] = stop_takes_seconds
        return _task(self._send("PATCH", _task_path(account, app_id, task_id), order))

    def task(self, account: str, app_id: str, task_id: str) -> Task | None:
        """The task, or None where the cloud does not know it."""
        try:
            return _task(self._send("GET", _task_path(account, app_id, task_id)))
        except AdminError as error:
            if error.status == NOT_FOUND:
                return None
            raise

    def tasks(self, account: str) -> list[Task]:
        """All tasks that the cloud knows for an account."""
        return [_task(each) for each in self._send("GET", f"{_account(account)}/tasks")["tasks"]]

    def forget_task(self, account: str, app_id: str, task_id: str) -> None:
        """Make a task unknown: InvalidTask.NotFound from now on."""
        self._send("DELETE", _task_path(account, app_id, task_id))

    def fault(self, kind: str, **fault: object) -> int:
        """Set a fault; returns its id. Fields as in README.md, in snake_case: operation=, account=, times=, status=…"""
        answer = self._send("POST", "/_admin/faults", {"kind": kind, **{camel(k): v for k, v in fault.items()}})
        return int(answer["id"])

    @contextmanager
    def faulty(self, kind: str, **fault: object) -> Iterator[int]:
        """A fault for as long as a `with` block lasts."""
        fault_id = self.fault(kind, **fault)
        try:
            yield fault_id
        finally:
            self.clear_faults(fault_id=fault_id)

    def faults(self, account: str | None = None) -> list[dict[str, Any]]:
        """The faults that are set; one that has struck its last time is gone."""
        return list(self._send("GET", _with_query("/_admin/faults", {"account": account}))["faults"])

    def clear_faults(self, account: str | None = None, *, fault_id: int | None = None) -> int:
        """Clear one fault, an account's, or all; returns how many."""
        path = _with_query("/_admin/faults", {"account": account, "id": fault_id})
        return int(self._send("DELETE", path)["cleared"])

    def calls(self, **wanted: object) -> list[Call]:
        """Calls, oldest first, by account=, key_id=, operation=, app_id=, task_id=, outcome=, throttled=, since=…"""
        answer = self._send("GET", _with_query("/_admin/calls", {camel(k): v for k, v in wanted.items()}))
        return [Call(**snake_keys(call)) for call in answer["calls"]]

    def rows(self, **wanted: object) -> list[Row]:
        """The same as `calls`, in short: for hundreds of thousands of them."""
        answer = self._send("GET", _with_query("/_admin/rows", {camel(k): v for k, v in wanted.items()}))
        return [Row(*row) for row in answer["rows"]]

    def tally(self) -> Tally:
        """How many calls there have been since the simulator's start."""
        return Tally(**self._send("GET", "/_admin/tally"))

    def counts(self, **wanted: object) -> dict[str, dict[str, int]]:
        """How many calls per operation: total, throttled, outcome:OK, outcome:InvalidParam…"""
        return dict(self._send("GET", _with_query("/_admin/counts", {camel(k): v for k, v in wanted.items()})))

    def reset(self, account: str | None = None) -> None:
        """One account, or all: tasks, preloads, settings, quotas, faults and calls go; keys stay."""
        self._send("POST", _with_query("/_admin/reset", {"account": account}))

    def _send(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - the address is the caller's own simulator
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with _OPENER.open(request, timeout=TIMEOUT_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise AdminError(error.code, json.load(error)["error"]) from None


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a simulator is never behind a proxy


def _account(account: str) -> str:
    return f"/_admin/alibaba/accounts/{part(account)}"


def _task_path(account: str, app_id: str, task_id: str) -> str:
    return f"{_account(account)}/tasks/{part(app_id)}/{part(task_id)}"


def _task(answer: Mapping[str, Any]) -> Task:
    return Task(**snake_keys(answer))


def _with_query(path: str, query: Mapping[str, object]) -> str:
    said = {name: str(value).lower() if isinstance(value, bool) else value for name, value in query.items()}
    encoded = urlencode({name: value for name, value in said.items() if value is not None})
    return f"{path}?{encoded}" if encoded else path
