"""What the simulated Huawei Cloud refuses, however well the rest of a request is made; its clock is in our hands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

from livetask_simulator.exchange import Received, Reply
from livetask_simulator.fields import Fields
from livetask_simulator.huawei import orders
from livetask_simulator.huawei.tasks import Task
from livetask_simulator.world import World
from tests.simulator.clouds import FakeClock

ACCOUNT, KEY_ID, SECRET, TOKEN = "sports", "AK-1", "s3cret", "MIIE+token=="
PROJECT, TASK = "p-1", "cup-final"
PATH = f"/v1/{PROJECT}/pull/stream/task"
HOST = "127.0.0.1:8900"


@dataclass(frozen=True)
class Answer:
    """A reply, its JSON read."""

    reply: Reply
    body: dict[str, Any]

    @property
    def code(self) -> str:
        """The error code, or OK."""
        return str(self.body.get("error_code", "OK"))

    @property
    def words(self) -> str:
        return str(self.body.get("error_msg", ""))


class Cloud:
    """The simulated cloud with one account, a key, a token and a task."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.world = World(self.clock)
        self.huawei = self.world.huawei
        self.settings()
        orders.put_key(self.huawei, ACCOUNT, KEY_ID, Fields({"secret": SECRET}, "key"))
        orders.put_key(self.huawei, ACCOUNT, "token", Fields({"authToken": TOKEN}, "key"))
        self.has_task()

    def settings(self, **settings: object) -> None:
        orders.put_settings(self.huawei, ACCOUNT, Fields(settings, "settings"))

    def has_task(self, **fields: object) -> Task:
        return orders.put_task(self.huawei, ACCOUNT, PROJECT, TASK, Fields(fields, "task"))

    def signed(
        self,
        method: str = "GET",
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        path: str = PATH,
        body: bytes = b"",
    ) -> Received:
        """A request under the vendor's own signature."""
        query = {"task_id": TASK} if query is None else query
        request = SdkRequest(
            method=method,
            schema="http",
            host=HOST,
            resource_path=path,
            query_params=list(query.items()),
            header_params={"X-Sdk-Date": self.clock.now().strftime("%Y%m%dT%H%M%SZ"), **(headers or {})},
            body=body,
        )
        sent = Signer(BasicCredentials(KEY_ID, SECRET, PROJECT)).sign(request).header_params
        line = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query.items())
        lower = {name.lower(): value for name, value in sent.items()}
        return Received(method=method, path=path, query=line, headers=lower, body=body)

    def with_token(self, token: str = TOKEN) -> Received:
        return Received(method="GET", path=PATH, query=f"task_id={TASK}", headers={"host": HOST, "x-auth-token": token})

    def send(self, received: Received) -> Answer:
        assert self.world.vendor_of(received) is self.huawei
        reply = self.huawei.handle(received, self.huawei.identify(received))
        return Answer(reply, json.loads(reply.body))

    def status(self) -> object:
        """What the query for the task says; the code where that is an error."""
        answer = self.send(self.signed())
        return answer.body["task_infos"][0].get("status", "absent") if answer.code == "OK" else answer.code


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


def with_header(received: Received, name: str, value: str | None) -> Received:
    """The request with a header changed after it was signed; None takes it away."""
    headers = {**received.headers, name: value or ""}
    return replace(received, headers={key: each for key, each in headers.items() if value is not None or key != name})


def test_a_signed_request_and_one_with_a_token_are_answered(cloud: Cloud) -> None:
    by_key, by_token = cloud.send(cloud.signed()), cloud.send(cloud.with_token())

    assert (by_key.code, by_token.code) == ("OK", "OK")
    assert by_key.reply.headers["X-Request-Id"] == by_key.body["request_id"] == by_key.reply.request_id
    assert cloud.huawei.identify(cloud.with_token()).account == ACCOUNT


@pytest.mark.parametrize("name", ["x-sdk-date", "host"])
def test_what_must_be_signed_and_sent_is_missed(cloud: Cloud, name: str) -> None:
    assert cloud.send(with_header(cloud.signed(), name, None)).code == "APIGW.0301"


@pytest.mark.parametrize("name", ["x-security-token", "x-project-id"])
def test_a_header_that_is_slipped_in_is_refused(cloud: Cloud, name: str) -> None:
    answer = cloud.send(with_header(cloud.signed(), name, "slipped in"))

    assert (answer.reply.status, answer.code) == (401, "APIGW.0301")
    assert name in answer.words


@pytest.mark.parametrize("name", ["x-project-id", "content-type"])
def test_a_header_that_is_changed_on_the_way_breaks_the_signature(cloud: Cloud, name: str) -> None:
    signed = cloud.signed(headers={name: "one"})

    assert cloud.send(signed).code == "OK"
    assert "verify aksk signature fail" in cloud.send(with_header(signed, name, "another")).words


def test_a_changed_query_path_method_or_body_breaks_the_signature(cloud: Cloud) -> None:
    signed = cloud.signed()
    changed = [
        replace(signed, query="task_id=another"),
        replace(signed, path=PATH.replace("p-1", "p-2")),
        replace(signed, method="DELETE"),
        replace(signed, body=b"{}"),
    ]

    assert [cloud.send(each).code for each in changed] == ["APIGW.0301"] * 4


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic dTpw",
        "SDK-HMAC-SHA256 Access=AK-1",
        "SDK-HMAC-SHA256 Access=AK-1, SignedHeaders=b;a, Signature=" + "0" * 64,
    ],
)
def test_an_authorization_of_another_form_is_refused(cloud: Cloud, authorization: str) -> None:
    assert cloud.send(with_header(cloud.signed(), "authorization", authorization)).code == "APIGW.0301"


@pytest.mark.parametrize(("passes_s", "code"), [(899, "OK"), (901, "APIGW.0301")])
def test_a_signature_is_good_for_15_minutes(cloud: Cloud, passes_s: float, code: str) -> None:
    signed = cloud.signed()

    cloud.clock.passes(passes_s)

    answer = cloud.send(signed)
    assert answer.code == code
    assert ("signature expired" in answer.words) is (code != "OK")


def test_a_signature_may_not_come_from_the_future(cloud: Cloud) -> None:
    cloud.settings(clockSkewSeconds=-1000)

    assert cloud.send(cloud.signed()).code == "APIGW.0301"


@pytest.mark.parametrize(
    "path", [f"{PATH}/", "/v1/p-1/pull/stream", "/v2/p-1/pull/stream/task", "/v1/p_1/pull/stream/task"]
)
def test_another_path_is_no_api(cloud: Cloud, path: str) -> None:
    answer = cloud.send(cloud.signed(path=path))

    assert (answer.reply.status, answer.code) == (404, "APIG.0101")


def test_another_method_is_no_api(cloud: Cloud) -> None:
    assert cloud.send(cloud.signed("PUT", body=b'{"task_id": "cup-final"}')).code == "APIG.0101"


def test_a_delete_needs_a_task(cloud: Cloud) -> None:
    answer = cloud.send(cloud.signed("DELETE", {"region": "cn-north-4"}))

    assert (answer.reply.status, answer.code, answer.reply.stopped_task) == (400, "LIVE.100011001", False)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"source_type": 7}', b'{"nobody_knows": "this"}'])
def test_a_creation_needs_a_body_that_makes_sense(cloud: Cloud, body: bytes) -> None:
    assert (
        cloud.send(cloud.signed("POST", {}, {"content-type": "application/json"}, body=body)).code == "LIVE.100011001"
    )


def test_a_parameter_that_comes_twice_is_refused(cloud: Cloud) -> None:
    signed = cloud.signed(query={"task_id": TASK})
    request = SdkRequest(
        method="GET",
        schema="http",
        host=HOST,
        resource_path=PATH,
        query_params=[("task_id", TASK), ("task_id", "other")],
        header_params={"X-Sdk-Date": signed.headers["x-sdk-date"]},
        body=None,
    )
    sent = Signer(BasicCredentials(KEY_ID, SECRET, PROJECT)).sign(request).header_params

    twice = replace(
        signed,
        query=f"task_id={TASK}&task_id=other",
        headers={name.lower(): value for name, value in sent.items()},
    )

    assert cloud.send(twice).code == "LIVE.100011001"


@pytest.mark.parametrize("token", ["another", "MIIE"])
def test_a_token_that_nobody_gave_out_is_refused(cloud: Cloud, token: str) -> None:
    assert cloud.send(cloud.with_token(token)).code == "APIGW.0301"


def test_a_token_that_was_replaced_expired_or_revoked_is_refused(cloud: Cloud) -> None:
    orders.put_key(cloud.huawei, ACCOUNT, "token", Fields({"authToken": "new"}, "key"))
    replaced = cloud.send(cloud.with_token())
    orders.put_key(cloud.huawei, ACCOUNT, "token", Fields({"authToken": "new", "tokenExpired": True}, "key"))
    expired = cloud.send(cloud.with_token("new"))
    orders.revoke_key(cloud.huawei, ACCOUNT, "token")
    revoked = cloud.send(cloud.with_token("new"))

    assert [replaced.code, expired.code, revoked.code] == ["APIGW.0301"] * 3
    assert "token expires" in expired.words


def test_an_access_key_id_of_a_token_signs_nothing(cloud: Cloud) -> None:
    request = with_header(
        cloud.signed(),
        "authorization",
        cloud.signed().headers["authorization"].replace(f"Access={KEY_ID}", "Access=token"),
    )

    assert cloud.send(request).code == "APIGW.0301"


def test_a_deleted_task_may_run_on_or_ignore_it(cloud: Cloud) -> None:
    cloud.has_task(ignoreStops=1, stopTakesSeconds=5)

    ignored = cloud.send(cloud.signed("DELETE")).reply.stopped_task
    accepted = cloud.send(cloud.signed("DELETE")).reply.stopped_task
    again = cloud.send(cloud.signed("DELETE")).reply.stopped_task
    runs_on = cloud.status()
    cloud.clock.passes(5)

    assert (ignored, accepted, again) == (False, True, False)
    assert (runs_on, cloud.status()) == ("running", "LIVE.100011001")


def test_a_task_lives_through_words_of_any_kind(cloud: Cloud) -> None:
    cloud.has_task(status="pending", life=[[10, "running"], [20, "zzz 流"]])

    seen = [cloud.status()]
    for _ in range(2):
        cloud.clock.passes(10)
        seen.append(cloud.status())

    assert seen == ["pending", "running", "zzz 流"]


def test_the_quota_is_a_window_of_a_second(cloud: Cloud) -> None:
    answers = [cloud.send(cloud.signed()) for _ in range(203)]
    cloud.clock.passes(1.0)

    throttled = [answer for answer in answers if answer.reply.throttled]
    assert [(answer.reply.status, answer.code) for answer in throttled] == [(429, "APIGW.0308")] * 3
    assert "policy user over ratelimit,limit:200,time:1 second" in throttled[0].words
    assert cloud.status() == "running"
