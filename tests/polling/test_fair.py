"""What all tenants share is shared in turn: one namespace's thousands do not hold up another's one."""

from __future__ import annotations

import asyncio

from livetask_operator.polling.fair import FairPlaces, FairTurnstile, LinesInTurn
from livetask_operator.polling.quota import Lane
from tests.polling.fake_time import now_s, run


class Line:
    """Callers at a fair turnstile, in the order in which they went through."""

    def __init__(self, per_second: float) -> None:
        self.turnstile = FairTurnstile(per_second, now_s)
        self.passed: list[str] = []

    def come(self, namespace: str, lane: Lane = Lane.POLL, name: str = "") -> asyncio.Task[None]:
        async def enter() -> None:
            await self.turnstile.enter(namespace, lane)
            self.passed.append(name or namespace)

        return asyncio.create_task(enter())


def test_namespaces_are_served_in_turn_and_within_one_in_the_order_of_coming() -> None:
    turns: LinesInTurn[str] = LinesInTurn()
    for item in ("a1", "a2", "a3", "b1", "c1", "c2"):
        turns.put(item[0], item)

    order = [turns.take() for _ in range(6)]

    assert order == ["a1", "b1", "c1", "a2", "c2", "a3"]
    assert not turns


def test_the_oldest_of_one_line_can_be_forgotten() -> None:
    turns: LinesInTurn[str] = LinesInTurn()
    for item in ("a1", "a2", "b1"):
        turns.put(item[0], item)

    turns.drop_first("a")
    turns.drop_first("b")

    assert (turns.waiting("a"), turns.waiting("b")) == (1, 0)
    assert turns.take() == "a2"


def test_one_caller_does_not_wait_behind_another_namespaces_thousand() -> None:
    async def story() -> int:
        line = Line(per_second=40)
        for _ in range(1_000):
            line.come("tenant", Lane.PERSON)
        await asyncio.sleep(1)
        await line.come("victim", Lane.PERSON)
        return line.passed.index("victim")

    assert run(story()) <= 43, "a second's worth, and one or two"


def test_who_waits_goes_first_and_the_rest_still_have_every_second_turn() -> None:
    async def story() -> list[str]:
        line = Line(per_second=10)
        rest = [line.come("victim", Lane.POLL, "poll") for _ in range(3)]
        people = [line.come("tenant", Lane.PERSON, "person") for _ in range(6)]
        await asyncio.gather(*rest, *people)
        return line.passed

    order = run(story())

    assert order[:7].count("poll") == 3
    assert "poll poll" not in " ".join(order)


def test_the_cap_holds_and_who_gave_up_takes_no_turn() -> None:
    async def story() -> tuple[float, list[str]]:
        line = Line(per_second=10)
        given_up = [line.come("tenant", name="given up") for _ in range(50)]
        await asyncio.sleep(0)
        for each in given_up[1:]:
            each.cancel()
        began_s = now_s()
        await asyncio.gather(*(line.come("victim") for _ in range(20)))
        return now_s() - began_s, line.passed

    took_s, passed = run(story())

    assert 1.9 <= took_s <= 2.2
    assert passed.count("given up") == 1


class Visit:
    """Visitors of so many places, in the order in which they came to one. Each stays until told to leave."""

    def __init__(self, places: int) -> None:
        self.places = FairPlaces(places)
        self.came: list[str] = []
        self.leaves: dict[str, asyncio.Event] = {}

    def begin(self, name: str) -> asyncio.Task[None]:
        async def visit() -> None:
            async with self.places.place(name[0]):
                self.came.append(name)
                await self.leaves[name].wait()

        self.leaves[name] = asyncio.Event()
        return asyncio.create_task(visit())


def test_places_go_to_the_namespaces_in_turn_and_nobody_is_forgotten() -> None:
    async def story() -> list[str]:
        visit = Visit(places=2)
        names = ["a1", "a2", "a3", "a4", "b1"]
        visits = [visit.begin(name) for name in names]
        await asyncio.sleep(1)
        assert visit.came == ["a1", "a2"]
        for name in (*visit.came, "a3", "b1", "a4"):
            visit.leaves[name].set()
            await asyncio.sleep(1)
        await asyncio.gather(*visits)
        return visit.came

    assert run(story()) == ["a1", "a2", "a3", "b1", "a4"]


def test_who_gives_up_while_waiting_or_in_the_moment_of_its_turn_keeps_no_place() -> None:
    async def story() -> list[str]:
        visit = Visit(places=1)
        async with visit.places.place("a"):
            waits, is_next = visit.begin("b1"), visit.begin("c1")
            await asyncio.sleep(1)
            waits.cancel()
            await asyncio.sleep(1)
        is_next.cancel()  # it has the place by now, and did not come to it yet
        await asyncio.wait({waits, is_next})
        last = visit.begin("d1")
        visit.leaves["d1"].set()
        await last
        return visit.came

    assert run(story()) == ["d1"]
