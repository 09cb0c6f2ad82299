"""RelayTasks, looks and moments to decide about: what a test does not name is as ordinary as can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from livetask_operator.reconcile.reasons import Reason
from livetask_operator.reconcile.resource import FINALIZER, REQUESTED_AT, Instant, RelayTask
from livetask_operator.reconcile.settle import Seen, Track, settle
from livetask_operator.reconcile.status import RelayTaskStatus, Status, timestamp
from livetask_operator.reconcile.trouble import Trouble
from livetask_operator.vendors import contract
from livetask_operator.vendors.contract import (
    Credential,
    Look,
    Observation,
    State,
    StopAnswer,
    TaskRef,
    Turn,
    VendorError,
    at_once,
)

CREATED = datetime(2026, 11, 21, 20, 0, 0, tzinfo=UTC)
BOOTED_S = 5_000.0
"""What the monotonic clock shows at CREATED."""

KEY = "3f9a3f9a3f9a3f9a"
OTHER_KEY = "77c277c277c277c2"
REQUEST_ID = "8C2D9E53-64D5-4E26-8E0C-1BD0CD6F3B35"


@dataclass
class Cloud:
    """A vendor as decisions know one, by its names; it cannot be asked anything."""

    name: str
    title: str
    block: str
    application_field: str
    look_call: str
    stop_call: str
    secret_keys: tuple[str, ...] = ("accessKeyId", "accessKeySecret")
    look_batch: int = 1
    task_field: str = field(init=False)

    def __post_init__(self) -> None:
        self.task_field = f"spec.{self.block}.taskId"

    def task(self, block: Mapping[str, object]) -> TaskRef:
        return TaskRef(
            self.name, str(block[self.application_field]), str(block["taskId"]), region=str(block.get("region", ""))
        )

    def credential(self, data: Mapping[str, str]) -> Credential:
        raise AssertionError("a decision reads no Secret")

    def account(self, credential: Credential, task: TaskRef) -> str:
        raise AssertionError("a decision counts no calls")

    async def look(
        self, credential: Credential, tasks: Sequence[TaskRef], turn: Turn = at_once
    ) -> Mapping[TaskRef, Look]:
        raise AssertionError("a decision asks no vendor")

    async def stop(self, credential: Credential, task: TaskRef) -> StopAnswer:
        raise AssertionError("a decision stops nothing")


ALIBABA = Cloud("AlibabaCloud", "Alibaba Cloud", "alibabaCloud", "appId", "GetMPUTaskStatus", "StopLiveMPUTask")
HUAWEI = Cloud("HuaweiCloud", "Huawei Cloud", "huaweiCloud", "projectId", "ListPullTasks", "DeletePullTask")
VENDORS = {cloud.block: cloud for cloud in (ALIBABA, HUAWEI)}


def relay_body(
    name: str = "cup-final",
    namespace: str = "sports",
    *,
    uid: str | None = None,
    generation: int = 1,
    deleted_after_s: float | None = None,
    requested_at: str | None = None,
    vendor: Cloud = ALIBABA,
    block: Mapping[str, Any] | None = None,
    status: Mapping[str, Any] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """A RelayTask as the API server shows it. `deleted_after_s` counts from its creation; `spec` adds fields."""
    meta: dict[str, Any] = {
        "name": name,
        "namespace": namespace,
        "uid": uid or f"{namespace}/{name}",
        "resourceVersion": "100",
        "generation": generation,
        "creationTimestamp": timestamp(CREATED),
        "finalizers": [FINALIZER],
    }
    if deleted_after_s is not None:
        meta["deletionTimestamp"] = timestamp(CREATED + timedelta(seconds=deleted_after_s))
    if requested_at is not None:
        meta["annotations"] = {REQUESTED_AT: requested_at}
    named = {vendor.application_field: "arena", "taskId": "relay-1"} | dict(block or {})
    return {
        "metadata": meta,
        "spec": {vendor.block: named, "credentialsSecretRef": {"name": "alibaba"}} | spec,
        "status": {"observedGeneration": -1} if status is None else dict(status),
    }


def relay_task(*args: Any, **kwargs: Any) -> RelayTask:
    """A RelayTask as the operator reads it; takes what `relay_body` takes."""
    return RelayTask.from_body(relay_body(*args, **kwargs), VENDORS)


def with_status(task: RelayTask, status: RelayTaskStatus) -> RelayTask:
    """The object after this status was written."""
    return task.with_status(status, str(int(task.resource_version) + 1))


def body_of(task: RelayTask) -> dict[str, Any]:
    """The object as the API server shows it, for the checker."""
    meta: dict[str, Any] = {
        "name": task.name,
        "namespace": task.namespace,
        "uid": task.uid,
        "resourceVersion": task.resource_version,
        "generation": task.generation,
        "creationTimestamp": timestamp(task.created),
    }
    if task.requested_at is not None:
        meta["annotations"] = {REQUESTED_AT: task.requested_at}
    if task.deleted is not None:
        meta["deletionTimestamp"] = timestamp(task.deleted)
    ref = task.ref
    block = {"application": ref.application, "taskId": ref.task, "region": ref.region}
    return {
        "metadata": meta,
        "spec": {
            task.vendor.block: block,
            "credentialsSecretRef": {"name": task.secret},
            "suspend": task.suspend,
            "deletionPolicy": task.deletion_policy.value,
        },
        "status": task.status.to_body(),
    }


def at(seconds: float) -> Instant:
    """The moment so many seconds after the objects' creation."""
    return Instant(CREATED + timedelta(seconds=seconds), BOOTED_S + seconds)


def seen(state: State = State.RUNNING, said: str = "1", *, key: str = KEY, **more: Any) -> Seen:
    """A good look."""
    return Seen(Observation(state, said, request_id=REQUEST_ID, **more), key)


ERRORS: Mapping[Reason, type[VendorError]] = {
    Reason(error.reason): error
    for error in (
        contract.CredentialsRejected,
        contract.PermissionDenied,
        contract.InvalidRequest,
        contract.ClockSkew,
        contract.AccountSuspended,
        contract.EndpointNotFound,
        contract.Throttled,
        contract.VendorUnavailable,
        contract.InvalidResponse,
    )
}


def trouble(reason: Reason, task: RelayTask | None = None, *, detail: str = "", code: str = "") -> Trouble:
    """What keeps a look or a stop of this task from being done."""
    task = task or relay_task()
    match reason:
        case Reason.SECRET_NOT_FOUND:
            return Trouble.secret_not_found(task)
        case Reason.SECRET_KEY_MISSING:
            return Trouble.secret_unusable(task, "has no key accessKeySecret; add it (keys found: accessKeyId)")
        case Reason.SECRET_FORBIDDEN:
            return Trouble.secret_forbidden(task)
        case Reason.TASK_NOT_VISIBLE:
            return Trouble.not_visible(task)
    error = ERRORS[reason](detail, code=code, request_id=REQUEST_ID)
    return Trouble.of_vendor(task, error, task.vendor.look_call)


def shown(status: Status) -> str:
    """The conditions in a line: `Ready=Unknown/Throttled Reconciling=True/Throttled`."""
    return " ".join(f"{each.type}={each.status}/{each.reason}" for each in status.conditions)


def merged(body: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """What a JSON merge patch (RFC 7386) makes of a body."""
    result = dict(body)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping):
            result[name] = merged(result.get(name, {}), value)
        else:
            result[name] = value
    return result


class Life:
    """An object's life under one operator process after the other: each look is settled and written."""

    def __init__(self, task: RelayTask, at_s: float = 0.0) -> None:
        self.task = task
        self.now_s = at_s
        self.restart()

    def restart(self) -> None:
        """Another process takes the object over: it knows only what is written."""
        self.track = Track(since_s=at(self.now_s).mono, interval_s=float(self.task.poll_interval_s))

    def look(self, outcome: Seen | Trouble, request: str | None = None) -> RelayTaskStatus:
        self.track = self.track.after(outcome, at(self.now_s).mono, request)
        return self.review()

    def review(self) -> RelayTaskStatus:
        """What the status says now, without another look; written."""
        status = settle(self.task, self.track, at(self.now_s))
        self.task = with_status(self.task, status)
        return status


def told(task: RelayTask, *story: tuple[float, Seen | Trouble | None]) -> RelayTaskStatus:
    """The status after looks at these seconds; None stands for a moment when nothing but the time is looked at."""
    life = Life(task)
    for seconds, outcome in story:
        life.now_s = seconds
        if outcome is None:
            life.review()
        else:
            life.look(outcome)
    return life.task.status
