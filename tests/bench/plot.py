"""The figures as a picture: ours and plain kopf's, a bar each, every figure on its own scale. A hand-made SVG; pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from tests.bench.report import Row, number

LEFT, WIDTH, RIGHT = 500, 400, 170
TOP, BAR, GAP = 70, 13, 10
TARGET_AT = 0.5
"""Where on the scale the targets are: a bar that is twice as long, or more, ends at the scale's end."""
MET, MISSED, PLAIN, LINE, TEXT = "#2a7f62", "#c0392b", "#9aa5b1", "#444444", "#222222"

Bar = tuple[float, str, str]
"""A value, its colour, and what is written beside it."""


def svg(rows: Sequence[Row], title: str) -> str:
    """A picture of the rows that have a value of ours."""
    shown = [row for row in rows if row.ours is not None and not math.isnan(row.ours)]
    parts: list[str] = []
    top = TOP
    for row in shown:
        parts += _figure(row, top)
        top += BAR * len(list(_bars(row))) + GAP
    width, height = LEFT + WIDTH + RIGHT, top + 16
    legend = ((MET, "target met"), (MISSED, "target missed"), (PLAIN, "plain kopf (capped; as it comes)"))
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' font-family="Helvetica, Arial, sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="16" y="26" font-size="16" fill="{TEXT}">{escape(title)}</text>',
        *(
            f'<text x="{16 + 120 * index}" y="48" fill="{colour}">■ {escape(words)}</text>'
            for index, (colour, words) in enumerate(legend)
        ),
        f'<text x="{LEFT + WIDTH * TARGET_AT}" y="60" text-anchor="middle" fill="{LINE}">target</text>',
    ]
    return "\n".join([*head, *parts, "</svg>", ""])


def _figure(row: Row, top: int) -> Iterator[str]:
    bars = list(_bars(row))
    yield f'<text x="{LEFT - 10}" y="{top + BAR - 3}" text-anchor="end" fill="{TEXT}">{escape(row.figure)}</text>'
    most = max((value for value, _, _ in bars if math.isfinite(value)), default=0.0)
    for index, (value, colour, words) in enumerate(bars):
        at = top + BAR * index
        length = max(2.0, WIDTH * _share(value, row, most))
        yield f'<rect x="{LEFT}" y="{at}" width="{length:.1f}" height="{BAR - 2}" fill="{colour}"/>'
        yield f'<text x="{LEFT + length + 5:.1f}" y="{at + BAR - 3}" fill="{TEXT}">{escape(words)}</text>'
    if row.target is not None:
        x, bottom = LEFT + WIDTH * TARGET_AT, top + BAR * len(bars)
        yield f'<line x1="{x}" x2="{x}" y1="{top - 3}" y2="{bottom}" stroke="{LINE}" stroke-dasharray="3 2"/>'


def _bars(row: Row) -> Iterator[Bar]:
    unit = f" {row.unit}" if row.unit else ""
    if row.ours is not None:
        aim = "" if row.target is None else f" ({row.target.words('')})"
        yield row.ours, MISSED if row.met is False else MET, f"{number(row.ours)}{unit}{aim}"
    for value in (row.capped, row.as_it_comes):
        if value is not None:
            yield value, PLAIN, number(value) + ("" if math.isinf(value) else unit)


def _share(value: float, row: Row, most: float) -> float:
    """How far along the scale. Without a target the longest bar takes all of it."""
    if value == 0:
        return 0.0
    if row.target is None:
        return min(1.0, value / most) if most else 1.0
    if row.target.value == 0:
        return 1.0
    return min(1.0, TARGET_AT * value / row.target.value)
