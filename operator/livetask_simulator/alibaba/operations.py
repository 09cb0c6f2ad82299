"""The operations of the simulated Alibaba Cloud: their limits, their parameters, what they do and what they answer.

Apart from the gateway, which is the same for all of them. A table at the end lists them; another operation is a
function and a line there. Starting a task has many rules and is next door, in starting.py; so are preloads, in
preload_operations.py.
"""

from collections.abc import Callable
from dataclasses import dataclass

from livetask_simulator.alibaba.errors import ApiError
from livetask_simulator.alibaba.preload_operations import list_preloads, set_preloads
from livetask_simulator.alibaba.requests import (
    TASK_ID,
    Request,
    Result,
    check_app,
    live_app_id,
    live_required,
    live_task_id,
    rtc_required,
)
from livetask_simulator.alibaba.starting import start_live_task, start_rtc_task
from livetask_simulator.alibaba.tasks import ENDED, MISSING, Edition, Service, StopOfUnknown, Task
from livetask_simulator.limits import Quota

PAGE_SIZE_MAX = 100


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation of one edition."""

    edition: Edition
    name: str
    quota: Quota
    run: Callable[[Request], Result]


def live_status(request: Request) -> Result:
    """GetMPUTaskStatus of the Live edition: a task that StartLiveMPUTask started."""
    app_id = live_app_id(request)
    task_id = live_task_id(request)
    task = request.tasks.find(request.account, app_id, task_id)
    if task is None or task.edition is not Edition.LIVE:
        raise ApiError("InvalidTask.NotFound")
    return _status(request, task)


def rtc_status(request: Request) -> Result:
    """GetMPUTaskStatus of the RTC edition. Whether it sees the Live edition's tasks is a setting."""
    app_id = rtc_required(request, "AppId")
    task_id = rtc_required(request, "TaskId")
    if not TASK_ID.fullmatch(task_id):
        raise ApiError("InvalidTask.IDError")
    check_app(request.settings, app_id)
    task = request.tasks.find(request.account, app_id, task_id)
    if task is None or (task.edition is Edition.LIVE and not request.settings.rtc_sees_live_tasks):
        raise ApiError("InvalidTask.NotFound")
    return _status(request, task)


def stop_live_task(request: Request) -> Result:
    """StopLiveMPUTask: only a task of the Live edition can be stopped by it."""
    app_id = live_app_id(request)
    task_id = live_task_id(request)
    task = request.tasks.find(request.account, app_id, task_id)
    known = task is not None and task.edition is Edition.LIVE
    if task is None or not known or task.status(request.clock.monotonic()) in ENDED:
        answer = request.settings.stop_of_unknown
        if answer is StopOfUnknown.ACCEPT:
            return Result(fields={}, stopped_task=False)
        raise ApiError(answer.value)
    return Result(fields={}, stopped_task=request.tasks.stop(task))


def list_live_tasks(request: Request) -> Result:
    """ListRtcMPUTaskDetail: one task by its id, or a page of an application's tasks, the newest change first."""
    app_id = live_app_id(request)
    tasks = [
        task
        for task in request.tasks.of_account(request.account)
        if task.edition is Edition.LIVE and task.app_id == app_id
    ]
    if request.parameters.get("TaskId"):
        task_id = live_task_id(request)
        page = [task for task in tasks if task.task_id == task_id]
    else:
        size = _page_number(request, "PageSize", PAGE_SIZE_MAX)
        number = _page_number(request, "PageNo", None)
        tasks.sort(key=lambda task: task.updated_s, reverse=True)
        page = tasks[(number - 1) * size : number * size]
    return Result(fields={"MPUTasks": [task.details for task in page]})


def unavailable(edition: Edition, service: Service) -> ApiError | None:
    """The error of an account that may not use the service: 403 from Live, inside an HTTP 200 from RTC."""
    if service is Service.OK:
        return None
    if edition is Edition.LIVE:
        return ApiError("OperationDenied")
    codes = {Service.OVERDUE: "App.ChargeOverDue", Service.NOT_ENABLED: "Service.Inactive"}
    return ApiError(codes.get(service, "App.Stop"))


def _status(request: Request, task: Task) -> Result:
    if not task.has_raw_status:
        return Result(fields={"Status": task.status(request.clock.monotonic())})
    return Result(fields={} if task.raw_status is MISSING else {"Status": task.raw_status})


def _page_number(request: Request, name: str, most: int | None) -> int:
    text = live_required(request, name)
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1 or (most is not None and number > most):
        raise ApiError("InvalidParam", f"Parameter verification failed: {name}.")
    return number


def _per_second(limit: int) -> Quota:
    return Quota(limit=limit, window_s=1.0)


# Limits: dossier section 7. The two pages of GetMPUTaskStatus disagree, so each edition has its own. StartMPUTask's is
# the Live site's, the only one documented.
_ALL = (
    Operation(edition=Edition.RTC, name="GetMPUTaskStatus", quota=Quota(limit=4000, window_s=60.0), run=rtc_status),
    Operation(edition=Edition.RTC, name="StartMPUTask", quota=_per_second(10), run=start_rtc_task),
    Operation(edition=Edition.LIVE, name="GetMPUTaskStatus", quota=_per_second(10), run=live_status),
    Operation(edition=Edition.LIVE, name="StartLiveMPUTask", quota=_per_second(500), run=start_live_task),
    Operation(edition=Edition.LIVE, name="StopLiveMPUTask", quota=_per_second(500), run=stop_live_task),
    Operation(edition=Edition.LIVE, name="ListRtcMPUTaskDetail", quota=_per_second(50), run=list_live_tasks),
    Operation(edition=Edition.LIVE, name="SetLiveStreamPreloadTasks", quota=_per_second(50), run=set_preloads),
    Operation(edition=Edition.LIVE, name="DescribeLiveStreamPreloadTasks", quota=_per_second(10), run=list_preloads),
)
OPERATIONS = {(operation.edition, operation.name): operation for operation in _ALL}
