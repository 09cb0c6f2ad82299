"""Which object the words on the command line mean."""

from __future__ import annotations

import pytest

from livetask_operator.explain.target import BadTarget, Target


@pytest.mark.parametrize(
    ("words", "means"),
    [
        ("sports/cup-final", Target(None, "sports", "cup-final")),
        ("relaytask/sports/cup-final", Target("relaytasks", "sports", "cup-final")),
        ("relaytasks/sports/cup-final", Target("relaytasks", "sports", "cup-final")),
        ("RelayTask/sports/cup-final", Target("relaytasks", "sports", "cup-final")),
        ("rlt/sports/cup-final", Target("relaytasks", "sports", "cup-final")),
        ("preloadtask/sports/edge", Target("preloadtasks", "sports", "edge")),
        ("plt/sports/edge", Target("preloadtasks", "sports", "edge")),
        ("rlt/cup-final", Target(None, "rlt", "cup-final")),
    ],
)
def test_an_object_is_named_by_namespace_and_name_and_its_kind_where_that_is_needed(words: str, means: Target) -> None:
    assert Target.read(words) == means


@pytest.mark.parametrize("words", ["", "/", "cup-final", "sports/", "/cup-final", "a/b/c/d", "rlt//x", "pod/sports/x"])
def test_words_that_name_no_object_are_refused(words: str) -> None:
    with pytest.raises(BadTarget, match="write "):
        Target.read(words)
