"""What the rows of ListPullTasks say: Huawei Cloud's status words, and how little of a list can be taken for granted.

Pure. Apart from the relay, which decides what is asked.
Source: vendor-apis.md, section 4.4; trap 32.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from livetask_operator.vendors.answers import printable
from livetask_operator.vendors.contract import InvalidResponse, Observation, State
from livetask_operator.vendors.huawei.api import Reply

_NEW_TASK = "Its id is not used again: for another run make a new task there, and a new object with its id."

RELAY_STATES: Mapping[str, tuple[State, str, str]] = {
    # The vendor documents no words: these are the ones whose plain English leaves no doubt, `suspend` from its sample.
    # `enable`, which a task is switched on with, is not here: that tells of the switch, and nothing of the stream.
    # Nor is `stopped`, which may be paused or may be over. A person who knows better says so in the configuration.
    "pending": (State.PENDING, "waiting for its start", ""),
    "running": (State.RUNNING, "relaying", ""),
    "suspend": (State.PAUSED, "suspended, it relays nothing", ""),
    "suspended": (State.PAUSED, "it relays nothing", ""),
    "pause": (State.PAUSED, "paused, it relays nothing", ""),
    "paused": (State.PAUSED, "it relays nothing", ""),
    "finished": (State.STOPPED, "it has ended", _NEW_TASK),
    "failed": (State.FAILED, "the relay failed", f"Check its source and its destination. {_NEW_TASK}"),
}

_CONFIGURED = "by statusWords in the operator's configuration"
_UNKNOWN_ADVICE = (
    "The vendor documents none. Look at the task in its console, and say what the word means under "
    "statusWords.huaweiCloud in the operator's configuration."
)
_NOT_THERE_ADVICE = (
    "Check the task id, the project and the region: they cannot be changed, so where they are wrong make a new object "
    "with the right ones. A task that was deleted does not come back under its id."
)

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")

Words = Mapping[str, State]
"""More words and what they mean, from the configuration; in lower case."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a list."""

    task: str
    observation: Observation | None
    """None where the row does not say how the task is."""


@dataclass(frozen=True, slots=True)
class Page:
    """What one answer lists."""

    rows: tuple[Row, ...]
    """Those that name a task, in their order."""
    length: int
    """How many there are, nameless ones included."""
    total: int | None
    """How many there are in all pages, as the vendor says; None where it does not."""


def words_in_lower_case(words: Mapping[str, State]) -> Words:
    return {word.lower(): state for word, state in words.items()}


def page_in(reply: Reply, words: Words) -> Page:
    """The page that an answer is. Raises InvalidResponse where it is none."""
    said, total = reply.document.get("task_infos"), reply.document.get("total")
    if total is not None and (not isinstance(total, int) or isinstance(total, bool) or total < 0):
        total = None
    if said is None and total == 0:
        said = []  # how some servers write an empty list
    if not isinstance(said, list):
        raise InvalidResponse("the answer has no list of tasks", request_id=reply.request_id)
    return Page(
        rows=tuple(_row(each, words, reply.request_id) for each in said if _names_a_task(each)),
        length=len(said),
        total=total,
    )


def answer_for(task: str, reply: Reply, words: Words) -> Observation:
    """What the answer to a query for one task says of it. Raises InvalidResponse where that is nothing.

    Only an answer that is empty beyond doubt says that the task is not there.
    """
    page = page_in(reply, words)
    if page.length == 0:
        if reply.document.get("total") not in (0, None) or not reply.request_id:
            raise InvalidResponse("the answer has no task, and does not say that there is none")
        return not_there("total 0", reply.request_id)
    observation = Agreed(row for row in page.rows if row.task == task).known.get(task)
    if observation is None:
        raise InvalidResponse("the answer to a query for the task does not say how it is", request_id=reply.request_id)
    return observation


class Agreed:
    """What is known of each task, where all of its rows can be read and say the same."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self.known: dict[str, Observation] = {}
        self._doubtful: set[str] = set()
        self.add(rows)

    def add(self, rows: Iterable[Row]) -> None:
        """Take in more rows. A task that is doubtful once stays so."""
        for row in rows:
            if row.task in self._doubtful:
                continue
            seen = self.known.setdefault(row.task, row.observation) if row.observation is not None else None
            if row.observation is None or seen is None or seen.vendor_status != row.observation.vendor_status:
                self._doubtful.add(row.task)
                self.known.pop(row.task, None)


def not_there(said: str, request_id: str) -> Observation:
    """The vendor does not know the task."""
    return Observation(
        State.NOT_FOUND,
        vendor_status=said,
        meaning="it does not know the task",
        advice=_NOT_THERE_ADVICE,
        request_id=request_id,
    )


def _names_a_task(row: object) -> bool:
    return isinstance(row, dict) and isinstance(row.get("task_id"), str)


def _row(row: Mapping[str, object], words: Words, request_id: str) -> Row:
    said = row.get("status")
    word = printable(said) if isinstance(said, str) else ""
    if not word:
        return Row(str(row["task_id"]), None)
    state, meaning, advice = _meaning(word, words)
    observation = Observation(
        state,
        vendor_status=word,
        meaning=meaning,
        advice=advice,
        request_id=request_id,
        scheduled_start=_time(row.get("start_time")),
        scheduled_end=_time(row.get("end_time")),
    )
    return Row(str(row["task_id"]), observation)


def _meaning(word: str, words: Words) -> tuple[State, str, str]:
    """The configuration goes first: whoever wrote it saw the tasks."""
    if word.lower() in words:
        state = words[word.lower()]
        return state, f"{state.value}, {_CONFIGURED}", ""
    return RELAY_STATES.get(word.lower(), (State.UNKNOWN, "a word that it does not document", _UNKNOWN_ADVICE))


def _time(said: object) -> datetime | None:
    """A time as the vendor writes it; None for all else, as nothing is decided by it."""
    if not isinstance(said, str) or not _TIME.fullmatch(said):
        return None
    try:
        return datetime.fromisoformat(said)  # a quarter of what strptime takes, which was half of reading a page
    except ValueError:
        return None
