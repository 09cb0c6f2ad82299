"""Many resources whose tasks change at their vendor again and again, and a watch that counts what comes of it.

A task changes again once its last change was seen and its time has come: so a machine that is busy makes the scene
longer, and not wrong.
"""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from tests.controlplane import ControlPlane
from tests.stage.objects import Objects, wait_for
from tests.stage.processes import Cloud
from tests.stage.vendors import Alibaba, Customer

KIND = "/apis/livetask.dev/v1alpha1/relaytasks"
NUMBERS = {0: "Pending", 1: "Running", 2: "Stopped", 6: "Failed"}
"""What Alibaba Cloud says, and the state that it is."""
PER_ACCOUNT = 100
WATCHES_S = 2
LOOKS_S = 0.1
SEEN_WITHIN_S = 120.0


class Watch:
    """A watch of all RelayTasks with these labels, as Argo CD, a dashboard or a person has one."""

    def __init__(self, plane: ControlPlane, selector: str) -> None:
        self.versions: Counter[str] = Counter()
        """How often each was told, by namespace and name."""
        self.told: dict[str, list[str]] = {}
        """What its Ready said each time."""
        self.states: dict[str, str] = {}
        self._plane, self._selector = plane, selector
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()

    def _watch(self) -> None:
        with Objects(self._plane) as objects:
            version = objects.get(f"{KIND}?limit=1")["metadata"]["resourceVersion"]
            while not self._is_over.is_set():
                since = {"labelSelector": self._selector, "resourceVersion": version}
                for event in objects.events(KIND, since, for_s=WATCHES_S):
                    version = event["object"]["metadata"]["resourceVersion"]
                    self._note(event["object"])

    def _note(self, body: Mapping[str, Any]) -> None:
        name = f"{body['metadata']['namespace']}/{body['metadata']['name']}"
        self.versions[name] += 1
        ready = [each for each in body["status"].get("conditions", []) if each["type"] == "Ready"]
        self.told.setdefault(name, []).append(" ".join(f"{each['status']} {each['message']}" for each in ready))
        if "livetask.dev/stop" in body["metadata"].get("finalizers", ()):
            self.states[name] = body["status"].get("state", "")


@dataclass
class Changing:
    """One resource, and how its task goes on."""

    customer: Customer
    name: str
    left: int
    due_s: float
    number: int = 1
    made: int = 0

    @property
    def label(self) -> str:
        return f"{self.customer.namespace}/{self.name}"

    def changes(self, chance: random.Random, every_s: float) -> None:
        """The vendor says something else from now on."""
        self.number = chance.choice([number for number in NUMBERS if number != self.number])
        self.customer.becomes(self.name, self.number)
        self.left, self.made, self.due_s = self.left - 1, self.made + 1, self.due_s + every_s


@dataclass(frozen=True)
class Outcome:
    """What was seen, by resource, from when all ran until the last change was seen."""

    made: Mapping[str, int]
    seen: Mapping[str, int]
    told: Mapping[str, Sequence[str]]
    written: Counter[str] = field(default_factory=Counter)
    """The operator's writes to them: verb, subresource and the answer's code, by the API server's audit log."""
    took_s: float = 0.0

    def wrong(self) -> dict[str, Sequence[str]]:
        """The resources that were told of more or less often than they changed."""
        return {name: self.told[name] for name, made in self.made.items() if self.seen.get(name, 0) != made}


def play(
    plane: ControlPlane, objects: Objects, cloud: Cloud, stage: str, *, resources: int, changes: int, every_s: float
) -> Outcome:
    """Play it for an operator with the selector `stage=…`. `every_s`: between two changes of one, or longer."""
    chance = random.Random(stage)
    customers = [
        Customer.moves_in(f"{stage}-{number}", objects, cloud.admin, Alibaba, stage=stage)
        for number in range(-(-resources // PER_ACCOUNT))
    ]
    with Watch(plane, f"stage={stage}") as watch:
        changing = []
        for number, customer in zip(range(resources), itertools.cycle(customers), strict=False):
            name = f"relay-{number}"
            customer.starts(name)
            customer.relay(name, pollIntervalSeconds=max(5, int(every_s / 3)))
            changing.append(Changing(customer, name, changes, 0.0))
        wait_for(lambda: all(watch.states.get(each.label) == "Running" for each in changing), "all run", SEEN_WITHIN_S)
        before = Counter(watch.versions)
        written = len(plane.writes("livetask-operator"))
        began_s = time.monotonic()
        for number, each in enumerate(changing):
            each.due_s = began_s + every_s * number / resources
        _go_on(changing, watch, chance, every_s)
        took_s = time.monotonic() - began_s
        # For what might come after the last change: there is nothing to wait for but time.
        time.sleep(2 * WATCHES_S)
        writes = plane.writes("livetask-operator")[written:]
        return Outcome(
            made={each.label: each.made for each in changing},
            seen={name: count - before[name] for name, count in watch.versions.items()},
            told={name: told[before[name] :] for name, told in watch.told.items()},
            written=Counter(
                f"{each.verb} {each.subresource} {each.code}"
                for each in writes
                if each.resource == "relaytasks" and each.namespace.startswith(stage)
            ),
            took_s=took_s,
        )


def _go_on(changing: Sequence[Changing], watch: Watch, chance: random.Random, every_s: float) -> None:
    """Until each has changed as often as it is to, and the last change was seen."""
    progress_s = time.monotonic()
    while True:
        waiting = [each for each in changing if watch.states[each.label] != NUMBERS[each.number]]
        if not waiting and not any(each.left for each in changing):
            return
        now_s = time.monotonic()
        seen = {each.label for each in changing} - {each.label for each in waiting}
        due = [each for each in changing if each.left and each.due_s <= now_s and each.label in seen]
        for each in due:
            each.changes(chance, every_s)
        if due or not waiting:
            progress_s = now_s
        assert now_s - progress_s < SEEN_WITHIN_S, f"not seen: {[each.label for each in waiting][:10]}"
        time.sleep(LOOKS_S)
