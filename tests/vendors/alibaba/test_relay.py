"""Looking at tasks and stopping them at Alibaba Cloud, whatever it says."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetask_operator.vendors.alibaba.relay import RELAY_STATES
from livetask_operator.vendors.contract import (
    Credential,
    InvalidResponse,
    Observation,
    PermissionDenied,
    SecretUnusable,
    State,
    StopOutcome,
    TaskRef,
    Throttled,
    VendorError,
    VendorUnavailable,
)
from tests.vendors.alibaba.conversation import KEY, TASK, Conversation, body, json, refuses, status_is


async def observation(*answers: httpx.Response) -> Observation:
    found = await Conversation(*answers).look()
    assert isinstance(found, Observation)
    return found


async def test_a_look_asks_the_rtc_edition_for_the_task() -> None:
    vendor = Conversation(status_is(1))

    await vendor.look()

    (asked,) = vendor.asked
    assert (asked.method, str(asked.url)) == ("POST", "https://rtc.example/?AppId=app-1&TaskId=task_1")
    assert asked.headers["host"] == "rtc.example"
    assert asked.headers["x-acs-action"] == "GetMPUTaskStatus"
    assert asked.headers["x-acs-version"] == "2018-01-11"
    assert asked.headers["accept"] == "application/json"


async def test_a_stop_asks_the_live_edition_and_signs_its_port() -> None:
    vendor = Conversation(json({"RequestId": "r-1"}))

    await vendor.stop(Credential("testid", "testsecret", "token"))

    (asked,) = vendor.asked
    assert (asked.method, str(asked.url)) == ("POST", "https://live.example:8443/?AppId=app-1&TaskId=task_1")
    assert asked.headers["host"] == "live.example:8443"
    assert asked.headers["x-acs-action"] == "StopLiveMPUTask"
    assert asked.headers["x-acs-version"] == "2016-11-01"
    assert asked.headers["x-acs-security-token"] == "token"


@pytest.mark.parametrize(
    ("status", "state", "meaning"),
    [
        (0, State.PENDING, "waiting for the channel to start"),
        (1, State.RUNNING, "relaying"),
        (2, State.STOPPED, "stopped"),
        (3, State.STOPPED, "stopped by a user"),
        (4, State.STOPPED, "the channel has stopped"),
        (5, State.FAILED, "trouble with the CDN's network"),
        (6, State.FAILED, "trouble with the push URL"),
    ],
)
@pytest.mark.parametrize("as_said", [int, str], ids=["number", "string"])
async def test_every_documented_status_is_known(
    status: int, state: State, meaning: str, as_said: type[int] | type[str]
) -> None:
    found = await observation(status_is(as_said(status)))

    assert (found.state, found.vendor_status, found.meaning) == (state, str(status), meaning)
    assert found.request_id == "r-1"


async def test_what_can_be_done_is_said_where_a_run_has_ended() -> None:
    found = await observation(status_is(6))

    assert found.advice == "Check the URL and start the task again with the same id; this object follows."
    assert {status for status, (_, _, advice) in RELAY_STATES.items() if advice} == {2, 3, 4, 5, 6}


@pytest.mark.parametrize("said", [7, -1, 99, 10**30, "Running", "01", "1.0", "+1", "\u0661", "true", "0x1", "1 2"])
async def test_a_status_that_is_not_documented_is_unknown_and_said_as_it_came(said: object) -> None:
    found = await observation(status_is(said))

    assert (found.state, found.vendor_status) == (State.UNKNOWN, str(said))


async def test_a_long_word_is_cut_and_what_cannot_be_written_is_replaced() -> None:
    found = await observation(body(b'{"Status": "a\\ud800\\u0000\\n' + b"x" * 500 + b'", "RequestId": "r-1"}'))

    assert found.state is State.UNKNOWN
    assert found.vendor_status == "a???" + "x" * 124


@pytest.mark.parametrize(
    "answer",
    [
        *(status_is(said) for said in (None, True, False, 1.0, [], [1], {}, {"Status": 1}, "", "  ")),
        json({"RequestId": "r-1"}),
        json({"status": 1}),
        json([1]),
        json(1),
        json(None),
        json({"Status": 1, "Code": 7}),
        json({"Status": 1, "Code": "*"}),
        json({"Status": 1, "Code": "InvalidTask.NotFound", "RequestId": "r-1"}),
        body(b""),
        body(b"1"),
        body(b"<html>Welcome to the hotel</html>"),
        body(b"<GetMPUTaskStatusResponse><Status>1</Status></GetMPUTaskStatusResponse>"),
        body(b'{"Status": 1'),
        body(b'{"Status": 1}{"Status": 3}'),
        body(b'{"Status": 1, "Status": 3}'),
        body(b'{"Status": NaN}'),
        body(b'{"Status": 1e400}'),
        body(b'{"Status": ' + b"9" * 5000 + b"}"),
        body(b'{"Status": 1, "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        body(b'\xff\xfe{"Status": 1}'),
        body(b"", 204),
    ],
    ids=lambda answer: answer.content.decode(errors="replace")[:40] or f"empty {answer.status_code}",
)
async def test_garbage_is_never_taken_for_a_status(answer: httpx.Response) -> None:
    found = await Conversation(answer).look()

    assert isinstance(found, InvalidResponse)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
named_values = st.dictionaries(st.sampled_from(["Status", "Code", "code", "RequestId", "Message"]), json_values)
bodies = st.binary(max_size=64).map(body) | json_values.map(json) | named_values.map(json)


@given(answer=bodies)
async def test_whatever_the_vendor_says_a_look_ends_and_only_1_is_running(answer: httpx.Response) -> None:
    found = await Conversation(answer).look()

    if isinstance(found, Observation) and found.state is State.RUNNING:
        assert answer.json()["Status"] in (1, "1")
    assert isinstance(found, Observation | VendorError)


@pytest.mark.parametrize("status", [200, 400, 404, 500])
async def test_a_task_that_the_vendor_does_not_know_is_not_found(status: int) -> None:
    found = await observation(refuses("InvalidTask.NotFound", status))

    assert (found.state, found.vendor_status) == (State.NOT_FOUND, "InvalidTask.NotFound")
    assert found.request_id == "r-1"


@pytest.mark.parametrize(
    "answer",
    [
        refuses("InvalidTask.IDError"),
        refuses("InvalidTask.NotFound2", 404),
        refuses("InvalidAccessKeyId.NotFound", 404),
        refuses("InvalidAction.NotFound", 404),
        body(b"no such task", 404),
        body(b"", 404),
    ],
    ids=lambda answer: answer.content.decode()[:70],
)
async def test_nothing_else_means_that_the_task_is_not_found(answer: httpx.Response) -> None:
    found = await Conversation(answer).look()

    assert isinstance(found, VendorError)


async def test_several_tasks_are_each_looked_at_and_one_failure_hides_one_task() -> None:
    vendor = Conversation(status_is(1), refuses("InternalError", 500), refuses("InvalidTask.NotFound", 404))
    tasks = [TaskRef("AlibabaCloud", "app", name) for name in ("a", "b", "c")]

    looks = await vendor.relay.look(KEY, tasks)

    first, second, third = (looks[task] for task in tasks)
    assert isinstance(first, Observation)
    assert first.state is State.RUNNING
    assert isinstance(second, VendorUnavailable)
    assert isinstance(third, Observation)
    assert third.state is State.NOT_FOUND
    assert [request.url.params["TaskId"] for request in vendor.asked] == ["a", "b", "c"]


async def test_a_network_that_fails_is_a_look_that_failed() -> None:
    found = await Conversation(httpx.ConnectError("no route")).look()

    assert isinstance(found, VendorUnavailable)


async def test_an_accepted_stop_is_accepted() -> None:
    answer = await Conversation(json({"RequestId": "0F72851F-5DC1-1979-9B2C-450040316C3E"})).stop()

    assert answer.outcome is StopOutcome.ACCEPTED
    assert answer.request_id == "0F72851F-5DC1-1979-9B2C-450040316C3E"


@pytest.mark.parametrize("status", [200, 400, 404])
@pytest.mark.parametrize("code", ["InvalidParam", "InvalidTask.NotFound"])
async def test_a_stop_that_may_have_come_too_late_is_for_a_look_to_settle(code: str, status: int) -> None:
    answer = await Conversation(refuses(code, status)).stop()

    assert (answer.outcome, answer.code, answer.request_id) == (StopOutcome.UNSETTLED, code, "r-1")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refuses("Forbidden.RAM", 403), PermissionDenied),
        (refuses("Throttling.User"), Throttled),
        (refuses("InternalError", 500), VendorUnavailable),
        (refuses("InternalError"), VendorUnavailable),
        (body(b"", 503), VendorUnavailable),
        (body(b""), InvalidResponse),
        (body(b"OK"), InvalidResponse),
        (json([]), InvalidResponse),
        (json({}), InvalidResponse),
        (json({"RequestId": ""}), InvalidResponse),
        (json({"RequestId": 7}), InvalidResponse),
        (json({"RequestId": "r-1", "Code": 7}), InvalidResponse),
        (body(b'{"RequestId": "0F72851F'), InvalidResponse),
        (body(b"<StopLiveMPUTaskResponse><RequestId>r</RequestId></StopLiveMPUTaskResponse>"), InvalidResponse),
    ],
    ids=lambda value: value.content.decode()[:50] if isinstance(value, httpx.Response) else value.__name__,
)
async def test_a_stop_that_was_not_accepted_is_never_taken_for_one_that_was(
    answer: httpx.Response, kind: type[VendorError]
) -> None:
    with pytest.raises(VendorError) as caught:
        await Conversation(answer).stop()

    assert type(caught.value) is kind


@given(answer=bodies)
async def test_only_an_object_with_a_request_id_and_no_code_is_an_accepted_stop(answer: httpx.Response) -> None:
    try:
        outcome = (await Conversation(answer).stop()).outcome
    except VendorError:
        return

    document = answer.json()
    if outcome is StopOutcome.ACCEPTED:
        assert isinstance(document["RequestId"], str)
        assert not document.get("Code")
        assert not document.get("code")


async def test_a_stop_whose_nonce_was_refused_is_sent_again_once() -> None:
    vendor = Conversation(refuses("SignatureNonceUsed"), json({"RequestId": "r-2"}))

    answer = await vendor.stop()

    assert answer.outcome is StopOutcome.ACCEPTED
    assert len(vendor.asked) == 2


def test_the_task_is_the_one_that_the_block_names() -> None:
    relay = Conversation(status_is(1)).relay

    assert relay.task({"appId": "app-1", "taskId": "task_1"}) == TASK


def test_calls_are_counted_by_the_keys_id() -> None:
    assert Conversation(status_is(1)).relay.account(KEY, TASK) == "testid"


def test_a_secrets_values_are_stripped() -> None:
    data = {"accessKeyId": " LTAIx\n", "accessKeySecret": "\ts3cret \r\n", "securityToken": " CAIS+/== "}

    credential = Conversation(status_is(1)).relay.credential(data)

    assert (credential.key_id, credential.secret, credential.token) == ("LTAIx", "s3cret", "CAIS+/==")


def test_a_secret_without_a_token_is_a_permanent_key() -> None:
    data = {"accessKeyId": "LTAIx", "accessKeySecret": "s3cret", "unrelated": ""}

    assert Conversation(status_is(1)).relay.credential(data).token is None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"accessKeyId": "LTAIx"}, "has no key accessKeySecret; add it (keys found: accessKeyId)"),
        ({"b": "", "a": ""}, "has no key accessKeyId; add it (keys found: a, b)"),
        ({}, "has no key accessKeyId; add it (keys found: none)"),
        (
            {"accessKeyId": " \n", "accessKeySecret": "s"},
            "has an empty value under accessKeyId; put the vendor's value there",
        ),
        (
            {"accessKeyId": "a", "accessKeySecret": "s", "securityToken": ""},
            "has an empty value under securityToken; put the vendor's value there",
        ),
        (
            {"accessKeyId": "LTAI\x00x", "accessKeySecret": "s"},
            "has characters under accessKeyId that cannot be sent; put the vendor's value there",
        ),
        (
            {"accessKeyId": "LTAIx", "accessKeySecret": "пароль"},
            "has characters under accessKeySecret that cannot be sent; put the vendor's value there",
        ),
        (
            {"accessKeyId": "a", "accessKeySecret": "s", "securityToken": "a\r\nHost: b"},
            "has characters under securityToken that cannot be sent; put the vendor's value there",
        ),
    ],
)
def test_a_secret_that_cannot_be_used_says_which_key_and_never_its_value(data: dict[str, str], words: str) -> None:
    with pytest.raises(SecretUnusable) as caught:
        Conversation(status_is(1)).relay.credential(data)

    assert str(caught.value) == words
