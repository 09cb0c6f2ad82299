"""The operations of the simulated Tencent Cloud: their limits, regions and parameters, what they do and answer.

Apart from the gateway, which is the same for all of them. A table at the end lists them; another operation is a
function and a line there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from livetask_simulator.clock import Clock
from livetask_simulator.limits import Quota
from livetask_simulator.tencent.errors import ApiError
from livetask_simulator.tencent.tasks import MISSING, Service, Settings, Status, StopOfUnknown, Tasks

SDK_APP_IDS = range(1, 2**32)
INTEGER_ROOMS = range(1, 2**32)
ROOM_ID_LENGTH_MAX = 64
TASK_ID_LENGTH_MAX = 512
# Each operation documents its own. The lists of the two sites together; Describe's and Stop's international one alone.
START_REGIONS = frozenset(
    {"ap-bangkok", "ap-beijing", "ap-chongqing", "ap-guangzhou", "ap-jakarta", "ap-mumbai", "ap-shanghai"}
    | {"ap-singapore", "ap-tokyo"}
)
TASK_REGIONS = frozenset({"ap-bangkok", "ap-jakarta", "ap-mumbai", "ap-singapore"})
_START_NUMBERS = {
    # Besides what is required: what each may be.
    "SeekSecond": range(2**31),
    "RepeatNum": [*range(1, 1001), -1],
    "MaxDuration": range(1, 10081),
    "Volume": range(201),
    "IdleTimeout": range(601),
}
_START_OTHERS = frozenset(
    {"PrivateMapKey", "AutoPush", "EnableProgress", "Tempo", "SourceUrl", "VideoEncodeParams", "AudioEncodeParams"}
)


@dataclass(frozen=True, kw_only=True)
class Request:
    """An authenticated request for an operation."""

    account: str
    region: str
    parameters: Mapping[str, object]
    tasks: Tasks
    clock: Clock

    @property
    def settings(self) -> Settings:
        """How the cloud treats the account."""
        return self.tasks.settings(self.account)


@dataclass(frozen=True, kw_only=True)
class Result:
    """What an operation answers besides the request id, and whether a stop changed a task's state."""

    fields: Mapping[str, object]
    stopped_task: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation."""

    name: str
    quota: Quota
    regions: frozenset[str]
    parameters: frozenset[str]
    run: Callable[[Request], Result]


def describe(request: Request) -> Result:
    """DescribeStreamIngest: two words, and no telling apart what has ended, what failed and what never was."""
    app_id, task_id = _app_id(request), _task_id(request)
    task = request.tasks.find(request.account, app_id, task_id, region=request.region)
    if task is not None and task.has_raw_status:
        return Result(fields={} if task.raw_status is MISSING else {"Status": task.raw_status})
    return Result(fields={"Status": Status.NOT_EXIST if task is None else task.status(request.clock.monotonic())})


def stop(request: Request) -> Result:
    """StopStreamIngest."""
    app_id, task_id = _app_id(request), _task_id(request)
    task = request.tasks.find(request.account, app_id, task_id, region=request.region)
    if task is None:
        answer = request.settings.stop_of_unknown
        if answer is StopOfUnknown.ACCEPT:
            return Result(fields={}, stopped_task=False)
        raise ApiError(answer.value)
    if task.ended_s(request.clock.monotonic()) is not None:
        raise ApiError("FailedOperation.TaskFinished")
    return Result(fields={}, stopped_task=request.tasks.stop(task))


def start(request: Request) -> Result:
    """StartStreamIngest: the cloud makes the id. The same robot in the same room again: TaskExist."""
    app_id, room_id = _app_id(request), _room_id(request)
    user_id = _text(request, "UserId") or _refuse("InvalidParameter.BodyParamsError", "UserId")
    if not _text(request, "UserSig"):
        raise ApiError("InvalidParameter.UserSig")
    if not _text(request, "StreamUrl").startswith(("http://", "https://", "rtmp://", "rtmps://")):
        raise ApiError("InvalidParameter.StreamUrl")
    for name, values in _START_NUMBERS.items():
        if request.parameters.get(name) is not None and _number(request, name) not in values:
            _refuse("InvalidParameter.BodyParamsError", name)
    now_s = request.clock.monotonic()
    for task in request.tasks.of_account(request.account):
        same = (task.app_id, task.room_id, task.user_id) == (app_id, room_id, user_id)
        if same and task.ended_s(now_s) is None:
            raise ApiError("FailedOperation.TaskExist")
    task = request.tasks.start(
        request.account,
        app_id,
        life=request.settings.start_life,
        region=request.region,
        room_id=room_id,
        user_id=user_id,
    )
    return Result(fields={"TaskId": task.task_id})


def unavailable(service: Service) -> ApiError | None:
    """The error of an account that may not use the service."""
    code = _UNAVAILABLE.get(service)
    return None if code is None else ApiError(code)


def _app_id(request: Request) -> str:
    if request.parameters.get("SdkAppId") is None:
        raise ApiError("MissingParameter.SdkAppId")
    app_id = _number(request, "SdkAppId")
    if app_id not in SDK_APP_IDS:
        raise ApiError("InvalidParameter.SdkAppId")
    apps = request.settings.apps
    if apps is not None and str(app_id) not in apps:
        raise ApiError("FailedOperation.SdkAppIdNotUnderAppId")
    return str(app_id)


def _task_id(request: Request) -> str:
    task_id = _text(request, "TaskId")
    if not task_id:
        raise ApiError("MissingParameter.TaskId")
    if len(task_id) > TASK_ID_LENGTH_MAX or not (task_id.isascii() and task_id.isprintable() and " " not in task_id):
        raise ApiError("InvalidParameter.TaskId")
    return task_id


def _room_id(request: Request) -> str:
    room_id = _text(request, "RoomId")
    if not room_id:
        raise ApiError("MissingParameter.RoomId")
    # 0 is a string room and 1, the default, a number: the other way round than in StartPublishCdnStream.
    kind = 1 if request.parameters.get("RoomIdType") is None else _number(request, "RoomIdType")
    if kind == 0:
        return room_id if len(room_id) <= ROOM_ID_LENGTH_MAX else _refuse("InvalidParameter.StrRoomId", "RoomId")
    is_number = room_id.isascii() and room_id.isdigit() and int(room_id) in INTEGER_ROOMS
    return room_id if kind == 1 and is_number else _refuse("InvalidParameter.RoomId", "RoomId")


def _text(request: Request, name: str) -> str:
    value = request.parameters.get(name)
    if value is None:
        return ""
    return value if isinstance(value, str) else _refuse("InvalidParameter", name)


def _number(request: Request, name: str) -> int:
    value = request.parameters.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ApiError("InvalidParameter", f"The value type of parameter `{name}` is not valid.")
    return value


def _refuse(code: str, name: str) -> str:
    raise ApiError(code, f"The parameter `{name}` is not valid.")


_UNAVAILABLE = {
    Service.NOT_ENABLED: "FailedOperation.NotAbility",
    Service.NOT_VERIFIED: "AuthFailure.UnRealNameAuthenticated",
}
_PER_SECOND = Quota(limit=20, window_s=1.0)  # the default of the product, per operation
_TASK = frozenset({"SdkAppId", "TaskId"})
_START = frozenset({"SdkAppId", "RoomId", "RoomIdType", "UserId", "UserSig", "StreamUrl", *_START_NUMBERS})
_ALL = (
    Operation(
        name="StartStreamIngest",
        quota=_PER_SECOND,
        regions=START_REGIONS,
        parameters=_START | _START_OTHERS,
        run=start,
    ),
    Operation(name="DescribeStreamIngest", quota=_PER_SECOND, regions=TASK_REGIONS, parameters=_TASK, run=describe),
    Operation(name="StopStreamIngest", quota=_PER_SECOND, regions=TASK_REGIONS, parameters=_TASK, run=stop),
)
OPERATIONS = {operation.name: operation for operation in _ALL}
