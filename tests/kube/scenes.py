"""Many tenants' troubles played at once, so that waiting for one is waiting for all; the tests judge what was seen.

A scene never fails by itself: it waits as long as a person would, and keeps what it saw then.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from tests.kube.causes import Cause
from tests.stage.objects import wait_for
from tests.stage.tenant import Relay
from tests.stage.vendors import Customer

SHOWN_WITHIN_S = 16.0
"""A call may take 10 seconds."""
MENDED_WITHIN_S = 35.0
"""A refused key is tried again after 5, 15 and 30 seconds."""

Body = Mapping[str, Any]


def happens(condition: Callable[[], Any], within_s: float) -> bool:
    """Wait for something. Returns whether it came."""
    try:
        wait_for(condition, "", within_s)
    except AssertionError:
        return False
    return True


def condition_of(body: Body | None, kind: str) -> Body:
    """A condition; empty where there is none."""
    conditions = (body or {}).get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == kind), {})


def says(relay: Relay, kind: str, reason: str) -> bool:
    """Whether a condition is there for this reason, told by a Warning."""
    condition = relay.condition(kind)
    if (condition.get("reason"), condition.get("status")) != (reason, "True"):
        return False
    return any((event["reason"], event["type"]) == (reason, "Warning") for event in relay.events())


class Scene(ABC):
    """A customer, and what happens to it, in the order of these methods."""

    def __init__(self, customer: Customer, cause: Cause) -> None:
        self.customer = customer
        self.cause = cause

    @abstractmethod
    def opens(self) -> None:
        """What there is before anything goes wrong."""

    @abstractmethod
    def is_open(self) -> None:
        """Wait for it."""

    def breaks(self) -> None:
        """It goes wrong."""
        if not self.cause.before:
            self.cause.breaks(self.customer)

    @abstractmethod
    def begins(self) -> None:
        """What the trouble is in the way of."""

    @abstractmethod
    def shows(self) -> None:
        """Wait until that is told, and keep it."""

    @abstractmethod
    def is_left(self) -> None:
        """What is not mended goes."""

    @abstractmethod
    def mends(self) -> None:
        """It is mended."""

    @abstractmethod
    def ends(self) -> None:
        """Wait until all is well, keep it, and leave nothing behind."""


class LookScene(Scene):
    """A new object's first look fails, and one after it does not."""

    relay: Relay
    broken: Body
    events: list[Body]
    after: Body

    def opens(self) -> None:
        self.customer.at.start("shown")

    def is_open(self) -> None:
        pass

    def breaks(self) -> None:
        self.cause.breaks(self.customer)

    def begins(self) -> None:
        self.relay = self.customer.relay("shown")

    def shows(self) -> None:
        happens(partial(says, self.relay, self.cause.kind, self.cause.reason), SHOWN_WITHIN_S)
        self.broken, self.events = self.relay.body(), self.relay.events()

    def is_left(self) -> None:
        pass

    def mends(self) -> None:
        self.cause.mends(self.customer)

    def ends(self) -> None:
        def is_running() -> bool:
            return bool(self.relay.status().get("state") == "Running" and self.relay.condition()["status"] == "True")

        happens(is_running, MENDED_WITHIN_S)
        self.after = self.relay.body()
        self.relay.delete()


class DeletionScene(Scene):
    """Two objects are deleted while their stop cannot be sent: one is mended, the other let go by Orphan."""

    mended: Relay
    orphaned: Relay
    held: Mapping[str, Body | None]
    events: Mapping[str, list[Body]]
    orphan_went = False
    mended_went = False
    running: Mapping[str, bool]
    stopped: list[str]

    @property
    def relays(self) -> tuple[Relay, Relay]:
        return self.mended, self.orphaned

    def opens(self) -> None:
        for task in ("mended", "orphaned"):
            self.customer.at.start(task)
        if self.cause.before:
            self.cause.breaks(self.customer)
        self.mended, self.orphaned = (
            self.customer.relay(name, pollIntervalSeconds=3600) for name in ("mended", "orphaned")
        )

    def is_open(self) -> None:
        for relay in self.relays:
            relay.reaches(reason=self.cause.reason if self.cause.before else "Running")

    def begins(self) -> None:
        for relay in self.relays:
            relay.delete()

    def shows(self) -> None:
        for relay in self.relays:
            happens(partial(says, relay, self.cause.kind_deleted, self.cause.reason), SHOWN_WITHIN_S)
        self.held = {relay.name: relay.body() for relay in self.relays}
        self.events = {relay.name: relay.events() for relay in self.relays}

    def is_left(self) -> None:
        if self.held["orphaned"] is not None:
            self.orphaned.edit(deletionPolicy="Orphan")

    def mends(self) -> None:
        self.orphan_went = happens(lambda: self.orphaned.body() is None, SHOWN_WITHIN_S)
        self.cause.mends(self.customer)

    def ends(self) -> None:
        self.mended_went = happens(lambda: self.mended.body() is None, MENDED_WITHIN_S)
        self.running = {relay.name: self.customer.at.is_running(relay.name) for relay in self.relays}
        self.stopped = self.customer.stopped()


def play(scenes: Iterable[Scene]) -> None:
    """Play all of them at once, step by step; the slow ones are waited for last."""
    in_order = sorted(scenes, key=lambda scene: scene.cause.slow)
    for step in ("opens", "is_open", "breaks", "begins", "shows", "is_left", "mends", "ends"):
        for scene in in_order:
            getattr(scene, step)()
