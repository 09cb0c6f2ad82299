"""The tenants of a soak: 500 objects at three vendors, what their people do with them, and what that makes due."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from livetask_simulator.client import Call, Simulator
from tests.faults.ledger import STOP_CALLS
from tests.soak.verdict import ON_AIR, STATE_OF_STATUS, Owed
from tests.stage.objects import Objects, live_tasks
from tests.stage.tenant import Preload, Relay
from tests.stage.vendors import Alibaba, Customer, Huawei, Side, Tencent

SIDES: Sequence[type[Side]] = (Alibaba, Alibaba, Alibaba, Alibaba, Alibaba, Alibaba, Tencent, Tencent, Huawei, Huawei)
PRELOADS_OF = 10
"""One object in so many is a PreloadTask, at the vendor that has them."""
INTERVALS_S = (5, 10, 15, 30)
DELAYS_S = (0, 0, 0, 1, 5)
LONG_S = 3600
CREATES = 0.5
"""How often a free place is what is dealt with."""
DECIDES = "decide on a long delay"

Body = Mapping[str, Any]


@dataclass
class Life:
    """One object, from its creation on."""

    object: Relay | Preload
    task: str
    deleted: bool = False
    held_back: bool = False
    """Its stop waits for an hour, unless somebody says otherwise."""
    suspended: bool = False

    @property
    def key(self) -> str:
        return self.object.name

    def is_taken_over(self) -> bool:
        """Whether the operator can know of it: one that is deleted before has no finalizer, and goes without a word."""
        return isinstance(self.object, Preload) or bool(self.object.body()["metadata"].get("finalizers"))


class Company:
    """One tenant: a namespace, an account, and a number of places, each with an object or waiting for its next one."""

    def __init__(self, number: int, side: type[Side], places: int, objects: Objects, cloud: Simulator) -> None:
        self.name = f"soak-{number}"
        objects.create("/api/v1/namespaces", {"metadata": {"name": self.name}})
        self.customer = Customer(self.name, objects, cloud, side)
        self.has_preloads = side is Alibaba
        self.lives: dict[str, Life] = {}
        self.free = [f"{self.name}-{place}" for place in range(places)]
        self.owed: dict[str, Owed] = {}
        self._generations: Counter[str] = Counter()

    def create(self, dice: random.Random) -> None:
        """An object for a place that has none, with a task of its own that has just been started."""
        place = self.free.pop(dice.randrange(len(self.free)))
        self._generations[place] += 1
        task = f"{place}-g{self._generations[place]}"
        interval_s = dice.choice(INTERVALS_S)
        if self.has_preloads and int(place.rpartition("-")[2]) % PRELOADS_OF == 0:
            self.customer.preloads(task, process=0, life=[(dice.uniform(0, 20), 100, "Success")])
            preload = self.customer.preload(place, tasks=[task], pollIntervalSeconds=interval_s)
            self.lives[place] = Life(preload, task)
            return
        self.customer.at.start(task)
        self.owed[task] = Owed(task, {place})
        relay = self.customer.relay(place, task, pollIntervalSeconds=interval_s, stopDelaySeconds=dice.choice(DELAYS_S))
        self.lives[place] = Life(relay, task)

    def rename(self, life: Life, dice: random.Random) -> None:
        """Another object takes a task over: it is there before the old one goes."""
        if isinstance(life.object, Preload) or not self.free:
            return
        place = self.free.pop(dice.randrange(len(self.free)))
        self.owed[life.task].living.add(place)
        self.lives[place] = Life(self.customer.relay(place, life.task, pollIntervalSeconds=10), life.task)
        self.delete(life)

    def delete(self, life: Life) -> None:
        life.deleted = True
        if isinstance(life.object, Relay):
            owed = self.owed[life.task]
            owed.living.discard(life.key)
            if not owed.living:
                owed.deleted_s = time.monotonic()
        life.object.delete()

    def orphan(self, life: Life) -> None:
        """Somebody lets the task run on and deletes the object."""
        if isinstance(life.object, Preload) or not self._is_alone(life):
            return
        self.owed[life.task].orphaned = True
        life.object.edit(deletionPolicy="Orphan")
        self.delete(life)

    def hold_back(self, life: Life) -> None:
        """Somebody deletes an object whose stop is an hour away."""
        if isinstance(life.object, Relay):
            life.object.edit(stopDelaySeconds=LONG_S)
            life.held_back = True
            self.delete(life)

    def decide(self, life: Life, dice: random.Random) -> None:
        """What became of a stop that is an hour away: at once after all, or never."""
        if not life.held_back:
            return
        owed, life.held_back = self.owed[life.task], False
        if not self._is_alone(life) or dice.random() < 0.5:
            life.object.edit(stopDelaySeconds=0)
        else:
            owed.orphaned = True
            life.object.edit(deletionPolicy="Orphan")

    def _is_alone(self, life: Life) -> bool:
        """Whether no other object names its task; one that is being deleted would stop it."""
        return all(other is life or other.task != life.task for other in self.lives.values())

    def running(self) -> Iterator[str]:
        """The tasks that must not run and do."""
        statuses = _statuses_at(self.customer.at)
        on_air = {
            task for task, status in statuses.items() if STATE_OF_STATUS[self.customer.at.vendor][status] == ON_AIR
        }
        return (owed.task for owed in self.owed.values() if owed.must_have_ended and owed.task in on_air)

    def states(self) -> Iterator[tuple[tuple[str, str], frozenset[str]]]:
        """What the status of each object that lives may say, by what the vendor has: by kind and name."""
        statuses, states = _statuses_at(self.customer.at), STATE_OF_STATUS[self.customer.at.vendor]
        for key, life in self.lives.items():
            if life.deleted:
                continue
            if isinstance(life.object, Preload):
                yield (Preload.KIND, key), frozenset({"Succeeded"})
            else:
                known = life.task in statuses
                yield (Relay.KIND, key), states[statuses[life.task]] if known else frozenset({"NotFound"})


def _statuses_at(at: Side) -> Mapping[str, object]:
    """The word or number that the vendor has for each task."""
    found: Sequence[Any] = ()
    if isinstance(at, Alibaba):
        found = at.cloud.tasks(at.account)
    elif isinstance(at, Tencent):
        found = at.cloud.tencent.tasks(at.account)
    elif isinstance(at, Huawei):
        found = at.cloud.huawei.tasks(at.account)
    return {each.task_id: each.status for each in found}


class People:
    """Everybody: what they do next is a throw of the dice."""

    def __init__(self, count: int, objects: Objects, cloud: Simulator, dice: random.Random) -> None:
        self.dice = dice
        self.objects = objects
        self.cloud = cloud
        each = count // len(SIDES)
        self.companies = [Company(number, side, each, objects, cloud) for number, side in enumerate(SIDES)]
        self.done: Counter[str] = Counter()
        self._stops: dict[int, Call] = {}
        self._seen = 0

    def settle_in(self) -> None:
        """All places are taken."""
        for company in self.companies:
            while company.free:
                company.create(self.dice)

    def act(self) -> None:
        """Somebody does something."""
        company = self.dice.choice(self.companies)
        if company.free and self.dice.random() < CREATES:
            company.create(self.dice)
            self.done["create"] += 1
            return
        name, act, _ = self.dice.choices(self._acts, [weight for _, _, weight in self._acts])[0]
        decides = name == DECIDES
        fitting = [each for each in company.lives.values() if each.held_back is decides and each.deleted is decides]
        if not fitting:
            return
        life = self.dice.choice(fitting)
        if life.is_taken_over():
            act(self, company, life)
            self.done[name] += 1

    def end_all(self) -> None:
        """Nothing is left half decided, and each vendor's truth can be known."""
        for company in self.companies:
            for life in company.lives.values():
                company.decide(life, self.dice)

    def bodies(self) -> Iterator[Body]:
        """All objects of all tenants."""
        for company in self.companies:
            for kind in (Relay.KIND, Preload.KIND):
                for body in self.objects.get(live_tasks(kind, company.name))["items"]:
                    yield {"kind": kind, **body}

    def look_round(self) -> None:
        """Places whose object is gone are free again; the stops that the vendors got are written down."""
        there = {body["metadata"]["name"] for body in self.bodies()}
        for company in self.companies:
            for key, life in list(company.lives.items()):
                if life.deleted and key not in there:
                    del company.lives[key]
                    company.free.append(key)
        since, self._seen = self._seen, self.cloud.tally().calls
        for operation in STOP_CALLS:
            self._stops |= {call.seq: call for call in self.cloud.calls(operation=operation, since=since)}

    @property
    def stops(self) -> Sequence[Call]:
        """The stops that the vendors got."""
        return list(self._stops.values())

    @property
    def owed(self) -> Mapping[str, Owed]:
        return {task: owed for company in self.companies for task, owed in company.owed.items()}

    def running(self) -> list[str]:
        """The tasks that must not run and do."""
        return [task for company in self.companies for task in company.running()]

    def states(self) -> Mapping[tuple[str, str], frozenset[str]]:
        """What the status of each object that lives may say, by kind and name."""
        return dict(each for company in self.companies for each in company.states())

    def _edit(self, company: Company, life: Life) -> None:
        life.object.edit(pollIntervalSeconds=self.dice.choice(INTERVALS_S))

    def _suspend(self, company: Company, life: Life) -> None:
        life.suspended = not life.suspended
        life.object.edit(suspend=life.suspended)

    def _ask(self, company: Company, life: Life) -> None:
        life.object.ask(str(self.dice.random()))

    def _delete(self, company: Company, life: Life) -> None:
        company.delete(life)

    def _rename(self, company: Company, life: Life) -> None:
        company.rename(life, self.dice)

    def _orphan(self, company: Company, life: Life) -> None:
        company.orphan(life)

    def _hold_back(self, company: Company, life: Life) -> None:
        company.hold_back(life)

    def _decide(self, company: Company, life: Life) -> None:
        company.decide(life, self.dice)

    def _end(self, company: Company, life: Life) -> None:
        """The vendor ends a task."""
        if isinstance(life.object, Relay):
            company.customer.at.end(life.task)

    def _start(self, company: Company, life: Life) -> None:
        """Somebody starts a task again at the vendor."""
        if isinstance(life.object, Relay):
            company.customer.at.start(life.task)

    _acts: Sequence[tuple[str, Callable[[People, Company, Life], None], int]] = (
        ("edit", _edit, 4),
        ("suspend or resume", _suspend, 4),
        ("ask", _ask, 6),
        ("delete", _delete, 8),
        ("rename", _rename, 3),
        ("orphan", _orphan, 2),
        ("delete with a long delay", _hold_back, 2),
        (DECIDES, _decide, 8),
        ("end at the vendor", _end, 4),
        ("start at the vendor", _start, 3),
    )
