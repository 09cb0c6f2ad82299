"""What one row of DescribeLiveStreamPreloadTasks says. Pure, and apart from how rows are asked for.

Source: vendor-apis.md, section 2.2; trap 16. What the vendor writes at run time is not documented: the filter's words,
the column's words and the description's are three vocabularies, so all of them are taken, in any case, and nothing has
succeeded that does not say so twice: by its word, and by 100 %.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from livetask_operator.vendors.answers import printable
from livetask_operator.vendors.contract import PreloadRow, RowState

# The CRD's bounds; it refuses a status that exceeds them.
MAX_TASK_ID_CHARACTERS = 128
MAX_URL_CHARACTERS = 1024
MAX_AREA_CHARACTERS = 64
MAX_DESCRIPTION_CHARACTERS = 256

SUCCESS_WORDS = frozenset({"complete", "success", "successfully"})
"""Of the Status: that the task was created, or has ended. Only Process tells which."""
STATUS_WORDS: Mapping[str, RowState] = {
    "pending": RowState.PENDING,
    "preloading": RowState.PRELOADING,
    "failed": RowState.FAILED,
    "internalerror": RowState.FAILED,
}
FAILED_DESCRIPTIONS = frozenset({"internalerror", "failed"})
_SOUNDS_BAD = re.compile("error|fail", re.IGNORECASE)

_PERCENT = re.compile(r"([0-9]{1,3})(\.[0-9]{1,9})?\s*%?")
_UNREADABLE = -1
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,15}(Z|[+-][0-9]{2}:[0-9]{2})")


def read_row(said: object, now: datetime) -> PreloadRow | None:
    """The row that an entry of the list is; None where it names no task or no URL, and so is none."""
    if not isinstance(said, Mapping):
        return None
    task_id, play_url = said.get("TaskId"), said.get("PlayUrl")
    if not (isinstance(task_id, str) and task_id.strip() and isinstance(play_url, str) and play_url.strip()):
        return None
    status, description = _text(said.get("Status")), _text(said.get("Description"))
    percent, start_time = _percent(said.get("Process")), _moment(said.get("PreloadedStartTime"))
    return PreloadRow(
        task_id=_name(task_id, MAX_TASK_ID_CHARACTERS),
        play_url=_name(play_url, MAX_URL_CHARACTERS),
        state=_state(status, description, percent, start_time, now),
        area=printable(_text(said.get("Area")), MAX_AREA_CHARACTERS),
        progress=None if percent == _UNREADABLE else percent,
        vendor_status=printable(status),
        description=printable(description, MAX_DESCRIPTION_CHARACTERS),
        create_time=_moment(said.get("CreateTime")),
        start_time=start_time,
        end_time=_moment(said.get("PreloadedEndTime")),
    )


def _state(status: str, description: str, percent: int | None, start_time: datetime | None, now: datetime) -> RowState:
    state = STATUS_WORDS.get(status.lower(), RowState.UNKNOWN)
    if state is RowState.FAILED or description.lower() in FAILED_DESCRIPTIONS:
        return RowState.FAILED
    if percent == _UNREADABLE:
        return RowState.UNKNOWN
    return _created(description, percent, start_time, now) if status.lower() in SUCCESS_WORDS else state


def _created(description: str, percent: int | None, start_time: datetime | None, now: datetime) -> RowState:
    """How far a task is whose creation went well."""
    if percent is None:
        return RowState.UNKNOWN
    if percent < 100:
        has_begun = percent > 0 or (start_time is not None and start_time <= now)
        return RowState.PRELOADING if has_begun else RowState.PENDING
    # Done, and yet something went wrong, in words that are not documented: of the two what a person looks into.
    return RowState.UNKNOWN if _SOUNDS_BAD.search(description) else RowState.SUCCEEDED


def _text(said: object) -> str:
    """A word; the vendor writes numbers as strings here and there, so a number is one too."""
    if isinstance(said, int) and not isinstance(said, bool):
        return str(said)
    return said.strip() if isinstance(said, str) else ""


def _name(said: str, most: int) -> str:
    """A task's id or a URL. One that cannot be shown as it is ends in …, lest it be taken for another."""
    name = said.strip()
    return name if name.isprintable() and len(name) <= most else f"{printable(name, most - 1)}…"


def _percent(said: object) -> int | None:
    """`62%`, `62.5%` or 62 as whole percent, rounded down; None where nothing is said, _UNREADABLE for all else."""
    if said is None or said == "":
        return None
    if isinstance(said, bool) or not isinstance(said, str | int | float):
        return _UNREADABLE
    found = _PERCENT.fullmatch(str(said).strip())
    if found is None or float(found[1] + (found[2] or "")) > 100:
        return _UNREADABLE
    return int(found[1])


def _moment(said: object) -> datetime | None:
    """`2016-06-29T19:00:00Z`; None for what is not a moment, a time without its zone too."""
    if not isinstance(said, str) or not _MOMENT.fullmatch(said.strip()):
        return None
    try:
        return datetime.fromisoformat(said.strip()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
