"""The judge of the simulated cloud's books: no task leaked, none stopped wrongly, whatever was broken meanwhile.

Apart from what breaks things, and told in the vendor's words what should have become of each task.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from livetask_simulator.client import Call

STOP_CALLS = frozenset({"StopLiveMPUTask", "StopStreamIngest", "DeletePullTask"})


class Due(Enum):
    """What the operator owes a task."""

    STOPPED = "its last owner was deleted: it must not run"
    ON_AIR = "nobody asked for its end: it runs, and no stop may ever be sent for it"
    LEFT_ALONE = "the vendor ended it: no stop may ever be sent for it"


@dataclass(frozen=True)
class Findings:
    """What is wrong in the books; nothing, where all promises held."""

    leaked: tuple[str, ...] = ()
    stopped_wrongly: tuple[str, ...] = ()
    stopped_twice: tuple[str, ...] = ()
    """Two stops took effect on a task that ran once."""

    @property
    def all(self) -> tuple[str, ...]:
        return (
            *(f"leaked: {task}" for task in self.leaked),
            *(f"stopped wrongly: {task}" for task in self.stopped_wrongly),
            *(f"stopped twice: {task}" for task in self.stopped_twice),
        )


def judge(due: Mapping[str, Due], running: Iterable[str], calls: Iterable[Call]) -> Findings:
    """Compare what is due, by task id, with what runs at the vendor and with all calls that it got."""
    stops = [call for call in calls if call.operation in STOP_CALLS]
    sent = Counter(call.task_id for call in stops)
    took_effect = Counter(call.task_id for call in stops if call.stopped_task)
    still = set(running)
    not_asked_for = {task for task in sent if due.get(task) is not Due.STOPPED}
    ended = {task for task, what in due.items() if what is Due.ON_AIR and task not in still}
    return Findings(
        leaked=tuple(task for task, what in due.items() if what is Due.STOPPED and task in still),
        stopped_wrongly=tuple(sorted(not_asked_for | ended)),
        stopped_twice=tuple(task for task, count in took_effect.items() if count > 1),
    )
