"""The line of those who wait for an account's budget: people before polling, and nobody in anybody's way."""

from __future__ import annotations

import asyncio
import contextlib
import random

import pytest

from livetask_operator.polling.quota import Lane, Quotas, Turnstile
from tests.polling.fake_time import now_s, run


class Line:
    """Callers at a turnstile, and when each of them went through."""

    def __init__(self, per_second: float) -> None:
        self.turnstile = Turnstile(per_second, now_s)
        self.passed: list[tuple[str, float]] = []
        self._began_s = now_s()

    def come(self, name: str, lane: Lane = Lane.POLL) -> asyncio.Task[None]:
        async def enter() -> None:
            await self.turnstile.enter(lane)
            self.passed.append((name, round(now_s() - self._began_s, 6)))

        return asyncio.create_task(enter(), name=name)

    async def fill(self, calls: int) -> None:
        """Use up the budget of this second."""
        for _ in range(calls):
            await self.turnstile.enter(Lane.POLL)

    @property
    def order(self) -> list[str]:
        return [name for name, _ in self.passed]


def test_who_comes_at_once_is_spread_over_the_second() -> None:
    """A vendor counts when calls arrive: two bursts a second apart may arrive closer than they were sent."""

    async def story() -> list[tuple[str, float]]:
        line = Line(per_second=3)
        await asyncio.gather(*(line.come(name) for name in "abc"))
        return line.passed

    assert run(story()) == [("a", 0), ("b", pytest.approx(1 / 3, rel=0.03)), ("c", pytest.approx(2 / 3, rel=0.03))]


def test_beyond_the_budget_callers_go_through_in_the_order_of_their_coming() -> None:
    async def story() -> list[tuple[str, float]]:
        line = Line(per_second=2)
        await asyncio.gather(*(line.come(name) for name in "abcde"))
        return line.passed

    passed = run(story())

    assert [name for name, _ in passed] == list("abcde")
    assert [moment_s for _, moment_s in passed] == pytest.approx([0, 0.5, 1, 1.5, 2], rel=0.03)


def test_deletions_go_before_people_and_people_before_polling() -> None:
    async def story() -> list[str]:
        line = Line(per_second=1)
        await line.fill(1)
        callers = [
            line.come("poll 1"),
            line.come("edit 1", Lane.PERSON),
            line.come("poll 2"),
            line.come("deletion", Lane.DELETION),
            line.come("edit 2", Lane.PERSON),
        ]
        await asyncio.gather(*callers)
        return line.order

    assert run(story()) == ["deletion", "edit 1", "edit 2", "poll 1", "poll 2"]


def test_somebody_who_comes_late_still_overtakes_the_polls_that_wait() -> None:
    async def story() -> list[str]:
        line = Line(per_second=1)
        await line.fill(1)
        polls = [line.come(f"poll {number}") for number in range(100)]
        await asyncio.sleep(2.5)
        deletion = line.come("deletion", Lane.DELETION)
        await deletion
        for poll in polls:
            poll.cancel()
        return line.order

    assert run(story()) == ["poll 0", "poll 1", "deletion"]


def test_a_caller_who_gives_up_costs_nothing_and_is_in_nobodys_way() -> None:
    async def story() -> tuple[list[tuple[str, float]], int]:
        line = Line(per_second=1)
        await line.fill(1)
        gives_up, first, second = line.come("gives up"), line.come("first"), line.come("second")
        await asyncio.sleep(0.5)
        gives_up.cancel()
        await asyncio.sleep(0)
        waiting = line.turnstile.waiting
        await asyncio.gather(first, second)
        return line.passed, waiting

    passed, waiting = run(story())

    assert [name for name, _ in passed] == ["first", "second"]
    assert [moment_s for _, moment_s in passed] == pytest.approx([1, 2], rel=0.03), "the turn of who gave up is theirs"
    assert waiting == 2


def test_a_whole_line_that_gives_up_leaves_the_turnstile_free() -> None:
    async def story() -> float:
        line = Line(per_second=1)
        await line.fill(1)
        crowd = [line.come(f"poll {number}") for number in range(1_000)]
        await asyncio.sleep(0.5)
        for caller in crowd:
            caller.cancel()
        await asyncio.gather(*crowd, return_exceptions=True)
        await asyncio.sleep(10)
        began_s = now_s()
        await line.turnstile.enter(Lane.POLL)
        return now_s() - began_s

    assert run(story()) == 0


def test_a_throttled_account_lets_nobody_through_until_its_pause_is_over() -> None:
    async def story() -> list[tuple[str, float]]:
        line = Line(per_second=10)
        line.turnstile.throttled(7.0)
        await asyncio.gather(line.come("poll"), line.come("deletion", Lane.DELETION))
        return line.passed

    assert run(story()) == [("deletion", 7), ("poll", pytest.approx(7.1, rel=0.01))]


def test_those_who_wait_already_wait_for_the_pause_too() -> None:
    async def story() -> list[tuple[str, float]]:
        line = Line(per_second=1)
        await line.fill(1)
        waiting = line.come("poll")
        await asyncio.sleep(0.5)
        line.turnstile.throttled(10.0)
        await waiting
        return line.passed

    assert run(story()) == [("poll", 10.5)]


def test_a_crowd_that_comes_and_goes_stays_inside_the_quota_and_uses_it() -> None:
    async def story() -> tuple[list[float], int]:
        chance = random.Random(7)
        line = Line(per_second=8)
        crowd: list[asyncio.Task[None]] = []
        given_up = 0
        while now_s() < 1_060.0:
            crowd.append(line.come("caller", chance.choice(list(Lane))))
            if chance.random() < 0.2:
                given_up += crowd[chance.randrange(len(crowd))].cancel()
            await asyncio.sleep(chance.uniform(0, 0.1))
        for caller in crowd:
            caller.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await caller
        return [moment_s for _, moment_s in line.passed], given_up

    sent, given_up = run(story())

    assert given_up > 50
    assert all(later - earlier >= 1 - 1e-6 for earlier, later in zip(sent, sent[8:], strict=False))
    assert 0.95 * 8 * 60 <= len(sent) <= 8 * 61


def test_each_account_and_each_call_has_a_turnstile_of_its_own() -> None:
    asked: list[tuple[str, str, str]] = []

    def limits(vendor: str, account: str, call: str) -> float:
        asked.append((vendor, account, call))
        return 5.0

    quotas = Quotas(limits, lambda vendor, key: {"key-1": "sports", "key-2": "sports"}.get(key, key), lambda: 0.0)

    shared = quotas.of("AlibabaCloud", "key-1", "GetMPUTaskStatus")

    assert quotas.of("AlibabaCloud", "key-2", "GetMPUTaskStatus") is shared, (
        "keys that are one account share its budget"
    )
    assert quotas.of("AlibabaCloud", "key-3", "GetMPUTaskStatus") is not shared
    assert quotas.of("AlibabaCloud", "key-1", "StopLiveMPUTask") is not shared
    assert quotas.of("TencentCloud", "key-1", "GetMPUTaskStatus") is not shared
    assert asked[0] == ("AlibabaCloud", "sports", "GetMPUTaskStatus"), "the limit is the account's, not the key's"
    assert len(asked) == 4


def usual(vendor: str, account: str, call: str) -> float:
    return 5.0


def alone(vendor: str, key: str) -> str:
    return key


def test_who_comes_right_after_a_restart_waits_until_the_predecessors_second_is_over() -> None:
    async def story() -> list[float]:
        began_s = now_s()
        quotas = Quotas(usual, alone, now_s)
        await quotas.of_unproven("fingerprint").enter(Lane.DELETION)
        first_s = now_s() - began_s
        await quotas.of("AlibabaCloud", "key", "GetMPUTaskStatus").enter(Lane.DELETION)
        second_s = now_s() - began_s
        await asyncio.sleep(60)
        await quotas.of("TencentCloud", "key", "DescribeStreamIngest").enter(Lane.DELETION)
        return [first_s, second_s, now_s() - began_s]

    first_s, second_s, third_s = run(story())

    assert first_s == pytest.approx(1.075), "the small budget of a key that is not proven, too"
    assert second_s == first_s
    assert third_s == second_s + 60, "an account that comes later has no predecessor"


def test_turnstiles_of_rotated_keys_are_forgotten_after_an_hour() -> None:
    async def story() -> set[str]:
        quotas = Quotas(usual, alone, now_s)
        for name in ("rotated", "in use", "paused"):
            await quotas.of("AlibabaCloud", name, "GetMPUTaskStatus").enter(Lane.POLL)
        paused = quotas.of("AlibabaCloud", "paused", "GetMPUTaskStatus")
        for _ in range(70):
            paused.throttled(60.0)
            await asyncio.sleep(60)
            quotas.of("AlibabaCloud", "in use", "GetMPUTaskStatus")
        await quotas.of("AlibabaCloud", "new", "GetMPUTaskStatus").enter(Lane.POLL)
        return {account for (_, account, _), _ in quotas}

    assert run(story()) == {"in use", "paused", "new"}


def test_a_turnstile_is_not_forgotten_while_its_last_call_counts() -> None:
    async def story() -> tuple[float, float]:
        quotas = Quotas(lambda vendor, account, call: 0.0002, alone, now_s)
        slow = quotas.of("AlibabaCloud", "slow", "GetMPUTaskStatus")
        await slow.enter(Lane.POLL)
        sent_s = now_s()
        await asyncio.sleep(4000)
        quotas.of("AlibabaCloud", "new", "GetMPUTaskStatus")
        await quotas.of("AlibabaCloud", "slow", "GetMPUTaskStatus").enter(Lane.POLL)
        return sent_s, now_s()

    first_s, second_s = run(story())

    assert second_s - first_s >= 5000


def test_an_account_that_was_only_named_is_not_shown() -> None:
    async def story() -> set[str]:
        quotas = Quotas(usual, alone, now_s)
        quotas.of("AlibabaCloud", "named", "GetMPUTaskStatus")
        await quotas.of("AlibabaCloud", "asked", "GetMPUTaskStatus").enter(Lane.POLL)
        return {account for (_, account, _), _ in quotas}

    assert run(story()) == {"asked"}


def test_a_turnstile_tells_who_waits_and_how_much_of_its_budget_is_used() -> None:
    async def story() -> None:
        line = Line(per_second=10)
        turnstile = line.turnstile
        await line.fill(3)
        crowd = [line.come("poll"), line.come("poll"), line.come("edit", Lane.PERSON), line.come("end", Lane.DELETION)]
        await asyncio.sleep(0)

        assert (turnstile.people_waiting, turnstile.polls_waiting, turnstile.waiting) == (2, 2, 4)
        assert (turnstile.used_last_second, turnstile.limit_per_s, turnstile.paused_s) == (3, 10, 0)
        assert turnstile.rate_per_s == pytest.approx(10 / 1.025)

        turnstile.throttled(5.0)
        await asyncio.sleep(2)

        assert (turnstile.used_last_second, turnstile.rate_per_s) == (0, 0)
        assert turnstile.paused_s == pytest.approx(3)
        await asyncio.gather(*crowd)
        assert turnstile.rate_per_s == pytest.approx(0.7 * 10 / 1.025, rel=0.05)

    run(story())
