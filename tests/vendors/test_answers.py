"""Reading what no vendor can be trusted to say well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetask_operator.vendors.answers import clean_code, coarse, retry_after_s


@pytest.mark.parametrize(
    ("skew", "words"),
    [
        (timedelta(seconds=90), ""),
        (timedelta(minutes=3), "some minutes ahead of"),
        (timedelta(minutes=-15), "about 20 minutes behind"),
        (timedelta(minutes=30), "about half an hour ahead of"),
        (timedelta(hours=-1), "about an hour behind"),
        (timedelta(hours=5, minutes=30), "about 5 hours ahead of"),
        (timedelta(hours=5, minutes=45), "about 6 hours ahead of"),
        (timedelta(days=-400), "more than a day behind"),
    ],
)
def test_a_skew_is_told_coarsely(skew: timedelta, words: str) -> None:
    assert coarse(skew) == words


@given(minutes=st.sampled_from([15, 16, 20, 30, 45, 60, 90, 120, 150, 330, 345, 480, 720]), jitter=st.floats(-30, 30))
def test_a_skew_as_they_come_is_told_in_the_same_words_from_poll_to_poll(minutes: int, jitter: float) -> None:
    assert coarse(timedelta(minutes=minutes, seconds=jitter)) == coarse(timedelta(minutes=minutes))


@given(st.text() | st.none() | st.integers() | st.lists(st.text()))
def test_a_code_is_never_more_than_a_code_looks_like(said: object) -> None:
    code = clean_code(said)

    assert len(code) <= 64
    assert all(character.isascii() and (character.isalnum() or character in "._-") for character in code)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"retry-after": "Sat, 21 Nov 2026 12:00:40 GMT"}, 10.0),
        ({"retry-after": "Sat, 21 Nov 2026 13:00:40 GMT", "date": "Sat, 21 Nov 2026 13:00:00 GMT"}, 40.0),
        ({"retry-after": "Sat, 21 Nov 2026 11:00:40 GMT", "date": "Sat, 21 Nov 2026 11:00:00 GMT"}, 40.0),
        ({"retry-after": "Sat, 21 Nov 2026 12:00:40 GMT", "date": "yesterday"}, 10.0),
        ({"retry-after": "Sat, 21 Nov 2026 11:59:00 GMT"}, None),
        ({"retry-after": "Sat, 21 Nov 2036 12:00:40 GMT"}, 120.0),
        ({"retry-after": " 3 ", "date": "Sat, 21 Nov 2026 13:00:00 GMT"}, 3.0),
    ],
)
def test_a_date_to_come_again_is_of_the_vendors_clock_not_of_ours(
    headers: dict[str, str], wait_s: float | None
) -> None:
    ours = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)

    assert retry_after_s(headers, ours) == wait_s
