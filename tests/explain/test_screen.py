"""How a screen says what is said in many places of it."""

from __future__ import annotations

import pytest

from livetask_operator.explain.screen import span


@pytest.mark.parametrize(
    ("seconds", "words_of_it"),
    [(-3, "0 s"), (0.2, "0 s"), (45, "45 s"), (119, "119 s"), (150, "2 min"), (7300, "2 h"), (200_000, "2 d")],
)
def test_a_length_of_time_as_people_say_it(seconds: float, words_of_it: str) -> None:
    assert span(seconds) == words_of_it
