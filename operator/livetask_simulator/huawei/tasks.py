"""Pull tasks of the simulated Huawei Cloud: what they are, how they live and are deleted.

Apart from the operations, because the admin API and scripts act on tasks too.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from livetask_simulator.clock import Clock

DEFAULT_REGION = "cn-north-4"
RUNNING = "running"
"""The vendor documents no words; this one and every other are guesses."""
TIME = "%Y-%m-%dT%H:%M:%SZ"


class OfUnknown(StrEnum):
    """What is answered about a task that is not there. The page has the 404; the others are as likely."""

    NOT_FOUND = "404"
    BAD_REQUEST = "400"
    EMPTY = "empty"
    """A list without a task; of a delete: accepted."""


class Service(StrEnum):
    """Whether the account may use the service at all."""

    OK = "ok"
    OVERDUE = "overdue"


class AfterPage(StrEnum):
    """What happens to a task when a page of the list has been read."""

    FORGET = "forget"
    START = "start"


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
"""A raw status that is left out of the row."""


@dataclass(frozen=True)
class Turn:
    """From `after_s` seconds after the start on, the task has this status."""

    after_s: float
    status: str


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the cloud treats one account."""

    service: Service = Service.OK
    look_for_unknown: OfUnknown = OfUnknown.NOT_FOUND
    stop_of_unknown: OfUnknown = OfUnknown.NOT_FOUND
    start_life: tuple[Turn, ...] = (Turn(0.0, RUNNING),)
    """How tasks live that are created through the API."""
    projects: frozenset[str] | None = None
    """The account's projects; None: any is one."""
    regions: frozenset[str] | None = None
    """The regions that have the API; None: any has."""
    total: int | None = None
    """What the list says of its length, whatever it is; None: the truth."""
    after_pages: tuple[tuple[AfterPage, str], ...] = ()
    """What happens between pages: after each page that is read, the next of these."""
    clock_skew_s: float = 0.0
    """How far ahead the cloud's clock is for this account: moves the signature's window and the Date header."""


@dataclass(kw_only=True)
class Task:
    """One pull task. Times are monotonic seconds, but `created`."""

    project: str
    task_id: str
    region: str
    created: datetime
    started_s: float
    life: tuple[Turn, ...]
    details: Mapping[str, object] = field(default_factory=dict)
    """The fields that it was created with, as the list shows them."""
    raw_status: object = None
    """Where set: the list says this instead of the status, whatever it is; MISSING leaves it out."""
    has_raw_status: bool = False
    ignore_stops: int = 0
    """So many more deletes are accepted without effect."""
    stop_takes_s: float = 0.0
    """An accepted delete has its effect only after this many seconds."""
    stops_accepted: int = 0
    gone_s: float | None = None
    """When it is gone: a delete was accepted."""

    def status(self, now_s: float) -> str:
        """The status at this moment."""
        reached = [turn for turn in self.life if turn.after_s <= now_s - self.started_s]
        return reached[-1].status if reached else self.life[0].status

    def become(self, status: str, now_s: float) -> None:
        """Have another status from now on; what was planned for later is dropped."""
        at_s = now_s - self.started_s
        past = tuple(turn for turn in self.life if turn.after_s < at_s)
        self.life = (*past, Turn(at_s, status))

    def is_gone(self, now_s: float) -> bool:
        """Whether an accepted delete has had its effect."""
        return self.gone_s is not None and self.gone_s <= now_s


class Tasks:
    """All tasks, by account, project and id."""

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
        project: str,
        task_id: str | None = None,
        *,
        life: Sequence[Turn] = (Turn(0.0, RUNNING),),
        region: str = DEFAULT_REGION,
        details: Mapping[str, object] | None = None,
    ) -> Task:
        """Create a task, with an id of the cloud's making unless one is chosen."""
        task = Task(
            project=project,
            task_id=str(uuid.uuid4()) if task_id is None else task_id,
            region=region,
            created=self._clock.now(),
            started_s=self._clock.monotonic(),
            life=tuple(sorted(life, key=lambda turn: turn.after_s)),
            details=details or {},
        )
        of_account = self._tasks.setdefault(account, {})
        of_account.pop((project, task.task_id), None)  # so that it is the newest
        of_account[project, task.task_id] = task
        return task

    def find(self, account: str, project: str, task_id: str, *, region: str | None = None) -> Task | None:
        """The task, unless the cloud never knew it, has deleted it, or has it in another region."""
        task = self._tasks.get(account, {}).get((project, task_id))
        if task is None or task.is_gone(self._clock.monotonic()) or region not in (None, task.region):
            return None
        return task

    def of_account(self, account: str) -> Iterator[Task]:
        """The tasks that the cloud has for an account, the oldest first."""
        now_s = self._clock.monotonic()
        return (task for task in list(self._tasks.get(account, {}).values()) if not task.is_gone(now_s))

    def stop(self, task: Task) -> bool:
        """Accept a delete; returns whether it changes anything."""
        task.stops_accepted += 1
        if task.ignore_stops > 0:
            task.ignore_stops -= 1
            return False
        if task.gone_s is not None:
            return False
        task.gone_s = self._clock.monotonic() + task.stop_takes_s
        return True

    def page_was_read(self, account: str, project: str, region: str | None) -> None:
        """Have the next thing happen that happens between pages."""
        settings = self.settings(account)
        if not settings.after_pages:
            return
        (what, task_id), *later = settings.after_pages
        self._settings[account] = replace(settings, after_pages=tuple(later))
        if what is AfterPage.FORGET:
            self.forget_task(account, project, task_id)
        else:
            self.start(account, project, task_id, region=region or DEFAULT_REGION)

    def forget_task(self, account: str, project: str, task_id: str) -> bool:
        """Make a task unknown; returns whether it was known."""
        return self._tasks.get(account, {}).pop((project, task_id), None) is not None

    def forget(self, account: str | None) -> None:
        """Drop tasks and settings of one account, or of all where None."""
        if account is None:
            self._tasks.clear()
            self._settings.clear()
        else:
            self._tasks.pop(account, None)
            self._settings.pop(account, None)
