"""A vendor in memory with tasks of one account, keys of several, and faults; and an API server that loses answers.

For random lives in fake time (`lives.py`). Both tell their judge of each effect in the moment in which it happens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from livetask_operator.kube.api import Unavailable
from livetask_operator.reconcile.resource import FINALIZER, RelayTask
from livetask_operator.reconcile.status import timestamp
from livetask_operator.vendors import contract
from livetask_operator.vendors.contract import (
    Credential,
    CredentialsRejected,
    Look,
    Observation,
    SecretUnusable,
    State,
    StopAnswer,
    StopOutcome,
    TaskRef,
    Turn,
    VendorError,
    VendorUnavailable,
    at_once,
)
from tests.faults.truth import HOME
from tests.kube.small_world import Body, Server, Vendor, now
from tests.polling.fake_time import now_s
from tests.reconcile import given
from tests.reconcile.given import ALIBABA, relay_body

TAKES_S = 0.05
ERRORS: Mapping[str, type[VendorError]] = {error.__name__: error for error in given.ERRORS.values()}
HANGS, LOST, VAIN, PARTLY = "hangs", "lost", "vain", "partly"
LOOK_FAULTS = (*ERRORS, HANGS, PARTLY)
STOP_FAULTS = (*ERRORS, HANGS, LOST, VAIN)


class AnyCloud(Vendor):
    """Its keys are `(id, secret)` of an account; another account's key sees no task of `home`.

    lists: one call shows all. one_run: the word for a task that ended is the word for one that never was.
    """

    def __init__(self, *, lists: bool, one_run: bool) -> None:
        named = {name: getattr(ALIBABA, name) for name in ("name", "title", "block", "application_field")}
        super().__init__(**named, look_call=ALIBABA.look_call, stop_call=ALIBABA.stop_call)
        self.look_batch = 100 if lists else 1
        self.one_run = one_run
        self.tasks: dict[str, State] = {}
        self.keys: dict[tuple[str, str], str] = {}
        self.looks_have: str | None = None
        self.stops_have: str | None = None
        self.shown: dict[str, float] = {}
        """When each task was last shown as running."""
        self.failed_look_s = float("-inf")
        self.stopping: Callable[[Credential, TaskRef], None] = lambda *_: None
        self.changed: Callable[[str], None] = lambda _: None

    def become(self, task: str, state: State | None) -> None:
        """A task is so from now on; None: the vendor does not know it."""
        self.changed(task)
        if state is None:
            self.tasks.pop(task, None)
        else:
            self.tasks[task] = state

    def is_alive(self, task: str) -> bool:
        return task in self.tasks and self.tasks[task].is_alive

    def credential(self, data: Mapping[str, str]) -> Credential:
        if "key" not in data:
            raise SecretUnusable("has no key key; add it (keys found: id)")
        return Credential(data["id"], data["key"])

    async def look(
        self, credential: Credential, tasks: Sequence[TaskRef], turn: Turn = at_once
    ) -> Mapping[TaskRef, Look]:
        await turn()
        fault = self.looks_have
        try:
            await self._answer(credential, fault)
        except VendorError as error:
            self.failed_look_s = now_s()
            return dict.fromkeys(tasks, error)
        account = self.keys[credential.key_id, credential.secret]
        looks: dict[TaskRef, Look] = {task: self._seen(task.task, account) for task in tasks}
        if fault == PARTLY:
            looks |= dict.fromkeys(list(tasks)[::2], contract.Throttled("a page of the list failed"))
            self.failed_look_s = now_s()
        return looks

    def _seen(self, task: str, account: str) -> Observation:
        state = self.tasks.get(task) if account == HOME else None
        if state is State.RUNNING:
            self.shown[task] = now_s()
        if state is not None and not (self.one_run and state is State.STOPPED):
            return Observation(state, state.value)
        ended = Observation(State.STOPPED, "NotExist") if self.one_run else None
        return Observation(State.NOT_FOUND, "NotExist", if_seen=ended)

    async def stop(self, credential: Credential, task: TaskRef) -> StopAnswer:
        self.stopping(credential, task)
        fault = self.stops_have
        await self._answer(credential, fault)
        state = self.tasks.get(task.task, State.NOT_FOUND)
        if self.keys[credential.key_id, credential.secret] != HOME or state.is_gone:
            return StopAnswer(StopOutcome.UNSETTLED, code="InvalidParam")
        if fault != VAIN:
            self.become(task.task, State.STOPPED)
        if fault == LOST:
            raise VendorUnavailable("the connection broke")
        return StopAnswer(StopOutcome.ACCEPTED)

    async def _answer(self, credential: Credential, fault: str | None) -> None:
        await asyncio.sleep(contract.CALL_TIMEOUT_S if fault == HANGS else TAKES_S)
        if fault == HANGS:
            raise VendorUnavailable("it did not answer within 10 seconds")
        if fault is not None and fault in ERRORS:
            raise ERRORS[fault]("as the fault says")
        if (credential.key_id, credential.secret) not in self.keys:
            raise CredentialsRejected("it does not know this key")


class AnyServer(Server):
    """Objects come, change and go as at a real API server. `loses` has the verbs whose answers are lost."""

    def __init__(self) -> None:
        super().__init__()
        self.loses: set[str] = set()
        self.written: Callable[[Body], None] = lambda _: None
        self.dropping: Callable[[Body], None] = lambda _: None
        self.again: dict[str, Callable[[], None]] = {}
        """Who waits for a name to be free, to take it at once."""
        self._made = 0

    def make(self, name: str, namespace: str, **spec: Any) -> None:
        self._made += 1
        body = relay_body(name, namespace, uid=f"uid-{self._made}", **spec)
        body["metadata"] |= {"creationTimestamp": timestamp(now().wall), "finalizers": []}
        self.put(body)

    def merge(self, label: str, **spec: Any) -> None:
        """An edit; None takes a field away. What changes nothing is no change."""
        body = self.bodies[label]
        changed = {name: value for name, value in {**body["spec"], **spec}.items() if value is not None}
        if changed != body["spec"]:
            body["spec"] = changed
            body["metadata"]["generation"] += 1
            self._changed(body)

    def annotate(self, label: str, name: str, value: str) -> None:
        body = self.bodies[label]
        body["metadata"].setdefault("annotations", {})[name] = value
        self._changed(body)

    def delete(self, uid: str) -> None:
        if FINALIZER in self.body(uid)["metadata"]["finalizers"]:
            super().delete(uid)
        else:
            self.drop(uid)

    def drop(self, uid: str) -> None:
        body = self.body(uid)
        self.dropping(body)
        super().drop(uid)
        if (again := self.again.pop(self._key(body), None)) is not None:
            again()

    def _changed(self, body: Body) -> None:
        super()._changed(body)
        self.written(body)

    async def patch_status(self, task: RelayTask, patch: Mapping[str, Any]) -> Body:
        return self._told("status", await super().patch_status(task, patch))

    async def add_finalizer(self, task: RelayTask) -> Body:
        return self._told("add", await super().add_finalizer(task))

    async def remove_finalizer(self, task: RelayTask) -> Body:
        return self._told("remove", await super().remove_finalizer(task))

    def _told(self, verb: str, body: Body) -> Body:
        if verb in self.loses:
            raise Unavailable(f"{verb}: the connection broke")
        return body
