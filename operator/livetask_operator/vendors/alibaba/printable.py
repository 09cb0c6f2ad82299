"""The vendor's own words as a status field takes them. Apart because relay and preload show them alike."""

from __future__ import annotations

MAX_VENDOR_STATUS_CHARACTERS = 128


def printable(said: str, most: int = MAX_VENDOR_STATUS_CHARACTERS) -> str:
    """What fits into a status field: no control characters, no halves of characters, `most` characters."""
    shown = "".join(character if character.isprintable() else "?" for character in said.strip())
    return shown[:most]
