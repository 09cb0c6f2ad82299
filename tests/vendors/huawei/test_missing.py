"""What is remembered of tasks that the vendor does not know: it saves calls, and never hides one that is there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import httpx
import pytest

from livetask_operator.vendors.contract import Credential, Look, Observation, State
from livetask_operator.vendors.huawei.looks import MAX_ONE_BY_ONE
from livetask_operator.vendors.huawei.missing import STANDS_AT_LEAST, STANDS_AT_MOST, Missing
from tests.vendors.huawei.conversation import KEY, NOW, Listing, body, listed, refuses, relay, row, task

LITTLE = timedelta(seconds=1)


class Reader:
    """Reads a list again and again, at times of the test's choice, and tells what each reading cost."""

    def __init__(self, *rows: str, **settings: Any) -> None:
        self.listing = Listing([row(name) for name in rows], **settings)
        self.now = NOW
        self._relay = relay(self.listing.answer, clock=lambda: self.now)

    async def read(self, *wanted: str, credential: Credential = KEY, **place: str) -> dict[str, str]:
        """What a look says of each."""
        self.listing.asked.clear()
        looks = await self._relay.look(credential, [task(name, **place) for name in wanted])
        return {each.task: _word(look) for each, look in looks.items()}

    @property
    def asked(self) -> Sequence[str]:
        """The offsets and the task ids that the last reading asked for."""
        return self.listing.asked


def _word(look: Look) -> str:
    return look.state if isinstance(look, Observation) else look.reason


def ended(count: int) -> list[str]:
    return [f"ended-{number:03}" for number in range(count)]


async def test_a_hundred_ended_tasks_are_asked_for_once_and_then_the_list_is_enough() -> None:
    reader = Reader("a", "b")

    first = await reader.read("a", "b", *ended(100))
    asked_first = len(reader.asked)
    second = await reader.read("a", "b", *ended(100))

    assert first == second == {"a": State.RUNNING, "b": State.RUNNING, **dict.fromkeys(ended(100), State.NOT_FOUND)}
    assert (asked_first, reader.asked) == (101, ["0"])


async def test_they_are_asked_for_again_after_some_minutes_and_not_all_at_once() -> None:
    reader = Reader("a", "b")
    await reader.read("a", "b", *ended(100))
    calls = []

    for minutes in range(1, 11):
        reader.now = NOW + timedelta(minutes=minutes)
        await reader.read("a", "b", *ended(100))
        calls.append(len(reader.asked) - 1)

    assert calls[:4] == [0] * 4
    assert sum(calls) == 100
    assert max(calls) < 40


async def test_a_task_that_vanishes_is_asked_for_at_the_first_list_without_it() -> None:
    reader = Reader("a", "b", "c")
    await reader.read("a", "b", "c", "ended")
    reader.listing.rows.pop()

    found = await reader.read("a", "b", "c", "ended")

    assert (found["c"], found["ended"]) == (State.NOT_FOUND, State.NOT_FOUND)
    assert reader.asked == ["0", "c"]


async def test_a_task_that_comes_back_is_seen_at_once_and_asked_for_when_it_vanishes_again() -> None:
    reader = Reader("a", "b")
    await reader.read("a", "b", "c")
    reader.listing.rows.append(row("c"))
    back = await reader.read("a", "b", "c")
    reader.listing.rows.pop()

    gone = await reader.read("a", "b", "c")

    assert (back["c"], gone["c"]) == (State.RUNNING, State.NOT_FOUND)
    assert reader.asked == ["0", "c"]


async def test_a_task_that_is_there_and_does_not_say_how_it_is_is_not_taken_for_missing() -> None:
    reader = Reader("a", "b")
    await reader.read("a", "b", "c")
    reader.listing.rows.append(row("c", None))

    found = await reader.read("a", "b", "c")

    assert found["c"] == "InvalidResponse"
    assert reader.asked == ["0", "c"]


async def test_one_task_alone_is_always_asked_for() -> None:
    reader = Reader("a", "b")
    await reader.read("c")

    assert await reader.read("c") == {"c": State.NOT_FOUND}
    assert reader.asked == ["c"]


@pytest.mark.parametrize(
    "page",
    [
        body(b"garbage"),
        refuses("LIVE.100011001", 404),
        listed(row("a"), total=3),
        listed(row("a"), row("b"), total=1),
        listed(row("a"), row("b"), {"status": "running"}, total=3),
        listed(row("a"), row("b"), row("b"), total=3),
        listed(row("a"), row("b"), total="many"),
        httpx.Response(200, json={"request_id": "r-1", "task_infos": [row("a"), row("b")]}),
    ],
    ids=["garbage", "404", "too few", "too many", "nameless", "repeated", "no number", "no total"],
)
async def test_a_list_that_is_not_whole_proves_nothing(page: httpx.Response) -> None:
    reader = Reader("a", "b")
    await reader.read("a", "b", "c", "d")
    reader.listing.pages[0] = page

    await reader.read("a", "b", "c", "d")

    assert set(reader.asked) >= {"c", "d"}


async def test_a_list_whose_length_changes_while_it_is_read_proves_nothing() -> None:
    names = [f"t-{number:04}" for number in range(250)]
    reader = Reader(*names)
    await reader.read(*names, "ended")
    reader.listing.between = [lambda rows: rows.append(row("new"))]

    await reader.read(*names, "ended")

    assert reader.asked == ["0", "100", "200", "ended"]


async def test_a_list_as_long_as_the_vendor_shows_may_go_on_behind_its_end() -> None:
    names = [f"t-{number:05}" for number in range(10_000)]
    reader = Reader(*names)
    await reader.read(*names, "ended")

    await reader.read(*names, "ended")

    assert (len(reader.asked), reader.asked[-1]) == (101, "ended")


async def test_what_one_credential_may_not_see_is_asked_for_with_another() -> None:
    reader = Reader("a", "b")
    await reader.read("a", "b", "c")

    await reader.read("a", "b", "c", credential=Credential(KEY.key_id, "another secret"))
    others = list(reader.asked)
    await reader.read("a", "b", "c", region="cn-east-3")
    elsewhere = list(reader.asked)
    await reader.read("a", "b", "c", project="another")

    assert others == elsewhere == reader.asked == ["0", "c"]


async def test_an_error_confirms_nothing() -> None:
    reader = Reader("a", "b", absent=lambda: refuses("LIVE.100011001", 400))
    await reader.read("a", "b", "c")

    assert (await reader.read("a", "b", "c"))["c"] == "InvalidRequest"
    assert reader.asked == ["0", "c"]


async def test_a_clock_that_was_set_back_confirms_nothing() -> None:
    reader = Reader("a", "b")
    await reader.read("a", "b", "c")
    reader.now = NOW - LITTLE

    await reader.read("a", "b", "c")

    assert reader.asked == ["0", "c"]


async def test_more_than_can_be_asked_for_in_one_look_are_all_known_after_the_next() -> None:
    reader = Reader("a", "b")
    await reader.read("a", "b", *ended(150))

    found = await reader.read("a", "b", *ended(150))

    assert {found[name] for name in ended(150)} == {State.NOT_FOUND}
    assert len(reader.asked) == 1 + 150 - MAX_ONE_BY_ONE


def test_each_answer_stands_for_its_own_time_between_the_bounds() -> None:
    now = NOW
    missing = Missing(lambda: now)
    for name in ended(200):
        missing.asked(name, Observation(State.NOT_FOUND, "total 0"))

    now = NOW + STANDS_AT_LEAST - LITTLE
    assert missing.still(ended(200)).keys() == set(ended(200))
    now = NOW + (STANDS_AT_LEAST + STANDS_AT_MOST) / 2
    assert 50 < len(missing.still(ended(200))) < 150
    now = NOW + STANDS_AT_MOST
    assert missing.still(ended(200)) == {}


def test_whose_turn_it_is_goes_round_though_tasks_come_and_go() -> None:
    missing = Missing(lambda: NOW)
    known = Observation(State.RUNNING, "running")

    first = missing.in_turn(["c", "a", "b"])
    missing.asked("b", known)
    then = missing.in_turn(["a", "aa", "d", "c"])
    missing.asked("z", known)

    assert (first, then, missing.in_turn(["b", "a"])) == (["a", "b", "c"], ["c", "d", "a", "aa"], ["a", "b"])
