"""The text format, as Prometheus' own parser takes it."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from livetask_operator.observability.exposition import Family, sliced

WORDS = Family("livetask_words", "gauge", 'Whatever "people" write.', ("kind", "word"))
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(kind=ANY_TEXT, word=ANY_TEXT, value=st.floats(allow_nan=False))
def test_whatever_a_label_says_is_read_as_it_was_written(kind: str, word: str, value: float) -> None:
    text = WORDS.head + WORDS.line((kind, word), value) + WORDS.line(("", ""), 1.0)

    (family,) = text_string_to_metric_families(text)

    assert (family.name, family.type, family.documentation) == ("livetask_words", "gauge", 'Whatever "people" write.')
    first, second = family.samples
    assert first.labels == {"kind": kind, "word": word}
    assert first.value == value
    assert second.labels == {"kind": "", "word": ""}


def test_a_metric_without_labels_has_no_braces() -> None:
    assert Family("livetask_alone", "gauge", "One.", ()).line((), 1.0) == "livetask_alone 1.0\n"


def test_a_time_is_told_to_a_hundredth_of_a_second() -> None:
    line = WORDS.line(("a", "b"), 1795291201.13)

    assert line == 'livetask_words{kind="a",word="b"} 1795291201.13\n'


def test_what_is_not_finite_is_spelled_as_prometheus_reads_it() -> None:
    (family,) = text_string_to_metric_families(WORDS.line(("a", "b"), math.inf))

    assert family.samples[0].value == math.inf


@given(st.lists(st.integers(), max_size=50), st.integers(1, 10))
def test_slices_are_all_of_it_and_none_is_longer_than_asked_for(items: list[int], size: int) -> None:
    parts = list(sliced(items, size))

    assert [item for part in parts for item in part] == items
    assert all(1 <= len(part) <= size for part in parts)
