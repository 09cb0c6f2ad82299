"""How it is laid out: a word in front, text beside it as wide as the screen, commands in one piece, to be copied."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

WIDEST = 100
NARROWEST = 60
HEIGHT = 24
LABEL = 10
"""Characters in front of the text."""


@dataclass(frozen=True, slots=True)
class Command:
    """Something to copy and to type: it is never broken, though it may be longer than a line."""

    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """Something that has one line, and is cut where that is too short."""

    text: str


Part = str | Command | Line


@dataclass(frozen=True, slots=True)
class Section:
    """What is said under one word."""

    label: str
    parts: Sequence[Part]


def laid_out(sections: Iterable[Section], width: int) -> list[str]:
    """The lines of some sections; one without a word stands alone, with nothing in front."""
    width = max(NARROWEST, min(WIDEST, width))
    return [line.rstrip() for section in sections for line in _lines(section, width)]


def _lines(section: Section, width: int) -> Iterator[str]:
    front = f"{section.label:<{LABEL}}" if section.label else ""
    for part in section.parts:
        for text in _pieces(part, width - len(front)):
            yield front + text
            front = " " * len(front)


def _pieces(part: Part, width: int) -> list[str]:
    text = _harmless(part if isinstance(part, str) else part.text)
    match part:
        case Command():
            return [text]
        case Line():
            return [text if len(text) <= width else f"{text[: width - 1]}…"]
        case _:
            # A name, a URL or a vendor's code is one word, however long: half of it helps nobody.
            return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def _harmless(text: str) -> str:
    """Without what would move the cursor, begin a line or turn the reading around.

    A vendor's word may hold anything, and Events are written by whoever may, to be read by an administrator.
    """
    return "".join(
        char if char.isprintable() else " " if char.isspace() else "\N{REPLACEMENT CHARACTER}" for char in text
    )


def span(seconds: float) -> str:
    """A length of time as people say it: 45 s, 12 min, 3 h, 5 d."""
    for unit_s, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit_s:
            return f"{seconds / unit_s:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"
