"""Prometheus' text format for what there may be thousands of: written line by line, to be sent in parts.

Apart from `prometheus_client`, which keeps every series as an object and writes all of them at once: of 10,000 tasks
that is a quarter of a second in which nobody is served.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, TypeVar

SLICE = 250
"""So many objects or series are dealt with before others in the event loop have their turn: a millisecond or two."""

T = TypeVar("T")


@dataclass(frozen=True)
class Family:
    """A metric: its name, type, meaning, and the names of its labels in the order in which they are written."""

    name: str
    type: Literal["counter", "gauge"]
    help: str
    labels: tuple[str, ...]
    _template: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        pairs = ",".join(f'{label}="%s"' for label in self.labels)
        braced = f"{{{pairs}}}" if pairs else ""
        object.__setattr__(self, "_template", f"{self.name}{braced} %s\n")

    @property
    def head(self) -> str:
        """What stands before all of its series."""
        return f"# HELP {self.name} {self.help}\n# TYPE {self.name} {self.type}\n"

    def line(self, values: tuple[str, ...], value: float) -> str:
        """One series. `values`: its labels', in their order."""
        joined = "".join(values)
        if '"' in joined or "\\" in joined or "\n" in joined:
            values = tuple(map(_escaped, values))
        return self._template % (*values, value)


def sliced(items: Iterable[T], size: int = SLICE) -> Iterator[Sequence[T]]:
    """The items, so many at a time."""
    left = iter(items)
    while part := list(islice(left, size)):
        yield part


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
