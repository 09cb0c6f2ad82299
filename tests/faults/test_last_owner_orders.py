"""Who stops a task that several objects follow: the last one, whatever the others are and in whatever order they go.

The operator's own parts in simulated time, so that every order is played. Single decisions are a table in
`tests/reconcile/test_stop_is_due.py`; on a real control plane: `test_last_owner.py` and `tests/kube/test_deletion.py`.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from livetask_operator.config import Config
from livetask_operator.config.settings import Stops
from livetask_operator.vendors.contract import Credential, Look, State, StopAnswer, TaskRef, Throttled, Turn, at_once
from tests.kube.small_world import Server, Vendor, World, alibaba, run, within, world

DELAY_S = 30
"""Where the first owner is deleted first, so long there is for another to appear."""


@dataclass
class Watched(Vendor):
    """A vendor that is told who follows the task, and notes each stop that was sent while another owner did."""

    server: Server | None = None
    hidden_from: set[str] = field(default_factory=set)
    """Keys that never get an answer to a look."""
    wrong: list[str] = field(default_factory=list)

    async def look(
        self, credential: Credential, tasks: Sequence[TaskRef], turn: Turn = at_once
    ) -> Mapping[TaskRef, Look]:
        if credential.key_id in self.hidden_from:
            await turn()
            return {task: Throttled("too much") for task in tasks}
        return await super().look(credential, tasks, turn)

    async def stop(self, credential: Credential, task: TaskRef) -> StopAnswer:
        assert self.server is not None
        self.wrong += [f"{credential.key_id} stopped what {label} follows" for label in following(self.server)]
        return await super().stop(credential, task)


def following(server: Server) -> Iterator[str]:
    """The objects that keep the task on the air: by naming it in the one namespace, in another by having seen it."""
    for label, body in server.bodies.items():
        meta, spec = body["metadata"], body["spec"]
        is_owner = "deletionTimestamp" not in meta and spec.get("deletionPolicy", "Stop") == "Stop"
        if is_owner and (meta["namespace"] == "sports" or "seenWithKeyHash" in body["status"]):
            yield label


@dataclass(frozen=True)
class Owner:
    """Another owner than `sports/first`: where it is, and what it is like. Each has a key of its own."""

    kind: str
    namespace: str = "sports"
    spec: Mapping[str, Any] = field(default_factory=dict)
    is_hidden: bool = False

    def __str__(self) -> str:
        return self.kind


RENAMED = Owner("renamed")
MOVED = Owner("moved to another namespace", "news")
NEVER_LOOKED = Owner("in another namespace, never looked", "arts", is_hidden=True)
ORPHAN = Owner("Orphan", spec={"deletionPolicy": "Orphan"})
SUSPENDED = Owner("suspended", spec={"suspend": True})
DELAYED = Owner("with a delay of its own", spec={"stopDelaySeconds": 20})
OWNERS = (RENAMED, MOVED, NEVER_LOOKED, ORPHAN, SUSPENDED, DELAYED)

Act = str
"""`first-`: the first owner is deleted. `second+`, `second-`: the second appears, is deleted."""


def orders(others: int) -> list[tuple[Act, ...]]:
    """Every order in which the first is deleted and so many others appear and are deleted."""
    acts = ["first-", *(f"{name}{sign}" for name in ("second", "third")[:others] for sign in "+-")]
    return [
        order
        for order in itertools.permutations(acts)
        if all(order.index(f"{name}+") < order.index(f"{name}-") for name in ("second", "third")[:others])
    ]


@dataclass
class Play:
    """One story: who follows the task, and who did what."""

    stage: World
    others: Mapping[str, Owner]
    uids: dict[str, str] = field(default_factory=dict)

    async def begins(self, delay_s: int) -> None:
        self.uids["first"] = self.stage.server.create("first", stopDelaySeconds=delay_s)
        await within(8, lambda: self.stage.server.ready(self.uids["first"]) == "True/Running", "Running")

    def act(self, act: Act) -> None:
        name, sign = act[:-1], act[-1]
        if sign == "-":
            self.stage.server.delete(self.uids[name])
            return
        owner = self.others[name]
        self.stage.secrets.data[f"{owner.namespace}/{name}"] = {"id": name, "key": "secret"}
        spec = {"credentialsSecretRef": {"name": name}, **owner.spec}
        self.uids[name] = self.stage.server.create(name, owner.namespace, **spec)


def played(
    order: Sequence[Act], others: Mapping[str, Owner], gap_s: float, *, all_go: bool = True, stops: Stops = Stops.ALLOW
) -> tuple[Watched, list[str]]:
    """Play an order, with so many seconds between the acts. The vendor, and Ready of the objects that are left."""

    async def story() -> tuple[Watched, list[str]]:
        vendor = watched({name for name, owner in others.items() if owner.is_hidden})
        async with world(vendor, replace(Config.default(), stops=stops)) as stage:
            vendor.server = stage.server
            play = Play(stage, others)
            await play.begins(DELAY_S if order[0] == "first-" else 0)
            for act in order:
                play.act(act)
                await asyncio.sleep(gap_s)
            if all_go:
                await within(120, lambda: not stage.server.bodies, "all gone")
            else:
                await asyncio.sleep(100)
            return vendor, [stage.server.ready(body["metadata"]["uid"]) for body in stage.server.bodies.values()]

    return run(story())


def watched(hidden_from: Collection[str] = ()) -> Watched:
    like = alibaba()
    names = ("name", "title", "block", "application_field", "look_call", "stop_call")
    return Watched(**{name: getattr(like, name) for name in names}, hidden_from=set(hidden_from))


@pytest.mark.parametrize("gap_s", [0.0, 0.15, 12.0], ids=["at once", "in one breath", "one after the other"])
@pytest.mark.parametrize("order", orders(1), ids=" ".join)
@pytest.mark.parametrize("owner", OWNERS, ids=str)
def test_of_two_owners_the_last_one_stops_the_task(owner: Owner, order: tuple[Act, ...], gap_s: float) -> None:
    vendor, _ = played(order, {"second": owner}, gap_s)

    assert vendor.wrong == []
    assert vendor.state is State.STOPPED
    assert len(vendor.stops) in (1, 2), "two that go at once may each send one"


@pytest.mark.parametrize(("second", "third"), [(RENAMED, MOVED), (MOVED, NEVER_LOOKED), (MOVED, ORPHAN)], ids=str)
def test_of_three_owners_the_last_one_stops_the_task_in_each_of_thirty_orders(second: Owner, third: Owner) -> None:
    assert len(orders(2)) == 30

    for order in orders(2):
        vendor, _ = played(order, {"second": second, "third": third}, 6.0)

        assert (order, vendor.wrong, vendor.state) == (order, [], State.STOPPED)


@pytest.mark.parametrize(
    ("owner", "order", "stoppers"),
    [
        pytest.param(RENAMED, ("second+", "first-"), [], id="a rename"),
        pytest.param(MOVED, ("second+", "first-"), [], id="a move"),
        pytest.param(RENAMED, ("first-", "second+"), [], id="a rename that comes during the delay"),
        pytest.param(MOVED, ("first-", "second+"), [], id="a move that comes during the delay"),
        pytest.param(SUSPENDED, ("first-", "second+"), [], id="a rename that is suspended"),
        pytest.param(NEVER_LOOKED, ("second+", "first-"), ["key-1"], id="an owner that never looked"),
        pytest.param(ORPHAN, ("second+", "first-"), ["key-1"], id="an owner that is Orphan"),
        pytest.param(RENAMED, ("second+", "second-"), [], id="a rename that is taken back"),
        pytest.param(MOVED, ("second+", "second-"), [], id="a move that is taken back"),
        pytest.param(NEVER_LOOKED, ("second+", "second-"), [], id="one that never looked and goes again"),
    ],
)
def test_while_one_owner_stays_the_task_runs(owner: Owner, order: tuple[Act, ...], stoppers: list[str]) -> None:
    vendor, ready = played(order, {"second": owner}, 12.0, all_go=False)

    assert [key for _, key in vendor.stops] == stoppers
    assert len(ready) == 1, "one is left, and follows"


@pytest.mark.parametrize("order", orders(1), ids=" ".join)
@pytest.mark.parametrize("owner", [RENAMED, MOVED], ids=str)
def test_while_stops_are_held_nobody_stops_it_and_nobody_goes(owner: Owner, order: tuple[Act, ...]) -> None:
    vendor, ready = played(order, {"second": owner}, 12.0, all_go=False, stops=Stops.HOLD)

    assert vendor.stops == []
    assert ready == ["Unknown/StopsHeld", "Unknown/StopsHeld"]


def test_a_stop_that_is_sent_while_another_follows_would_be_noted() -> None:
    """The twin: the guard above is worth what it catches."""

    async def story() -> list[str]:
        vendor = watched()
        async with world(vendor) as stage:
            vendor.server = stage.server
            stage.server.create("first")
            await vendor.stop(Credential("stranger", "secret"), TaskRef("AlibabaCloud", "arena", "relay-1"))
            return vendor.wrong

    assert run(story()) == ["stranger stopped what sports/first follows"]
