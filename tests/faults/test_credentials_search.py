"""The search for secrets finds what is planted, in each form and each kind of output, and nothing where nothing is."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from tests.faults.secret_search import leaks

SECRET = 's3cr3t/wïth+"signs"=='
OUTPUTS = ("log", "events", "objects", "metrics", "health")

FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "in a traceback's repr": repr,
    "in JSON": json.dumps,
    "in JSON of another language": lambda text: json.dumps(text).replace("/", "\\/"),
    "in the data of a Secret": lambda text: base64.b64encode(text.encode()).decode(),
    "in a header of basic authentication": lambda text: base64.b64encode(f"LTAI:{text}".encode()).decode(),
    "in the middle of base64": lambda text: base64.b64encode(f"ab{text} and more".encode()).decode(),
    "in base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "in a path": quote,
    "in a query": lambda text: quote(text, safe=""),
    "in a form": quote_plus,
    "in a query with small digits": lambda text: quote(text, safe="").replace("%2F", "%2f"),
    "cut after its beginning": lambda text: f"{text[:15]}…",
    "cut before its end": lambda text: f"…{text[-15:]}",
}


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("form", FORMS)
def test_a_secret_that_is_planted_is_caught_in_each_form_and_output(form: str, output: str) -> None:
    outputs = dict.fromkeys(OUTPUTS, "cup-final Running 2026-11-21T20:00:00Z\n")
    outputs[output] += f"the key {FORMS[form](SECRET)} was refused"

    found = leaks(outputs, [SECRET])

    assert found != []
    assert {each.partition(":")[0] for each in found} == {output}
    assert SECRET not in "".join(found)


def test_where_no_secret_is_none_is_found() -> None:
    outputs = dict.fromkeys(OUTPUTS, "cup-final s3cr3t and signs== Running")

    assert leaks(outputs, [SECRET, "t0ken+/0123456789abcdef=="]) == []


def test_a_secret_that_would_be_found_by_accident_is_refused() -> None:
    with pytest.raises(ValueError, match="12 at least"):
        leaks({"log": "secret"}, ["secret"])
