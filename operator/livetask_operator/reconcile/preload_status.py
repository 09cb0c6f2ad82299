"""A PreloadTask's status: its states, a row for each preload, and how much of a vendor's words fits into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from livetask_operator.reconcile.status import MAX_VENDOR_STATUS, Condition, Entry, Status, timestamp
from livetask_operator.vendors.contract import PreloadRow, RowState

# What the CRD takes; one field too long would refuse the whole patch. Taken as bytes, not as characters: else 200 rows
# of a script that takes several bytes a character could outgrow what etcd stores of an object.
MAX_TASK_ID = 128
MAX_PLAY_URL = 1024
MAX_AREA = 64
MAX_DESCRIPTION = 256


class PreloadState(StrEnum):
    """The state of one preload, and of all of an object taken together (design, section 2)."""

    PENDING = "Pending"
    PRELOADING = "Preloading"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    EXPIRED = "Expired"
    """Seen unfinished, then forgotten by the vendor."""
    NOT_FOUND = "NotFound"
    UNKNOWN = "Unknown"


FINAL = frozenset({PreloadState.SUCCEEDED, PreloadState.FAILED, PreloadState.EXPIRED})
"""Ended: nothing that the vendor does by itself changes these."""


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One preload, a row of `status.tasks`; a field that is None is not there."""

    state: str
    task_id: str | None = None
    play_url: str | None = None
    area: str | None = None
    progress: int | None = None
    """Percent."""
    vendor_status: str | None = None
    """Never None of a row that the vendor told, be it long ago."""
    description: str | None = None
    create_time: str | None = None
    start_time: str | None = None
    end_time: str | None = None

    @classmethod
    def of_vendor(cls, row: PreloadRow) -> TaskRow:
        """What the vendor told, as much of it as fits."""
        return cls(
            state=PreloadState(row.state.value).value,
            task_id=_cut(row.task_id, MAX_TASK_ID),
            play_url=_cut(row.play_url, MAX_PLAY_URL),
            area=_cut(row.area, MAX_AREA) or None,
            progress=100 if row.state is RowState.SUCCEEDED else row.progress,
            vendor_status=_cut(row.vendor_status, MAX_VENDOR_STATUS),
            description=_cut(row.description, MAX_DESCRIPTION) or None,
            create_time=_told(row.create_time),
            start_time=_told(row.start_time),
            end_time=_told(row.end_time),
        )

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> TaskRow:
        fields: dict[str, Any] = {field: body.get(name) for field, name in ROW_FIELDS.items()}
        return cls(**fields)

    def to_body(self) -> dict[str, Any]:
        return {name: value for field, name in ROW_FIELDS.items() if (value := getattr(self, field)) is not None}

    @property
    def key(self) -> str | None:
        """What makes it the same row: its task, which is of one URL; the URL where no task is known."""
        return self.task_id or self.play_url

    @property
    def was_seen(self) -> bool:
        """Whether the vendor ever told it."""
        return self.vendor_status is not None

    @property
    def has_ended(self) -> bool:
        return self.state in FINAL


ROW_FIELDS: Mapping[str, str] = {
    "task_id": "taskId",
    "play_url": "playUrl",
    "area": "area",
    "state": "state",
    "progress": "progress",
    "vendor_status": "vendorStatus",
    "description": "description",
    "create_time": "createTime",
    "start_time": "startTime",
    "end_time": "endTime",
}


@dataclass(frozen=True, slots=True)
class PreloadTaskStatus(Status):
    """The status subresource of a PreloadTask."""

    state: str | None = None
    progress: int | None = None
    """Percent, over all preloads."""
    total: int | None = None
    succeeded: int | None = None
    failed: int | None = None
    tasks: tuple[TaskRow, ...] = ()
    completion_time: str | None = None

    FIELDS: ClassVar[Mapping[str, str]] = {
        "state": "state",
        "progress": "progress",
        "total": "total",
        "succeeded": "succeeded",
        "failed": "failed",
        "completion_time": "completionTime",
    }
    LISTS: ClassVar[Mapping[str, type[Entry]]] = {"tasks": TaskRow, "conditions": Condition}
    ECHOES: ClassVar[tuple[str, ...]] = ("Succeeded",)


def is_final(status: PreloadTaskStatus) -> bool:
    """Whether all has ended: it is looked at no more, unless somebody asks for it."""
    return status.state in FINAL


def _cut(text: str, most_bytes: int) -> str:
    """As much of a text as fits, in characters that can be written."""
    # The same text, not its copy, where it can be: a hundred long URLs are kept of each of thousands of objects.
    printable = text.isprintable()
    shown = text if printable else "".join(character if character.isprintable() else "?" for character in text)
    if len(shown.encode()) <= most_bytes:
        return shown
    # What is cut says so, lest it be taken for another.
    return shown.encode()[: most_bytes - len("…".encode())].decode(errors="ignore") + "…"


def _told(moment: datetime | None) -> str | None:
    return timestamp(moment) if moment else None
