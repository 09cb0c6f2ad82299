"""Orders to the simulated Tencent Cloud: `simulator.tencent`.

Apart from client.py, which sends them: tasks, statuses and settings are Tencent Cloud's own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from livetask_simulator.client_words import Raw, part, raw_order, snake_keys

Send = Callable[[str, str, Mapping[str, object] | None], Any]
"""Sends an order (method, path, body) and returns the answer."""


@dataclass(frozen=True, kw_only=True)
class IngestTask:
    """A stream ingest task as the simulated cloud has it."""

    app_id: str
    task_id: str
    region: str
    status: str
    age_seconds: float
    ended_seconds_ago: float | None
    ignore_stops: int
    stop_takes_seconds: float
    stops_accepted: int


class TencentOrders:
    """What can be ordered of the simulated Tencent Cloud. An `app_id` is an SdkAppId, as text or as a number."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def add_account(self, account: str, **settings: object) -> None:
        """Add an account, or change its settings (camelCase, as in README.md: service="notEnabled")."""
        self._send("PUT", _account(account), settings)

    def remove_account(self, account: str) -> None:
        """Forget an account with everything that it has."""
        self._send("DELETE", _account(account), None)

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
        denial: str = "UnauthorizedOperation",
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
        """Make a key unknown: AuthFailure.SecretIdNotFound from now on."""
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
        app_id: int | str,
        task_id: str,
        status: str = "InProgress",
        life: Sequence[tuple[float, str]] = (),
        *,
        region: str = "ap-singapore",
        ignore_stops: int = 0,
        stop_takes_seconds: float = 0.0,
    ) -> IngestTask:
        """Have a task of this id with a status now and, by its life, others later: [(seconds from now, status), …]."""
        order = {
            "status": status,
            "life": [list(turn) for turn in life],
            "region": region,
            "ignoreStops": ignore_stops,
            "stopTakesSeconds": stop_takes_seconds,
        }
        return _task(self._send("PUT", _task_path(account, app_id, task_id), order))

    def set_task(
        self,
        account: str,
        app_id: int | str,
        task_id: str,
        *,
        status: str | None = None,
        life: Sequence[tuple[float, str]] = (),
        raw_status: object = Raw.UNCHANGED,
        ignore_stops: int | None = None,
        stop_takes_seconds: float | None = None,
    ) -> IngestTask:
        """Change what is named. `raw_status` is any JSON value ("Paused", 1, None), Raw.MISSING or Raw.USUAL."""
        order: dict[str, object] = {"life": [list(turn) for turn in life]}
        if status is not None:
            order["status"] = status
        if raw_status is not Raw.UNCHANGED:
            order["rawStatus"] = raw_order(raw_status)
        if ignore_stops is not None:
            order["ignoreStops"] = ignore_stops
        if stop_takes_seconds is not None:
            order["stopTakesSeconds"] = stop_takes_seconds
        return _task(self._send("PATCH", _task_path(account, app_id, task_id), order))

    def task(self, account: str, app_id: int | str, task_id: str) -> IngestTask | None:
        """The task, or None where the cloud does not know it."""
        wanted = (str(app_id), task_id)
        return next((task for task in self.tasks(account) if (task.app_id, task.task_id) == wanted), None)

    def tasks(self, account: str) -> list[IngestTask]:
        """All tasks that the cloud knows for an account."""
        return [_task(each) for each in self._send("GET", f"{_account(account)}/tasks", None)["tasks"]]

    def forget_task(self, account: str, app_id: int | str, task_id: str) -> None:
        """Make a task unknown: its stop is answered as `stopOfUnknown` says from now on."""
        self._send("DELETE", _task_path(account, app_id, task_id), None)


def _account(account: str) -> str:
    return f"/_admin/tencent/accounts/{part(account)}"


def _task_path(account: str, app_id: int | str, task_id: str) -> str:
    return f"{_account(account)}/tasks/{part(str(app_id))}/{part(task_id)}"


def _task(answer: Mapping[str, Any]) -> IngestTask:
    return IngestTask(**snake_keys(answer))
