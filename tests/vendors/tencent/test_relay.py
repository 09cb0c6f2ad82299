"""Looking at tasks and stopping them at Tencent Cloud, whatever it says."""

from __future__ import annotations

import json as json_module
from dataclasses import replace

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetask_operator.vendors.contract import (
    Credential,
    InvalidRequest,
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
from tests.vendors.tencent.conversation import KEY, TASK, Conversation, body, json, refuses, says, status_is


async def observation(*answers: httpx.Response) -> Observation:
    found = await Conversation(*answers).look()
    assert isinstance(found, Observation)
    return found


async def test_a_look_asks_for_the_task_in_its_region() -> None:
    vendor = Conversation(status_is("InProgress"))

    await vendor.look()

    (asked,) = vendor.asked
    assert (asked.method, str(asked.url)) == ("POST", "https://trtc.example:8443/")
    assert json_module.loads(asked.content) == {"SdkAppId": 1400000001, "TaskId": "CR6Lqv-x+y."}
    assert asked.headers["host"] == "trtc.example:8443"
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["x-tc-action"] == "DescribeStreamIngest"
    assert asked.headers["x-tc-version"] == "2019-07-22"
    assert asked.headers["x-tc-region"] == "ap-singapore"
    assert "x-tc-token" not in asked.headers


async def test_a_stop_asks_with_the_keys_token() -> None:
    vendor = Conversation(says())

    await vendor.stop(Credential("AKIDtest", "testsecret", "token"))

    (asked,) = vendor.asked
    assert json_module.loads(asked.content) == {"SdkAppId": 1400000001, "TaskId": "CR6Lqv-x+y."}
    assert asked.headers["x-tc-action"] == "StopStreamIngest"
    assert asked.headers["x-tc-token"] == "token"


async def test_a_task_in_progress_is_running_or_paused_which_the_vendor_does_not_tell_apart() -> None:
    found = await observation(status_is("InProgress"))

    assert found == Observation(State.RUNNING, "InProgress", "relaying, or paused", request_id="r-1")


@pytest.mark.parametrize(
    ("answer", "word"),
    [(status_is("NotExist"), "NotExist"), (refuses("FailedOperation.TaskNotExist"), "FailedOperation.TaskNotExist")],
    ids=["a status", "an error"],
)
async def test_a_task_that_does_not_exist_was_never_there_or_has_ended(answer: httpx.Response, word: str) -> None:
    found = await observation(answer)

    assert (found.state, found.vendor_status, found.request_id) == (State.NOT_FOUND, word, "r-1")
    assert found.if_seen is not None
    assert (found.if_seen.state, found.if_seen.vendor_status) == (State.STOPPED, word)
    assert found.if_seen.meaning == "the task has ended"
    assert "one run" in found.advice
    assert "one run" in found.if_seen.advice


@pytest.mark.parametrize("said", ["Paused", "inProgress", "notexist", "In Progress", "InProgress,NotExist", "0"])
async def test_a_word_that_is_not_documented_is_unknown_and_said_as_it_came(said: str) -> None:
    found = await observation(status_is(said))

    assert (found.state, found.vendor_status, found.if_seen) == (State.UNKNOWN, said, None)


async def test_the_configuration_can_say_what_another_word_means_and_cannot_change_a_documented_one() -> None:
    more = {"Paused": State.PAUSED, "InProgress": State.STOPPED}

    paused = await Conversation(status_is("Paused"), status_words=more).look()
    running = await Conversation(status_is("InProgress"), status_words=more).look()

    assert isinstance(paused, Observation)
    assert isinstance(running, Observation)
    assert (paused.state, running.state) == (State.PAUSED, State.RUNNING)


async def test_a_long_word_is_cut_and_what_cannot_be_written_is_replaced() -> None:
    found = await observation(body(b'{"Response": {"Status": "a\\ud800\\u0000\\n' + b"x" * 500 + b'"}}'))

    assert (found.state, found.vendor_status) == (State.UNKNOWN, "a???" + "x" * 124)


NO_WORDS: list[object] = [None, True, 1, 1.0, [], ["InProgress"], {}, "", "  "]
GARBAGE = [
    *(status_is(said) for said in NO_WORDS),
    says(),
    json({"Status": "InProgress"}),
    json({"response": {"Status": "InProgress"}}),
    json({"Response": "InProgress"}),
    json({"Response": [{"Status": "InProgress"}]}),
    json({"Response": {"Status": "InProgress", "Error": None}}),
    json({"Response": {"Status": "InProgress", "Error": {}}}),
    json({"Response": {"Status": "NotExist", "Error": "FailedOperation.TaskNotExist"}}),
    json({"Response": {"Status": "NotExist", "Error": {"Code": 7}}}),
    json({"Response": {"Status": "InProgress", "Error": {"Code": "FailedOperation.TaskNotExist"}}}),
    json({"Response": {"Status": "NotExist", "Error": {"Code": "InternalError"}}}),
    json([]),
    json(None),
    body(b""),
    body(b"InProgress"),
    body(b"<html>Welcome to the hotel</html>"),
    body(b'{"Response": {"Status": "NotExist"'),
    body(b'{"Response": {"Status": "NotExist"}}{}'),
    body(b'{"Response": {"Status": "InProgress", "Status": "NotExist"}}'),
    body(b'{"Response": {"Status": "InProgress"}, "Response": {"Status": "NotExist"}}'),
    body(b'{"Response": {"Status": "NotExist", "x": NaN}}'),
    body(b'{"Response": {"Status": "NotExist", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}"),
    body(b'\xff\xfe{"Response": {"Status": "NotExist"}}'),
    body(b"", 204),
]


@pytest.mark.parametrize(
    "answer", GARBAGE, ids=lambda answer: answer.content.decode(errors="replace")[:70] or f"empty {answer.status_code}"
)
async def test_garbage_is_never_taken_for_a_status(answer: httpx.Response) -> None:
    found = await Conversation(answer).look()

    assert type(found) is InvalidResponse


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["InProgress", "NotExist"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
errors = st.fixed_dictionaries({}, optional={"Code": values | st.sampled_from(["FailedOperation.TaskNotExist", "X.Y"])})
responses = st.fixed_dictionaries(
    {}, optional={"Status": values, "RequestId": values, "Error": errors | values, "TaskId": values}
)
bodies = st.builds(json, st.fixed_dictionaries({"Response": responses | values}) | values) | st.builds(
    body, st.binary(max_size=200), st.sampled_from([200, 400, 500])
)


@given(answer=bodies)
async def test_whatever_is_answered_a_look_comes_to_something_and_only_the_two_words_mean_running_and_gone(
    answer: httpx.Response,
) -> None:
    found = await Conversation(answer).look()

    if isinstance(found, Observation) and found.state is not State.UNKNOWN:
        said = answer.json()["Response"]
        word = said["Status"].strip() if "Status" in said else said["Error"]["Code"]
        assert (found.state, word) in {
            (State.RUNNING, "InProgress"),
            (State.NOT_FOUND, "NotExist"),
            (State.NOT_FOUND, "FailedOperation.TaskNotExist"),
        }
    assert isinstance(found, Observation | VendorError)


@pytest.mark.parametrize(
    "answer",
    [
        refuses("FailedOperation.TaskFinished"),
        refuses("FailedOperation.TaskNotExist2"),
        refuses("ResourceNotFound"),
        refuses("ResourceNotFound.TaskNotExist"),
        refuses("InvalidParameter.TaskId"),
        refuses("AuthFailure.SecretIdNotFound"),
        refuses("FailedOperation.SdkAppIdNotExist"),
        body(b"NotExist", 404),
        body(b"", 404),
    ],
    ids=lambda answer: answer.content.decode()[:70],
)
async def test_nothing_else_means_that_the_task_is_not_there(answer: httpx.Response) -> None:
    found = await Conversation(answer).look()

    assert isinstance(found, VendorError)


async def test_several_tasks_are_each_looked_at_and_one_failure_hides_one_task() -> None:
    vendor = Conversation(status_is("InProgress"), refuses("InternalError.DBError"), status_is("NotExist"))
    tasks = [replace(TASK, task=name) for name in ("a", "b", "c")]

    looks = await vendor.relay.look(KEY, tasks)

    first, second, third = (looks[task] for task in tasks)
    assert isinstance(first, Observation)
    assert first.state is State.RUNNING
    assert isinstance(second, VendorUnavailable)
    assert isinstance(third, Observation)
    assert third.state is State.NOT_FOUND
    assert [json_module.loads(request.content)["TaskId"] for request in vendor.asked] == ["a", "b", "c"]


async def test_every_call_of_a_look_waits_for_its_turn() -> None:
    vendor = Conversation(status_is("InProgress"))
    asked_before_each_turn = []

    async def turn() -> None:
        asked_before_each_turn.append(len(vendor.asked))

    await vendor.relay.look(KEY, [replace(TASK, task=name) for name in ("a", "b", "c")], turn)

    assert asked_before_each_turn == [0, 1, 2]


async def test_a_network_that_fails_is_a_look_that_failed() -> None:
    found = await Conversation(httpx.ConnectError("no route")).look()

    assert isinstance(found, VendorUnavailable)


async def test_an_accepted_stop_is_accepted() -> None:
    answer = await Conversation(json({"Response": {"RequestId": "71993312-6ab8-4768-9124-118e0a20c45f"}})).stop()

    assert answer.outcome is StopOutcome.ACCEPTED
    assert answer.request_id == "71993312-6ab8-4768-9124-118e0a20c45f"


@pytest.mark.parametrize("status", [200, 400, 404])
@pytest.mark.parametrize(
    "code",
    [
        "FailedOperation.TaskFinished",
        "FailedOperation.TaskNotExist",
        "ResourceNotFound",
        "ResourceNotFound.TaskNotFound",
        "InvalidParameter.TaskId",
    ],
)
async def test_a_stop_that_came_too_late_is_for_a_look_to_settle(code: str, status: int) -> None:
    answer = await Conversation(refuses(code, status)).stop()

    assert (answer.outcome, answer.code, answer.request_id) == (StopOutcome.UNSETTLED, code, "r-1")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refuses("UnauthorizedOperation.SdkAppId"), PermissionDenied),
        (refuses("RequestLimitExceeded"), Throttled),
        (refuses("InternalError"), VendorUnavailable),
        (refuses("FailedOperation"), VendorUnavailable),
        (refuses("InvalidParameter.SdkAppId"), InvalidRequest),
        (refuses("ResourceNotFoundation"), InvalidRequest),
        (body(b"", 503), VendorUnavailable),
        (body(b""), InvalidResponse),
        (body(b"OK"), InvalidResponse),
        (json([]), InvalidResponse),
        (json({}), InvalidResponse),
        (json({"RequestId": "r-1"}), InvalidResponse),
        (json({"Response": {}}), InvalidResponse),
        (json({"Response": {"RequestId": ""}}), InvalidResponse),
        (json({"Response": {"RequestId": 7}}), InvalidResponse),
        (json({"Response": {"RequestId": "r-1", "Error": {}}}), InvalidResponse),
        (json({"Response": {"RequestId": "r-1", "Error": {"Code": 7}}}), InvalidResponse),
        (json({"Response": {"RequestId": "r-1", "Error": None}}), InvalidResponse),
        (body(b'{"Response": {"RequestId": "71993312'), InvalidResponse),
    ],
    ids=lambda value: value.content.decode()[:60] if isinstance(value, httpx.Response) else value.__name__,
)
async def test_a_stop_that_was_not_accepted_is_never_taken_for_one_that_was(
    answer: httpx.Response, kind: type[VendorError]
) -> None:
    with pytest.raises(VendorError) as caught:
        await Conversation(answer).stop()

    assert type(caught.value) is kind


@given(answer=bodies)
async def test_only_a_response_with_a_request_id_and_no_error_is_an_accepted_stop(answer: httpx.Response) -> None:
    try:
        outcome = (await Conversation(answer).stop()).outcome
    except VendorError:
        return

    response = answer.json()["Response"]
    if outcome is StopOutcome.ACCEPTED:
        assert isinstance(response["RequestId"], str)
        assert "Error" not in response
    else:
        assert response["Error"]["Code"] == "FailedOperation.TaskNotExist"


async def test_a_stop_whose_time_was_refused_is_sent_again_once() -> None:
    vendor = Conversation(refuses("AuthFailure.SignatureExpire"), says())

    answer = await vendor.stop()

    assert answer.outcome is StopOutcome.ACCEPTED
    assert len(vendor.asked) == 2


def test_the_task_is_the_one_that_the_block_names_and_its_region_does_not_make_it_another() -> None:
    relay = Conversation(says()).relay

    task = relay.task({"sdkAppId": 1400000001, "region": "ap-singapore", "taskId": "CR6Lqv-x+y."})

    assert task == TASK
    assert task.identity == TaskRef("TencentCloud", "1400000001", "CR6Lqv-x+y.", region="ap-mumbai").identity


def test_calls_are_counted_by_the_keys_id() -> None:
    assert Conversation(says()).relay.account(KEY, TASK) == "AKIDtest"


def test_a_secrets_values_are_stripped() -> None:
    credential = Conversation(says()).relay.credential(
        {"secretId": " AKIDx\n", "secretKey": "\ts \r\n", "token": " t "}
    )

    assert (credential.key_id, credential.secret, credential.token) == ("AKIDx", "s", "t")


def test_a_secret_without_a_token_is_a_permanent_key() -> None:
    assert Conversation(says()).relay.credential({"secretId": "AKIDx", "secretKey": "s"}).token is None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"secretId": "AKIDx"}, "has no key secretKey; add it (keys found: secretId)"),
        ({"accessKeyId": "a"}, "has no key secretId; add it (keys found: accessKeyId)"),
        ({}, "has no key secretId; add it (keys found: none)"),
        ({"secretId": " \n", "secretKey": "s"}, "has an empty value under secretId; put the vendor's value there"),
        (
            {"secretId": "a", "secretKey": "s", "token": "a\r\nHost: b"},
            "has characters under token that cannot be sent; put the vendor's value there",
        ),
    ],
)
def test_a_secret_that_cannot_be_used_says_which_key_and_never_its_value(data: dict[str, str], words: str) -> None:
    with pytest.raises(SecretUnusable) as caught:
        Conversation(says()).relay.credential(data)

    assert str(caught.value) == words
