"""Stream ingest tasks of the simulated Tencent Cloud: what they are, how they live, start and stop.

Apart from the operations, because the admin API and scripts act on tasks too.
"""

import random
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from livetask_simulator.clock import Clock

DEFAULT_REGION = "ap-singapore"
"""The one region that every list of the vendor's has."""
_ID_LETTERS = string.ascii_letters + string.digits + "+-."


class Status(StrEnum):
    """All that the status call ever says."""

    IN_PROGRESS = "InProgress"
    NOT_EXIST = "NotExist"


class StopOfUnknown(StrEnum):
    """What StopStreamIngest answers for a task that the cloud does not know; the vendor documents nothing."""

    TASK_NOT_EXIST = "FailedOperation.TaskNotExist"
    TASK_FINISHED = "FailedOperation.TaskFinished"
    RESOURCE_NOT_FOUND = "ResourceNotFound"
    INVALID_TASK_ID = "InvalidParameter.TaskId"
    ACCEPT = "accept"


class Service(StrEnum):
    """Whether the account may use the service at all."""

    OK = "ok"
    NOT_ENABLED = "notEnabled"
    NOT_VERIFIED = "notVerified"


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
"""A raw status that is left out of the answer."""


@dataclass(frozen=True)
class Turn:
    """From `after_s` seconds after the start on, the task has this status."""

    after_s: float
    status: Status


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the cloud treats one account."""

    service: Service = Service.OK
    stop_of_unknown: StopOfUnknown = StopOfUnknown.TASK_NOT_EXIST
    forget_ended_after_s: float | None = None
    """The stop of an ended task says TaskFinished for so long, then as for one that is unknown; None: for ever."""
    regions_share_tasks: bool = True
    """Whether a task is known in other regions than the one that it was started in."""
    start_life: tuple[Turn, ...] = (Turn(0.0, Status.IN_PROGRESS),)
    """How tasks live that are started through the API."""
    apps: frozenset[str] | None = None
    """The account's SdkAppIds; None: any is one."""
    clock_skew_s: float = 0.0
    """How far ahead the cloud's clock is for this account: moves the signature's window and the Date header."""


@dataclass(kw_only=True)
class Task:
    """One stream ingest task. Times are monotonic seconds."""

    app_id: str
    task_id: str
    region: str
    started_s: float
    life: tuple[Turn, ...]
    room_id: str = ""
    user_id: str = ""
    raw_status: object = None
    """Where set: the status call says this instead of the status, whatever it is; MISSING leaves it out."""
    has_raw_status: bool = False
    ignore_stops: int = 0
    """So many more stops are accepted without effect."""
    stop_takes_s: float = 0.0
    """An accepted stop has its effect only after this many seconds."""
    stops_accepted: int = 0
    stopping: bool = False
    """A stop was accepted and has its effect, or will have it."""

    def status(self, now_s: float) -> Status:
        """The status at this moment. Before the first turn of its life a task is not visible yet."""
        reached = [turn for turn in self.life if turn.after_s <= now_s - self.started_s]
        return reached[-1].status if reached else Status.NOT_EXIST

    def ended_s(self, now_s: float) -> float | None:
        """Since when the task has ended; None while it has not, or was not visible yet."""
        reached = [turn for turn in self.life if turn.after_s <= now_s - self.started_s]
        ended = reached and reached[-1].status is Status.NOT_EXIST
        return self.started_s + reached[-1].after_s if ended else None

    def become(self, status: Status, now_s: float, *, delay_s: float = 0.0) -> None:
        """Have another status from now on, or after a delay; what was planned for later is dropped."""
        at_s = now_s - self.started_s + delay_s
        past = tuple(turn for turn in self.life if turn.after_s < at_s)
        self.life = (*past, Turn(at_s, status))
        self.stopping = False


class Tasks:
    """All tasks, by account, application and id."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: dict[str, dict[tuple[str, str], Task]] = {}
        self._settings: dict[str, Settings] = {}

    def settings(self, account: str) -> Settings:
        """How the cloud treats an account."""
        return self._settings.get(account, Settings())

    def set_settings(self, account: str, settings: Settings) -> None:
        """Treat an account otherwise from now on."""
        self._settings[account] = settings

    def start(
        self,
        account: str,
        app_id: str,
        task_id: str | None = None,
        *,
        life: Sequence[Turn] = (Turn(0.0, Status.IN_PROGRESS),),
        region: str = DEFAULT_REGION,
        room_id: str = "",
        user_id: str = "",
    ) -> Task:
        """Start a task, with an id of the cloud's making unless one is chosen."""
        task = Task(
            app_id=app_id,
            task_id=made_up_id() if task_id is None else task_id,
            region=region,
            started_s=self._clock.monotonic(),
            life=tuple(sorted(life, key=lambda turn: turn.after_s)),
            room_id=room_id,
            user_id=user_id,
        )
        self._tasks.setdefault(account, {})[app_id, task.task_id] = task
        return task

    def find(self, account: str, app_id: str, task_id: str, *, region: str | None = None) -> Task | None:
        """The task, unless the cloud never knew it, has forgotten it, or does not know it in this region."""
        task = self._tasks.get(account, {}).get((app_id, task_id))
        if task is None or self._is_forgotten(account, task):
            return None
        elsewhere = region is not None and region != task.region
        return None if elsewhere and not self.settings(account).regions_share_tasks else task

    def of_account(self, account: str) -> Iterator[Task]:
        """The tasks that the cloud knows for an account."""
        return (task for task in list(self._tasks.get(account, {}).values()) if not self._is_forgotten(account, task))

    def stop(self, task: Task) -> bool:
        """Accept a stop of a task that has not ended; returns whether it changes the task's state."""
        task.stops_accepted += 1
        if task.ignore_stops > 0:
            task.ignore_stops -= 1
            return False
        if task.stopping:
            return False
        task.become(Status.NOT_EXIST, self._clock.monotonic(), delay_s=task.stop_takes_s)
        task.stopping = True
        return True

    def forget_task(self, account: str, app_id: str, task_id: str) -> bool:
        """Make a task unknown; returns whether it was known."""
        return self._tasks.get(account, {}).pop((app_id, task_id), None) is not None

    def forget(self, account: str | None) -> None:
        """Drop tasks and settings of one account, or of all where None."""
        if account is None:
            self._tasks.clear()
            self._settings.clear()
        else:
            self._tasks.pop(account, None)
            self._settings.pop(account, None)

    def _is_forgotten(self, account: str, task: Task) -> bool:
        after_s = self.settings(account).forget_ended_after_s
        now_s = self._clock.monotonic()
        ended_s = task.ended_s(now_s)
        return after_s is not None and ended_s is not None and now_s - ended_s >= after_s


def made_up_id() -> str:
    """A task id as the cloud makes them: over a hundred characters, `+`, `-` and `.` among them."""
    letters = random.choices(_ID_LETTERS, k=112)  # noqa: S311 - it names a task and keeps no secret
    letters[5], letters[53], letters[-1] = "-+."
    return "".join(letters)
