"""Values of a Secret, made fit to be sent. Apart from the vendors because what can be sent does not differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from livetask_operator.vendors.contract import SecretUnusable

MAX_KEY = 512
"""Characters of a key's id or secret: the vendors' own have 40 at most. What is kept per key must be small."""
MAX_TOKEN = 32 * 1024
"""Characters of a token: Huawei Cloud's are the longest, and depend on what its user may do."""
NAMED = 10
NAMED_CHARACTERS = 40
"""So many of a Secret's keys are named in a message, and so much of each: it may have thousands, of 253 characters."""


def secret_value(data: Mapping[str, str], key: str, most: int = MAX_KEY) -> str:
    """The value under a key, stripped. Raises SecretUnusable for what is no key, or cannot be sent as a header."""
    if key not in data:
        raise SecretUnusable(f"has no key {key}; add it ({keys_found(data)})")
    value = data[key].strip()
    if not value:
        raise SecretUnusable(f"has an empty value under {key}; put the vendor's value there")
    if len(value) > most:
        raise SecretUnusable(f"has more than {most} characters under {key}; put the vendor's value there, and no more")
    if not (value.isascii() and value.isprintable()):
        raise SecretUnusable(f"has characters under {key} that cannot be sent; put the vendor's value there")
    return value


def keys_found(data: Iterable[str]) -> str:
    """The keys that a Secret has, for a message: `keys found: accessKeyId, token`."""
    names = sorted(data)
    shown = [name if len(name) <= NAMED_CHARACTERS else f"{name[:NAMED_CHARACTERS]}…" for name in names[:NAMED]]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"keys found: {', '.join(shown) or 'none'}{more}"
