"""What a Secret may hold for a key, and that what it says of a hostile one stays short."""

from __future__ import annotations

import pytest

from livetask_operator.vendors.contract import SecretUnusable
from livetask_operator.vendors.secret_values import MAX_KEY, MAX_TOKEN, keys_found, secret_value

MIB = 1024 * 1024


@pytest.mark.parametrize("most", [MAX_KEY, MAX_TOKEN])
def test_the_longest_value_is_taken_and_one_character_more_is_not(most: int) -> None:
    longest = "k" * most

    assert secret_value({"key": f" {longest}\n"}, "key", most) == longest
    with pytest.raises(SecretUnusable) as caught:
        secret_value({"key": f"{longest}k"}, "key", most)
    assert str(caught.value) == f"has more than {most} characters under key; put the vendor's value there, and no more"


@pytest.mark.parametrize("value", ["k" * MIB, "\x00" * MIB, "é" * (MIB // 2)])
def test_a_megabyte_is_no_key_and_is_not_told(value: str) -> None:
    with pytest.raises(SecretUnusable) as caught:
        secret_value({"key": value}, "key")

    assert len(str(caught.value)) < 200


def test_the_keys_of_a_usual_secret_are_all_told() -> None:
    assert keys_found({"token": "", "accessKeyId": ""}) == "keys found: accessKeyId, token"
    assert keys_found({}) == "keys found: none"


def test_of_thousands_of_long_keys_a_few_are_told_in_part() -> None:
    told = keys_found({f"{number:05}{'x' * 240}": "" for number in range(4_000)})

    assert len(told) < 500
    assert told.startswith("keys found: 00000xxx")
    assert told.endswith("… and 3990 more")
