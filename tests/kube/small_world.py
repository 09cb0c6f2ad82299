"""The operator's own parts on a stage where the test holds the clock: an API server, Secrets and a vendor in memory.

Apart from `tests/stage`, which is real: what happens between two steps of the event loop, or after minutes, cannot be
brought about there. The watch is delivered by hand, or by `Server.watched` a moment after each change.
"""

from __future__ import annotations

import asyncio
import base64
import copy
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar, cast

from kubernetes.aio import client

from livetask_operator.config import Config
from livetask_operator.kube.api import Conflict, KubeError, ObjectApi, ObjectGone, Place
from livetask_operator.kube.follow import Follow
from livetask_operator.observability.health import Health
from livetask_operator.observability.metrics import Metrics
from livetask_operator.reconcile.preload_resource import PRELOAD_TASKS
from livetask_operator.reconcile.resource import FINALIZER, RELAY_TASKS, Instant, RelayTask
from livetask_operator.reconcile.status import timestamp
from livetask_operator.vendors.contract import (
    Credential,
    CredentialsRejected,
    Look,
    Observation,
    RelayVendor,
    State,
    StopAnswer,
    StopOutcome,
    TaskRef,
    Turn,
    at_once,
)
from tests.polling.fake_time import FakeTimeLoop, now_s
from tests.reconcile.given import ALIBABA, CREATED, Cloud, relay_body

WATCH_S = 0.1
REQUEST_S = 0.01
Body = dict[str, Any]
T = TypeVar("T")


class CreepingTimeLoop(FakeTimeLoop):
    """Fake time that moves a little with each look at the clock, as real time does: rounding cannot stop it."""

    def time(self) -> float:
        self._jumping.now_s += 1e-7
        return super().time()


def run(story: Coroutine[Any, Any, T]) -> T:
    """Run a story to its end in fake time."""
    with asyncio.Runner(loop_factory=CreepingTimeLoop) as runner:
        return runner.run(story)


def now() -> Instant:
    """Both clocks, from the loop's."""
    return Instant(CREATED + timedelta(seconds=now_s() - 1_000), now_s())


class Server:
    """An API server with RelayTasks. `refuses` has an error for a verb: get, status, add, remove, list, crd."""

    places: Sequence[Place] = (None,)
    selects = False

    def __init__(self) -> None:
        self.bodies: dict[str, Body] = {}
        self.refuses: dict[str, KubeError] = {}
        self.drops: set[str] = set()
        """Fields of the status that its CRD does not have."""
        self.crd_is_terminating = False
        self.requests: list[str] = []
        self.watched: Callable[[Body], None] | None = None
        self.gone: Callable[[str], None] | None = None
        self._version = 1000

    def create(self, name: str = "cup-final", namespace: str = "sports", *, adopted: bool = True, **more: Any) -> str:
        """An object, with the finalizer on unless told otherwise. Returns its uid."""
        body = relay_body(name, namespace, **more)
        body["metadata"]["finalizers"] = [FINALIZER] if adopted else []
        return self.put(body)

    def put(self, body: Body) -> str:
        self.bodies[self._key(body)] = body
        self._changed(body)
        return str(body["metadata"]["uid"])

    def edit(self, uid: str, **spec: Any) -> None:
        body = self.body(uid)
        body["spec"] |= spec
        body["metadata"]["generation"] += 1
        self._changed(body)

    def delete(self, uid: str) -> None:
        body = self.body(uid)
        body["metadata"]["deletionTimestamp"] = timestamp(now().wall)
        body["metadata"]["generation"] += 1
        self._changed(body)

    def drop(self, uid: str) -> None:
        """The object is not there any more; the watch does not tell unless `gone` is set."""
        self.bodies.pop(self._key(self.body(uid)))
        if self.gone is not None:
            asyncio.get_running_loop().call_later(WATCH_S, self.gone, uid)

    def body(self, uid: str) -> Body:
        return next(body for body in self.bodies.values() if body["metadata"]["uid"] == uid)

    def copy(self, uid: str) -> Body:
        return copy.deepcopy(self.body(uid))

    def ready(self, uid: str) -> str:
        conditions = self.body(uid)["status"].get("conditions", [])
        return next((f"{each['status']}/{each['reason']}" for each in conditions if each["type"] == "Ready"), "")

    def _changed(self, body: Body) -> None:
        self._version += 1
        body["metadata"]["resourceVersion"] = str(self._version)
        if self.watched is not None:
            asyncio.get_running_loop().call_later(WATCH_S, self.watched, copy.deepcopy(body))

    @staticmethod
    def _key(body: Body) -> str:
        return f"{body['metadata']['namespace']}/{body['metadata']['name']}"

    async def _request(self, verb: str) -> None:
        self.requests.append(verb)
        await asyncio.sleep(REQUEST_S)
        if verb in self.refuses:
            raise self.refuses[verb]

    def _own(self, task: RelayTask) -> Body:
        body = self.bodies.get(task.label)
        if body is None:
            raise ObjectGone(task.label)
        if body["metadata"]["uid"] != task.uid:
            raise Conflict(task.label)
        return body

    # What ObjectApi does

    async def get(self, namespace: str, name: str) -> Body:
        await self._request("get")
        if f"{namespace}/{name}" not in self.bodies:
            raise ObjectGone(name)
        return copy.deepcopy(self.bodies[f"{namespace}/{name}"])

    async def patch_status(self, task: RelayTask, patch: Mapping[str, Any]) -> Body:
        await self._request("status")
        body = self._own(task)
        status = (body["status"] | patch).items()
        body["status"] = {name: value for name, value in status if value is not None and name not in self.drops}
        self._changed(body)
        return copy.deepcopy(body)

    async def add_finalizer(self, task: RelayTask) -> Body:
        await self._request("add")
        body = self._at_version(task)
        body["metadata"]["finalizers"].append(FINALIZER)
        self._changed(body)
        return copy.deepcopy(body)

    async def remove_finalizer(self, task: RelayTask) -> Body:
        await self._request("remove")
        body = self._at_version(task)
        body["metadata"]["finalizers"].remove(FINALIZER)
        self._changed(body)
        if not body["metadata"]["finalizers"]:
            self.drop(task.uid)
        return copy.deepcopy(body)

    def _at_version(self, task: RelayTask) -> Body:
        body = self.bodies.get(task.label)
        if body is None:
            raise ObjectGone(task.label)
        meta = body["metadata"]
        if (meta["uid"], meta["resourceVersion"]) != (task.uid, task.resource_version):
            raise Conflict(task.label)
        return body

    async def list_same_task(self, task: RelayTask) -> AsyncIterator[Body]:
        await self._request("list")
        block = task.vendor.block
        found = [body for body in self.bodies.values() if body["spec"].get(block, {}).get("taskId") == task.ref.task]
        for body in copy.deepcopy(found):
            yield body

    async def each(self, place: Place) -> AsyncIterator[Body]:
        await self._request("list")
        for body in copy.deepcopy(list(self.bodies.values())):
            yield body

    async def crd_is_deleted(self) -> bool:
        await self._request("crd")
        return self.crd_is_terminating


@dataclass
class Vendor(Cloud):
    """A vendor in memory. `state` is what every task is in; `fails` what a look raises; calls take `takes_s`."""

    state: State = State.RUNNING
    takes_s: float = 0.05
    fails: Exception | None = None
    stop_fails: Exception | None = None
    rejects: str | None = None
    """A look with a secret that begins so is rejected."""
    looks: list[tuple[float, str]] = field(default_factory=list)
    stops: list[tuple[float, str]] = field(default_factory=list)
    outcome: StopOutcome = StopOutcome.ACCEPTED
    in_vain: int = 0
    """So many accepted stops have no effect."""

    def credential(self, data: Mapping[str, str]) -> Credential:
        return Credential(data["id"], data["key"])

    def account(self, credential: Credential, task: TaskRef) -> str:
        return credential.key_id

    async def look(
        self, credential: Credential, tasks: Sequence[TaskRef], turn: Turn = at_once
    ) -> Mapping[TaskRef, Look]:
        await turn()
        self.looks.append((now_s(), credential.key_id))
        await asyncio.sleep(self.takes_s)
        wrong = self.rejects is not None and credential.secret.startswith(self.rejects)
        rejected = CredentialsRejected("the signature is wrong") if wrong else None
        answer = self.fails or rejected or Observation(self.state, self.state.value)
        return {task: cast("Look", answer) for task in tasks}

    async def stop(self, credential: Credential, task: TaskRef) -> StopAnswer:
        self.stops.append((now_s(), credential.key_id))
        await asyncio.sleep(self.takes_s)
        if self.stop_fails is not None:
            raise self.stop_fails
        if self.outcome is StopOutcome.ACCEPTED and len(self.stops) > self.in_vain:
            self.state = State.STOPPED
        return StopAnswer(self.outcome)


class SecretStore:
    """Secrets by namespace/name; `refuses` has an error for a name. Stands in for the generated client."""

    def __init__(self) -> None:
        self.data: dict[str, dict[str, str]] = {"sports/alibaba": {"id": "key-1", "key": "secret"}}
        self.refuses: dict[str, Exception] = {}
        self.reads: list[tuple[float, str]] = []
        self.takes_s = REQUEST_S
        self.events: list[str] = []

    async def read_namespaced_secret(self, name: str, namespace: str, **_: object) -> client.V1Secret:
        label = f"{namespace}/{name}"
        self.reads.append((now_s(), label))
        await asyncio.sleep(self.takes_s)
        if label in self.refuses:
            raise self.refuses[label]
        if label not in self.data:
            raise refusal(404, "NotFound", f"secrets {name} not found")
        encoded: dict[str, bytes | str] = {
            key: base64.b64encode(value.encode()).decode() for key, value in self.data[label].items()
        }
        return client.V1Secret(data=encoded)

    async def create_namespaced_event(self, namespace: str, body: Body, **_: object) -> None:
        self.events.append(body["reason"])


def refusal(status: int, reason: str, said: str) -> client.ApiException:
    """An answer of the API server as its client raises it."""
    error = client.ApiException(status=status, reason=reason)
    error.body = json.dumps({"kind": "Status", "reason": reason, "message": said})
    return error


def alibaba(**settings: Any) -> Vendor:
    named = {name: getattr(ALIBABA, name) for name in ("name", "title", "block", "application_field")}
    return Vendor(**named, look_call=ALIBABA.look_call, stop_call=ALIBABA.stop_call, **settings)


@dataclass
class World:
    """All of it together."""

    server: Server
    vendor: Vendor
    secrets: SecretStore
    follow: Follow
    metrics: Metrics


@asynccontextmanager
async def world(
    vendor: Vendor | None = None,
    config: Config | None = None,
    *,
    watch: bool = True,
    run: bool = True,
    server: Server | None = None,
    store: SecretStore | None = None,
) -> AsyncIterator[World]:
    """The operator's parts at work; for use inside `tests.polling.fake_time.run`.

    server, store: what an earlier operator left behind.
    """
    vendor = vendor or alibaba()
    server, store, metrics = server or Server(), store or SecretStore(), Metrics()
    follow = Follow(
        client.ApiClient(client.Configuration(host="http://127.0.0.1:9")),
        {RELAY_TASKS: cast("ObjectApi", server), PRELOAD_TASKS: cast("ObjectApi", Server())},
        {vendor.block: cast("RelayVendor", vendor)},
        {},
        config or Config.default(),
        metrics,
        Health(now_s),
        now,
        now_s,
    )
    follow.secrets._core = cast("client.CoreV1Api", store)
    follow.events._core = cast("client.CoreV1Api", store)
    if watch:
        server.watched, server.gone = partial(follow.changed, RELAY_TASKS), follow.vanished
    work = [
        asyncio.create_task(part()) for part in ((follow.run, follow.secrets.run, follow.events.run) if run else ())
    ]
    try:
        yield World(server, vendor, store, follow, metrics)
    finally:
        for each in work:
            each.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        await follow.stop()


async def within(seconds: float, condition: Callable[[], Any], what: str) -> None:
    """Wait until something is so."""
    until_s = now_s() + seconds
    while not condition():
        assert now_s() < until_s, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.02)
