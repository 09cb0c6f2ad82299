"""The client's orders about preloads. Apart from client.py, because no other vendor has preloads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

Stages = Sequence[tuple[float, int | str, str]]


@dataclass(frozen=True, kw_only=True)
class Preload:
    """A preload as the simulated cloud has it."""

    task_id: str
    domain: str
    play_url: str
    area: str
    process: str
    status: str
    description: str
    age_seconds: float


class PreloadOrders:
    """What a simulator's client can order about preloads."""

    def add_preload(
        self,
        account: str,
        domain: str,
        url: str,
        *,
        task_id: str | None = None,
        status: str = "Success",
        process: int | str = 100,
        description: str | None = None,
        area: str = "domestic",
        created_seconds_ago: float = 0.0,
        starts_in_seconds: float = 0.0,
        lasts_seconds: float = 3600.0,
        life: Stages = (),
    ) -> Preload:
        """Have a preload that shows this now and, by its life, more later: [(seconds from now, process, status), …].

        process: whole percent, or any text. description: absent, what goes with the status.
        """
        order: dict[str, object] = {
            "domainName": domain,
            "playUrl": url,
            "taskId": task_id or "",
            "status": status,
            "process": _process(process),
            "description": description,
            "area": area,
            "createdSecondsAgo": created_seconds_ago,
            "startsInSeconds": starts_in_seconds,
            "lastsSeconds": lasts_seconds,
            "life": _life(life),
        }
        return _preload(self._send("POST", _path(account), order))

    def set_preload(
        self,
        account: str,
        task_id: str,
        *,
        status: str | None = None,
        process: int | str | None = None,
        description: str | None = None,
        created_seconds_ago: float | None = None,
        life: Stages = (),
    ) -> Preload:
        """Change what is named; a life counts from now."""
        order: dict[str, object] = {
            "status": status,
            "process": None if process is None else _process(process),
            "description": description,
            "createdSecondsAgo": created_seconds_ago,
            "life": _life(life) or None,
        }
        changes = {name: value for name, value in order.items() if value is not None}
        return _preload(self._send("PATCH", _path(account, task_id), changes))

    def preloads(self, account: str) -> list[Preload]:
        """All preloads that the cloud remembers for an account, the newest first."""
        return [_preload(each) for each in self._send("GET", _path(account))["preloads"]]

    def forget_preload(self, account: str, task_id: str) -> None:
        """Make a preload unknown, as after 3 days."""
        self._send("DELETE", _path(account, task_id))

    def _send(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        raise NotImplementedError


def _path(account: str, *task: str) -> str:
    parts = ["_admin", "alibaba", "accounts", account, "preloads", *task]
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def _process(process: int | str) -> str:
    return f"{process}%" if isinstance(process, int) else process


def _life(life: Stages) -> list[list[object]]:
    return [[after_s, _process(process), status] for after_s, process, status in life]


def _preload(answer: Mapping[str, Any]) -> Preload:
    return Preload(
        task_id=answer["taskId"],
        domain=answer["domainName"],
        play_url=answer["playUrl"],
        area=answer["area"],
        process=answer["process"],
        status=answer["status"],
        description=answer["description"],
        age_seconds=answer["ageSeconds"],
    )
