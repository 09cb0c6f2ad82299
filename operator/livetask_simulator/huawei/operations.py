"""The operations of the simulated Huawei Cloud: their limits and parameters, what they do and answer.

Apart from the gateway, which is the same for all of them. A table at the end lists them; another operation is a
function and a line there. Creating a task has many rules and is next door, in creating.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from livetask_simulator.clock import Clock
from livetask_simulator.huawei.creating import task_details
from livetask_simulator.huawei.errors import ILLEGAL, ApiError, not_found
from livetask_simulator.huawei.tasks import DEFAULT_REGION, MISSING, TIME, OfUnknown, Settings, Task, Tasks
from livetask_simulator.limits import Quota

OFFSETS = range(2**31)
LIMITS = range(1, 101)
LIMIT = 10
TOTAL_MAX = 10_000


@dataclass(frozen=True, kw_only=True)
class Request:
    """An authenticated request for an operation."""

    account: str
    project: str
    parameters: Mapping[str, str]
    body: bytes
    tasks: Tasks
    clock: Clock

    @property
    def settings(self) -> Settings:
        """How the cloud treats the account."""
        return self.tasks.settings(self.account)

    @property
    def region(self) -> str | None:
        """The region asked for; None: any."""
        return self.parameters.get("region")


@dataclass(frozen=True, kw_only=True)
class Result:
    """What an operation answers besides the request id, and whether a delete changed anything."""

    fields: Mapping[str, object]
    stopped_task: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation: a method of the one path."""

    method: str
    name: str
    quota: Quota
    run: Callable[[Request], Result]


def list_tasks(request: Request) -> Result:
    """ListPullTasks: one task by its id, or a page of a project's tasks, the newest first."""
    if "task_id" in request.parameters:
        return _one_task(request)
    offset, limit = _number(request, "offset", OFFSETS, 0), _number(request, "limit", LIMITS, LIMIT)
    tasks = [
        task
        for task in request.tasks.of_account(request.account)
        if task.project == request.project and request.region in (None, task.region)
    ]
    tasks.reverse()
    total = min(len(tasks), TOTAL_MAX) if request.settings.total is None else request.settings.total
    rows = [_row(task, request) for task in tasks[offset : offset + limit]]
    request.tasks.page_was_read(request.account, request.project, request.region)
    return Result(fields={"total": total, "task_infos": rows})


def delete_task(request: Request) -> Result:
    """DeletePullTask: stops and deletes."""
    task = _find(request)
    if task is not None:
        return Result(fields={"task_id": task.task_id}, stopped_task=request.tasks.stop(task))
    if request.settings.stop_of_unknown is OfUnknown.EMPTY:
        return Result(fields={"task_id": request.parameters["task_id"]}, stopped_task=False)
    raise _absent(request.settings.stop_of_unknown)


def create_task(request: Request) -> Result:
    """CreatePullTask: the cloud makes the id. The same twice makes two tasks."""
    details = task_details(request.body, request.clock.now())
    region = details.get("region") or DEFAULT_REGION
    task = request.tasks.start(
        request.account,
        request.project,
        life=request.settings.start_life,
        region=str(region),
        details=details,
    )
    return Result(fields={"task_id": task.task_id})


def _one_task(request: Request) -> Result:
    task = _find(request)
    if task is not None:
        return Result(fields={"total": 1, "task_infos": [_row(task, request)]})
    if request.settings.look_for_unknown is OfUnknown.EMPTY:
        return Result(fields={"total": 0, "task_infos": []})
    raise _absent(request.settings.look_for_unknown)


def _find(request: Request) -> Task | None:
    task_id = request.parameters.get("task_id", "")
    if not task_id:
        raise ApiError(ILLEGAL)
    return request.tasks.find(request.account, request.project, task_id, region=request.region)


def _absent(answer: OfUnknown) -> ApiError:
    return not_found() if answer is OfUnknown.NOT_FOUND else ApiError(ILLEGAL)


def _row(task: Task, request: Request) -> dict[str, object]:
    row: dict[str, object] = {
        **task.details,
        "task_id": task.task_id,
        "region": task.region,
        "create_time": task.created.strftime(TIME),
        "status": task.raw_status if task.has_raw_status else task.status(request.clock.monotonic()),
    }
    return {name: value for name, value in row.items() if value is not MISSING}


def _number(request: Request, name: str, numbers: range, default: int) -> int:
    text = request.parameters.get(name)
    if text is None:
        return default
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else -1
    if number not in numbers:
        raise ApiError(ILLEGAL)
    return number


_PER_SECOND = Quota(limit=200, window_s=1.0)  # the gateway's usual one: Live publishes none
_ALL = (
    Operation(method="GET", name="ListPullTasks", quota=_PER_SECOND, run=list_tasks),
    Operation(method="POST", name="CreatePullTask", quota=_PER_SECOND, run=create_task),
    Operation(method="DELETE", name="DeletePullTask", quota=_PER_SECOND, run=delete_task),
)
OPERATIONS = {operation.method: operation for operation in _ALL}
