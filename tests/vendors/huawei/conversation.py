"""Huawei Cloud as a test wants it, without a network: answers in turn, or a list of tasks that may change and lie."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx

from livetask_operator.vendors.contract import Credential, Look, State, StopAnswer, TaskRef
from livetask_operator.vendors.huawei.relay import HuaweiRelay
from livetask_operator.vendors.transport import Transport
from tests.vendors.no_network import NoNetwork

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
PROJECT, REGION = "0123456789abcdef", "cn-north-4"
TASK = TaskRef("HuaweiCloud", PROJECT, "7864b3dc", region=REGION)
KEY = Credential("AKEXAMPLE", "SKEXAMPLE")

Says = httpx.Response | Exception


def task(task_id: str, *, project: str = PROJECT, region: str = REGION) -> TaskRef:
    return TaskRef("HuaweiCloud", project, task_id, region=region)


def relay(
    answer: Callable[[httpx.Request], httpx.Response],
    words: Mapping[str, State] | None = None,
    clock: Callable[[], datetime] = lambda: NOW,
) -> HuaweiRelay:
    return HuaweiRelay(
        Transport("livetask-operator/0.1.0 (test)", http=NoNetwork(answer)),
        endpoint="https://live.{region}.example:8443",
        clock=clock,
        status_words=words,
    )


class Conversation:
    """HuaweiRelay and a vendor that gives the answers in turn, the last one again and again."""

    def __init__(self, *answers: Says, status_words: Mapping[str, State] | None = None) -> None:
        self.asked: list[httpx.Request] = []
        self._answers = list(answers)
        self.relay = relay(self._answer, status_words)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        said = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(said, Exception):
            raise said
        # A response can be read once only.
        return httpx.Response(said.status_code, headers=said.headers, content=said.content)

    async def look(self, credential: Credential = KEY) -> Look:
        return (await self.relay.look(credential, [TASK]))[TASK]

    async def stop(self, credential: Credential = KEY) -> StopAnswer:
        return await self.relay.stop(credential, TASK)


@dataclass
class Listing:
    """A vendor with a list of tasks: pages of it, and queries by id.

    between: what happens to the list after each answer. pages: answers to give in place of the page at an offset.
    """

    rows: list[dict[str, object]]
    total: object = None
    """What it says of its length; None: the truth."""
    between: list[Callable[[list[dict[str, object]]], None]] = field(default_factory=list)
    pages: dict[int, httpx.Response] = field(default_factory=dict)
    absent: Callable[[], httpx.Response] = lambda: refuses("LIVE.100011001", 404)
    asked: list[str] = field(default_factory=list)
    """The offset or the task id of each call, in order."""

    def answer(self, request: httpx.Request) -> httpx.Response:
        query = request.url.params
        if "task_id" in query:
            self.asked.append(query["task_id"])
            rows = [row for row in self.rows if row.get("task_id") == query["task_id"]]
            said = listed(*rows) if rows else self.absent()
        else:
            self.asked.append(query["offset"])
            offset, limit = int(query["offset"]), int(query["limit"])
            total = len(self.rows) if self.total is None else self.total
            said = self.pages.get(offset) or listed(*self.rows[offset : offset + limit], total=total)
        if self.between:
            self.between.pop(0)(self.rows)
        return said

    async def look(self, tasks: Sequence[TaskRef]) -> Mapping[TaskRef, Look]:
        return await relay(self.answer).look(KEY, tasks)


def row(task_id: str, status: object = "running", **more: object) -> dict[str, object]:
    return {"task_id": task_id, "status": status, **more}


def json(document: object, status: int = 200, headers: Mapping[str, str] | None = None) -> httpx.Response:
    """An answer with a JSON body."""
    return httpx.Response(status, json=document, headers=headers)


def listed(*rows: object, total: object = None) -> httpx.Response:
    """What ListPullTasks answers."""
    return json({"request_id": "r-1", "total": len(rows) if total is None else total, "task_infos": list(rows)})


def status_is(status: object) -> httpx.Response:
    """The answer to the query for the one task."""
    return listed(row(TASK.task, status))


def refuses(code: object, status: int = 400, headers: Mapping[str, str] | None = None, **more: str) -> httpx.Response:
    """What the vendor answers where it refuses. Its error_msg may echo what was signed."""
    message = "Incorrect IAM authentication information: verify aksk signature fail, canonicalRequest:GET|/v1/..."
    return json({"error_code": code, "error_msg": message, "request_id": "r-1", **more}, status, headers)


def body(raw: bytes, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=raw)
