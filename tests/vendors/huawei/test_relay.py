"""Looking at a task and stopping it at Huawei Cloud, whatever it says."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetask_operator.vendors.contract import (
    Credential,
    EndpointNotFound,
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
from livetask_operator.vendors.huawei.rows import RELAY_STATES
from tests.vendors.huawei.conversation import (
    KEY,
    PROJECT,
    REGION,
    TASK,
    Conversation,
    body,
    json,
    listed,
    refuses,
    row,
    status_is,
    task,
)

NO_WORDS: list[object] = [None, True, 1, 1.0, [], {}, "", "  "]
GONE = refuses("LIVE.100011001", 404)


async def observation(*answers: httpx.Response) -> Observation:
    found = await Conversation(*answers).look()
    assert isinstance(found, Observation), found
    return found


async def test_a_look_at_one_task_is_one_query_for_its_id() -> None:
    vendor = Conversation(status_is("running"))

    await vendor.look()

    (asked,) = vendor.asked
    assert asked.method == "GET"
    assert str(asked.url) == (
        "https://live.cn-north-4.example:8443/v1/0123456789abcdef/pull/stream/task?region=cn-north-4&task_id=7864b3dc"
    )
    assert asked.headers["host"] == "live.cn-north-4.example:8443"
    assert asked.headers["authorization"].startswith("SDK-HMAC-SHA256 Access=AKEXAMPLE, ")


async def test_a_stop_deletes_the_task_with_one_request() -> None:
    vendor = Conversation(json({"task_id": TASK.task, "request_id": "r-1"}))

    await vendor.stop(Credential("AK", "SK", "STSTOKEN"))

    (asked,) = vendor.asked
    assert asked.method == "DELETE"
    assert str(asked.url).endswith("/v1/0123456789abcdef/pull/stream/task?region=cn-north-4&task_id=7864b3dc")
    assert asked.headers["x-security-token"] == "STSTOKEN"


async def test_with_a_token_the_token_is_sent_and_no_signature() -> None:
    vendor = Conversation(status_is("running"))

    await vendor.look(vendor.relay.credential({"authToken": "MIIE+/=="}))

    (asked,) = vendor.asked
    assert asked.headers["x-auth-token"] == "MIIE+/=="
    assert "authorization" not in asked.headers


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("pending", State.PENDING),
        ("running", State.RUNNING),
        ("Running", State.RUNNING),
        ("suspend", State.PAUSED),
        ("suspended", State.PAUSED),
        ("pause", State.PAUSED),
        ("paused", State.PAUSED),
        ("finished", State.STOPPED),
        ("failed", State.FAILED),
    ],
)
async def test_a_word_whose_meaning_is_plain_is_known_and_said_as_it_came(word: str, state: State) -> None:
    found = await observation(status_is(word))

    assert (found.state, found.vendor_status, found.request_id) == (state, word, "r-1")
    assert found.meaning
    assert word.lower() in RELAY_STATES


@pytest.mark.parametrize("word", ["enable", "stopped", "stop", "disable", "1", "run ning", "starting", "RUNNING!"])
async def test_any_other_word_is_unknown_and_the_advice_says_what_to_do(word: str) -> None:
    found = await observation(status_is(word))

    assert (found.state, found.vendor_status) == (State.UNKNOWN, word)
    assert "statusWords.huaweiCloud" in found.advice


async def test_a_word_of_the_configuration_is_known_and_goes_before_ours() -> None:
    words = {"enable": State.RUNNING, "Suspend": State.PENDING}

    enabled = await Conversation(status_is("Enable"), status_words=words).look()
    suspended = await Conversation(status_is("suspend"), status_words=words).look()

    assert isinstance(enabled, Observation)
    assert isinstance(suspended, Observation)
    assert (enabled.state, enabled.vendor_status) == (State.RUNNING, "Enable")
    assert enabled.meaning == "Running, by statusWords in the operator's configuration"
    assert suspended.state is State.PENDING


async def test_a_long_word_is_cut_and_what_cannot_be_written_is_replaced() -> None:
    found = await observation(status_is("a\x00\n" + "x" * 500))

    assert found.vendor_status == "a??" + "x" * 125


async def test_the_tasks_times_are_told() -> None:
    times = {"start_time": "2018-05-19T18:00:00Z", "end_time": "2018-05-19T21:00:00Z"}

    found = await observation(listed(row(TASK.task, "pending", **times)))

    assert found.scheduled_start == datetime(2018, 5, 19, 18, tzinfo=UTC)
    assert found.scheduled_end == datetime(2018, 5, 19, 21, tzinfo=UTC)


@pytest.mark.parametrize("time", [None, "", "tomorrow", "2018-05-19", "2018-05-19T18:00:00+08:00", 1526752800, [], {}])
async def test_a_time_that_cannot_be_read_is_passed_over(time: object) -> None:
    found = await observation(listed(row(TASK.task, "running", start_time=time, end_time=time)))

    assert (found.state, found.scheduled_start, found.scheduled_end) == (State.RUNNING, None, None)


async def test_the_vendors_own_sample_is_understood() -> None:
    sample = row(
        TASK.task,
        "suspend",
        create_time="2018-05-19T10:00:00Z",
        source_urls=["rtmp://play.example.huawei.com/live/stream1"],
        destination_url="",
        callback_events=["TaskStart", "TaskExit", "TaskAlarm"],
    )

    found = await observation(listed(sample))

    assert found.state is State.PAUSED


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (GONE, "LIVE.100011001"),
        (refuses("LIVE.103011019", 404), "LIVE.103011019"),
        (json({"error": {"code": "LIVE.1", "message": "no"}}, 404), "LIVE.1"),
        (listed(), "total 0"),
        (json({"request_id": "r-1", "task_infos": []}), "total 0"),
        (json({"request_id": "r-1", "total": 0}), "total 0"),
        (json({"request_id": "r-1", "total": 0, "task_infos": None}), "total 0"),
    ],
    ids=lambda value: value.content.decode()[:60] if isinstance(value, httpx.Response) else None,
)
async def test_a_task_that_the_vendor_does_not_know_is_not_found(answer: httpx.Response, said: str) -> None:
    found = await observation(answer)

    assert (found.state, found.vendor_status) == (State.NOT_FOUND, said)
    assert "make a new object" in found.advice


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refuses("APIG.0101", 404), EndpointNotFound),
        (refuses("APIGW.0106", 404), InvalidRequest),
        (refuses("LIVE.100011001", 400), InvalidRequest),
        (refuses("LIVE.100011001", 500), VendorUnavailable),
        (refuses("LIVE.100011001", 200), InvalidResponse),
        (refuses("LIVE.100011001", 404, task_infos="[]"), InvalidResponse),
        (json({"error_code": "LIVE.1", "task_infos": [row(TASK.task)]}, 404), InvalidResponse),
        (body(b"", 404), InvalidResponse),
        (body(b"no such task", 404), InvalidResponse),
        (listed(total=1), InvalidResponse),
        (json({"task_infos": [], "total": 0}), InvalidResponse),
        (json({"request_id": "r-1", "total": False, "task_infos": None}), InvalidResponse),
        (json({"request_id": "r-1", "total": "0", "task_infos": []}), InvalidResponse),
        (json({"request_id": "r-1", "total": 0, "task_infos": {}}), InvalidResponse),
        (json({"request_id": "r-1", "total": 0, "task_infos": ""}), InvalidResponse),
        (json({"request_id": "r-1"}), InvalidResponse),
        (json({}), InvalidResponse),
        (listed(row("another")), InvalidResponse),
        (listed(row(TASK.task.upper())), InvalidResponse),
        (listed({"status": "running"}), InvalidResponse),
        (listed(None, 7, "x", []), InvalidResponse),
    ],
    ids=lambda value: value.content.decode()[:70] if isinstance(value, httpx.Response) else None,
)
async def test_nothing_else_means_that_the_task_is_not_found(answer: httpx.Response, kind: type[VendorError]) -> None:
    found = await Conversation(answer).look()

    assert isinstance(found, kind)


@pytest.mark.parametrize(
    "answer",
    [
        *map(status_is, NO_WORDS),
        listed({"task_id": TASK.task}),
        listed(row(TASK.task, "running"), row(TASK.task, "finished")),
        listed(row(TASK.task, "running"), row(TASK.task, None)),
        listed(row(TASK.task, None), row(TASK.task, "running")),
        json([1]),
        json(None),
        json({"request_id": "r-1", "total": 1, "task_infos": [row(TASK.task)], "error_code": []}, 500),
        json({"request_id": "r-1", "total": 1, "task_infos": [row(TASK.task)], "error_code": "*"}),
        body(b""),
        body(b"<html>Welcome to the hotel</html>"),
        body(b'{"task_infos": [{"task_id": "7864b3dc", "status": "running"}'),
        body(b'{"task_infos": [], "task_infos": [{"task_id": "7864b3dc", "status": "running"}]}'),
        body(b'{"total": NaN}'),
        body(b"[" * 100_000),
        body(b"", 204),
    ],
    ids=lambda answer: answer.content.decode(errors="replace")[:70] or f"empty {answer.status_code}",
)
async def test_garbage_is_never_taken_for_a_status(answer: httpx.Response) -> None:
    found = await Conversation(answer).look()

    assert isinstance(found, InvalidResponse | VendorUnavailable)


async def test_rows_of_others_do_not_hide_the_tasks_own() -> None:
    found = await observation(listed(row("another", "failed"), None, row(TASK.task), row(TASK.task), total=4))

    assert found.state is State.RUNNING


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
rows = st.dictionaries(st.sampled_from(["task_id", "status"]), st.sampled_from([TASK.task, "running"]) | json_values)
documents = st.fixed_dictionaries(
    {},
    optional={
        "task_infos": st.lists(rows | json_values, max_size=3) | json_values,
        "total": st.integers(-1, 3) | json_values,
        "request_id": st.just("r-1") | json_values,
        "error_code": st.sampled_from(["LIVE.1", "APIG.0101"]) | json_values,
    },
)
statuses = st.sampled_from([200, 200, 200, 400, 404, 500])
answers = (
    st.builds(body, st.binary(max_size=64), statuses)
    | st.builds(json, json_values, statuses)
    | st.builds(json, documents, statuses)
)


@given(answer=answers)
async def test_whatever_the_vendor_says_a_look_ends_and_only_its_own_words_are_believed(answer: httpx.Response) -> None:
    found = await Conversation(answer).look()

    assert isinstance(found, Observation | VendorError)
    if isinstance(found, Observation) and found.state is State.RUNNING:
        assert {"task_id": TASK.task, "status": "running"} in answer.json()["task_infos"]
    if isinstance(found, Observation) and found.state is State.NOT_FOUND:
        document = answer.json()
        empty = answer.status_code == 200 and not document.get("task_infos") and not document.get("total")
        assert empty or answer.status_code == 404


async def test_a_network_that_fails_is_a_look_that_failed() -> None:
    assert isinstance(await Conversation(httpx.ConnectError("no route")).look(), VendorUnavailable)


async def test_an_accepted_stop_is_accepted() -> None:
    answer = await Conversation(json({"task_id": TASK.task, "request_id": "r-1"})).stop()

    assert (answer.outcome, answer.request_id) == (StopOutcome.ACCEPTED, "r-1")


async def test_a_stop_of_a_task_that_is_gone_is_gone() -> None:
    answer = await Conversation(GONE).stop()

    assert (answer.outcome, answer.code, answer.request_id) == (StopOutcome.GONE, "LIVE.100011001", "r-1")


async def test_a_stop_that_is_a_bad_request_is_for_a_look_to_settle() -> None:
    answer = await Conversation(refuses("LIVE.100011001", 400)).stop()

    assert (answer.outcome, answer.code, answer.request_id) == (StopOutcome.UNSETTLED, "LIVE.100011001", "r-1")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refuses("APIG.0101", 404), EndpointNotFound),
        (refuses("APIGW.0106", 404), InvalidRequest),
        (refuses("APIGW.0302", 403), PermissionDenied),
        (refuses("APIGW.0308", 429), Throttled),
        (refuses("APIGW.0308", 400), Throttled),
        (refuses("LIVE.100011001", 500), VendorUnavailable),
        (refuses("LIVE.100011001", 200), InvalidResponse),
        (body(b"", 400), InvalidResponse),
        (body(b"", 404), InvalidResponse),
        (body(b"", 503), VendorUnavailable),
        (body(b""), InvalidResponse),
        (body(b"", 204), InvalidResponse),
        (json([]), InvalidResponse),
        (json({}), InvalidResponse),
        (json({"task_id": TASK.task}), InvalidResponse),
        (json({"task_id": TASK.task, "request_id": 7}), InvalidResponse),
        (json({"task_id": "another", "request_id": "r-1"}), InvalidResponse),
        (body(b'{"request_id": "85968475'), InvalidResponse),
    ],
    ids=lambda value: value.content.decode()[:50] if isinstance(value, httpx.Response) else value.__name__,
)
async def test_a_stop_that_was_not_accepted_is_never_taken_for_one_that_was(
    answer: httpx.Response, kind: type[VendorError]
) -> None:
    vendor = Conversation(answer)

    with pytest.raises(kind):
        await vendor.stop()

    assert len(vendor.asked) == 1


@given(answer=answers)
async def test_only_a_200_with_a_request_id_and_no_code_is_an_accepted_stop(answer: httpx.Response) -> None:
    try:
        outcome = (await Conversation(answer).stop()).outcome
    except VendorError:
        return

    if outcome is StopOutcome.ACCEPTED:
        assert answer.status_code == 200
        assert isinstance(answer.json()["request_id"], str)
        assert not answer.json().get("error_code")
    if outcome is StopOutcome.GONE:
        assert answer.status_code == 404


@pytest.mark.parametrize(
    "region",
    ["", "CN-north-4", "cn-north-4.evil.example/", "cn_north", "-cn", "cn-", "cn--north", "a" * 33, "x\n", "é", "a.b"],
)
async def test_no_request_goes_to_a_host_that_no_region_has(region: str) -> None:
    vendor = Conversation(status_is("running"))
    odd = task("7864b3dc", region=region)

    looks = await vendor.relay.look(KEY, [odd])
    with pytest.raises(InvalidRequest):
        await vendor.relay.stop(KEY, odd)

    assert isinstance(looks[odd], InvalidRequest)
    assert vendor.asked == []


@pytest.mark.parametrize("project", ["", "a/b", "..", "a?b", "a" * 65, "a\n"])
async def test_no_request_goes_to_a_path_that_no_project_has(project: str) -> None:
    vendor = Conversation(status_is("running"))
    odd = task("7864b3dc", project=project)

    looks = await vendor.relay.look(KEY, [odd])
    with pytest.raises(InvalidRequest):
        await vendor.relay.stop(KEY, odd)

    assert isinstance(looks[odd], InvalidRequest)
    assert vendor.asked == []


def test_the_task_is_the_one_that_the_block_names() -> None:
    relay = Conversation(GONE).relay

    assert relay.task({"projectId": PROJECT, "region": REGION, "taskId": "7864b3dc"}) == TASK


def test_calls_are_counted_by_the_project() -> None:
    assert Conversation(GONE).relay.account(KEY, TASK) == PROJECT


def test_a_page_shows_a_hundred_tasks() -> None:
    assert Conversation(GONE).relay.look_batch == 100


def test_a_secrets_values_are_stripped() -> None:
    data = {"accessKeyId": " AK\n", "secretAccessKey": "\ts3cret \r\n", "securityToken": " STS+/== "}

    credential = Conversation(GONE).relay.credential(data)

    assert (credential.key_id, credential.secret, credential.token) == ("AK", "s3cret", "STS+/==")


def test_an_access_key_goes_before_a_token() -> None:
    data = {"accessKeyId": "AK", "secretAccessKey": "s3cret", "authToken": "MIIE"}

    credential = Conversation(GONE).relay.credential(data)

    assert (credential.key_id, credential.secret, credential.token) == ("AK", "s3cret", None)


def test_tokens_are_told_apart_by_ids_that_tell_nothing_of_them() -> None:
    relay = Conversation(GONE).relay

    first, again, other = (relay.credential({"authToken": token}) for token in ("MIIEone", " MIIEone\n", "MIIEtwo"))

    assert first == again
    assert len({first.key_id, other.key_id, "MIIEone", "MIIEtwo"}) == 4
    assert first.key_hash != other.key_hash
    assert first.fingerprint != other.fingerprint
    assert "MIIE" not in first.key_id + repr(first)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"accessKeyId": "AK"}, "has no key secretAccessKey; add it (keys found: accessKeyId)"),
        (
            {"accessKeyId": "AK", "authToken": "MIIE"},
            "has no key secretAccessKey; add it (keys found: accessKeyId, authToken)",
        ),
        ({"b": ""}, "has no keys accessKeyId and secretAccessKey, nor authToken; add them (keys found: b)"),
        ({}, "has no keys accessKeyId and secretAccessKey, nor authToken; add them (keys found: none)"),
        ({"authToken": " \n"}, "has an empty value under authToken; put the vendor's value there"),
        (
            {"accessKeyId": "AK", "secretAccessKey": "s", "securityToken": ""},
            "has an empty value under securityToken; put the vendor's value there",
        ),
        (
            {"authToken": "MIIE\r\nHost: b"},
            "has characters under authToken that cannot be sent; put the vendor's value there",
        ),
    ],
)
def test_a_secret_that_cannot_be_used_says_which_key_and_never_its_value(data: dict[str, str], words: str) -> None:
    with pytest.raises(SecretUnusable) as caught:
        Conversation(GONE).relay.credential(data)

    assert str(caught.value) == words


async def test_a_task_that_is_named_twice_is_asked_for_once() -> None:
    vendor = Conversation(status_is("running"))

    looks = await vendor.relay.look(KEY, [TASK, TaskRef("HuaweiCloud", PROJECT, "7864b3dc", region=REGION)])

    assert len(looks) == 1
    assert len(vendor.asked) == 1
