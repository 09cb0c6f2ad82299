"""How often an account may be asked: never too often, nearly as often as it may, and less after it said so."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livetask_operator.polling.quota import Budget

EPSILON_S = 1e-6

rates = st.sampled_from([0.2, 0.5, 1.0, 1.5, 2.0, 2.5, 5.0, 8.0, 16.0, 53.0])


def sent_by(budget: Budget, arrivals_s: list[float]) -> list[float]:
    """When calls go out that come at these times and each wait for their turn."""
    sent: list[float] = []
    for arrival_s in arrivals_s:
        now_s = budget.free_at(max(arrival_s, sent[-1] if sent else 0.0))
        budget.spend(now_s)
        sent.append(now_s)
    return sent


def most_in_a_window(sent: list[float], window_s: float) -> int:
    """The most calls in any window of this length."""
    return max(sum(1 for each in sent if start <= each < start + window_s - EPSILON_S) for start in sent)


@given(rates, st.lists(st.floats(0, 3), min_size=1, max_size=150).map(sorted), st.floats(0, 100_000))
@settings(max_examples=150, deadline=None)
def test_in_no_second_are_there_more_calls_than_the_quota(rate: float, arrivals_s: list[float], boot_s: float) -> None:
    sent = sent_by(Budget(rate), [boot_s + arrival_s for arrival_s in arrivals_s])

    if rate >= 1:
        assert most_in_a_window(sent, 1.0) <= rate
    else:
        assert most_in_a_window(sent, 1.0 / rate) <= 1


@given(rates, st.lists(st.floats(0, 3), min_size=1, max_size=60).map(sorted))
@settings(max_examples=100, deadline=None)
def test_a_call_waits_no_longer_than_the_quota_makes_it(rate: float, arrivals_s: list[float]) -> None:
    budget = Budget(rate)
    sent: list[float] = []
    for arrival_s in arrivals_s:
        now_s = max(arrival_s, sent[-1] if sent else 0.0)
        free_s = budget.free_at(now_s)
        window_s = max(1.0, 1.0 / rate)
        crowd = [each for each in sent if each > now_s - window_s]
        paced = bool(sent) and free_s == sent[-1] + budget.pace_s
        assert free_s == now_s or paced or len(crowd) >= max(1, int(rate)), "it waits though there is room"
        budget.spend(free_s)
        sent.append(free_s)


@pytest.mark.parametrize("rate", [0.2, 1.0, 5.0, 8.0, 16.0, 53.0, 400.0])
def test_a_quota_that_is_not_enough_is_used_nearly_whole(rate: float) -> None:
    sent = sent_by(Budget(rate), [0.0] * int(rate * 90))

    used = sum(1 for each in sent if each < 60.0)

    assert 0.95 * rate * 60 <= used <= rate * 61


def test_an_idle_budget_lets_the_first_call_out_at_once() -> None:
    assert Budget(0.01).free_at(7.0) == 7.0


def test_a_throttled_account_pauses_for_longer_each_time_in_a_row() -> None:
    budget, now_s, pauses = Budget(5), 100.0, []

    for _ in range(9):
        budget.throttled(now_s, None)
        pauses.append(budget.free_at(now_s) - now_s)
        now_s = budget.free_at(now_s)

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_throttled_account_recovers_with_the_first_call_that_is_let_through() -> None:
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


def test_answers_to_calls_under_way_make_a_pause_no_longer() -> None:
    budget = Budget(5)

    for now_s in (100.0, 100.1, 100.2, 100.9):
        budget.throttled(now_s, None)

    assert budget.free_at(100.9) == 101.0


@pytest.mark.parametrize(
    ("asked_s", "pause_s"),
    [
        pytest.param(None, 1.0, id="not said"),
        pytest.param(0.0, 1.0, id="at once"),
        pytest.param(0.3, 1.0, id="sooner than we would"),
        pytest.param(12.0, 12.0, id="later"),
        pytest.param(86_400.0, 60.0, id="tomorrow"),
        pytest.param(-5.0, 1.0, id="in the past"),
    ],
)
def test_the_vendors_own_pause_is_kept_up_to_a_minute(asked_s: float | None, pause_s: float) -> None:
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
