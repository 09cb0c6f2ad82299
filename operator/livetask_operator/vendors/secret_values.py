"""Values of a Secret, made fit to be sent. Apart from the vendors because what can be sent does not differ."""

from __future__ import annotations

from collections.abc import Mapping

from livetask_operator.vendors.contract import SecretUnusable


def secret_value(data: Mapping[str, str], key: str) -> str:
    """The value under a key, stripped. Raises SecretUnusable for what cannot be sent as a header."""
    if key not in data:
        found = ", ".join(sorted(data)) or "none"
        raise SecretUnusable(f"has no key {key}; add it (keys found: {found})")
    value = data[key].strip()
    if not value:
        raise SecretUnusable(f"has an empty value under {key}; put the vendor's value there")
    if not (value.isascii() and value.isprintable()):
        raise SecretUnusable(f"has characters under {key} that cannot be sent; put the vendor's value there")
    return value
