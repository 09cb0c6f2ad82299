"""Thousands of random lives on the pure core: nothing wrong on the way, the truth in the end, and then silence.

A life is made from its number alone: a failure names it, and `CoreLife(random.Random(number), ...)` plays it again.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from livetask_operator.reconcile import settle, stopping
from livetask_operator.reconcile.status import Status
from livetask_operator.reconcile.stopping import Stop
from tests.faults.core_lives import CoreLife
from tests.faults.seeds import MORE
from tests.faults.test_judge import later, not_stalled, of_no_generation

LIVES = 2_500 * MORE
FIRST = 0 if MORE == 1 else random.randrange(10**9)


def wrong_in(number: int) -> list[str]:
    """What is wrong in a life, and how it came to it."""
    life = CoreLife(random.Random(number), one_run=number % 2 == 0)
    life.play()
    wrong = [*life.wrong, *life.histories.complaints]
    return [f"life {number}", *wrong, *life.story] if wrong else []


def test_no_life_leaks_a_task_stops_anothers_or_ends_with_a_status_that_is_not_true() -> None:
    for number in range(FIRST, FIRST + LIVES):
        assert wrong_in(number) == []


PLANTED: dict[str, tuple[object, str, Callable[..., object]]] = {
    "is stopped, and": (stopping, "_is_owner", lambda *_: False),
    "should not be now": (stopping, "stop_is_due", lambda *_, **__: Stop()),
    "its task runs on": (stopping, "is_hidden", lambda *_: False),
    "says": (settle, "is_hidden", lambda *_: False),
    "its transition moves": (Status, "with_conditions", later),
    "the table says Failed": (Status, "with_conditions", not_stalled),
    "observedGeneration falls": (Status, "at_generation", of_no_generation),
}


@pytest.mark.parametrize("caught", PLANTED)
def test_a_planted_fault_is_found(caught: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*PLANTED[caught])

    assert any(caught in said for number in range(400) for said in wrong_in(number))
