"""The keys in a Secret for Huawei Cloud: an access key, or a token that somebody else obtained.

Apart from the client because it alone knows how the two are told apart once they are a Credential.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from livetask_operator.vendors.contract import Credential, SecretUnusable
from livetask_operator.vendors.secret_values import MAX_TOKEN, keys_found, secret_value

SECRET_KEYS: tuple[str, ...] = ("accessKeyId", "secretAccessKey")
AUTH_TOKEN = "authToken"  # noqa: S105 - the name of a Secret's key


def credential_in(data: Mapping[str, str]) -> Credential:
    """The access key in a Secret, with its security token where there is one; else the token under `authToken`.

    Half an access key is a mistake, whatever else is there. Raises SecretUnusable.
    """
    if not any(key in data for key in SECRET_KEYS):
        return _token(data)
    return Credential(
        key_id=secret_value(data, "accessKeyId"),
        secret=secret_value(data, "secretAccessKey"),
        token=secret_value(data, "securityToken", MAX_TOKEN) if "securityToken" in data else None,
    )


def is_token(credential: Credential) -> bool:
    """Whether the credential is a token, which is sent as it is and signs nothing. An access key has a secret."""
    return not credential.secret


def _token(data: Mapping[str, str]) -> Credential:
    if AUTH_TOKEN not in data:
        raise SecretUnusable(
            f"has no keys accessKeyId and secretAccessKey, nor authToken; add them ({keys_found(data)})"
        )
    token = secret_value(data, AUTH_TOKEN, MAX_TOKEN)
    # A token has no id. This one tells tokens apart, and nothing of them.
    return Credential(key_id=f"authToken-{hashlib.sha256(token.encode()).hexdigest()[:16]}", secret="", token=token)
