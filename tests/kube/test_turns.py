"""People first in the event loop, too: polls step back while it lags or many people's changes are dealt with."""

from __future__ import annotations

import asyncio
from collections import Counter

from livetask_operator.kube.turns import (
    CROWD,
    CROWDED_AT_MOST_S,
    LAG_S,
    LISTING_AT_MOST_S,
    LISTING_S,
    STEP_BACK_S,
    Account,
    Turns,
)
from livetask_operator.observability.health import Health
from livetask_operator.polling.quota import Lane
from livetask_operator.polling.scheduler import Taken, Turn
from tests.polling.fake_time import now_s, run


class Beginnings:
    """Turns, and when whose step began. Steps last until they are ended."""

    def __init__(self) -> None:
        self.turns = Turns(self._begin, lambda _: 1_000, Health(now_s), now_s)
        self.began: list[tuple[float, str]] = []

    def _begin(self, taken: Taken[str, Account]) -> None:
        self.began.append((now_s(), taken.key))
        self.turns.begun(taken.key)

    def add(self, key: str, lane: Lane = Lane.POLL, in_s: float = 0.0) -> None:
        self.turns.set(key, Turn(("sports", "alibaba"), lane, now_s() + in_s, 30.0))

    def kinds(self) -> Counter[str]:
        return Counter(key.partition("-")[0] for _, key in self.began)


def test_polls_step_back_while_many_peoples_changes_are_under_way_and_nobody_starves() -> None:
    async def story() -> tuple[Counter[str], Counter[str], Counter[str]]:
        stage = Beginnings()
        stage.turns.start()
        for number in range(CROWD):
            stage.add(f"person-{number}", Lane.PERSON)
        await asyncio.sleep(0.01)
        for number in range(5):
            stage.add(f"poll-{number}")
        await asyncio.sleep(0.3)
        crowded = stage.kinds()
        for number in range(CROWD):
            stage.turns.ended(f"person-{number}", Lane.PERSON)
        await asyncio.sleep(0.1)
        alone = stage.kinds()
        for number in range(1_000):
            stage.add(f"person-{number}", Lane.PERSON)
            stage.add(f"late-{number}")
            await asyncio.sleep(CROWDED_AT_MOST_S / 500)
        stage.turns.stop()
        return crowded, alone, stage.kinds()

    crowded, alone, endless = run(story())

    assert crowded == {"person": CROWD}
    assert alone == {"person": CROWD, "poll": 5}
    assert 0 < endless["late"] < endless["person"], "one by one, after two seconds"


def test_polls_wait_for_a_listing_to_end_and_not_for_one_without_end() -> None:
    async def story() -> tuple[Counter[str], Counter[str], Counter[str]]:
        stage = Beginnings()
        stage.turns.start()
        stage.add("poll-1")
        stage.add("person-1", Lane.PERSON)
        for _ in range(20):
            stage.turns.listed()
            await asyncio.sleep(LISTING_S / 2)
        during = stage.kinds()
        await asyncio.sleep(LISTING_S)
        after = stage.kinds()
        stage.add("late-1")
        for _ in range(int(3 * LISTING_AT_MOST_S / LISTING_S)):
            stage.turns.listed()
            await asyncio.sleep(LISTING_S / 2)
        stage.turns.stop()
        return during, after, stage.kinds()

    during, after, endless = run(story())

    assert during == {"person": 1}
    assert after == {"person": 1, "poll": 1}
    assert endless["late"] == 1


def test_polls_step_back_for_a_moment_when_the_loop_lags() -> None:
    async def story() -> list[float]:
        stage = Beginnings()
        stage.turns.start()
        await asyncio.sleep(1)
        stage.add("poll")
        began_s = now_s()
        asyncio.get_running_loop()._jumping.now_s += 2 * LAG_S  # type: ignore[attr-defined]  # a loop that is held up
        await asyncio.sleep(1)
        stage.turns.stop()
        return [at_s - began_s for at_s, _ in stage.began]

    (waited_s,) = run(story())

    assert 2 * LAG_S + STEP_BACK_S / 2 < waited_s < 0.5, "later than the loop was held up"


def test_what_goes_wrong_in_one_turn_stops_no_other() -> None:
    async def story() -> list[str]:
        stage = Beginnings()
        whole = stage.turns._begin

        def goes_wrong_once(taken: Taken[str, Account]) -> None:
            stage.turns._begin = whole
            raise RuntimeError(taken.key)

        stage.turns._begin = goes_wrong_once
        stage.turns.start()
        stage.add("unlucky")
        stage.add("poll", in_s=0.5)
        await asyncio.sleep(2)
        stage.turns.stop()
        return [key for _, key in stage.began]

    assert run(story()) == ["poll"]
