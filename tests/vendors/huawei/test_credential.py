"""What a Secret for Huawei Cloud may hold: an access key, temporary or not, or a token."""

from __future__ import annotations

import pytest

from livetask_operator.vendors.contract import SecretUnusable
from livetask_operator.vendors.huawei.credential import credential_in


def test_a_secrets_values_are_stripped() -> None:
    data = {"accessKeyId": " AK\n", "secretAccessKey": "\ts3cret \r\n", "securityToken": " STS+/== "}

    credential = credential_in(data)

    assert (credential.key_id, credential.secret, credential.token) == ("AK", "s3cret", "STS+/==")


def test_an_access_key_goes_before_a_token() -> None:
    data = {"accessKeyId": "AK", "secretAccessKey": "s3cret", "authToken": "MIIE"}

    credential = credential_in(data)

    assert (credential.key_id, credential.secret, credential.token) == ("AK", "s3cret", None)


def test_tokens_are_told_apart_by_ids_that_tell_nothing_of_them() -> None:
    first, again, other = (credential_in({"authToken": token}) for token in ("MIIEone", " MIIEone\n", "MIIEtwo"))

    assert first == again
    assert len({first.key_id, other.key_id, "MIIEone", "MIIEtwo"}) == 4
    assert first.key_hash != other.key_hash
    assert first.fingerprint != other.fingerprint
    assert "MIIE" not in first.key_id + repr(first)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"accessKeyId": "AK"}, "has no key secretAccessKey; add it (keys found: accessKeyId)"),
        (
            {"accessKeyId": "AK", "authToken": "MIIE"},
            "has no key secretAccessKey; add it (keys found: accessKeyId, authToken)",
        ),
        ({"b": ""}, "has no keys accessKeyId and secretAccessKey, nor authToken; add them (keys found: b)"),
        ({}, "has no keys accessKeyId and secretAccessKey, nor authToken; add them (keys found: none)"),
        ({"authToken": " \n"}, "has an empty value under authToken; put the vendor's value there"),
        (
            {"accessKeyId": "AK", "secretAccessKey": "s", "securityToken": ""},
            "has an empty value under securityToken; put the vendor's value there",
        ),
        (
            {"authToken": "MIIE\r\nHost: b"},
            "has characters under authToken that cannot be sent; put the vendor's value there",
        ),
    ],
)
def test_a_secret_that_cannot_be_used_says_which_key_and_never_its_value(data: dict[str, str], words: str) -> None:
    with pytest.raises(SecretUnusable) as caught:
        credential_in(data)

    assert str(caught.value) == words
