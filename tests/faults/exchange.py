"""One request as a proxy saw it, and which requests are meant: all that who reads a trace needs of the proxy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs


@dataclass(eq=False)
class Exchange:
    """One request and what became of it. Times are of the monotonic clock."""

    number: int
    method: str
    target: str
    """Path and query, as they were sent."""
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    arrived_s: float
    forwarded_s: float | None = None
    answered_s: float | None = None
    """When the answer came from behind; for a watch, its head."""
    status: int | None = None

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> Mapping[str, str]:
        """The first value of each parameter."""
        return {name: values[0] for name, values in parse_qs(self.target.partition("?")[2], True).items()}

    @property
    def is_watch(self) -> bool:
        return self.method == "GET" and self.query.get("watch") in ("true", "1")


Matches = Callable[[Exchange], bool]


def everything(_: Exchange) -> bool:
    return True
