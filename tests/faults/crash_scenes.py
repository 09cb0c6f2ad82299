"""What people do with their objects while the operator is killed: a scene for each way that an object takes.

A scene knows nothing of the kill. It does what a person does next as soon as it sees what it waits for, and is as
patient as a restart takes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from tests.faults.effects import Effect
from tests.faults.ledger import Due
from tests.reconcile.checker import contradictions
from tests.reconcile.kstatus import kstatus
from tests.stage.objects import wait_for
from tests.stage.tenant import Followed, Relay
from tests.stage.vendors import Alibaba, Customer, Huawei, Side, Tencent

SEEN_WITHIN_S = 40.0
"""A kill, a restart and a round of polling on a busy machine."""
RARELY_S = 3600
"""An interval in which nothing is looked at but for a reason."""


class Scene(ABC):
    """One story in one operator's namespace. All its objects and tasks have names that begin with its own."""

    name: ClassVar[str]
    side: ClassVar[type[Side]] = Alibaba
    slow: ClassVar[bool] = False
    """It has to wait for the clock."""
    nameless: ClassVar[frozenset[str]] = frozenset()
    """Calls that name no task and belong to this scene alone."""
    by_chance: ClassVar[frozenset[str]] = frozenset({"status Stopping", "Event Stopping"})
    """Done only where the machine is slow, so it can neither be recorded nor met for sure. `Lingering` always does."""

    def __init__(self, customer: Customer) -> None:
        self.customer = customer
        self.due: dict[str, Due] = {}
        self.objects: list[Followed] = []
        self._relays: dict[str, Relay] = {}
        self.on_begin: Callable[[], None] = lambda: None

    def owns(self, effect: Effect) -> bool:
        return effect.about.startswith(self.name) or effect.what in self.nameless

    @abstractmethod
    def play(self) -> None:
        """The whole story. Raises AssertionError where what it waits for does not come."""

    def begins(self) -> None:
        """All before is another scene's story; the kill points are those from here on."""
        self.on_begin()

    def wrong(self) -> list[str]:
        """What is not as it should be in the objects that are still there, after the story."""
        found = []
        for each in self.objects:
            body = each.body()
            if body is not None:
                found += [f"{each.name}: {what}" for what in _unsettled(body)]
        return found

    def looked_at(self) -> list[str]:
        """The tasks of objects that are still there and are looked at after a restart: a finished preload is not."""
        return [task for task, relay in self._relays.items() if relay.body() is not None]

    def on_air(self, task: str) -> None:
        """A task runs at the vendor."""
        self.customer.at.start(task)
        self.due[task] = Due.ON_AIR

    def relay(self, name: str, task: str | None = None, **spec: Any) -> Relay:
        """An object, looked at for a reason alone unless told otherwise."""
        relay = self.customer.relay(name, task, **{"pollIntervalSeconds": RARELY_S, **spec})
        self.objects.append(relay)
        self._relays[task or name] = relay
        return relay

    def followed(self, name: str, task: str | None = None, **spec: Any) -> Relay:
        """An object that has come so far that its task is seen to run."""
        relay = self.relay(name, task, **spec)
        relay.reaches("Running", "Running", SEEN_WITHIN_S)
        return relay

    def goes(self, relay: Relay, task: str, *, stopped: bool) -> None:
        """A deleted object is let go."""
        if stopped:
            self.due[task] = Due.STOPPED
        relay.is_gone(SEEN_WITHIN_S)


class Create(Scene):
    """Somebody creates an object whose task runs."""

    name = "create"

    def play(self) -> None:
        self.on_air("create")
        self.begins()
        self.followed("create")


class WholeLife(Scene):
    """An object is created and deleted, at a vendor that `Deleted` does not play at."""

    def play(self) -> None:
        self.on_air(self.name)
        self.begins()
        relay = self.followed(self.name)
        relay.delete()
        self.goes(relay, self.name, stopped=True)


class AtTencent(WholeLife):
    """Tencent Cloud."""

    name, side = "tencent", Tencent


class AtHuawei(WholeLife):
    """Huawei Cloud, which tells of tasks in lists."""

    name, side, nameless = "huawei", Huawei, frozenset({"ListPullTasks"})


class PreloadDone(Scene):
    """Somebody follows a preload that is done."""

    name, nameless = "preload", frozenset({"DescribeLiveStreamPreloadTasks"})

    def play(self) -> None:
        self.customer.preloads("preload")
        self.begins()
        preload = self.customer.preload("preload", tasks=["preload"])
        self.objects.append(preload)
        preload.reaches("Succeeded", "Succeeded", SEEN_WITHIN_S)


class Polled(Scene):
    """A task ends at the vendor, and a poll finds it."""

    name, slow = "polled", True

    def play(self) -> None:
        self.on_air("polled")
        relay = self.followed("polled", pollIntervalSeconds=5)
        self.due["polled"] = Due.LEFT_ALONE
        self.begins()
        self.customer.at.end("polled")
        relay.reaches("Stopped", "Stopped", SEEN_WITHIN_S)


class Asked(Scene):
    """Somebody asks for a look."""

    name, slow = "asked", True

    def play(self) -> None:
        self.on_air("asked")
        relay = self.followed("asked")
        self.begins()
        relay.ask("now")
        wait_for(lambda: relay.status().get("lastHandledRequestedAt") == "now", "an answer", SEEN_WITHIN_S)


class Edited(Scene):
    """Somebody suspends an object, and resumes it."""

    name = "edited"

    def play(self) -> None:
        self.on_air("edited")
        relay = self.followed("edited")
        self.begins()
        relay.edit(suspend=True)
        relay.reaches("Running", "Suspended", SEEN_WITHIN_S)
        relay.edit(suspend=False, pollIntervalSeconds=RARELY_S - 1)
        relay.reaches("Running", "Running", SEEN_WITHIN_S)


class Deleted(Scene):
    """Somebody deletes an object."""

    name = "deleted"

    def play(self) -> None:
        self.on_air("deleted")
        relay = self.followed("deleted")
        self.begins()
        relay.delete()
        self.goes(relay, "deleted", stopped=True)


class Delayed(Scene):
    """Somebody deletes an object whose stop is to wait a little."""

    name = "delayed"

    def play(self) -> None:
        self.on_air("delayed")
        relay = self.followed("delayed", stopDelaySeconds=2)
        self.begins()
        relay.delete()
        self.goes(relay, "delayed", stopped=True)


class Lingering(Scene):
    """Somebody deletes an object, and its task runs on for a while after the vendor accepted its stop."""

    name, by_chance = "lingering", frozenset()

    def play(self) -> None:
        self.customer.starts("lingering", stop_takes_seconds=2.5)
        self.due["lingering"] = Due.ON_AIR
        relay = self.followed("lingering")
        self.begins()
        relay.delete()
        self.goes(relay, "lingering", stopped=True)


class Orphaned(Scene):
    """Somebody deletes an object, and then wants its task left running."""

    name = "orphaned"

    def play(self) -> None:
        self.on_air("orphaned")
        relay = self.followed("orphaned", stopDelaySeconds=3600)
        self.begins()
        relay.delete()
        relay.reaches(reason="StopPending", within_s=SEEN_WITHIN_S)
        relay.edit(deletionPolicy="Orphan")
        self.goes(relay, "orphaned", stopped=False)


class TwoOwners(Scene):
    """A task with two owners: the first to go leaves it running, the last one stops it."""

    name = "shared"

    def play(self) -> None:
        self.on_air("shared")
        first, last = self.followed("shared-first", "shared"), self.followed("shared-last", "shared")
        self.begins()
        first.delete()
        self.goes(first, "shared", stopped=False)
        assert self.customer.at.is_running("shared"), "its other owner is there"
        last.delete()
        self.goes(last, "shared", stopped=True)


class Bystander(Scene):
    """An object that nobody touches, with a task that nobody may stop."""

    name = "bystander"

    def play(self) -> None:
        self.on_air("bystander")
        self.followed("bystander")
        self.begins()


SCENES: tuple[type[Scene], ...] = (
    Create,
    Edited,
    Deleted,
    Lingering,
    Orphaned,
    TwoOwners,
    PreloadDone,
    AtTencent,
    AtHuawei,
    Polled,
    Asked,
    Delayed,
    Bystander,
)


def _unsettled(body: Mapping[str, Any]) -> list[str]:
    """What a status says wrongly once all has come to rest."""
    found = contradictions(body)
    meta, status = body["metadata"], body.get("status", {})
    if "deletionTimestamp" in meta:
        found.append("it was deleted and is still there")
    if status.get("observedGeneration") != meta["generation"]:
        found.append(f"observedGeneration is {status.get('observedGeneration')} of {meta['generation']}")
    if body["kind"] == Relay.KIND and meta.get("finalizers") != ["livetask.dev/stop"]:
        found.append(f"its finalizers are {meta.get('finalizers')}")
    wanted = "Current" if status.get("state") in ("Running", "Succeeded") and not body["spec"].get("suspend") else ""
    if wanted and kstatus(body) != wanted:
        found.append(f"kstatus is {kstatus(body)} for {status.get('state')}")
    return found
