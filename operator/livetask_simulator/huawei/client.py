"""Orders to the simulated Huawei Cloud: `simulator.huawei`.

Apart from client.py, which sends them: tasks, statuses and settings are Huawei Cloud's own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from livetask_simulator.client_words import Raw, part, raw_order, snake_keys

Send = Callable[[str, str, Mapping[str, object] | None], Any]
"""Sends an order (method, path, body) and returns the answer."""


@dataclass(frozen=True, kw_only=True)
class PullTask:
    """A pull task as the simulated cloud has it. Its `app_id` is the project."""

    app_id: str
    task_id: str
    region: str
    status: str
    age_seconds: float
    ignore_stops: int
    stop_takes_seconds: float
    stops_accepted: int


class HuaweiOrders:
    """What can be ordered of the simulated Huawei Cloud. A `project` is an application to the ledger and the faults."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def add_account(self, account: str, **settings: object) -> None:
        """Add an account, or change its settings (camelCase, as in README.md: lookForUnknown="empty")."""
        self._send("PUT", _account(account), settings)

    def remove_account(self, account: str) -> None:
        """Forget an account with everything that it has."""
        self._send("DELETE", _account(account), None)

    def add_key(
        self,
        account: str,
        key_id: str,
        secret: str | None = None,
        *,
        token: str | None = None,
        auth_token: str | None = None,
        token_expired: bool = False,
        active: bool = True,
        allow: Sequence[str] | None = None,
        denial: str = "APIGW.0302",
    ) -> None:
        """Add a key, or replace it. With `token` it is temporary; `auth_token` is what X-Auth-Token may say for it.

        `allow` names the operations that it may call.
        """
        key: dict[str, object] = {
            "token": token,
            "authToken": auth_token,
            "tokenExpired": token_expired,
            "active": active,
            "allow": None if allow is None else list(allow),
            "denial": denial,
        }
        if secret is not None:
            key["secret"] = secret
        self._send("PUT", f"{_account(account)}/keys/{part(key_id)}", key)

    def revoke_key(self, account: str, key_id: str) -> None:
        """Make a key unknown: APIGW.0301 from now on."""
        self._send("DELETE", f"{_account(account)}/keys/{part(key_id)}", None)

    def quota(
        self,
        account: str,
        operation: str,
        limit: int,
        *,
        window_seconds: float = 1.0,
        retry_after_ms: int | None = None,
    ) -> None:
        """Let an account call an operation `limit` times in any `window_seconds`."""
        quota = {"limit": limit, "windowSeconds": window_seconds, "retryAfterMs": retry_after_ms}
        self._send("PUT", f"{_account(account)}/quotas/{part(operation)}", quota)

    def start_task(
        self,
        account: str,
        project: str,
        task_id: str,
        status: str = "running",
        life: Sequence[tuple[float, str]] = (),
        *,
        region: str = "cn-north-4",
        start_time: str | None = None,
        end_time: str | None = None,
        ignore_stops: int = 0,
        stop_takes_seconds: float = 0.0,
    ) -> PullTask:
        """Have a task of this id with a status now and, by its life, others later: [(seconds from now, status), …].

        The times are what the list shows, any text: 2026-11-21T20:00:00Z.
        """
        order: dict[str, object] = {
            "status": status,
            "life": [list(turn) for turn in life],
            "region": region,
            "ignoreStops": ignore_stops,
            "stopTakesSeconds": stop_takes_seconds,
        }
        order |= _times(start_time, end_time)
        return _task(self._send("PUT", _task_path(account, project, task_id), order))

    def set_task(
        self,
        account: str,
        project: str,
        task_id: str,
        *,
        status: str | None = None,
        life: Sequence[tuple[float, str]] = (),
        start_time: str | None = None,
        end_time: str | None = None,
        raw_status: object = Raw.UNCHANGED,
        ignore_stops: int | None = None,
        stop_takes_seconds: float | None = None,
    ) -> PullTask:
        """Change what is named. `raw_status` is any JSON value ("enable", 1, None), Raw.MISSING or Raw.USUAL."""
        order: dict[str, object] = {"status": status, "life": [list(turn) for turn in life]}
        order |= _times(start_time, end_time)
        if raw_status is not Raw.UNCHANGED:
            order["rawStatus"] = raw_order(raw_status)
        if ignore_stops is not None:
            order["ignoreStops"] = ignore_stops
        if stop_takes_seconds is not None:
            order["stopTakesSeconds"] = stop_takes_seconds
        return _task(self._send("PATCH", _task_path(account, project, task_id), order))

    def task(self, account: str, project: str, task_id: str) -> PullTask | None:
        """The task, or None where the cloud does not know it."""
        wanted = (project, task_id)
        return next((task for task in self.tasks(account) if (task.app_id, task.task_id) == wanted), None)

    def tasks(self, account: str) -> list[PullTask]:
        """All tasks that the cloud has for an account, the oldest first."""
        return [_task(each) for each in self._send("GET", f"{_account(account)}/tasks", None)["tasks"]]

    def forget_task(self, account: str, project: str, task_id: str) -> None:
        """Make a task unknown, as if somebody had deleted it."""
        self._send("DELETE", _task_path(account, project, task_id), None)


def _account(account: str) -> str:
    return f"/_admin/huawei/accounts/{part(account)}"


def _task_path(account: str, project: str, task_id: str) -> str:
    return f"{_account(account)}/tasks/{part(project)}/{part(task_id)}"


def _times(start_time: str | None, end_time: str | None) -> dict[str, object]:
    return {name: time for name, time in (("startTime", start_time), ("endTime", end_time)) if time is not None}


def _task(answer: Mapping[str, Any]) -> PullTask:
    return PullTask(**snake_keys(answer))
