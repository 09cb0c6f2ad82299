"""Each call of each vendor as the operator makes it, with the answers that its documentation shows.

And, apart from the operator's own reading, what an answer must say at least before anything is let go because of it.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from livetask_operator.vendors.catalogue import preload_vendors, relay_vendors
from livetask_operator.vendors.contract import (
    Credential,
    Look,
    PreloadNames,
    PreloadRows,
    RelayVendor,
    RowState,
    StopAnswer,
    StopOutcome,
    TaskRef,
    Turn,
    VendorError,
    at_once,
)
from livetask_operator.vendors.transport import Transport

KEY = Credential("AKIDexample", "secret-of-the-key")
NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
URL = "rtmp://live.example.com/app/final"
REQUEST_ID = "E1564CBC-DCFE-5E1B-8B78-8DED9A39F334"

Document = Any
Outcome = Look | StopAnswer | PreloadRows


@dataclass(frozen=True)
class Said:
    """An answer, as a vendor documents it."""

    document: Document
    status: int = 200

    @property
    def body(self) -> bytes:
        return json.dumps(self.document).encode()


@dataclass(frozen=True)
class Call:
    """One call. `ask(transport, endpoint[, turn])` makes it, and never raises VendorError: that is an outcome."""

    name: str
    ask: Callable[..., Awaitable[Outcome | VendorError]]
    answers: Sequence[Said]
    running: str
    """What an answer has in it at least that says that a task runs."""
    may_settle: Callable[[int, Document], bool]
    """Whether an answer with this HTTP status and document may end a task's life here (or a preload's)."""

    def __str__(self) -> str:
        return self.name


def settles(outcome: Outcome | VendorError) -> bool:
    """Whether somebody may be let go, or be taken for done, because of this."""
    match outcome:
        case StopAnswer():
            return outcome.outcome in (StopOutcome.ACCEPTED, StopOutcome.GONE)
        case PreloadRows():
            return outcome.complete or any(row.state in (RowState.SUCCEEDED, RowState.FAILED) for row in outcome.rows)
        case VendorError():
            return False
        case seen:
            return seen.state.is_gone


def _relay(name: str, endpoint: str, transport: Transport, version: str = "2018-01-11") -> RelayVendor:
    return relay_vendors(
        transport,
        alibaba_status_endpoint=endpoint,
        alibaba_status_version=version,
        alibaba_live_endpoint=endpoint,
        tencent_endpoint=endpoint,
        huawei_endpoint=endpoint,
        clock=lambda: NOW,
    )[name]


def _look(vendor: str, block: Mapping[str, object], *more: str, version: str = "2018-01-11") -> Callable[..., Any]:
    """A look at a task; with more task ids a look at all of them, of which the first is told."""

    async def ask(transport: Transport, endpoint: str, turn: Turn = at_once) -> Look:
        relay = _relay(vendor, endpoint, transport, version)
        tasks = [relay.task({**block, "taskId": task}) for task in (str(block["taskId"]), *more)]
        looks: Mapping[TaskRef, Look] = await relay.look(KEY, tasks, turn)
        assert set(looks) == set(tasks), "a look for every task"
        return looks[tasks[0]]

    return ask


def _stop(vendor: str, block: Mapping[str, object]) -> Callable[..., Any]:
    async def ask(transport: Transport, endpoint: str, turn: Turn = at_once) -> StopAnswer | VendorError:
        relay = _relay(vendor, endpoint, transport)
        await turn()
        try:
            return await relay.stop(KEY, relay.task(block))
        except VendorError as error:
            return error

    return ask


def _rows(names: PreloadNames) -> Callable[..., Any]:
    async def ask(transport: Transport, endpoint: str, turn: Turn = at_once) -> PreloadRows | VendorError:
        preload = preload_vendors(transport, alibaba_live_endpoint=endpoint, clock=lambda: NOW)["AlibabaCloud"]
        try:
            return (await preload.rows(KEY, "live.example.com", [names], turn))[names]
        except VendorError as error:
            return error

    return ask


ALIBABA = {"appId": "app-1", "taskId": "task-1"}
TENCENT = {"sdkAppId": 1400000001, "region": "ap-singapore", "taskId": "1234"}
HUAWEI = {"projectId": "0123456789abcdef", "region": "cn-north-4", "taskId": "7864b3dc"}


def _alibaba_error(code: str, status: int) -> Said:
    return Said({"RequestId": REQUEST_ID, "HostId": "live.aliyuncs.com", "Code": code, "Message": "said so"}, status)


def _tencent_error(code: str) -> Said:
    return Said({"Response": {"Error": {"Code": code, "Message": "said so"}, "RequestId": REQUEST_ID}})


def _huawei_error(code: str, status: int) -> Said:
    return Said({"error_code": code, "error_msg": "Request Illegal", "request_id": REQUEST_ID}, status)


ALIBABA_ERRORS = (
    _alibaba_error("Throttling.User", 400),
    _alibaba_error("InvalidAccessKeyId.NotFound", 404),
    _alibaba_error("InvalidTask.NotFound", 404),
    _alibaba_error("InvalidTask.IDError", 400),
    _alibaba_error("InvalidParam", 400),
    _alibaba_error("ServiceUnavailable", 503),
    _alibaba_error("IllegalTimestamp", 400),
)
TENCENT_ERRORS = (
    _tencent_error("RequestLimitExceeded"),
    _tencent_error("FailedOperation.TaskNotExist"),
    _tencent_error("FailedOperation.TaskFinished"),
    _tencent_error("ResourceNotFound"),
    _tencent_error("AuthFailure.SignatureExpire"),
    _tencent_error("InternalError.DBError"),
)
HUAWEI_ERRORS = (
    _huawei_error("LIVE.100011001", 404),
    _huawei_error("LIVE.100011001", 400),
    _huawei_error("APIG.0101", 404),
    _huawei_error("APIGW.0308", 429),
    _huawei_error("APIGW.0301", 401),
)


def huawei_task(task: str = HUAWEI["taskId"], status: str = "running") -> dict[str, object]:
    return {
        "task_id": task,
        "status": status,
        "create_time": "2018-05-19T10:00:00Z",
        "region": "cn-north-4",
        "source_type": "PullLivePushLive",
        "source_urls": ["rtmp://play.example.huawei.com/live/stream1"],
        "start_time": "2018-05-19T18:00:00Z",
        "end_time": "2018-05-19T21:00:00Z",
        "callback_events": ["TaskStart", "TaskExit", "TaskAlarm"],
    }


def huawei_list(*tasks: object, total: object = None) -> Said:
    count = len(tasks) if total is None else total
    return Said({"request_id": REQUEST_ID, "total": count, "task_infos": list(tasks)})


def preload_row(task: str = "p-1", url: str = URL, **more: object) -> dict[str, object]:
    return {
        "Area": "domestic",
        "CreateTime": "2026-11-21T11:00:00Z",
        "Description": "Successfully",
        "DomainName": "live.example.com",
        "PlayUrl": url,
        "PreloadedEndTime": "2026-11-21T12:30:00Z",
        "PreloadedStartTime": "2026-11-21T11:30:00Z",
        "Process": "100%",
        "Status": "Success",
        "TaskId": task,
        **more,
    }


def preload_list(*rows: object, total: object = None, pages: object = 1, number: int = 1) -> Said:
    return Said(
        {
            "PageNum": number,
            "PageSize": 100,
            "PreloadTasks": {"PreloadTask": list(rows)},
            "RequestId": REQUEST_ID,
            "TotalNum": len(rows) if total is None else total,
            "TotalPage": pages,
        }
    )


_STATUSES = tuple(Said({"RequestId": REQUEST_ID, "Status": number}) for number in range(7))
_ACCEPTED = Said({"RequestId": REQUEST_ID})
_INGESTS = tuple(Said({"Response": {"Status": word, "RequestId": REQUEST_ID}}) for word in ("InProgress", "NotExist"))
_LISTS = (
    huawei_list(huawei_task()),
    huawei_list(huawei_task(status="suspend")),
    huawei_list(huawei_task("other"), huawei_task(), huawei_task("another", "failed")),
    huawei_list(),
)
_PRELOADS = (
    preload_list(preload_row()),
    preload_list(preload_row(Process="62%")),
    preload_list(preload_row("p-2"), preload_row(Status="Failed", Description="InternalError", Process="0%")),
    preload_list(),
)


def _alibaba_look_settles(status: int, document: Document) -> bool:
    """2..6, or that it does not know the task (design, "gone")."""
    if not isinstance(document, dict):
        return False
    said = document.get("Status")
    has_ended = 200 <= status < 300 and not isinstance(said, bool) and str(said).strip() in ("2", "3", "4", "5", "6")
    unknown = _begins(document.get("Code") or document.get("code"), "InvalidTask.NotFound") and "Status" not in document
    return has_ended or unknown


def _alibaba_stop_settles(status: int, document: Document) -> bool:
    has_no_code = isinstance(document, dict) and not document.get("Code") and not document.get("code")
    return 200 <= status < 300 and has_no_code and bool(document.get("RequestId"))


def _tencent_look_settles(status: int, document: Document) -> bool:
    response = document.get("Response") if isinstance(document, dict) else None
    if not isinstance(response, dict):
        return False
    error = response.get("Error")
    code = error.get("Code") if isinstance(error, dict) else None
    has_ended = str(response.get("Status")).strip() == "NotExist" and "Error" not in response and 200 <= status < 300
    return has_ended or (_begins(code, "FailedOperation.TaskNotExist") and "Status" not in response)


def _tencent_stop_settles(status: int, document: Document) -> bool:
    response = document.get("Response") if isinstance(document, dict) else None
    is_sound = isinstance(response, dict) and "Error" not in response and bool(response.get("RequestId"))
    return is_sound and 200 <= status < 300


def _huawei_look_settles(status: int, document: Document) -> bool:
    """404 of the service itself, an empty list beyond doubt, or the task's own row with a word that says so."""
    if not isinstance(document, dict):
        return False
    codes = [document.get(name) for name in ("error_code", "errorCode", "code")]
    nested = [value for value in document.values() if isinstance(value, dict)]
    codes += [each.get(name) for each in nested for name in ("error_code", "errorCode", "code")]
    rows = document.get("task_infos")
    if status == 404:
        return any(_begins(code, "LIVE.") for code in codes) and not rows
    ours = [row for row in rows or () if isinstance(row, dict) and row.get("task_id") == HUAWEI["taskId"]]
    words = {str(row.get("status")).strip().lower() for row in ours}
    is_empty = not rows and document.get("total") in (0, None) and not isinstance(document.get("total"), bool)
    return 200 <= status < 300 and (is_empty or (bool(words) and words <= {"finished", "failed"}))


def _huawei_stop_settles(status: int, document: Document) -> bool:
    if not isinstance(document, dict):
        return False
    if status == 404:
        return _huawei_look_settles(status, document)
    return 200 <= status < 300 and not any(document.get(name) for name in ("error_code", "errorCode", "code"))


def _preload_settles(status: int, document: Document) -> bool:
    """Only a page says of a preload how it is; what a page says is read in `tests/vendors/alibaba`."""
    unknown = isinstance(document, dict) and _begins(document.get("Code") or document.get("code"), "InvalidTask.Not")
    return unknown or (200 <= status < 300 and isinstance(document, dict) and "TotalNum" in document)


def _begins(said: object, with_: str) -> bool:
    return isinstance(said, str) and said.startswith(with_)


CALLS = (
    Call(
        "GetMPUTaskStatus of RTC",
        _look("AlibabaCloud", ALIBABA),
        (*_STATUSES, *ALIBABA_ERRORS),
        "1",
        _alibaba_look_settles,
    ),
    Call(
        "GetMPUTaskStatus of Live",
        _look("AlibabaCloud", ALIBABA, version="2016-11-01"),
        (*_STATUSES, *ALIBABA_ERRORS),
        "1",
        _alibaba_look_settles,
    ),
    Call("StopLiveMPUTask", _stop("AlibabaCloud", ALIBABA), (_ACCEPTED, *ALIBABA_ERRORS), "1", _alibaba_stop_settles),
    Call(
        "DescribeLiveStreamPreloadTasks by URL",
        _rows(PreloadNames((), (URL,), NOW)),
        (*_PRELOADS, *ALIBABA_ERRORS),
        "",
        _preload_settles,
    ),
    Call(
        "DescribeLiveStreamPreloadTasks by task",
        _rows(PreloadNames(("p-1",), (), NOW)),
        (*_PRELOADS, *ALIBABA_ERRORS),
        "",
        _preload_settles,
    ),
    Call(
        "DescribeLiveStreamPreloadTasks of a domain",
        _rows(PreloadNames(("p-1", "p-2", "p-3"), (), NOW)),
        (*_PRELOADS, *ALIBABA_ERRORS),
        "",
        _preload_settles,
    ),
    Call(
        "DescribeStreamIngest",
        _look("TencentCloud", TENCENT),
        (*_INGESTS, *TENCENT_ERRORS),
        "InProgress",
        _tencent_look_settles,
    ),
    Call(
        "StopStreamIngest",
        _stop("TencentCloud", TENCENT),
        (Said({"Response": {"RequestId": REQUEST_ID}}), *TENCENT_ERRORS),
        "",
        _tencent_stop_settles,
    ),
    Call(
        "ListPullTasks by id", _look("HuaweiCloud", HUAWEI), (*_LISTS, *HUAWEI_ERRORS), "unning", _huawei_look_settles
    ),
    Call(
        "ListPullTasks of a project",
        _look("HuaweiCloud", HUAWEI, "other", "a-third"),
        (*_LISTS, *HUAWEI_ERRORS),
        "unning",
        _huawei_look_settles,
    ),
    Call(
        "DeletePullTask",
        _stop("HuaweiCloud", HUAWEI),
        (Said({"request_id": REQUEST_ID, "task_id": HUAWEI["taskId"]}), *HUAWEI_ERRORS),
        "",
        _huawei_stop_settles,
    ),
)
