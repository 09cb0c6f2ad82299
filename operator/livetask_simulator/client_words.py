"""How the client words its orders and reads the answers: names, paths, raw statuses.

Apart from client.py, because the orders to each cloud are in that cloud's own file and share these.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any
from urllib.parse import quote


class Raw(Enum):
    """Raw statuses that are no JSON values."""

    UNCHANGED = "unchanged"
    USUAL = "usual"
    """The task's own status again."""
    MISSING = "missing"
    """The answer has no status."""


def raw_order(value: object) -> dict[str, object] | None:
    """A raw status as an order says it."""
    if value is Raw.USUAL:
        return None
    return {"missing": True} if value is Raw.MISSING else {"value": value}


def part(text: str) -> str:
    """A part of a path."""
    return quote(text, safe="")


def snake_keys(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer's fields by the names that Python gives them."""
    return {"".join(f"_{char.lower()}" if char.isupper() else char for char in k): v for k, v in answer.items()}


def camel(name: str) -> str:
    """A field's name as orders have it."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
