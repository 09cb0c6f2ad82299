"""Reads what people write: the bodies of the admin API and scripts, field by field, refusing what nobody would notice.

Apart, because a misspelt field must be an error in both places: a fault that never strikes makes a test pass that tests
nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import TypeGuard, TypeVar

Choice = TypeVar("Choice", bound=StrEnum)


class FieldError(ValueError):
    """A field is missing, unknown or of the wrong kind; the words say which and where."""


class Fields:
    """A mapping that is being read. Each field is taken once; `done` refuses what was not taken."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, Mapping):
            raise FieldError(f"{where} must be a mapping, and is {_kind(value)}.")
        self._left: dict[str, object] = {str(name): each for name, each in value.items()}
        self._where = where

    def __contains__(self, name: str) -> bool:
        return name in self._left

    def text(self, name: str, default: str | None = None) -> str:
        """A string; required where there is no default."""
        if name not in self._left and default is not None:
            return default
        value = self._take(name)
        if not isinstance(value, str):
            raise self._wrong(name, "a string", value)
        return value

    def text_or_none(self, name: str) -> str | None:
        """A string, or None where it is absent or null."""
        value = self._left.pop(name, None)
        if value is not None and not isinstance(value, str):
            raise self._wrong(name, "a string", value)
        return value

    def flag(self, name: str, default: bool) -> bool:
        """True or false."""
        value = self._left.pop(name, default)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false", value)
        return value

    def integer(self, name: str, default: int) -> int:
        """A whole number, not negative."""
        value = self.integer_or_none(name)
        return default if value is None else value

    def integer_or_none(self, name: str) -> int | None:
        """A whole number that is not negative, or None where it is absent or null."""
        value = self._left.pop(name, None)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
            raise self._wrong(name, "a whole number, not negative", value)
        return value

    def seconds(self, name: str, default: float) -> float:
        """A number of seconds, not negative."""
        value = self.seconds_or_none(name)
        return default if value is None else value

    def seconds_or_none(self, name: str, *, signed: bool = False) -> float | None:
        """A number of seconds, or None where it is absent or null."""
        value = self._left.pop(name, None)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool) or (value < 0 and not signed):
            raise self._wrong(name, "a number of seconds" + ("" if signed else ", not negative"), value)
        return float(value)

    def choice(self, name: str, choices: type[Choice], default: Choice | None = None) -> Choice:
        """One word of a closed list; required where there is no default."""
        word = self.text(name, None if default is None else default.value)
        try:
            return choices(word)
        except ValueError:
            raise self._wrong(name, "one of " + ", ".join(choices), word) from None

    def texts_or_none(self, name: str) -> list[str] | None:
        """A list of strings, or None where it is absent or null."""
        value = self._left.pop(name, None)
        if value is None:
            return None
        if not _is_list(value) or not all(isinstance(each, str) for each in value):
            raise self._wrong(name, "a list of strings", value)
        return [str(each) for each in value]

    def text_map(self, name: str) -> dict[str, str]:
        """A mapping of strings to strings, empty where it is absent."""
        value = self._left.pop(name, {})
        if not isinstance(value, Mapping) or not all(isinstance(each, str) for each in value.values()):
            raise self._wrong(name, "a mapping of strings", value)
        return {str(key): str(each) for key, each in value.items()}

    def sequence(self, name: str) -> Sequence[object]:
        """A list of anything, empty where it is absent or null."""
        value = self._left.pop(name, None)
        if value is None:
            return []
        if not _is_list(value):
            raise self._wrong(name, "a list", value)
        return value

    def each(self, name: str) -> Iterator["Fields"]:
        """A list of mappings, each to be read in turn."""
        for index, value in enumerate(self.sequence(name)):
            yield Fields(value, f"{self._where}.{name}[{index}]")

    def named(self, name: str) -> Iterator[tuple[str, "Fields"]]:
        """A mapping of names to mappings, each to be read in turn."""
        value = self._left.pop(name, None) or {}
        if not isinstance(value, Mapping):
            raise self._wrong(name, "a mapping", value)
        for key, each in value.items():
            yield str(key), Fields(each or {}, f"{self._where}.{name}.{key}")

    def anything(self, name: str) -> object:
        """A value of any kind."""
        return self._take(name)

    def done(self) -> None:
        """Refuse the fields that nothing has read."""
        if self._left:
            raise FieldError(f"{self._where} has unknown fields: {', '.join(sorted(self._left))}.")

    def _take(self, name: str) -> object:
        if name not in self._left:
            raise FieldError(f"{self._where} has no field {name}; it is required.")
        return self._left.pop(name)

    def _wrong(self, name: str, wanted: str, value: object) -> FieldError:
        return FieldError(f"{self._where}.{name} must be {wanted}, and is {value!r}.")


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _kind(value: object) -> str:
    return "null" if value is None else type(value).__name__
