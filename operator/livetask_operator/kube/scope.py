"""What one process follows: which namespaces, and objects with which labels. Checked before anything starts.

Apart and pure, as a wrong word here is found out by the API server only when it refuses to list: too late to say it in
one line, and to whom it is no use.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

MAX_LABEL = 63
MAX_SUBDOMAIN = 253
"""Characters; Kubernetes, "Object Names and IDs"."""

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(rf"{_LABEL.pattern}(\.{_LABEL.pattern})*")
_WORD = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
"""The name of a label, and a value that is not empty."""
_TERM = re.compile(
    r"""!\s*(?P<absent>[^\s=!,()<>]+)
    |   (?P<key>[^\s=!,()<>]+)
        (?: \s*(?:==?|!=)\s*(?P<value>[^\s=!,()<>]*)
        |   \s+(?:in|notin)\s*\((?P<values>[^=!()<>]*)\)
        )?""",
    re.VERBOSE,
)
_BETWEEN_TERMS = re.compile(r",(?![^()]*\))")


class BadScope(ValueError):
    """A word of the command line that cannot be meant. One line: the option, what is wrong, what to write."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which objects a process follows: those in these namespaces, none named: in all, that the selector has."""

    namespaces: tuple[str, ...] = ()
    selector: str = ""

    @classmethod
    def read(cls, namespaces: Sequence[str], selector: str | None) -> Scope:
        """What --namespace and --selector say. A namespace that is named twice counts once. Raises BadScope."""
        for namespace in namespaces:
            read_namespace(namespace, "--namespace")
        if selector is not None:
            _check_selector(selector)
        return cls(tuple(dict.fromkeys(namespaces)), (selector or "").strip())


EVERYTHING = Scope()


def read_namespace(name: str, option: str) -> str:
    """The name of a namespace. Raises BadScope with the option."""
    if not name:
        # As of a variable that is not set: to follow all namespaces by mistake is to poll, and stop, twice.
        raise BadScope(f"{option} is empty; name a namespace, or leave the option away")
    if "," in name or " " in name.strip():
        raise BadScope(f"{option} is {name!r}; it takes one namespace: repeat it for each")
    if any(sign in name for sign in "*?!["):
        raise BadScope(f"{option} is {name!r}; it takes a name, not a pattern: repeat it for each namespace")
    if len(name) > MAX_LABEL or not _LABEL.fullmatch(name):
        raise BadScope(
            f"{option} is {name!r}, which is no name of a namespace; that has lower-case letters, digits and hyphens, "
            f"{MAX_LABEL} at most, and begins and ends with a letter or a digit"
        )
    return name


def read_lease_name(name: str, option: str = "--lease-name") -> str:
    """The name of a Lease. Raises BadScope with the option."""
    if len(name) > MAX_SUBDOMAIN or not _SUBDOMAIN.fullmatch(name):
        raise BadScope(
            f"{option} is {name!r}, which is no name of a Lease; that has lower-case letters, digits, hyphens and "
            f"dots, {MAX_SUBDOMAIN} at most, for example livetask-operator-b"
        )
    return name


def _check_selector(selector: str) -> None:
    """As `kubectl -l` takes it, and the API server with it; a test asks both about the same ones."""
    if not selector.strip():
        raise BadScope("--selector is empty; write labels as kubectl -l takes them, or leave the option away")
    for term in _BETWEEN_TERMS.split(selector):
        if wrong := _wrong_with(term.strip()):
            raise BadScope(
                f"--selector is {selector!r}: {wrong}; write labels as kubectl -l takes them, "
                "for example shard=a or 'shard notin (b, c)'"
            )


def _wrong_with(term: str) -> str:
    if not term:
        return "there is nothing before or after a comma"
    parts = _TERM.fullmatch(term)
    if parts is None:
        return f"{term!r} is no condition"
    key = parts["absent"] or parts["key"]
    if not _is_key(key):
        return f"{key!r} is no name of a label"
    if parts["values"] is not None:
        values = [value.strip() for value in parts["values"].split(",")]
        wrong = [value for value in values if not _is_word(value)]
    else:
        wrong = [value for value in [parts["value"]] if value and not _is_word(value)]
    return f"{wrong[0]!r} is no value of a label" if wrong else ""


def _is_key(key: str) -> bool:
    prefix, slash, name = key.rpartition("/")
    return _is_word(name) and (not slash or (len(prefix) <= MAX_SUBDOMAIN and bool(_SUBDOMAIN.fullmatch(prefix))))


def _is_word(text: str) -> bool:
    return len(text) <= MAX_LABEL and bool(_WORD.fullmatch(text))
