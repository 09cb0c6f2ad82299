"""Who may join a reading that is under way, and who gets which answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from livetask_operator.kube.readings import PEOPLES_AT_ONCE, SLICE, Reading, Readings
from livetask_operator.polling.quota import Lane
from tests.polling.fake_time import now_s, run

LINE_S = 1.0
TAKES_S = 2.0

Answer = tuple[int, tuple[str, ...]]
"""Which reading it was, and what was wanted of it."""


@dataclass
class Table:
    """A list that is read: a reading stands in line for a second, and takes two more."""

    sent: list[tuple[float, tuple[str, ...]]] = field(default_factory=list)
    told: list[Answer] = field(default_factory=list)
    along: tuple[str, ...] = ()
    fails: Exception | None = None
    refuses: bool = False
    """It answers out of hand, and sends nothing."""
    audience: int = 1
    """So many are told what was read."""
    meanwhile: Callable[[], None] = lambda: None
    """Called when the first of them is told."""

    def __post_init__(self) -> None:
        self.readings: Readings[str, Answer] = Readings(asyncio.create_task)

    def ask(
        self,
        wants: str = "a",
        lane: Lane = Lane.PERSON,
        *,
        forced: bool = False,
        known_s: float = float("-inf"),
        joined: Callable[[], None] = lambda: None,
    ) -> asyncio.Task[Answer]:
        return asyncio.create_task(
            self.readings.answer(
                "list",
                wants,
                lane,
                forced=forced,
                known_s=known_s,
                joined=joined,
                read=self._read,
                tell=self._tell,
            )
        )

    async def _read(self, reading: Reading[str, Answer]) -> Answer:
        number = len(self.sent)
        if not self.refuses:
            await asyncio.sleep(LINE_S)
            reading.send(now_s(), self.along)
            self.sent.append((now_s(), tuple(reading.wanted)))
            number = len(self.sent)
            await asyncio.sleep(TAKES_S)
        if self.fails is not None:
            raise self.fails
        return number, tuple(reading.wanted)

    def _tell(self, _: Reading[str, Answer], answer: Answer) -> Iterator[None]:
        for number in range(self.audience):
            if number == 0:
                self.meanwhile()
            self.told.append(answer)
            yield


async def at(seconds: float) -> None:
    """Wait until so many seconds after the beginning, which is at 1000 s."""
    await asyncio.sleep(1000 + seconds - now_s())


def test_people_who_ask_before_it_is_sent_have_one_reading() -> None:
    async def story() -> Any:
        table = Table()
        first = table.ask("a")
        await at(0.5)
        return await asyncio.gather(first, table.ask("b"))

    assert run(story()) == [(1, ("a", "b"))] * 2


def test_a_person_does_not_get_the_answer_of_a_reading_that_was_sent_before() -> None:
    async def story() -> Any:
        table = Table()
        first = table.ask("a")
        await at(1.5)
        answers = await asyncio.gather(first, table.ask("a"))
        return [*answers, now_s() - 1000]

    first, second, done_s = run(story())

    assert (first, second) == ((1, ("a",)), (2, ("a",)))
    assert done_s == pytest.approx(1.5 + LINE_S + TAKES_S), "nor waited for it"


def test_a_person_does_not_stand_in_the_polls_line() -> None:
    async def story() -> Any:
        table = Table()
        poll = table.ask("a", Lane.POLL)
        await asyncio.sleep(0)
        return await asyncio.gather(poll, table.ask("a", Lane.PERSON))

    assert run(story()) == [(1, ("a",)), (2, ("a",))]


def test_who_insists_on_a_try_does_not_join_those_who_do_not() -> None:
    async def story() -> Any:
        table = Table()
        asked = [table.ask("a"), table.ask("b", forced=True), table.ask("c")]
        return await asyncio.gather(*asked)

    assert run(story()) == [(1, ("a", "c")), (2, ("b",)), (1, ("a", "c"))]


@pytest.mark.parametrize("when", [0.5, 2.0], ids=["in line", "sent"])
@pytest.mark.parametrize("lane", [Lane.POLL, Lane.PERSON])
def test_a_poll_joins_any_reading_that_serves_it(lane: Lane, when: float) -> None:
    async def story() -> Any:
        table = Table()
        first = table.ask("a", lane)
        await at(when)
        return await asyncio.gather(first, table.ask("a", Lane.POLL))

    assert run(story()) == [(1, ("a",))] * 2


def test_a_poll_does_not_join_a_reading_that_is_older_than_what_is_known() -> None:
    async def story() -> Any:
        table = Table()
        first = table.ask("a", Lane.POLL)
        await at(2.0)
        return await asyncio.gather(first, table.ask("a", Lane.POLL, known_s=1001.5))

    assert run(story()) == [(1, ("a",)), (2, ("a",))]


def test_polls_that_a_reading_does_not_serve_wait_for_its_end_and_have_one_together() -> None:
    async def story() -> Any:
        table = Table()
        first = table.ask("a", Lane.POLL)
        await at(2.0)
        others = [table.ask(name, Lane.POLL) for name in "bc"]
        await asyncio.gather(first, *others)
        return table.sent

    assert run(story()) == [(1001.0, ("a",)), (pytest.approx(1004.0), ("b", "c"))]


def test_what_is_taken_along_is_wanted_once_it_is_sent() -> None:
    async def story() -> Any:
        table = Table(along=("b", "a"))
        return [await table.ask("a", Lane.POLL), table.sent]

    answer, sent = run(story())

    assert answer == (1, ("a", "b"))
    assert sent == [(1001.0, ("a", "b"))]


def test_people_have_few_readings_at_once_and_the_rest_one_together() -> None:
    async def story() -> Any:
        table = Table()
        asked = []
        for number in range(5):
            await at(number * 1.1)
            asked.append(table.ask(f"p-{number}"))
            assert len(table.readings._under_way["list"]) <= PEOPLES_AT_ONCE
        await asyncio.gather(*asked)
        return [wanted for _, wanted in table.sent]

    assert run(story()) == [("p-0",), ("p-1",), ("p-2", "p-3"), ("p-4",)]


def test_whoever_gives_up_does_not_take_the_reading_from_others() -> None:
    async def story() -> Any:
        table = Table()
        first, second = table.ask("a"), table.ask("b")
        await at(1.5)
        first.cancel()
        return [await second, *await asyncio.gather(first, return_exceptions=True)]

    answer, gave_up = run(story())

    assert answer == (1, ("a", "b"))
    assert isinstance(gave_up, asyncio.CancelledError)


def test_a_reading_that_breaks_is_told_to_all_who_wait_and_the_next_begins_anew() -> None:
    async def story() -> Any:
        table = Table(fails=RuntimeError("a fault"))
        broken = await asyncio.gather(table.ask("a"), table.ask("b"), return_exceptions=True)
        table.fails = None
        return [*map(str, broken), await table.ask("a")]

    assert run(story()) == ["a fault", "a fault", (2, ("a",))]


def test_nobody_joins_a_reading_that_was_refused_out_of_hand() -> None:
    async def story() -> Any:
        table = Table(refuses=True, audience=SLICE * 3)
        late: list[asyncio.Task[Answer]] = []
        table.meanwhile = lambda: late.append(table.ask("b"))
        first = await table.ask("a")
        return [first, *await asyncio.gather(*late[:1])]

    assert run(story()) == [(0, ("a",)), (0, ("b",))]


def test_who_waits_for_an_answer_hears_it_after_all_who_are_told_and_a_poll_may_come_in_between() -> None:
    async def story() -> Any:
        table = Table(audience=SLICE * 3)
        late: list[asyncio.Task[Answer]] = []
        table.meanwhile = lambda: late.append(table.ask("a", Lane.POLL))
        first = await table.ask("a")
        return [first, len(table.told), *await asyncio.gather(*late), len(table.sent)]

    assert run(story()) == [(1, ("a",)), SLICE * 3, (1, ("a",)), 1]


def test_who_stands_in_no_line_of_their_own_says_so() -> None:
    async def story() -> list[str]:
        table, said = Table(), []
        asked = [
            table.ask(name, lane, joined=lambda who=f"{lane.name} {name}": said.append(who))  # type: ignore[misc]
            for name, lane in (("a", Lane.POLL), ("a", Lane.POLL), ("b", Lane.PERSON), ("c", Lane.PERSON))
        ]
        await at(1.5)
        asked.append(table.ask("z", Lane.POLL, joined=lambda: said.append("POLL z waits")))
        await asyncio.gather(*asked)
        return said

    assert run(story()) == ["POLL a", "PERSON c", "POLL z waits"]
