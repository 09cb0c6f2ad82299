"""The page of both kinds, `crds/README.md`, tells all that the schemas and the operator have, and nothing else."""

from __future__ import annotations

import re

import pytest

from livetask_operator.reconcile.preload_status import PreloadState
from livetask_operator.reconcile.resource import FINALIZER, REQUESTED_AT
from livetask_operator.vendors.contract import State
from tests.crds.schema import CRDS, KINDS, fields, version

PAGE = (CRDS / "README.md").read_text()


def section(title: str) -> str:
    """What stands under a heading of the second rank, up to the next one."""
    match = re.search(rf"^## {re.escape(title)}\b(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert match, f"the page has no heading {title!r}"
    return match.group(1)


def rows(text: str) -> list[list[str]]:
    """The cells of all rows of all tables, headings included."""
    return [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]


def words(cell: str) -> set[str]:
    """What a cell names in backticks."""
    return set(re.findall(r"`([^`]+)`", cell))


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_on_the_page_and_no_other(kind: str) -> None:
    schema = {each.path.replace("[]", "") for each in fields(kind)} - {"spec", "status"}
    conditions = {path for path in schema if path.startswith("status.conditions.")}

    told = set().union(*(words(row[0]) for row in rows(section(kind))))

    assert {word for word in told if re.match(r"(spec|status)\.", word)} == schema - conditions
    assert conditions <= words(section("Conditions"))


@pytest.mark.parametrize(
    ("kind", "states"),
    [("RelayTask", {str(state) for state in State}), ("PreloadTask", {str(state) for state in PreloadState})],
)
def test_every_state_is_on_the_page_and_no_other(kind: str, states: set[str]) -> None:
    _, _, table = section(kind).partition("| state |")

    told = set().union(*(words(row[0]) for row in rows("| state |" + table)))

    assert told == states


def test_the_annotation_and_the_finalizer_are_on_the_page() -> None:
    told = set().union(*(words(row[0]) for row in rows(section("Annotation and finalizer"))))

    assert told == {REQUESTED_AT, FINALIZER}


@pytest.mark.parametrize(("kind", "short"), [("RelayTask", "rlt"), ("PreloadTask", "plt")])
def test_the_columns_are_on_the_page(kind: str, short: str) -> None:
    columns = version(kind)["additionalPrinterColumns"]
    normal = ["NAME", *(each["name"].upper() for each in columns if not each.get("priority"))]
    wide = [each["name"].upper() for each in columns if each.get("priority")]

    (row,) = [row for row in rows(section("Columns and selectors")) if f"`kubectl get {short}`" in row[0]]

    assert (row[1].split(), row[2].strip().split(", ")) == (normal, wide)


@pytest.mark.parametrize("kind", KINDS)
def test_the_selectable_fields_are_on_the_page(kind: str) -> None:
    selectable = {each["jsonPath"].removeprefix(".") for each in version(kind)["selectableFields"]}

    assert selectable <= words(section("Columns and selectors"))
