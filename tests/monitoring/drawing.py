"""A picture of the dashboard, drawn from what a Prometheus answered, as Grafana would. A hand-made SVG; pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from xml.sax.saxutils import escape

from tests.monitoring.panels import STATE_HEADINGS, Panel

CELL, LINE, PAD = 66, 34, 8
"""A panel's unit of width and of height, and the room around what is in it; pixels."""
HEAD, ROW_LINE, TABLE_LINE = 54, 30, 21
PAPER, GROUND, FRAME, INK, FAINT = "#ffffff", "#f4f5f5", "#dcdcdc", "#24292e", "#72777d"
GREEN, RED = "#56a64b", "#e02f44"
LINES = ("#3274d9", "#56a64b", "#ff9830", "#e02f44", "#a352cc", "#37872d", "#f2cc0c", "#8ab8ff", "#8e8e8e", "#ad0317")
LETTER = 7.2
"""About how wide a letter of the text is."""

Series = Mapping[str, Sequence[tuple[float, float]]]
"""The points of each line, by its name: time in seconds, and value."""


@dataclass(frozen=True)
class Shown:
    """A panel and what there is to show in it."""

    panel: Panel
    rows: Sequence[Mapping[str, str]] = ()
    """Of a table: cells by heading."""
    values: Mapping[str, float] | None = None
    """Of a stat (under "") or of bars, by name."""
    series: Series | None = None


def svg(title: str, rows: Mapping[str, Sequence[Shown]], from_s: float, to_s: float) -> str:
    """All of it, as it stood at `to_s`."""
    width = 24 * CELL + 2 * PAD
    parts: list[str] = []
    y = float(HEAD)
    for heading, panels in rows.items():
        parts.append(_text(PAD + 4, y + 20, f"▾ {heading}", size=14, weight="bold"))
        y += ROW_LINE
        x = float(PAD)
        for shown in panels:
            parts += _panel(shown, x, y, (from_s, to_s))
            x += shown.panel.width * CELL
        y += max(shown.panel.height for shown in panels) * LINE
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y + PAD:.0f}" width="{width}" '
        f'height="{y + PAD:.0f}" font-family="Inter, Helvetica, Arial, sans-serif" font-size="12">',
        f'<rect width="100%" height="100%" fill="{GROUND}"/>',
        _text(PAD + 4, 34, title, size=18, weight="bold"),
        *_variables(width),
    ]
    return "\n".join([*head, *parts, "</svg>", ""])


def _variables(width: float) -> Iterator[str]:
    x = 250.0
    for name, value in (("Source", "Prometheus"), ("Vendor", "All"), ("Namespace", "All"), ("Account", "All")):
        yield _text(x, 33, name, fill=FAINT)
        x += len(name) * LETTER + 8
        room = len(value) * LETTER + 16
        yield _box(x, 18, room, 22)
        yield _text(x + 8, 33, value)
        x += room + 18
    yield _text(width - PAD - 4, 33, "every 10 s", fill=FAINT, anchor="end")


def _panel(shown: Shown, x: float, y: float, times: tuple[float, float]) -> Iterator[str]:
    panel = shown.panel
    width, height = panel.width * CELL - 6, panel.height * LINE - 6
    if panel.kind == "stat":
        yield from _stat(shown, x, y, width, height)
        return
    yield _box(x, y, width, height)
    yield _text(x + PAD, y + 18, panel.title, weight="bold")
    inside = x + PAD, y + 28, width - 2 * PAD, height - 28 - PAD
    if panel.kind == "table":
        yield from _table(shown, *inside)
    elif panel.kind == "bargauge":
        yield from _bars(shown, *inside)
    else:
        yield from _graph(shown, *inside, times)


def _stat(shown: Shown, x: float, y: float, width: float, height: float) -> Iterator[str]:
    panel, value = shown.panel, (shown.values or {"": 0.0})[""]
    bad = (panel.red_from is not None and value >= panel.red_from) or (
        panel.red_below is not None and value < panel.red_below
    )
    yield f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="3" fill="{RED if bad else GREEN}"/>'
    yield _text(x + PAD, y + 18, panel.title, fill=PAPER, weight="bold")
    yield _text(x + width / 2, y + height / 2 + 26, f"{value:g}", size=44, fill=PAPER, anchor="middle", weight="bold")


def _table(shown: Shown, x: float, y: float, width: float, height: float) -> Iterator[str]:
    headings = list(shown.panel.columns.values())
    longest = {
        heading: max([len(heading), *(len(row.get(heading, "")) for row in shown.rows)]) + 2 for heading in headings
    }
    scale = width / sum(longest.values())
    at, left = {}, x
    for heading in headings:
        at[heading] = left
        left += longest[heading] * scale
    for heading in headings:
        yield _text(at[heading], y + 14, heading, fill=FAINT)
    room = int((height - 20) // TABLE_LINE)
    for number, row in enumerate(shown.rows[:room]):
        line = y + 20 + TABLE_LINE * number
        yield f'<line x1="{x}" x2="{x + width}" y1="{line}" y2="{line}" stroke="{FRAME}"/>'
        for heading in headings:
            words = row.get(heading, "")
            fill = shown.panel.colours.get(words, INK) if heading in STATE_HEADINGS else INK
            yield _text(at[heading], line + 15, words, fill=fill, weight="bold" if fill != INK else "normal")


def _bars(shown: Shown, x: float, y: float, width: float, height: float) -> Iterator[str]:
    values = shown.values or {}
    step = min(34.0, height / max(1, len(values)))
    for number, (name, value) in enumerate(values.items()):
        line = y + step * number
        red = shown.panel.red_from is not None and value >= shown.panel.red_from
        length = max(2.0, min(1.0, value) * (width - 60))
        yield _text(x, line + 11, name, fill=FAINT)
        yield f'<rect x="{x}" y="{line + 15}" width="{width - 60}" height="{step - 20:.1f}" fill="{GROUND}"/>'
        fill = RED if red else GREEN
        yield f'<rect x="{x}" y="{line + 15}" width="{length:.1f}" height="{step - 20:.1f}" fill="{fill}"/>'
        yield _text(x + width, line + step - 8, f"{value:.1%}", anchor="end", weight="bold", fill=fill)


def _graph(shown: Shown, x: float, y: float, width: float, height: float, times: tuple[float, float]) -> Iterator[str]:
    series = shown.series or {}
    legend = _legend_lines(series, width)
    left, bottom = x + 52, y + height - 18 - 16 * len(legend)
    colours = dict(zip(sorted(series), cycle(LINES), strict=False)) | {
        name: colour for name, colour in shown.panel.colours.items() if name in series
    }
    layers = _stacked(series) if shown.panel.stacked else {name: (points, None) for name, points in series.items()}
    top = _round_up(max((value for points, _ in layers.values() for _, value in points), default=1.0))
    from_s, to_s = times

    def at(moment_s: float, value: float) -> str:
        share = (moment_s - from_s) / (to_s - from_s)
        return f"{left + share * (x + width - left):.1f},{bottom - value / top * (bottom - y - 4):.1f}"

    for tick in range(5):
        value = top * tick / 4
        _, level = at(from_s, value).split(",")
        yield f'<line x1="{left}" x2="{x + width}" y1="{level}" y2="{level}" stroke="{FRAME}"/>'
        yield _text(left - 6, float(level) + 4, _amount(value, shown.panel.unit), fill=FAINT, anchor="end", size=11)
    for minute in range(int(from_s // 60) + 1, int(to_s // 60) + 1):
        across, _ = at(minute * 60, 0).split(",")
        if float(across) > x + width - 18:
            continue  # it would stand over the edge
        yield _text(
            float(across), bottom + 14, f"{minute // 60 % 24:02}:{minute % 60:02}", fill=FAINT, anchor="middle", size=11
        )
    for name, (points, under) in layers.items():
        upper = " ".join(at(*point) for point in points)
        if under is not None:
            lower = " ".join(at(*point) for point in reversed(under))
            yield f'<polygon points="{upper} {lower}" fill="{colours[name]}" fill-opacity="0.6"/>'
        yield f'<polyline points="{upper}" fill="none" stroke="{colours[name]}" stroke-width="1.6"/>'
    for number, names in enumerate(legend):
        place = x
        for name in names:
            line = bottom + 32 + 16 * number
            yield f'<rect x="{place}" y="{line - 7}" width="12" height="4" fill="{colours[name]}"/>'
            yield _text(place + 16, line, name, size=11)
            place += _legend_room(name)


def _stacked(series: Series) -> dict[str, tuple[list[tuple[float, float]], list[tuple[float, float]]]]:
    """Each line on top of those before it: its points, and those under it."""
    moments = sorted({moment for points in series.values() for moment, _ in points})
    under = dict.fromkeys(moments, 0.0)
    found = {}
    for name, points in series.items():
        values = dict(points)
        over = {moment: under[moment] + values.get(moment, 0.0) for moment in moments}
        found[name] = ([*over.items()], [*under.items()])
        under = over
    return found


def _legend_lines(series: Series, width: float) -> list[list[str]]:
    lines: list[list[str]] = [[]]
    used = 0.0
    for name in series:
        if lines[-1] and used + _legend_room(name) > width:
            lines.append([])
            used = 0.0
        lines[-1].append(name)
        used += _legend_room(name)
    return lines


def _legend_room(name: str) -> float:
    return len(name) * 6.2 + 30


def _round_up(value: float) -> float:
    """A number that is good to read, no less than this one."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((power * factor for factor in (1, 1.2, 1.6, 2, 2.4, 3, 4, 6, 8) if power * factor >= value), 10 * power)


def _amount(value: float, unit: str) -> str:
    if unit == "s":
        return f"{value * 1000:g} ms" if 0 < value < 1 else f"{value:g} s"
    words = {"bytes": " B", "reqps": "/s", "wps": "/s"}
    return f"{value:g}{words.get(unit, '')}"


def _box(x: float, y: float, width: float, height: float) -> str:
    return f'<rect x="{x}" y="{y}" width="{width:.0f}" height="{height}" rx="3" fill="{PAPER}" stroke="{FRAME}"/>'


def _text(
    x: float, y: float, words: str, *, fill: str = INK, size: int = 12, anchor: str = "start", weight: str = "normal"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{fill}" font-size="{size}" text-anchor="{anchor}" '
        f'font-weight="{weight}">{escape(words)}</text>'
    )
