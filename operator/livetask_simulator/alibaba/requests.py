"""A request for an operation, past the gateway: its parameters, read and checked as the pages say.

Apart, because the operations and the starting of tasks read the same ids by the same rules.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from livetask_simulator.alibaba.errors import ApiError
from livetask_simulator.alibaba.preloads import Preloads
from livetask_simulator.alibaba.tasks import Settings, Tasks
from livetask_simulator.clock import Clock

APP_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
TASK_ID = re.compile(r"[A-Za-z0-9_-]{1,55}")


@dataclass(frozen=True, kw_only=True)
class Request:
    """An authenticated request for an operation."""

    account: str
    parameters: Mapping[str, str]
    tasks: Tasks
    preloads: Preloads
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


def check_app(settings: Settings, app_id: str) -> None:
    """Refuse an application id that is malformed or, where the account's applications are listed, not one of them."""
    if not APP_ID.fullmatch(app_id) or (settings.apps is not None and app_id not in settings.apps):
        raise ApiError("InvalidAppId")


def live_app_id(request: Request) -> str:
    app_id = live_required(request, "AppId")
    check_app(request.settings, app_id)
    return app_id


def live_task_id(request: Request) -> str:
    task_id = live_required(request, "TaskId")
    if not TASK_ID.fullmatch(task_id):
        raise ApiError("InvalidParam", "Parameter verification failed: TaskId.")
    return task_id


def live_required(request: Request, name: str) -> str:
    value = request.parameters.get(name, "")
    if not value:
        raise ApiError("MissingParam", f"The parameter {name} is missing.")
    return value


def rtc_required(request: Request, name: str) -> str:
    value = request.parameters.get(name, "")
    if not value:
        raise ApiError("MissingParameter", f"The parameter {name} is mandatory for this action.")
    return value
