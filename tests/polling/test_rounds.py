"""How long a round of an account takes: exactly for metrics, in coarse and steady steps for people."""

from __future__ import annotations

import random

from livetask_operator.polling.rounds import Rounds


def play(rounds: Rounds[str], lateness: float, from_s: float, to_s: float, jitter: float = 0.0) -> set[int | None]:
    """Polls each second, so late. Returns what people were told meanwhile."""
    chance, told = random.Random(7), set()
    now_s = from_s
    while now_s < to_s:
        rounds.answered("sports", now_s)
        rounds.noted("sports", lateness * (1 + chance.uniform(-jitter, jitter)), now_s)
        told.add(rounds.told("sports"))
        now_s += 1.0
    return told


def test_an_account_that_is_in_time_says_nothing() -> None:
    rounds = Rounds[str](lambda _: 0.1)

    assert play(rounds, 0.1, 0.0, 3600.0) <= {None, 1}
    assert rounds.factor("sports") == 1.1
    assert rounds.factor("news") == 1.0


def test_an_account_that_becomes_slow_says_so_after_two_minutes_in_a_power_of_two() -> None:
    rounds = Rounds[str](lambda _: 0.1)
    play(rounds, 0.0, 0.0, 600.0)

    assert play(rounds, 7.5, 600.0, 715.0) == {1}
    assert play(rounds, 7.5, 715.0, 900.0) >= {8}
    assert rounds.told("sports") == 8


def test_a_burst_is_not_worth_a_word() -> None:
    rounds = Rounds[str](lambda _: 0.1)
    play(rounds, 0.0, 0.0, 600.0)

    assert play(rounds, 9.0, 600.0, 700.0) == {1}
    assert play(rounds, 0.0, 700.0, 1200.0) == {1}


def test_between_two_steps_it_is_not_told_to_and_fro() -> None:
    rounds = Rounds[str](lambda _: 0.1)
    play(rounds, 2.0, 0.0, 600.0)
    first = rounds.told("sports")

    told = play(rounds, 1.83, 600.0, 7200.0, jitter=0.25)  # 2.83 is just between 2 and 4

    assert told == {first}


def test_after_a_start_nothing_is_taken_back_before_it_is_known() -> None:
    rounds = Rounds[str](lambda _: 0.1)

    assert play(rounds, 0.0, 0.0, 290.0) == {None}
    assert play(rounds, 0.0, 290.0, 400.0) == {None, 1}


def test_accounts_that_poll_no_more_are_forgotten() -> None:
    rounds = Rounds[str](lambda _: 0.1)
    rounds.answered("sports", 0.0)
    rounds.answered("news", 3000.0)
    rounds.noted("news", 1.0, 3000.0)

    assert rounds.factors(4000.0) == {"news": 2.0}


def test_an_account_whose_vendor_does_not_answer_is_not_called_slow() -> None:
    rounds = Rounds[str](lambda _: 0.1)
    rounds.answered("sports", 0.0)
    rounds.noted("sports", 1.0, 20.0)

    rounds.noted("sports", 9.0, 40.0)

    assert rounds.factor("sports") == 2.0
