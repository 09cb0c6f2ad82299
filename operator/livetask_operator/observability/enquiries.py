"""Where the HTTP port asks what this process knows of one object: only a leader knows anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Answer = Callable[[str, str, str], Mapping[str, Any] | None]
"""By plural, namespace and name: what is known, as it is sent; None: it is not followed."""


class Enquiries:
    """Is handed to whoever asks before there is anybody to answer."""

    def __init__(self) -> None:
        self.answer: Answer | None = None
        """None: this process leads nobody, or not yet."""
