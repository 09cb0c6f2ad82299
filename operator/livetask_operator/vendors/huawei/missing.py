"""What is remembered of the tasks that a project's list lacks: which the vendor did not know, and whose turn is next.

Apart from `looks.py`, which forgets all when a look is done.

Why anything is remembered: a task that was deleted at the vendor is missing from every list from then on, and to ask
for it by its id at each reading is a call each, of the few a second that the project has; a hundred such objects would
use up all of them. So of a task that the vendor has said not to know, when it was asked for by its id, the answer
stands for some minutes, as long as whole lists go on to lack it.

Why that is safe:
- A list alone never says that a task is missing. Only an answer to a query for the id does, and it is remembered for
  exactly this credential, project and region. So a task that vanishes is asked for at once, at the first list without
  it: nothing is remembered of it.
- One that comes back is in the list, is seen there at once, and forgotten here. (Its id is of the vendor's making and
  is not used again; this is for a list that was wrong, or rights that were given back.)
- A list that is not whole (a page failed, or pages count differently, or count more than they name) proves nothing: all
  that it lacks are asked for. The one case left is a task that comes back and, in the very reading that would show it
  first, slips to a page that was read already because one task goes and another comes between two calls. Then this
  reading says "not there" once more, and the next one sees it. Nothing is stopped or let go by that: a deleted object's
  own look always asks for the id.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zlib import crc32

from livetask_operator.vendors.contract import Look, Observation, State

STANDS_AT_LEAST = timedelta(minutes=5)
STANDS_AT_MOST = timedelta(minutes=10)
"""Each task has a time of its own in between: a hundred that went together are not asked for again together."""


@dataclass(frozen=True, slots=True)
class _Answer:
    observation: Observation
    given: datetime


class Missing:
    """Of one list as one credential sees it."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._answers: dict[str, _Answer] = {}
        self._last_asked = ""

    def asked(self, task: str, look: Look) -> None:
        """A task was asked for by its id. An error takes nothing back: it does not say how the task is."""
        self._last_asked = task
        if not isinstance(look, Observation):
            return
        if look.state is State.NOT_FOUND:
            self._answers[task] = _Answer(look, self._clock())
        else:
            self._answers.pop(task, None)

    def listed(self, tasks: Iterable[str]) -> None:
        """These are in the list."""
        for task in self._answers.keys() & tasks:
            del self._answers[task]

    def still(self, tasks: Iterable[str]) -> Mapping[str, Look]:
        """Which of these tasks, that a whole list lacks, need not be asked for again yet, and what is said of them."""
        now = self._clock()
        self._answers = {task: answer for task, answer in self._answers.items() if _stands(task, answer, now)}
        return {task: self._answers[task].observation for task in tasks if task in self._answers}

    def in_turn(self, tasks: Iterable[str]) -> Sequence[str]:
        """The tasks, from the one behind who was asked for last on: who was left out comes first."""
        ordered = sorted(tasks)
        first = bisect_right(ordered, self._last_asked)
        return [*ordered[first:], *ordered[:first]]


def _stands(task: str, answer: _Answer, now: datetime) -> bool:
    """Whether an answer is young enough. One from the future is none: the clock was set back."""
    spread = (STANDS_AT_MOST - STANDS_AT_LEAST) * (crc32(task.encode()) % 1000) / 1000
    return timedelta() <= now - answer.given < STANDS_AT_LEAST + spread
