"""Relay tasks of the simulated Alibaba Cloud: what they are, how they live, start and stop.

Apart from the operations, because the admin API and scripts act on tasks too.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from livetask_simulator.clock import Clock

WAITING, RUNNING, STOPPED, STOPPED_BY_USER, CHANNEL_STOPPED, CDN_TROUBLE, PUSH_URL_TROUBLE = range(7)
ENDED = range(STOPPED, PUSH_URL_TROUBLE + 1)  # 2..6 are all final for that run (dossier 1.6)


class Edition(StrEnum):
    """The two product generations that manage relay tasks."""

    LIVE = "live"
    RTC = "rtc"


class StopOfUnknown(StrEnum):
    """What StopLiveMPUTask answers for a task that is unknown or has ended; the vendor documents nothing."""

    INVALID_PARAM = "InvalidParam"
    NOT_FOUND = "InvalidTask.NotFound"
    ACCEPT = "accept"


class Service(StrEnum):
    """Whether the account may use the service at all."""

    OK = "ok"
    OVERDUE = "overdue"
    NOT_ENABLED = "notEnabled"
    APP_STOPPED = "appStopped"


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
"""A raw status that is left out of the answer."""


@dataclass(frozen=True)
class Turn:
    """From `after_s` seconds after the start on, the task has this status."""

    after_s: float
    status: int


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the cloud treats one account."""

    service: Service = Service.OK
    stop_of_unknown: StopOfUnknown = StopOfUnknown.INVALID_PARAM
    forget_ended_after_s: float | None = None
    """An ended task is unknown after this many seconds; None: never. (The vendor's time is not documented.)"""
    rtc_sees_live_tasks: bool = True
    start_life: tuple[Turn, ...] = (Turn(0.0, RUNNING),)
    """How tasks live that are started through the API."""
    apps: frozenset[str] | None = None
    """The account's applications; None: any id is one."""
    clock_skew_s: float = 0.0
    """How far ahead the cloud's clock is for this account: moves the signature's window and the Date header."""


@dataclass(kw_only=True)
class Task:
    """One relay task. Times are monotonic seconds."""

    app_id: str
    task_id: str
    edition: Edition
    started_s: float
    life: tuple[Turn, ...]
    details: Mapping[str, object] = field(default_factory=dict)
    """The parameters that it was started with, as ListRtcMPUTaskDetail shows them."""
    stream_urls: frozenset[str] = frozenset()
    updated_s: float = 0.0
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

    def status(self, now_s: float) -> int:
        """The status at this moment."""
        return self._turn(now_s).status

    def ended_s(self, now_s: float) -> float | None:
        """Since when the task has ended; None while it has not."""
        turn = self._turn(now_s)
        return self.started_s + turn.after_s if turn.status in ENDED else None

    def become(self, status: int, now_s: float, *, delay_s: float = 0.0) -> None:
        """Have another status from now on, or after a delay; what was planned for later is dropped."""
        at_s = now_s - self.started_s + delay_s
        past = tuple(turn for turn in self.life if turn.after_s < at_s)
        self.life = (*past, Turn(at_s, status))
        self.stopping = False
        self.updated_s = now_s

    def _turn(self, now_s: float) -> Turn:
        age_s = now_s - self.started_s
        reached = [turn for turn in self.life if turn.after_s <= age_s]
        return reached[-1] if reached else Turn(0.0, WAITING)


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
        task_id: str,
        *,
        life: Sequence[Turn],
        edition: Edition = Edition.LIVE,
        details: Mapping[str, object] | None = None,
        stream_urls: frozenset[str] = frozenset(),
    ) -> Task:
        """Start a task, or start it anew. The rules of the start operations are theirs, not kept here."""
        now_s = self._clock.monotonic()
        task = Task(
            app_id=app_id,
            task_id=task_id,
            edition=edition,
            started_s=now_s,
            life=tuple(sorted(life, key=lambda turn: turn.after_s)),
            details=details or {"AppId": app_id, "TaskId": task_id},
            stream_urls=stream_urls,
            updated_s=now_s,
        )
        self._tasks.setdefault(account, {})[app_id, task_id] = task
        return task

    def find(self, account: str, app_id: str, task_id: str) -> Task | None:
        """The task, unless the cloud never knew it or has forgotten it."""
        task = self._tasks.get(account, {}).get((app_id, task_id))
        if task is None or self._is_forgotten(account, task):
            return None
        return task

    def of_account(self, account: str) -> Iterator[Task]:
        """The tasks that the cloud knows for an account."""
        return (task for task in list(self._tasks.get(account, {}).values()) if not self._is_forgotten(account, task))

    def stop(self, task: Task) -> bool:
        """Accept a stop; returns whether it changes the task's state."""
        now_s = self._clock.monotonic()
        task.stops_accepted += 1
        if task.ignore_stops > 0:
            task.ignore_stops -= 1
            return False
        if task.status(now_s) in ENDED or task.stopping:
            return False
        task.become(STOPPED_BY_USER, now_s, delay_s=task.stop_takes_s)
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
