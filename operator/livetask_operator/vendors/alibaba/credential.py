"""The access key in a Secret, as all of Alibaba Cloud's APIs take it.

Apart from the clients because relay and preload read the same Secrets.
"""

from __future__ import annotations

from collections.abc import Mapping

from livetask_operator.vendors.contract import Credential
from livetask_operator.vendors.secret_values import MAX_TOKEN, secret_value

SECRET_KEYS: tuple[str, ...] = ("accessKeyId", "accessKeySecret")


def credential_in(data: Mapping[str, str]) -> Credential:
    """The access key in a Secret, with its security token where there is one. Raises SecretUnusable."""
    return Credential(
        key_id=secret_value(data, "accessKeyId"),
        secret=secret_value(data, "accessKeySecret"),
        token=secret_value(data, "securityToken", MAX_TOKEN) if "securityToken" in data else None,
    )
