"""What holds for both schemas as a whole, read from the files."""

from __future__ import annotations

import pytest

from livetask_operator.reconcile.resource import GROUP, RELAY_TASKS, VERSION
from tests.crds.schema import KINDS, crd, field, fields, version

BOTH = pytest.mark.parametrize("kind", KINDS)


@BOTH
def test_every_field_has_a_description(kind: str) -> None:
    without = [
        each.path for each in fields(kind) if not each.is_item and not each.schema.get("description", "").strip()
    ]

    assert without == []


@BOTH
def test_every_text_and_list_is_bounded(kind: str) -> None:
    limit = {"string": {"maxLength", "enum"}, "array": {"maxItems"}}

    unbounded = [each.path for each in fields(kind) if not limit.get(each.schema["type"], {"type"}) & set(each.schema)]

    assert unbounded == []


@BOTH
def test_numbers_are_bounded_integers_of_a_known_size(kind: str) -> None:
    numbers = [each for each in fields(kind) if each.schema["type"] not in ("string", "array", "object", "boolean")]

    assert numbers
    assert {each.schema["type"] for each in numbers} == {"integer"}
    assert [each.path for each in numbers if not {"format", "minimum"} <= set(each.schema)] == []


@BOTH
def test_every_list_says_how_it_is_merged(kind: str) -> None:
    lists = [each for each in fields(kind) if each.schema["type"] == "array"]

    assert lists
    assert [each.path for each in lists if "x-kubernetes-list-type" not in each.schema] == []


@BOTH
def test_every_rule_has_a_message(kind: str) -> None:
    rules = [rule for each in fields(kind) for rule in each.schema.get("x-kubernetes-validations", ())]

    assert rules
    assert [rule["rule"] for rule in rules if not rule.get("message")] == []


@BOTH
def test_the_state_has_no_closed_list_of_words(kind: str) -> None:
    assert "enum" not in field(kind, "status.state").schema


@BOTH
def test_defaults_are_those_of_the_design(kind: str) -> None:
    defaults = {each.path: each.schema["default"] for each in fields(kind) if "default" in each.schema}

    common = {
        "spec.pollIntervalSeconds": 30,
        "spec.suspend": False,
        "status": {"observedGeneration": -1},
        "status.observedGeneration": -1,
    }
    assert defaults == common | ({"spec.deletionPolicy": "Stop"} if kind == "RelayTask" else {})


def test_the_kinds_are_called_what_the_operator_calls_them() -> None:
    assert [crd(kind)["spec"]["group"] for kind in KINDS] == [GROUP, GROUP]
    assert [version(kind)["name"] for kind in KINDS] == [VERSION, VERSION]
    assert crd("RelayTask")["spec"]["names"]["plural"] == RELAY_TASKS
