"""The access key in a Secret, as all of Alibaba Cloud's APIs take it.

Apart from the clients because relay and preload read the same Secrets.
"""

from __future__ import annotations

from collections.abc import Mapping

from livetask_operator.vendors.contract import Credential, SecretUnusable

SECRET_KEYS: tuple[str, ...] = ("accessKeyId", "accessKeySecret")


def credential_in(data: Mapping[str, str]) -> Credential:
    """The access key in a Secret, with its security token where there is one. Raises SecretUnusable."""
    return Credential(
        key_id=_value(data, "accessKeyId"),
        secret=_value(data, "accessKeySecret"),
        token=_value(data, "securityToken") if "securityToken" in data else None,
    )


def _value(data: Mapping[str, str], key: str) -> str:
    """A Secret's value, stripped. What is not printable ASCII cannot be sent as a header."""
    if key not in data:
        found = ", ".join(sorted(data)) or "none"
        raise SecretUnusable(f"has no key {key}; add it (keys found: {found})")
    value = data[key].strip()
    if not value:
        raise SecretUnusable(f"has an empty value under {key}; put the vendor's value there")
    if not (value.isascii() and value.isprintable()):
        raise SecretUnusable(f"has characters under {key} that cannot be sent; put the vendor's value there")
    return value
