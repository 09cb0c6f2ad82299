"""Whatever people, the vendor and the network do, in whatever order: nothing wrong on the way, the truth in the end.

Each example is a random sequence in fake time, of whole objects under the operator's own parts (`lives.py`).
"""

from __future__ import annotations

import logging
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from livetask_operator.kube.api import Conflict, Refused, Unavailable
from livetask_operator.reconcile.resource import REQUESTED_AT
from livetask_operator.vendors.contract import State
from tests.faults.any_cloud import LOOK_FAULTS, STOP_FAULTS
from tests.faults.lives import Lives
from tests.faults.seeds import EXAMPLES
from tests.faults.truth import KEYS

# Most happens to a few, so that much happens to them.
NAMESPACES, NAMES, TASKS = ("sports", "sports", "news"), ("a", "b"), ("t1", "t1", "t2")
SECRETS = ("main", "main", "main", "spare")
EDITS: dict[str, list[Any]] = {
    "pollIntervalSeconds": [5, 30, 300],
    "deletionPolicy": ["Stop", "Orphan"],
    "stopDelaySeconds": [None, 0, 20],
    "suspend": [True, False],
    "credentialsSecretRef": [{"name": name} for name in SECRETS],
}
REFUSALS = {"503": Unavailable("503"), "409": Conflict("409"), "403": Refused("403")}


class AnyLife(RuleBasedStateMachine):
    """Users, tenants' Secrets, a vendor, an API server, and an operator that may be killed."""

    lives: Lives

    @initialize(lists=st.booleans(), one_run=st.booleans())
    def begins(self, lists: bool, one_run: bool) -> None:
        self.lives = Lives(lists=lists, one_run=one_run)
        for namespace in NAMESPACES:
            self.lives.put_key(namespace, "main", "good")
        for task in TASKS:
            self.lives.does(lambda task=task: self.lives.cloud.become(task, State.RUNNING))  # type: ignore[misc]
        self.creates("sports", "a", "t1", 5, "Stop", None)
        self.lives.wait(6.0)  # it is seen to run: most of what can go wrong begins there

    @rule(
        namespace=st.sampled_from(NAMESPACES),
        name=st.sampled_from(NAMES),
        task=st.sampled_from(TASKS),
        interval=st.sampled_from([5, 30, 300]),
        policy=st.sampled_from(["Stop", "Stop", "Orphan"]),
        delay=st.sampled_from([None, None, 20]),
    )
    def creates(self, namespace: str, name: str, task: str, interval: int, policy: str, delay: int | None) -> None:
        """Where the name is taken: as soon as it is free."""
        spec: dict[str, Any] = {
            "block": {"taskId": task},
            "pollIntervalSeconds": interval,
            "deletionPolicy": policy,
            "credentialsSecretRef": {"name": "main"},
        } | ({} if delay is None else {"stopDelaySeconds": delay})
        server, label = self.lives.server, f"{namespace}/{name}"
        if label in server.bodies:
            server.again[label] = lambda: server.make(name, namespace, **spec)
        else:
            self.lives.does(lambda: server.make(name, namespace, **spec))

    def _one(self, data: st.DataObject) -> str:
        return str(data.draw(st.sampled_from(sorted(self.lives.server.bodies)), label="object"))

    @property
    def some(self) -> bool:
        return bool(self.lives.server.bodies)

    @precondition(lambda self: self.some)
    @rule(data=st.data(), field=st.sampled_from(sorted(EDITS)))
    def edits(self, data: st.DataObject, field: str) -> None:
        label, value = self._one(data), data.draw(st.sampled_from(EDITS[field]), label="value")
        self.lives.does(lambda: self.lives.server.merge(label, **{field: value}))

    @precondition(lambda self: self.some)
    @rule(data=st.data(), value=st.integers(1, 3))
    def asks(self, data: st.DataObject, value: int) -> None:
        label = self._one(data)
        self.lives.does(lambda: self.lives.server.annotate(label, REQUESTED_AT, f"request {value}"))

    @precondition(lambda self: self.some)
    @rule(data=st.data())
    def deletes(self, data: st.DataObject) -> None:
        body = self.lives.server.bodies[self._one(data)]
        if "deletionTimestamp" not in body["metadata"]:
            self.lives.does(lambda: self.lives.server.delete(body["metadata"]["uid"]))

    @rule(
        namespace=st.sampled_from(NAMESPACES),
        name=st.sampled_from(SECRETS),
        key=st.sampled_from([*KEYS, "another account's", None]),
    )
    def changes_the_secret(self, namespace: str, name: str, key: str | None) -> None:
        self.lives.put_key(namespace, name, key)

    @rule(task=st.sampled_from(TASKS), state=st.sampled_from([*State, State.RUNNING]))
    def becomes(self, task: str, state: State) -> None:
        self.lives.does(lambda: self.lives.cloud.become(task, None if state is State.NOT_FOUND else state))

    @rule(fault=st.sampled_from([None, *LOOK_FAULTS]))
    def looks_fail(self, fault: str | None) -> None:
        self.lives.cloud.looks_have = fault

    @rule(fault=st.sampled_from([None, *STOP_FAULTS]))
    def stops_fail(self, fault: str | None) -> None:
        self.lives.cloud.stops_have = fault

    @rule(
        verb=st.sampled_from(["get", "status", "add", "remove", "list", "crd"]),
        refusal=st.sampled_from([None, *REFUSALS]),
    )
    def is_refused(self, verb: str, refusal: str | None) -> None:
        self.lives.refuses(verb, None if refusal is None else REFUSALS[refusal])

    @rule(verb=st.sampled_from(["status", "add", "remove"]))
    def answers_are_lost(self, verb: str) -> None:
        self.lives.server.loses ^= {verb}

    @rule()
    def the_watch_falls_silent(self) -> None:
        self.lives.deafens()

    @rule()
    def the_watch_comes_back(self) -> None:
        self.lives.lists_again()

    @rule()
    def crashes(self) -> None:
        self.lives.crashes()

    @rule(seconds=st.sampled_from([0.07, 1.1, 6.0, 31.0, 31.0, 130.0]))
    def waits(self, seconds: float) -> None:
        self.lives.wait(seconds)

    @invariant()
    def nothing_is_wrong(self) -> None:
        if hasattr(self, "lives"):
            assert self.lives.judged() == []

    def teardown(self) -> None:
        if not hasattr(self, "lives"):
            return
        try:
            self.lives.heals()
            assert self.lives.judged() == []
            assert self.lives.unsettled() == []
            assert self.lives.noise() == []
            self.lives.deletes_all()
            assert self.lives.judged() == []
            assert self.lives.unsettled() == []
        finally:
            self.lives.close()


def play(machine: type[RuleBasedStateMachine], examples: int, **more: Any) -> None:
    """Many sequences."""
    logging.disable(logging.CRITICAL)
    try:
        run_state_machine_as_test(
            machine,
            settings=settings(
                EXAMPLES,
                max_examples=examples * EXAMPLES.max_examples,
                stateful_step_count=25,
                suppress_health_check=list(HealthCheck),
                **more,
            ),
        )
    finally:
        logging.disable(logging.NOTSET)


def test_whatever_happens_nothing_goes_wrong_and_in_the_end_each_status_is_true() -> None:
    play(AnyLife, 40)
