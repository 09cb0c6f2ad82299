"""How often an account may be asked: never too often, nearly as often as it may, and less after it said so."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livetask_operator.polling.quota import CATCH_UP_S, LATE_S, WAY_S, Budget, Limit

ON_THE_WAY_S = WAY_S - 1e-6
"""By so much less than another's may the way of a call to the vendor take."""
HOUR_S = 3600.0

per_second = st.floats(0.2, 400.0)
per_minute = st.integers(1, 10_000)
limits = st.one_of(
    per_second.map(Limit), per_minute.map(lambda rate: Limit(None, rate)), st.builds(Limit, per_second, per_minute)
)
seeds = st.integers(0, 2**32)


def sent_when_crowded(budget: Budget, begin_s: float, calls: int, late: Iterator[float]) -> list[float]:
    """When calls go out where there is always somebody in line, and each timer is late by so much."""
    sent: list[float] = []
    now_s, waited = begin_s, False
    while len(sent) < calls:
        free_s = budget.free_at(now_s)
        if free_s > now_s:
            now_s, waited = free_s + next(late), True
        else:
            budget.spend(now_s, waited=waited)
            sent.append(now_s)
    return sent


def sent_by(budget: Budget, arrivals_s: list[float]) -> list[float]:
    """When calls go out that come at these times and each wait for their turn."""
    sent: list[float] = []
    for arrival_s in arrivals_s:
        now_s = budget.free_at(max(arrival_s, sent[-1] if sent else 0.0))
        budget.spend(now_s)
        sent.append(now_s)
    return sent


def late_by(seed: int, most_s: float) -> Iterator[float]:
    chance = random.Random(seed)
    while True:
        yield chance.uniform(0.0, most_s)


def most_in_a_window(sent: list[float], window_s: float) -> int:
    """The most calls in any window of this length."""
    return max(bisect_left(sent, start_s + window_s) - index for index, start_s in enumerate(sent))


def keeps(limit: Limit, sent: list[float]) -> bool:
    """Whether the vendor counts no more than allowed, also where each call takes another time to arrive."""
    in_a_second = most_in_a_window(sent, 1.0 + ON_THE_WAY_S)
    in_a_minute = most_in_a_window(sent, 60.0 + ON_THE_WAY_S)
    if limit.per_second is not None and limit.per_second < 1:
        apart_s = min((later - earlier for earlier, later in pairwise(sent)), default=60.0)
        if apart_s < 1.0 / limit.per_second + ON_THE_WAY_S:
            return False
    elif limit.per_second is not None and in_a_second > limit.per_second:
        return False
    return limit.per_minute is None or in_a_minute <= limit.per_minute


@given(limits, seeds, st.floats(0, 100_000))
@settings(max_examples=40, deadline=None)
def test_in_no_second_and_no_minute_are_there_more_calls_than_the_quota(limit: Limit, seed: int, boot_s: float) -> None:
    calls = min(3_000, int(limit.rate * HOUR_S))

    sent = sent_when_crowded(Budget(limit), boot_s, calls, late_by(seed, 0.2))

    assert keeps(limit, sent)


@given(limits, st.lists(st.floats(0, 3), min_size=1, max_size=150).map(sorted), st.floats(0, 100_000))
@settings(max_examples=100, deadline=None)
def test_the_quota_holds_however_the_callers_come(limit: Limit, arrivals_s: list[float], boot_s: float) -> None:
    sent = sent_by(Budget(limit), [boot_s + arrival_s for arrival_s in arrivals_s])

    assert keeps(limit, sent)


@given(per_second, seeds)
@settings(max_examples=40, deadline=None)
def test_a_quota_that_is_not_enough_is_used_nearly_whole_though_timers_are_late(rate: float, seed: int) -> None:
    calls = min(4_000, int(rate * HOUR_S))

    sent = sent_when_crowded(Budget(rate), 1_000.0, calls + 1, late_by(seed, LATE_S))

    whole = int(rate) if rate >= 1 else rate  # of 2.5 a second there are two in any second
    assert calls / (sent[-1] - sent[0]) >= 0.95 * whole


@given(per_minute, seeds)
@settings(max_examples=40, deadline=None)
def test_a_quota_per_minute_is_used_nearly_whole_too(rate: int, seed: int) -> None:
    calls = min(4_000, rate * 60)

    sent = sent_when_crowded(Budget(Limit(None, rate)), 1_000.0, calls + 1, late_by(seed, LATE_S))

    assert calls / (sent[-1] - sent[0]) * 60 >= 0.95 * rate


def test_a_loop_that_lags_by_more_than_a_calls_pace_loses_little() -> None:
    sent = sent_when_crowded(Budget(53), 0.0, 3_000, late_by(7, 0.04))

    assert 3_000 / sent[-1] >= 0.95 * 53


@pytest.mark.parametrize("rate", [53, Limit(53, 3200), Limit(None, 3200)])
def test_an_hour_of_alibaba_clouds_status_calls_is_even_and_whole(rate: Limit | float) -> None:
    sent = sent_when_crowded(Budget(rate), 0.0, 53 * 3_600, late_by(42, LATE_S))

    apart_s = [later - earlier for earlier, later in pairwise(sent)]
    assert 0.99 * HOUR_S <= sent[-1] <= 1.05 * HOUR_S
    assert max(apart_s) <= 1.025 / 53 + LATE_S


@given(limits, seeds, st.lists(st.floats(0.0, 3.0), min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_processes_that_are_killed_and_begin_again_keep_the_quota_together(
    limit: Limit, seed: int, lives_s: list[float]
) -> None:
    sent: list[float] = []
    now_s = 50.0
    for number, life_s in enumerate(lives_s):
        calls = min(2_000, int((limit.rate + 1) * (life_s + 2)))
        sent += sent_when_crowded(Budget(limit, began_s=now_s), now_s, calls, late_by(seed + number, LATE_S))
        now_s = sent[-1]  # killed right after a call, and the next process acts at once

    assert keeps(limit, sent)


def test_a_process_waits_no_longer_than_needed_after_a_predecessor() -> None:
    assert Budget(400, began_s=10.0).free_at(10.0) == pytest.approx(11.02)
    assert Budget(Limit(60, 3200), began_s=10.0).free_at(10.0) == pytest.approx(11.02)
    assert Budget(0.2, began_s=10.0).free_at(10.0) == pytest.approx(10.0 + 5.025 + CATCH_UP_S)
    assert Budget(5, began_s=10.0).free_at(100.0) == 100.0


def test_a_call_that_nobody_waited_for_is_followed_by_an_even_pace() -> None:
    budget = Budget(4)

    sent = sent_by(budget, [0.0, 7.0, 7.0, 7.0])

    assert [later - earlier for earlier, later in pairwise(sent[1:])] == pytest.approx([budget.pace_s] * 2)


def test_an_idle_budget_lets_the_first_call_out_at_once() -> None:
    assert Budget(0.01).free_at(7.0) == 7.0


def test_of_a_limit_per_second_and_one_per_minute_the_slower_sets_the_pace() -> None:
    assert Budget(Limit(60, 3200)).pace_s == Budget(Limit(None, 3200)).pace_s
    assert Budget(Limit(40, 3200)).pace_s == Budget(40).pace_s
    assert (Limit(60, 3000).rate, Limit(40, 3000).rate, Limit(None, 3000).rate) == (50, 40, 50)


def test_a_budget_tells_what_is_used_and_what_is_left() -> None:
    budget = Budget(10)
    for moment_s in (100.0, 100.2, 100.9):
        budget.spend(moment_s)

    assert budget.used(101.1) == 2
    assert budget.rate(101.1) == pytest.approx(10 / 1.025)
    assert budget.paused_s(101.1) == 0

    budget.throttled(101.1, 4.0)

    assert budget.paused_s(102.1) == pytest.approx(3.0)
    assert budget.rate(102.1) == 0
    assert budget.rate(105.1) == pytest.approx(0.7 * 10 / 1.025)


def test_a_throttled_account_pauses_for_longer_each_time_in_a_row() -> None:
    budget, now_s, pauses = Budget(5), 100.0, []

    for _ in range(9):
        budget.throttled(now_s, None)
        pauses.append(budget.free_at(now_s) - now_s)
        now_s = budget.free_at(now_s)

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_call_that_is_let_through_ends_the_growth_of_pauses() -> None:
    budget = Budget(5)
    budget.throttled(100.0, None)
    budget.throttled(101.0, None)

    budget.answered(150.0)
    budget.throttled(200.0, None)

    assert budget.free_at(200.0) == 201.0


def test_an_answer_to_a_call_that_was_sent_before_a_pause_does_not_end_the_growth() -> None:
    budget = Budget(5)
    budget.throttled(100.0, None)

    budget.answered(100.5)
    budget.throttled(101.0, None)

    assert budget.free_at(101.0) == 103.0


def test_a_longer_wait_that_the_vendor_asks_for_during_a_pause_is_kept() -> None:
    budget = Budget(5)
    budget.throttled(100.0, None)

    budget.throttled(100.5, 20.0)

    assert budget.free_at(101.0) == 120.5


def test_answers_to_calls_under_way_make_a_pause_no_longer_and_the_pace_no_slower() -> None:
    budget = Budget(5)

    for now_s in (100.0, 100.1, 100.2, 100.9):
        budget.throttled(now_s, None)

    assert budget.free_at(100.9) == 101.0
    assert budget.share(101.0) == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("asked_s", "pause_s"),
    [
        pytest.param(None, 1.0, id="not said"),
        pytest.param(0.0, 1.0, id="at once"),
        pytest.param(0.3, 1.0, id="sooner than we would"),
        pytest.param(12.0, 12.0, id="later"),
        pytest.param(110.0, 110.0, id="much later"),
        pytest.param(86_400.0, 120.0, id="tomorrow"),
        pytest.param(-5.0, 1.0, id="in the past"),
    ],
)
def test_the_vendors_own_pause_is_kept_up_to_two_minutes(asked_s: float | None, pause_s: float) -> None:
    budget = Budget(5)

    budget.throttled(100.0, asked_s)

    assert budget.free_at(100.0) == 100.0 + pause_s


def test_an_account_that_is_throttled_for_days_is_asked_once_a_minute() -> None:
    budget, now_s = Budget(5), 0.0

    for _ in range(3_000):
        budget.throttled(now_s, None)
        now_s = budget.free_at(now_s)

    assert budget.free_at(now_s) == now_s
    assert now_s == pytest.approx(3_000 * 60, rel=0.01)


@given(limits, st.integers(1, 30))
@settings(max_examples=40, deadline=None)
def test_an_account_has_its_whole_pace_back_a_minute_after_the_last_throttling_answer(
    limit: Limit, answers: int
) -> None:
    budget, now_s = Budget(limit), 100.0
    for _ in range(answers):
        budget.throttled(now_s, None)
        now_s = budget.free_at(now_s)

    shares = [budget.share(now_s + each_s) for each_s in range(62)]

    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert min(shares) >= min(1.0, budget.pace_s / 5.0) - 1e-9, "a call in five seconds goes out, whatever was said"


@dataclass
class Vendor:
    """Lets so many calls through in any second. A refused call does not count."""

    per_second: int
    admitted: deque[float] = field(default_factory=deque)
    refused: int = 0
    served: int = 0

    def answers(self, now_s: float) -> bool:
        while self.admitted and self.admitted[0] <= now_s - 1.0:
            self.admitted.popleft()
        if len(self.admitted) >= self.per_second:
            self.refused += 1
            return False
        self.admitted.append(now_s)
        self.served += 1
        return True


def ask(vendor: Vendor, budget: Budget, begin_s: float, length_s: float, answer_after_s: float = 0.1) -> None:
    """Ask as often as the budget allows; each answer takes a moment, while more calls go out."""
    under_way: deque[float] = deque()
    now_s = begin_s
    while now_s < begin_s + length_s:
        free_s = budget.free_at(now_s)
        if under_way and under_way[0] + answer_after_s <= max(now_s, free_s):
            now_s = max(now_s, under_way.popleft() + answer_after_s)
            if vendor.answers(now_s):
                budget.answered(now_s)
            else:
                budget.throttled(now_s, None)
        elif free_s > now_s:
            now_s = free_s
        else:
            budget.spend(now_s, waited=True)
            under_way.append(now_s)


@pytest.mark.parametrize(("quota", "allowed"), [(53, 26), (53, 10), (16, 8), (8, 4)])
def test_of_a_vendor_that_allows_less_than_the_quota_most_is_used_and_few_calls_are_refused(
    quota: int, allowed: int
) -> None:
    vendor, budget = Vendor(allowed), Budget(quota)

    ask(vendor, budget, 0.0, HOUR_S)

    assert vendor.refused <= 240, "more than four a minute"
    assert vendor.served >= 0.85 * allowed * HOUR_S


def test_a_vendor_that_allows_everything_again_is_asked_at_the_whole_pace_again() -> None:
    budget = Budget(53)
    ask(Vendor(20), budget, 0.0, 600.0)

    generous = Vendor(53)
    ask(generous, budget, 600.0, 60.0)
    ask(generous, budget, 660.0, 600.0)

    assert generous.refused == 0
    assert budget.share(1_260.0) == 1.0
    assert generous.served >= 0.95 * 53 * 600
