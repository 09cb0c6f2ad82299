"""A vendor that says what a test wants, without a network, and keeps what it was asked."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import httpx

from livetask_operator.vendors.alibaba.relay import AlibabaRelay
from livetask_operator.vendors.alibaba.rpc import Edition
from livetask_operator.vendors.contract import Credential, Look, StopAnswer, TaskRef
from livetask_operator.vendors.transport import Transport
from tests.vendors.no_network import NoNetwork

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
TASK = TaskRef("AlibabaCloud", "app-1", "task_1")
KEY = Credential("testid", "testsecret")

Says = httpx.Response | Exception


class Conversation:
    """AlibabaRelay and a vendor that gives the answers in turn, the last one again and again."""

    def __init__(self, *answers: Says) -> None:
        self.asked: list[httpx.Request] = []
        self._answers = list(answers)
        self._seconds = itertools.count()
        self._nonces = (f"nonce-{number}" for number in itertools.count(1))
        self.relay = AlibabaRelay(
            Transport("livetask-operator/0.1.0 (test)", http=NoNetwork(self._answer)),
            look_at=Edition("https://rtc.example", "2018-01-11"),
            stop_endpoint="https://live.example:8443",
            clock=lambda: NOW + timedelta(seconds=next(self._seconds)),
            nonce=lambda: next(self._nonces),
        )

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


def json(document: object, status: int = 200, headers: Mapping[str, str] | None = None) -> httpx.Response:
    """An answer with a JSON body."""
    return httpx.Response(status, json=document, headers=headers)


def status_is(status: object) -> httpx.Response:
    """What GetMPUTaskStatus answers."""
    return json({"Status": status, "RequestId": "r-1"})


def refuses(code: object, status: int = 400, headers: Mapping[str, str] | None = None) -> httpx.Response:
    """What the vendor's gateway answers where it refuses. Its Message may echo what was signed."""
    message = "Specified signature is not matched with our calculation. server string to sign is:..."
    document = {"RequestId": "r-1", "HostId": "rtc.example", "Code": code, "Message": message}
    return json(document, status, headers)


def body(raw: bytes, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=raw)
