"""What the simulated Tencent Cloud refuses, and how its tasks live, start and stop."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from livetask_simulator.tencent.operations import OPERATIONS
from livetask_simulator.tencent.tasks import MISSING
from tests.simulator.tencent_cloud import APP, SECRET, TASK, Cloud


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


def test_a_well_signed_request_is_answered_as_the_page_shows(cloud: Cloud) -> None:
    cloud.has_task()

    answer = cloud.send(cloud.signed())

    assert answer.body == {"Status": "InProgress", "RequestId": answer.reply.request_id}
    assert answer.reply.headers["Content-Type"] == "application/json"


def test_an_error_comes_inside_an_http_200(cloud: Cloud) -> None:
    answer = cloud.stop()

    assert answer.reply.status == 200
    assert set(answer.body) == {"Error", "RequestId"}
    assert set(answer.body["Error"]) == {"Code", "Message"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"method": "GET"}, "InvalidRequest"),
        ({"path": "/elsewhere"}, "InvalidRequest"),
        ({"query": "a=b"}, "AuthFailure.SignatureFailure"),
        ({"body": b'{"SdkAppId": 1400000001, "TaskId": "another"}'}, "AuthFailure.SignatureFailure"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_request_that_was_changed_on_the_way_is_refused(cloud: Cloud, changes: dict[str, Any], code: str) -> None:
    assert cloud.send(replace(cloud.signed(), **changes)).code == code


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"x-tc-action": "describeStreamIngest"}, "InvalidAction"),
        ({"x-tc-action": "StopPublishCdnStream"}, "InvalidAction"),
        ({"x-tc-version": "2020-01-01"}, "NoSuchVersion"),
        ({"x-tc-version": None}, "NoSuchVersion"),
        ({"x-tc-region": None}, "MissingParameter"),
        ({"x-tc-region": "ap-guangzhou"}, "UnsupportedRegion"),
        ({"host": "cvm.tencentcloudapi.com"}, "NoSuchProduct"),
        ({"host": "trtc.tencentcloudapi.com"}, "OK"),
        ({"host": "trtc.intl.tencentcloudapi.com"}, "OK"),
        ({"content-type": "application/json; charset=utf-8"}, "InvalidRequest"),
        ({"x-tc-token": "of nothing"}, "AuthFailure.TokenFailure"),
        ({"x-tc-content-sha256": "UNSIGNED-PAYLOAD"}, "OK"),
    ],
    ids=str,
)
def test_the_headers_must_be_right(cloud: Cloud, headers: dict[str, str | None], code: str) -> None:
    assert cloud.send(cloud.signed(headers=headers)).code == code


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "TC3-HMAC-SHA256 Credential=a",
        "TC3-HMAC-SHA256 Credential=AKID-1/2026-11-20/cvm/tc3_request, SignedHeaders=content-type;host, Signature={0}",
        "TC3-HMAC-SHA256 Credential=AKID-1/2026-11-20/trtc/tc3_request, SignedHeaders=host, Signature={0}",
        "TC3-HMAC-SHA256 Credential=AKID-1/2026-11-20/trtc/tc3_request, SignedHeaders=host;content-type, Signature={0}",
        "TC3-HMAC-SHA256 Credential=AKID-1/2026-11-20/trtc/tc3_request, SignedHeaders=content-type;host;x, "
        "Signature={0}",
    ],
)
def test_an_authorization_of_another_form_is_refused(cloud: Cloud, authorization: str) -> None:
    request = cloud.signed()
    headers = {**request.headers, "authorization": authorization.format("0" * 64)}

    assert cloud.send(replace(request, headers=headers)).code == "AuthFailure.InvalidAuthorization"


def test_a_wrong_signature_is_answered_with_an_echo_of_what_was_signed_and_never_the_secret(cloud: Cloud) -> None:
    request = cloud.signed()

    answer = cloud.send(replace(request, headers={**request.headers, "x-tc-timestamp": "1795197601"}))

    assert answer.code == "AuthFailure.SignatureFailure"
    assert "host:127.0.0.1:8900" in answer.body["Error"]["Message"]
    assert SECRET not in answer.body["Error"]["Message"]


@pytest.mark.parametrize(
    ("skew_s", "code"),
    [(-299, "OK"), (299, "OK"), (-301, "AuthFailure.SignatureExpire"), (301, "AuthFailure.SignatureExpire")],
)
def test_the_time_must_be_within_five_minutes(cloud: Cloud, skew_s: int, code: str) -> None:
    request = cloud.signed()
    cloud.settings(clockSkewSeconds=skew_s)

    assert cloud.send(request).code == code


@pytest.mark.parametrize(
    ("timestamp", "code"), [(None, "MissingParameter"), ("", "MissingParameter"), ("soon", "InvalidParameter")]
)
def test_the_time_must_be_a_number_of_seconds(cloud: Cloud, timestamp: str | None, code: str) -> None:
    assert cloud.send(cloud.signed(headers={"x-tc-timestamp": timestamp})).code == code


def test_the_day_of_the_scope_must_be_that_of_the_time(cloud: Cloud) -> None:
    assert cloud.send(cloud.signed(day="2026-11-19")).code == "AuthFailure.SignatureFailure"


def test_a_key_that_is_switched_off_is_unknown(cloud: Cloud) -> None:
    cloud.key(active=False)

    assert cloud.ask().code == "AuthFailure.SecretIdNotFound"


@pytest.mark.parametrize(
    ("service", "code"),
    [("notEnabled", "FailedOperation.NotAbility"), ("notVerified", "AuthFailure.UnRealNameAuthenticated")],
)
def test_an_account_that_may_not_use_the_service_is_told_so(cloud: Cloud, service: str, code: str) -> None:
    cloud.settings(service=service)

    assert [cloud.ask().code, cloud.stop().code] == [code, code]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_has_its_twenty_a_second(cloud: Cloud, operation: str) -> None:
    throttled = sum(cloud.ask(operation).reply.throttled for _ in range(23))
    cloud.clock.passes(1.0)

    assert throttled == 3
    assert not cloud.ask(operation).reply.throttled


@pytest.mark.parametrize("action", ["DescribeStreamIngest", "StopStreamIngest"])
@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"SdkAppId": None}, "MissingParameter.SdkAppId"),
        ({"TaskId": None}, "MissingParameter.TaskId"),
        ({"TaskId": ""}, "MissingParameter.TaskId"),
        ({"SdkAppId": str(APP)}, "InvalidParameter"),
        ({"SdkAppId": True}, "InvalidParameter"),
        ({"SdkAppId": 0}, "InvalidParameter.SdkAppId"),
        ({"SdkAppId": 2**32}, "InvalidParameter.SdkAppId"),
        ({"TaskId": 1234}, "InvalidParameter"),
        ({"TaskId": "a task"}, "InvalidParameter.TaskId"),
        ({"TaskId": "ä"}, "InvalidParameter.TaskId"),
        ({"TaskId": "t" * 513}, "InvalidParameter.TaskId"),
        ({"Status": "InProgress"}, "UnknownParameter"),
    ],
)
def test_parameters_must_be_as_documented(cloud: Cloud, action: str, parameters: dict[str, Any], code: str) -> None:
    assert cloud.ask(action, **parameters).code == code


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff"])
def test_a_body_that_is_no_object_is_refused(cloud: Cloud, body: bytes) -> None:
    assert cloud.send(cloud.signed(body=body)).code == "InvalidParameter"


def test_an_app_of_somebody_else_is_refused_where_the_apps_are_listed(cloud: Cloud) -> None:
    cloud.settings(apps=["1400000002"])

    assert cloud.stop().code == "FailedOperation.SdkAppIdNotUnderAppId"


def test_a_scripted_life_goes_on_by_itself(cloud: Cloud) -> None:
    cloud.has_task(life=((2.0, "InProgress"), (10.0, "NotExist")))

    seen = []
    for seconds in (0.0, 1.9, 0.1, 7.9, 0.1):
        cloud.clock.passes(seconds)
        seen.append(cloud.ask().status)

    assert seen == ["NotExist", "NotExist", "InProgress", "InProgress", "NotExist"]


def test_a_task_that_is_not_visible_yet_can_be_stopped(cloud: Cloud) -> None:
    cloud.has_task(life=((2.0, "InProgress"),))

    stopped = cloud.stop()
    cloud.clock.passes(5.0)

    assert (stopped.code, stopped.reply.stopped_task) == ("OK", True)
    assert cloud.ask().status == "NotExist"


def test_a_stop_that_is_ignored_is_accepted_all_the_same(cloud: Cloud) -> None:
    cloud.has_task().ignore_stops = 2

    answers = [cloud.stop() for _ in range(3)]

    assert [answer.code for answer in answers] == ["OK", "OK", "OK"]
    assert [answer.reply.stopped_task for answer in answers] == [False, False, True]


def test_a_stop_can_take_its_time(cloud: Cloud) -> None:
    cloud.has_task().stop_takes_s = 4.0

    first = cloud.stop()
    cloud.clock.passes(3.0)
    meanwhile = cloud.ask().status
    second = cloud.stop()
    cloud.clock.passes(1.0)

    assert (first.reply.stopped_task, second.reply.stopped_task, second.code) == (True, False, "OK")
    assert (meanwhile, cloud.ask().status) == ("InProgress", "NotExist")


def test_a_task_that_has_ended_is_finished_until_it_is_forgotten(cloud: Cloud) -> None:
    cloud.settings(forgetEndedAfterSeconds=60)
    cloud.has_task()
    cloud.stop()

    cloud.clock.passes(59.0)
    remembered = cloud.stop()
    cloud.clock.passes(1.0)

    assert (remembered.code, remembered.reply.stopped_task) == ("FailedOperation.TaskFinished", False)
    assert cloud.stop().code == "FailedOperation.TaskNotExist"
    assert cloud.ask().status == "NotExist"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("FailedOperation.TaskFinished", "FailedOperation.TaskFinished"),
        ("ResourceNotFound", "ResourceNotFound"),
        ("InvalidParameter.TaskId", "InvalidParameter.TaskId"),
        ("accept", "OK"),
    ],
)
def test_what_a_stop_of_an_unknown_task_says_is_a_setting(cloud: Cloud, answer: str, code: str) -> None:
    cloud.settings(stopOfUnknown=answer)

    stopped = cloud.stop()

    assert (stopped.code, stopped.reply.stopped_task) == (code, False)


@pytest.mark.parametrize(("share", "said"), [(True, "InProgress"), (False, "NotExist")])
def test_whether_another_region_knows_a_task_is_a_setting(cloud: Cloud, share: bool, said: str) -> None:
    cloud.settings(regionsShareTasks=share)
    cloud.has_task(region="ap-mumbai")

    assert cloud.ask(region="ap-mumbai").status == "InProgress"
    assert cloud.ask(region="ap-singapore").status == said


def test_a_task_belongs_to_its_application(cloud: Cloud) -> None:
    cloud.has_task()

    assert cloud.ask(SdkAppId=APP + 1).status == "NotExist"


@pytest.mark.parametrize("raw", ["Paused", "inprogress", 1, None, True, []])
def test_the_status_can_be_anything_at_all(cloud: Cloud, raw: object) -> None:
    task = cloud.has_task()

    task.has_raw_status, task.raw_status = True, raw

    assert cloud.ask().status == raw


def test_the_status_can_be_missing(cloud: Cloud) -> None:
    task = cloud.has_task()

    task.has_raw_status, task.raw_status = True, MISSING

    assert cloud.ask().status == "absent"


def test_a_started_task_lives_as_the_account_is_set(cloud: Cloud) -> None:
    cloud.settings(startLife=[[3, "InProgress"]])
    task_id = cloud.start().body["TaskId"]

    at_first = cloud.ask(TaskId=task_id).status
    cloud.clock.passes(3.0)

    assert (at_first, cloud.ask(TaskId=task_id).status) == ("NotExist", "InProgress")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"RoomId": None}, "MissingParameter.RoomId"),
        ({"RoomId": "arena"}, "InvalidParameter.RoomId"),
        ({"RoomId": "4294967296"}, "InvalidParameter.RoomId"),
        ({"RoomId": "1001", "RoomIdType": 2}, "InvalidParameter.RoomId"),
        ({"RoomId": "arena", "RoomIdType": 0}, "OK"),
        ({"RoomId": "a" * 65, "RoomIdType": 0}, "InvalidParameter.StrRoomId"),
        ({"UserId": None}, "InvalidParameter.BodyParamsError"),
        ({"UserSig": None}, "InvalidParameter.UserSig"),
        ({"StreamUrl": None}, "InvalidParameter.StreamUrl"),
        ({"StreamUrl": "media.example.com"}, "InvalidParameter.StreamUrl"),
        ({"RepeatNum": 0}, "InvalidParameter.BodyParamsError"),
        ({"RepeatNum": -1, "MaxDuration": 10080}, "OK"),
        ({"MaxDuration": 10081}, "InvalidParameter.BodyParamsError"),
        ({"Volume": 201}, "InvalidParameter.BodyParamsError"),
        ({"TaskId": TASK}, "UnknownParameter"),
    ],
    ids=str,
)
def test_a_start_keeps_to_the_rules(cloud: Cloud, changes: dict[str, object], code: str) -> None:
    assert cloud.start(**changes).code == code


def test_a_key_id_that_names_nobody_is_still_in_the_identity(cloud: Cloud) -> None:
    request = cloud.signed(body=json.dumps({"SdkAppId": APP, "TaskId": TASK}).encode())

    identity = cloud.tencent.identify(request)

    assert (identity.vendor, identity.account, identity.operation) == ("tencent", "sports", "DescribeStreamIngest")
    assert (identity.app_id, identity.task_id, identity.version) == (str(APP), TASK, "2019-07-22")
