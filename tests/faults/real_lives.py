"""Random lives on the real control plane: what people and a vendor do to one customer, and what it must have come to.

Apart from `lives.py`, where time is fake and everything is known at every moment: here what was seen is judged when it
is over, from the versions of all objects and the ledger of the simulated clouds.
"""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from livetask_simulator.client import AdminError
from tests.faults.conditions import Body, Histories
from tests.faults.truth import deleted_at, is_deleted, stops, task_of
from tests.stage.objects import Objects
from tests.stage.tenant import Relay
from tests.stage.vendors import Customer

NAMES, TASKS = ("a", "b"), ("t1", "t2")
KIND = "/apis/livetask.dev/v1alpha1/relaytasks"
SPARE = "spare"
WATCHES_S = 2
"""So long at a time: then it is asked whether it is over."""
ABOUT_S = 2.0
"""Between what the API server knows, what the operator read of it, and what the ledger notes."""

FAULTS: tuple[tuple[str, Mapping[str, object]], ...] = (
    ("garbage", {}),
    ("garbage", {"body": '{"Status": [1], "Response": {"Status": 1}, "task_infos": {}, "total": "many"}'}),
    ("garbage", {"body": "[" * 90_000}),
    ("garbage", {"body": '{"RequestId": "r", "Status": 1, "Status": 2}'}),
    ("huge", {}),
    ("gzip-bomb", {}),
    ("redirect", {}),
    ("reset", {}),
    ("reset", {"afterEffect": True}),
    ("hang", {}),
    ("truncated", {}),
    ("drip", {"intervalSeconds": 0.02}),
    ("cookie", {}),
    ("content-type", {}),
    ("throttle", {}),
    ("answer", {"status": 200, "body": "{}"}),
    ("answer", {"status": 204}),
    ("answer", {"status": 404, "body": "no such page"}),
    ("answer", {"status": 503, "body": '{"Code": "ServiceUnavailable"}'}),
)  # fmt: skip


@dataclass
class Walk:
    """One customer, and what happens to it by chance. `log` has it in order."""

    customer: Customer
    chance: random.Random
    log: list[str] = field(default_factory=list)
    started: dict[str, datetime] = field(default_factory=dict)
    """When each task was last started."""
    odd: set[str] = field(default_factory=set)
    """Tasks of which the vendor says a word that nobody knows."""

    def begins(self) -> None:
        for task in TASKS:
            self.starts(task)
        self._create("a", "t1")

    def step(self) -> None:
        """One thing happens."""
        act = self.chance.choice(
            [self._creates] * 4
            + [self._edits] * 3
            + [self._asks]
            + [self._deletes] * 3
            + [self._changes_the_secret] * 2
            + [self._task_changes] * 3
            + [self._vendor_fails] * 4
        )
        act()

    def heals(self) -> None:
        """All is whole again, and nobody is suspended or without a key."""
        self._say("heals")
        self.customer.at.settle()
        self.customer.put_secret()
        self.customer.put_secret(SPARE)
        for task in sorted(self.odd):
            self.starts(task)
        for relay in self.relays():
            self._quietly(partial(relay.edit, suspend=False))

    def relays(self) -> list[Relay]:
        """Those that are there."""
        return [relay for name in NAMES if (relay := Relay(self.customer, name)).body() is not None]

    def unsettled(self) -> list[str]:
        """What differs from what the vendor's state defines."""
        return [each for relay in self.relays() for each in self._differs(relay.body())]

    def _differs(self, body: Body | None) -> Iterator[str]:
        if body is None:
            return
        label, status = f"{body['metadata']['namespace']}/{body['metadata']['name']}", body["status"]
        if "deletionTimestamp" in body["metadata"]:
            yield f"{label} is still there: {status.get('conditions')}"
            return
        if status["observedGeneration"] != body["metadata"]["generation"]:
            yield f"{label}: generation {body['metadata']['generation']}, observed {status['observedGeneration']}"
        asked = body["metadata"].get("annotations", {}).get("livetask.dev/requested-at")
        if asked != status.get("lastHandledRequestedAt") and asked is not None:
            yield f"{label}: asked {asked}, handled {status.get('lastHandledRequestedAt')}"
        shown = [(each["type"], each["status"], each["reason"]) for each in status.get("conditions", [])]
        runs = self.customer.at.is_running(task_of(body))
        said = {reason for kind, _, reason in shown if kind == "Ready"}
        if runs and shown != [("Ready", "True", "Running")]:
            yield f"{label} runs, and says {shown}"
        if not runs and not said <= {"Stopped", "TaskNotFound", "TaskFailed", "UnknownVendorStatus"}:
            yield f"{label} does not run, and says {shown}"

    # What may happen

    def _say(self, what: str) -> None:
        self.log.append(f"{datetime.now(UTC):%H:%M:%S.%f} {self.customer.namespace} {what}")

    def starts(self, task: str) -> None:
        """The task runs from now on."""
        with suppress(AdminError):  # it is not there
            self.customer.at.forget(task)
        self.odd.discard(task)
        self.customer.at.start(task)
        self.started[task] = datetime.now(UTC)

    def _create(self, name: str, task: str) -> None:
        spec: dict[str, Any] = {"stopDelaySeconds": 2} if self.chance.random() < 0.2 else {}
        policy = self.chance.choice(["Stop", "Stop", "Stop", "Orphan"])
        self._say(f"creates {name} of {task}, {policy} {spec}")
        self.customer.relay(name, task, deletionPolicy=policy, **spec)

    def _creates(self) -> None:
        name, task = self.chance.choice(NAMES), self.chance.choice(TASKS)
        if Relay(self.customer, name).body() is None:
            self._create(name, task)

    def _any(self) -> Relay | None:
        relays = self.relays()
        return self.chance.choice(relays) if relays else None

    def _edits(self) -> None:
        edit: dict[str, Any] = self.chance.choice(
            [
                {"suspend": True},
                {"suspend": False},
                {"pollIntervalSeconds": 6},
                {"deletionPolicy": "Orphan"},
                {"deletionPolicy": "Stop"},
                {"credentialsSecretRef": {"name": self.chance.choice([SPARE, self.customer.at.secret])}},
            ]
        )
        if (relay := self._any()) is not None:
            self._say(f"edits {relay.name}: {edit}")
            self._quietly(lambda: relay.edit(**edit))

    def _asks(self) -> None:
        if (relay := self._any()) is not None:
            value = f"at {len(self.log)}"
            self._say(f"asks {relay.name} {value}")
            self._quietly(lambda: relay.ask(value))

    def _deletes(self) -> None:
        if (relay := self._any()) is not None:
            self._say(f"deletes {relay.name}")
            relay.delete()

    @staticmethod
    def _quietly(act: Callable[[], object]) -> None:
        """It may have gone in this very moment."""
        try:
            act()
        except RuntimeError as error:
            if " 404 " not in str(error):
                raise

    def _changes_the_secret(self) -> None:
        name = self.chance.choice([SPARE, self.customer.at.secret])
        what = self.chance.choice(["good", "good", "half", "none"])
        self._say(f"Secret {name}: {what}")
        match what:
            case "good":
                self.customer.put_secret(name)
            case "half":
                self.customer.put_secret(name, **self.customer.at.half_key)
            case _:
                self.customer.drop_secret(name)

    def _task_changes(self) -> None:
        task, what = self.chance.choice(TASKS), self.chance.choice(["starts", "starts", "ends", "says an odd word"])
        self._say(f"{task} {what}")
        if what == "starts" or self.customer.at.is_running(task) is False:
            self.starts(task)
        elif what == "ends":
            self.customer.at.end(task)
        else:
            self.odd.add(task)
            self.customer.at.say(task, "word\u202e?" if self.customer.at.block != "alibabaCloud" else 99)

    def _vendor_fails(self) -> None:
        kind, settings = self.chance.choice(FAULTS)
        at = self.chance.choice([None, self.customer.at.look_call, self.customer.at.stop_call])
        times = 1 if kind == "hang" else self.chance.choice([1, 2, 5])
        self._say(f"{kind} {dict(settings)!s:.60} at {at}, {times} times")
        named = {} if at is None else {"operation": at}
        self.customer.fault(kind, **{"times": times, **named, **settings})


@dataclass(frozen=True)
class Version:
    """An object as it was from a moment on; None: it was gone."""

    at: datetime
    body: Body | None


class Recorder:
    """Sees every version of every object with these labels, and judges each against the one before."""

    def __init__(self, objects: Objects, selector: str) -> None:
        self.histories = Histories()
        self.lives: defaultdict[str, list[Version]] = defaultdict(list)
        """By uid."""
        self._objects = objects
        self._selector = selector
        self._version = str(objects.get(f"{KIND}?limit=1")["metadata"]["resourceVersion"])
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def ends(self) -> None:
        self._is_over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._is_over.is_set():
            since = {"labelSelector": self._selector, "resourceVersion": self._version}
            for event in self._objects.events(KIND, since, for_s=WATCHES_S):
                self._note(event, datetime.now(UTC))

    def _note(self, event: Mapping[str, Any], now: datetime) -> None:
        body, is_gone = event["object"], event["type"] == "DELETED"
        self._version = body["metadata"]["resourceVersion"]
        self.lives[body["metadata"]["uid"]].append(Version(now, None if is_gone else body))
        if not is_gone:
            self.histories.add(body, now)

    def followers(self, walk: Walk, task: str, at: datetime) -> list[str]:
        """Who certainly followed a task at a moment and would have stopped it later."""
        about = timedelta(seconds=ABOUT_S)
        return [
            uid
            for uid, versions in self.lives.items()
            if all(
                body is not None and _belongs(body, walk, task) and _would_stop(body)
                for body in _during(versions, at - about, at + about)
            )
            and not _was_deleted(versions, at + about)
        ]

    def was_asked_to_stop(self, walk: Walk, task: str, at: datetime) -> bool:
        """Whether an object of this task was being deleted then, as one that stops it."""
        soon = at + timedelta(seconds=ABOUT_S)
        return any(
            version.body is not None
            and _belongs(version.body, walk, task)
            and is_deleted(version.body)
            and deleted_at(version.body) <= soon
            and stops(version.body)
            for versions in self.lives.values()
            for version in versions
        )


def wrong_stops(walk: Walk, recorder: Recorder) -> list[str]:
    """Tasks that were stopped and should not have been."""
    found = []
    for call in walk.customer.stops():
        if not call.stopped_task:
            continue
        at = datetime.fromisoformat(call.at.replace("Z", "+00:00"))
        if not recorder.was_asked_to_stop(walk, call.task_id, at):
            found.append(f"{call.task_id} of {walk.customer.namespace}: nobody who would stop it was deleted")
        if recorder.followers(walk, call.task_id, at):
            found.append(f"{call.task_id} of {walk.customer.namespace} was stopped at {call.at}, and followed")
    return found


def leaks(walk: Walk, recorder: Recorder) -> list[str]:
    """Tasks that run, that somebody was deleted to stop, and that nobody follows any more."""
    found = []
    for task in TASKS:
        if not walk.customer.at.is_running(task):
            continue
        ends = [versions for versions in recorder.lives.values() if _was_owed(versions, walk, task)]
        left = [versions for versions in ends if versions[-1].at > walk.started[task] + timedelta(seconds=ABOUT_S)]
        followed = any(task_of(relay.body()) == task for relay in walk.relays())
        orphans = any(
            version.body is not None
            and _belongs(version.body, walk, task)
            and version.body["spec"].get("deletionPolicy") == "Orphan"
            for versions in recorder.lives.values()
            for version in versions
        )
        if left and not followed and not orphans:
            found.append(f"{task} of {walk.customer.namespace} runs, and nobody follows it any more")
    return found


def _was_owed(versions: list[Version], walk: Walk, task: str) -> bool:
    """Whether an object went for good that should have had this task stopped."""
    if versions[-1].body is not None or len(versions) < 2:
        return False
    last = versions[-2].body
    return last is not None and _belongs(last, walk, task) and "deletionTimestamp" in last["metadata"]


def _during(versions: list[Version], since: datetime, until: datetime) -> Iterator[Body | None]:
    """As what an object was there between two moments; None where it was not."""
    before = [version for version in versions if version.at <= since]
    yield before[-1].body if before else None
    yield from (version.body for version in versions if since < version.at <= until)


def _was_deleted(versions: list[Version], by: datetime) -> bool:
    """By the API server's own clock: what a watch tells may come later."""
    bodies = [version.body for version in versions if version.body is not None]
    return any(is_deleted(body) and deleted_at(body) <= by for body in bodies)


def _would_stop(body: Body) -> bool:
    return "livetask.dev/stop" in body["metadata"].get("finalizers", []) and not is_deleted(body) and stops(body)


def _belongs(body: Body, walk: Walk, task: str) -> bool:
    return bool(body["metadata"]["namespace"] == walk.customer.namespace and task_of(body) == task)
