"""The figures as a picture: a bar each, all on the scale of their targets. A hand-made SVG; pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.sax.saxutils import escape

from tests.bench.report import Row, number

LEFT, WIDTH, RIGHT = 430, 420, 130
ROW_HEIGHT, BAR_HEIGHT, TOP = 26, 14, 64
TARGET_AT = 0.5
"""Where on the scale the targets are."""
GOOD, BAD, LINE, TEXT = "#2a7f62", "#c0392b", "#444444", "#222222"


def svg(rows: Sequence[Row], title: str) -> str:
    """A picture of the rows that have a target and a value."""
    shown = [row for row in rows if row.target is not None and row.ours is not None and not math.isnan(row.ours)]
    width, height = LEFT + WIDTH + RIGHT, TOP + ROW_HEIGHT * len(shown) + 24
    line = LEFT + WIDTH * TARGET_AT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' font-family="Helvetica, Arial, sans-serif" font-size="13">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="16" y="26" font-size="16" fill="{TEXT}">{escape(title)}</text>',
        f'<text x="{line}" y="52" text-anchor="middle" fill="{LINE}">target</text>',
    ]
    for index, row in enumerate(shown):
        parts += _bar(row, TOP + ROW_HEIGHT * index)
    parts.append(
        f'<line x1="{line}" x2="{line}" y1="{TOP - 6}" y2="{height - 16}" stroke="{LINE}" stroke-dasharray="4 3"/>'
    )
    return "\n".join([*parts, "</svg>", ""])


def _bar(row: Row, top: int) -> list[str]:
    assert row.target is not None
    assert row.ours is not None
    length = max(2.0, WIDTH * _share(row.ours, row.target.value))
    colour = GOOD if row.met else BAD
    middle = top + BAR_HEIGHT - 3
    unit = f" {row.unit}" if row.unit else ""
    said = f"{number(row.ours)}{unit} ({'≥' if row.target.at_least else '≤'} {number(row.target.value)})"
    return [
        f'<text x="{LEFT - 10}" y="{middle}" text-anchor="end" fill="{TEXT}">{escape(row.figure)}</text>',
        f'<rect x="{LEFT}" y="{top}" width="{length:.1f}" height="{BAR_HEIGHT}" fill="{colour}"/>',
        f'<text x="{LEFT + length + 6:.1f}" y="{middle}" fill="{TEXT}">{escape(said)}</text>',
    ]


def _share(value: float, target: float) -> float:
    """How far along the scale: the target is in its middle, twice the target and more at its end."""
    if target == 0:
        return 0.0 if value == 0 else 1.0
    return min(1.0, TARGET_AT * value / target)
