"""Which object is meant: NAMESPACE/NAME, with its kind in front where two have that name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from livetask_operator.reconcile.preload_resource import PRELOAD_TASKS, PreloadTask
from livetask_operator.reconcile.resource import RELAY_TASKS, RelayTask

KINDS: Mapping[str, str] = MappingProxyType({RELAY_TASKS: RelayTask.KIND, PRELOAD_TASKS: PreloadTask.KIND})
"""By plural."""
_WORDS = {
    word: plural
    for plural, kind in ((RELAY_TASKS, RelayTask), (PRELOAD_TASKS, PreloadTask))
    for word in (plural, plural.removesuffix("s"), kind.SHORT)
}
"""What a kind is called, as kubectl takes it."""


class BadTarget(ValueError):
    """Words that name no object. One line: what they are, what to write."""


@dataclass(frozen=True, slots=True)
class Target:
    """Which object."""

    plural: str | None
    """None: of whichever kind there is."""
    namespace: str
    name: str

    @classmethod
    def read(cls, text: str) -> Target:
        """What was typed. Raises BadTarget."""
        parts = text.split("/")
        if not all(parts) or len(parts) not in (2, 3):
            raise BadTarget(f"{text!r} names no object; write NAMESPACE/NAME, as in sports/cup-final")
        *kind, namespace, name = parts
        if not kind:
            return cls(None, namespace, name)
        plural = _WORDS.get(kind[0].lower())
        if plural is None:
            raise BadTarget(f"{text!r} begins with {kind[0]!r}, which is no kind; write relaytask or preloadtask")
        return cls(plural, namespace, name)
