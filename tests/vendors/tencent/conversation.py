"""A vendor that says what a test wants, without a network, and keeps what it was asked."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import httpx

from livetask_operator.vendors.contract import Credential, Look, State, StopAnswer, TaskRef
from livetask_operator.vendors.tencent.relay import TencentRelay
from livetask_operator.vendors.transport import Transport
from tests.vendors.no_network import NoNetwork

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
TASK = TaskRef("TencentCloud", "1400000001", "CR6Lqv-x+y.", region="ap-singapore")
KEY = Credential("AKIDtest", "testsecret")

Says = httpx.Response | Exception


class Conversation:
    """TencentRelay and a vendor that gives the answers in turn, the last one again and again."""

    def __init__(self, *answers: Says, status_words: Mapping[str, State] | None = None) -> None:
        self.asked: list[httpx.Request] = []
        self._answers = list(answers)
        self._seconds = itertools.count()
        self.relay = TencentRelay(
            Transport("livetask-operator/0.1.0 (test)", http=NoNetwork(self._answer)),
            endpoint="https://trtc.example:8443",
            clock=lambda: NOW + timedelta(seconds=next(self._seconds)),
            status_words=status_words,
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


def says(**fields: object) -> httpx.Response:
    """What the vendor answers where it carries a call out."""
    return json({"Response": {**fields, "RequestId": "r-1"}})


def status_is(status: object) -> httpx.Response:
    """What DescribeStreamIngest answers."""
    return says(Status=status)


def refuses(code: object, status: int = 200, headers: Mapping[str, str] | None = None) -> httpx.Response:
    """What the vendor answers where it refuses: inside an HTTP 200. Its Message may echo what was signed."""
    error = {"Code": code, "Message": "The server's canonical request is [POST / content-type:...]"}
    return json({"Response": {"Error": error, "RequestId": "r-1"}}, status, headers)


def body(raw: bytes, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=raw)
