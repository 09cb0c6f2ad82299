"""Stopping a task at Huawei Cloud, whatever it says: a DELETE, sent once."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given

from livetask_operator.vendors.contract import (
    Credential,
    EndpointNotFound,
    InvalidRequest,
    InvalidResponse,
    PermissionDenied,
    StopOutcome,
    Throttled,
    VendorError,
    VendorUnavailable,
)
from tests.vendors.huawei.conversation import TASK, Conversation, body, json, refuses
from tests.vendors.huawei.odd_answers import answers


async def test_a_stop_deletes_the_task_with_one_request() -> None:
    vendor = Conversation(json({"task_id": TASK.task, "request_id": "r-1"}))

    await vendor.stop(Credential("AK", "SK", "STSTOKEN"))

    (asked,) = vendor.asked
    assert asked.method == "DELETE"
    assert str(asked.url).endswith("/v1/0123456789abcdef/pull/stream/task?region=cn-north-4&task_id=7864b3dc")
    assert asked.headers["x-security-token"] == "STSTOKEN"


async def test_an_accepted_stop_is_accepted() -> None:
    answer = await Conversation(json({"task_id": TASK.task, "request_id": "r-1"})).stop()

    assert (answer.outcome, answer.request_id) == (StopOutcome.ACCEPTED, "r-1")


async def test_a_stop_of_a_task_that_is_gone_is_gone() -> None:
    answer = await Conversation(refuses("LIVE.100011001", 404)).stop()

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
