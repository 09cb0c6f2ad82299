"""How long to wait after something failed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from livetask_operator.polling import backoff


@pytest.mark.parametrize(
    ("wait", "table"),
    [
        pytest.param(backoff.after_failed_look, [5, 10, 20, 40, 60, 60, 60], id="a look"),
        pytest.param(backoff.after_failed_stop, [1, 2, 4, 8, 16, 30, 30], id="a stop"),
        pytest.param(backoff.after_failed_write, [0.5, 1, 2, 4, 8, 15, 15], id="a write"),
    ],
)
def test_each_failure_waits_longer_up_to_a_cap(wait: Callable[[int], float], table: list[float]) -> None:
    assert [wait(failures) for failures in range(1, len(table) + 1)] == table
    assert wait(1_000_000) == table[-1], "an outage of weeks is no overflow"
    assert wait(0) == table[0]


@pytest.mark.parametrize(
    ("refused_after_s", "next_after_s"),
    [
        pytest.param(0, 5, id="the first refusal"),
        pytest.param(4.9, 5, id="by a call that was under way"),
        pytest.param(5, 15, id="the second"),
        pytest.param(15.2, 30, id="the third"),
        pytest.param(31, 60, id="the fourth"),
        pytest.param(60, 360, id="the fifth"),
        pytest.param(361, 661, id="from then on every five minutes"),
        pytest.param(9_000, 9_300, id="hours later"),
    ],
)
def test_a_refused_key_is_tried_again_at_5_15_30_and_60_seconds_then_every_300(
    refused_after_s: float, next_after_s: float
) -> None:
    assert backoff.next_try_of_refused_key(100.0, 100.0 + refused_after_s) == 100.0 + next_after_s
