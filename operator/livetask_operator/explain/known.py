"""What only the working operator knows of an object: when it is asked next, and why not sooner. Sent by its HTTP port.

No more than /metrics tells of each object: no vendor's id, no key, no message, and of others of its account how many
stand before it, not which. So whoever can reach the port learns nothing by it that it was not open to already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Self


class KeyIs(StrEnum):
    """What the vendor last said to the key that is in the object's Secret now."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNTRIED = "untried"
    """Not since this process began, or since the Secret last changed."""
    UNUSABLE = "unusable"
    """There is none: the Secret is missing, forbidden or incomplete."""


@dataclass(frozen=True, slots=True)
class Known:
    """One object as the operator that follows it knows it. Times are seconds from the moment of the answer."""

    uid: str
    own_interval_s: float
    """The interval that it wishes for."""
    interval_s: float
    """The one at which it is really asked: longer where its account's quota allows no more."""
    key: str = KeyIs.UNTRIED
    """A KeyIs."""
    key_reason: str = ""
    """Why it is refused."""
    key_ago_s: float | None = None
    """Since the vendor last accepted it, or since when it refuses it."""
    seen_ago_s: float | None = None
    """Since the last good look; None: none since this process took it over."""
    failures: int = 0
    """Failed looks in a row, or failed stops of an object that is being deleted."""
    failed_with: str = ""
    """The reason of the newest of them."""
    under_way: bool = False
    """It is its turn: a call is on its way, or stands in its account's line."""
    due_in_s: float | None = None
    """Until its next step, less than 0 where it waits for its place; None: nothing is planned, or it is under way."""
    ahead: int = 0
    """How many of its account have their turn before it."""
    account: str = ""
    """As metrics name it; empty while it is not known."""
    call: str = ""
    """What it is asked by."""
    limit_per_s: float | None = None
    """Calls a second that the configuration allows the account."""
    paused_s: float = 0.0
    """What is left of the account's pause after a throttling answer."""
    stop_accepted_ago_s: float | None = None
    """Of an object that is being deleted: since the vendor accepted the newest stop."""

    def to_json(self) -> dict[str, Any]:
        """As it is sent: names as Kubernetes writes them, seconds to a tenth."""
        values = ((_name(each.name), getattr(self, each.name)) for each in fields(self))
        return {name: round(value, 1) if isinstance(value, float) else value for name, value in values}

    @classmethod
    def from_json(cls, body: object) -> Self:
        """What another version sent: what it does not know is left out, what is new in it is passed over.

        Raises ValueError where it is none of this.
        """
        sent: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
        kinds = {each.name: _MAY_BE[str(each.type)] for each in fields(cls)}
        names = {each.name: _name(each.name) for each in fields(cls)}
        values = {field: sent[name] for field, name in names.items() if name in sent}
        wrong = [names[field] for field, value in values.items() if type(value) not in kinds[field]]
        missing = [names[field] for field in ("uid", "own_interval_s", "interval_s") if field not in values]
        if wrong or missing:
            raise ValueError(f"{(wrong + missing)[0]} is not as it should be")
        return cls(**values)


def _name(field: str) -> str:
    """due_in_s as it is sent: dueInSeconds."""
    first, *others = field.replace("_per_s", "_per_second").removesuffix("_s").split("_")
    name = first + "".join(word.capitalize() for word in others)
    return f"{name}Seconds" if field.endswith("_s") and not field.endswith("_per_s") else name


_MAY_BE: Mapping[str, tuple[type, ...]] = {
    "str": (str,),
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
    "float | None": (int, float, type(None)),
}
"""By annotation; a whole number may stand for one that is not."""
