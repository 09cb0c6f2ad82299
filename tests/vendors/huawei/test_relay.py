"""Looking at a task at Huawei Cloud, whatever it says."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given

from livetask_operator.vendors.contract import (
    EndpointNotFound,
    InvalidRequest,
    InvalidResponse,
    Observation,
    State,
    TaskRef,
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
from tests.vendors.huawei.odd_answers import answers

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


async def test_a_task_that_is_named_twice_is_asked_for_once() -> None:
    vendor = Conversation(status_is("running"))

    looks = await vendor.relay.look(KEY, [TASK, TaskRef("HuaweiCloud", PROJECT, "7864b3dc", region=REGION)])

    assert len(looks) == 1
    assert len(vendor.asked) == 1
