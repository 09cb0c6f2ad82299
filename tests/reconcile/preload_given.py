"""PreloadTasks, rows and readings to decide about: what a test does not name is as ordinary as can be."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from livetask_operator.reconcile.preload_resource import PreloadTask
from livetask_operator.reconcile.preload_settle import PreloadTrack, settle_preload
from livetask_operator.reconcile.preload_status import PreloadTaskStatus
from livetask_operator.reconcile.reasons import Reason
from livetask_operator.reconcile.resource import REQUESTED_AT
from livetask_operator.reconcile.status import timestamp
from livetask_operator.reconcile.trouble import Trouble
from livetask_operator.vendors.contract import (
    Credential,
    PreloadNames,
    PreloadRow,
    PreloadRows,
    RowState,
    Turn,
    at_once,
)
from tests.reconcile.given import CREATED, ERRORS, REQUEST_ID, at

DAY_S = 86_400.0
OPENING = "rtmp://live.example.com/app/opening"
FINAL = "rtmp://live.example.com/app/final"


@dataclass
class PreloadCloud:
    """A vendor as decisions know one, by its names; it cannot be asked anything."""

    name: str = "AlibabaCloud"
    title: str = "Alibaba Cloud"
    block: str = "alibabaCloud"
    list_call: str = "DescribeLiveStreamPreloadTasks"
    secret_keys: tuple[str, ...] = ("accessKeyId", "accessKeySecret")

    def credential(self, data: Mapping[str, str]) -> Credential:
        raise AssertionError("a decision reads no Secret")

    def account(self, credential: Credential) -> str:
        raise AssertionError("a decision counts no calls")

    async def rows(
        self, credential: Credential, domain: str, asked: Collection[PreloadNames], turn: Turn = at_once
    ) -> Mapping[PreloadNames, PreloadRows]:
        raise AssertionError("a decision asks no vendor")


PRELOAD_VENDORS = {"alibabaCloud": PreloadCloud()}


def preload_body(
    name: str = "opening",
    namespace: str = "sports",
    *,
    task_ids: Sequence[str] = (),
    play_urls: Sequence[str] = (),
    generation: int = 1,
    requested_at: str | None = None,
    block: Mapping[str, Any] | None = None,
    status: Mapping[str, Any] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """A PreloadTask as the API server shows it; of the one URL OPENING where nothing is named."""
    meta: dict[str, Any] = {
        "name": name,
        "namespace": namespace,
        "uid": f"{namespace}/{name}",
        "resourceVersion": "100",
        "generation": generation,
        "creationTimestamp": timestamp(CREATED),
    }
    if requested_at is not None:
        meta["annotations"] = {REQUESTED_AT: requested_at}
    lists = {"taskIds": list(task_ids), "playUrls": list(play_urls)}
    named = {field: names for field, names in lists.items() if names} or {"playUrls": [OPENING]}
    alibaba = {"domainName": "live.example.com"} | named | dict(block or {})
    return {
        "kind": "PreloadTask",
        "metadata": meta,
        "spec": {"alibabaCloud": alibaba, "credentialsSecretRef": {"name": "alibaba"}} | spec,
        "status": {"observedGeneration": -1} if status is None else dict(status),
    }


def preload_task(*args: Any, **kwargs: Any) -> PreloadTask:
    """A PreloadTask as the operator reads it; takes what `preload_body` takes."""
    return PreloadTask.from_body(preload_body(*args, **kwargs), PRELOAD_VENDORS)


def with_preload_status(task: PreloadTask, status: PreloadTaskStatus) -> PreloadTask:
    """The object after this status was written."""
    return task.with_status(status, str(int(task.resource_version) + 1))


def body_of_preload(task: PreloadTask) -> dict[str, Any]:
    """The object as the API server shows it, for the checker."""
    block = {"domainName": task.domain, "taskIds": list(task.task_ids), "playUrls": list(task.play_urls)}
    return {
        "kind": "PreloadTask",
        "metadata": {"name": task.name, "namespace": task.namespace, "generation": task.generation},
        "spec": {"alibabaCloud": block, "credentialsSecretRef": {"name": task.secret}, "suspend": task.suspend},
        "status": task.status.to_body(),
    }


def row(
    state: RowState = RowState.PRELOADING,
    progress: int | None = 50,
    *,
    url: str = OPENING,
    task_id: str = "t-1",
    said: str = "preloading",
    made_at_s: float | None = -60,
    **more: Any,
) -> PreloadRow:
    """A row as the vendor tells it. `made_at_s` counts from the objects' creation."""
    made = None if made_at_s is None else CREATED + timedelta(seconds=made_at_s)
    return PreloadRow(task_id, url, state, progress=progress, vendor_status=said, create_time=made, **more)


def done(**named: Any) -> PreloadRow:
    return row(RowState.SUCCEEDED, 100, said="Success", **named)


def failed(**named: Any) -> PreloadRow:
    return row(RowState.FAILED, 30, said="Failed", **named)


def rows(*told: PreloadRow, complete: bool = True) -> PreloadRows:
    """A reading."""
    return PreloadRows(told, complete)


def preload_trouble(reason: Reason, task: PreloadTask | None = None, *, detail: str = "", code: str = "") -> Trouble:
    """What keeps a look at these preloads from being done."""
    task = task or preload_task()
    match reason:
        case Reason.SECRET_NOT_FOUND:
            return Trouble.secret_not_found(task)
        case Reason.SECRET_KEY_MISSING:
            return Trouble.secret_unusable(task, "has no key accessKeySecret; add it (keys found: accessKeyId)")
        case Reason.SECRET_FORBIDDEN:
            return Trouble.secret_forbidden(task)
    error = ERRORS[reason](detail, code=code, request_id=REQUEST_ID)
    return Trouble.of_vendor(task, error, task.vendor.list_call)


class PreloadLife:
    """An object's life under one operator process after the other: each look is settled and written."""

    def __init__(self, task: PreloadTask, at_s: float = 0.0) -> None:
        self.task = task
        self.now_s = at_s
        self.restart()

    def restart(self) -> None:
        """Another process takes the object over: it knows only what is written."""
        self.track = PreloadTrack(since_s=at(self.now_s).mono, interval_s=float(self.task.poll_interval_s))

    def look(self, outcome: PreloadRows | Trouble, request: str | None = None) -> PreloadTaskStatus:
        self.track = self.track.after(outcome, at(self.now_s).mono, request)
        return self.review()

    def review(self) -> PreloadTaskStatus:
        """What the status says now, without another look; written."""
        status = settle_preload(self.task, self.track, at(self.now_s))
        self.task = with_preload_status(self.task, status)
        return status


def preloaded(task: PreloadTask, *story: tuple[float, PreloadRows | Trouble | None]) -> PreloadTaskStatus:
    """The status after looks at these seconds; None stands for a moment when nothing but the time is looked at."""
    life = PreloadLife(task)
    for seconds, outcome in story:
        life.now_s = seconds
        if outcome is None:
            life.review()
        else:
            life.look(outcome)
    return life.task.status


GROWN_S = 600.0
"""An age at which nothing is forgiven any more."""
LATE_S = 3 * DAY_S
PENDING = row(RowState.PENDING, 0, said="pending")
UNKNOWN = row(RowState.UNKNOWN, None, said="melting")
THROTTLED = preload_trouble(Reason.THROTTLED)
