"""What was measured, against what was aimed at: rows, a table, JSON. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

WHAT_IT_COSTS, PAGES = "## What it costs", "## Pages"
HEADER = ("figure", "ours", "target", "plain kopf (capped)", "plain kopf (as it comes)", "met")


@dataclass(frozen=True, slots=True)
class Target:
    """What is aimed at, and a stretch beyond it where there is one."""

    value: float
    at_least: bool = False
    stretch: float | None = None

    def is_met(self, value: float) -> bool:
        """Not a number is never met."""
        return value >= self.value if self.at_least else value <= self.value

    def words(self, unit: str) -> str:
        bound = "≥" if self.at_least else "≤"
        more = "" if self.stretch is None else f" (stretch {number(self.stretch)})"
        return f"{bound} {number(self.value)}{_unit(unit)}{more}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure. What was not measured is None; what could not be, such as the end of what never ends, infinite."""

    key: str
    """Rows of one key, from several scenes, are one row."""
    figure: str
    unit: str = ""
    ours: float | None = None
    target: Target | None = None
    capped: float | None = None
    as_it_comes: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """None where there is nothing to meet, or nothing was measured."""
        return None if self.target is None or self.ours is None else self.target.is_met(self.ours)


def merged(rows: Iterable[Row]) -> list[Row]:
    """One row per key, in the order of their first; what a later one has fills what an earlier one lacks."""
    by_key: dict[str, Row] = {}
    for row in rows:
        first = by_key.get(row.key)
        by_key[row.key] = row if first is None else _filled(first, row)
    return list(by_key.values())


def _filled(first: Row, later: Row) -> Row:
    return replace(
        first,
        ours=later.ours if first.ours is None else first.ours,
        target=first.target or later.target,
        capped=later.capped if first.capped is None else first.capped,
        as_it_comes=later.as_it_comes if first.as_it_comes is None else first.as_it_comes,
        note="; ".join(each for each in (first.note, later.note) if each),
    )


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table that can be read as it is, too."""
    cells = [HEADER, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADER))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in cells
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def placed(page: str, section: str) -> str:
    """A page with its section WHAT_IT_COSTS replaced, or added before its PAGES: what was measured, and on what."""
    before, found, rest = page.partition(WHAT_IT_COSTS)
    if found:
        after = rest[rest.index("\n## ") + 1 :]
    else:
        before, found, rest = page.partition(PAGES)
        if not found:
            raise ValueError(f"the page has neither {WHAT_IT_COSTS} nor {PAGES}")
        after = PAGES + rest
    return f"{before}{WHAT_IT_COSTS}\n\n{section.strip()}\n\n{after}"


def notes(rows: Iterable[Row]) -> list[str]:
    return [f"{row.figure}: {row.note}" for row in rows if row.note]


def misses(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.met is False]


def document(rows: Iterable[Row], measured_on: Mapping[str, str]) -> dict[str, object]:
    """The same for programs. JSON knows no infinity: it is the text `never`."""
    return {"machine": dict(measured_on), "figures": [_plain(row) for row in rows]}


def number(value: float) -> str:
    """A number for people: three digits that count, thousands apart."""
    if math.isinf(value):
        return "never"
    if math.isnan(value):
        return "not measured"
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _cells(row: Row) -> tuple[str, ...]:
    met = {True: "yes", False: "**no**", None: ""}[row.met]
    target = "" if row.target is None else row.target.words(row.unit)
    values = (_value(each, row.unit) for each in (row.ours, row.capped, row.as_it_comes))
    ours, capped, as_it_comes = values
    return (row.figure, ours, target, capped, as_it_comes, met)


def _value(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    return number(value) + ("" if math.isinf(value) or math.isnan(value) else _unit(unit))


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""


def _plain(row: Row) -> dict[str, object]:
    target = None if row.target is None else asdict(row.target)
    numbers = {name: _json_number(getattr(row, name)) for name in ("ours", "capped", "as_it_comes")}
    return {
        "key": row.key,
        "figure": row.figure,
        "unit": row.unit,
        **numbers,
        "target": target,
        "met": row.met,
        "note": row.note,
    }


def _json_number(value: float | None) -> object:
    if value is None or math.isfinite(value):
        return value
    return "never" if math.isinf(value) else "not measured"
