"""A key that the vendor refused is tried again sparingly, by one for all who use it, and by nobody else's leave."""

from __future__ import annotations

from dataclasses import replace

import pytest

from livetask_operator.polling.refusals import MAX_KEYS, Refusals
from livetask_operator.vendors.contract import (
    AccountSuspended,
    ClockSkew,
    Credential,
    CredentialsRejected,
    EndpointNotFound,
    InvalidRequest,
    InvalidResponse,
    PermissionDenied,
    Throttled,
    VendorError,
    VendorUnavailable,
)

KEY = Credential("LTAI5t", "secret")
LOOK, STOP = "GetMPUTaskStatus", "StopLiveMPUTask"
REJECTED = CredentialsRejected("the vendor does not know the key")
DENIED = PermissionDenied("the key may not do this")


def tried_at(refusals: Refusals, error: VendorError, until_s: float, took_s: float = 0.0) -> list[float]:
    """When a caller that comes every half second is let through, if each try is refused after `took_s`."""
    tries, now_s = [], 0.0
    while now_s <= until_s:
        if refusals.standing(KEY, LOOK, now_s) is None:
            tries.append(now_s)
            refusals.refused(KEY, LOOK, error, now_s + took_s)
        now_s += 0.5
    return tries


def test_a_rejected_key_is_tried_again_after_5_15_30_and_60_seconds_then_every_300() -> None:
    assert tried_at(Refusals(), REJECTED, until_s=1_000) == [0, 5, 15, 30, 60, 360, 660, 960]


def test_a_denied_call_is_tried_again_with_a_backoff_up_to_60_seconds() -> None:
    assert tried_at(Refusals(), DENIED, until_s=260) == [0, 5, 15, 35, 75, 135, 195, 255]


def test_a_standing_refusal_is_told_with_its_error_and_when_to_come_again() -> None:
    refusals = Refusals()

    again_s = refusals.refused(KEY, LOOK, REJECTED, 100.0)

    assert again_s == 105.0
    assert refusals.standing(KEY, LOOK, 101.0) == (REJECTED, 105.0)


def test_a_rejected_key_is_rejected_for_every_call_and_a_denied_one_for_that_call() -> None:
    rejected, denied = Refusals(), Refusals()

    rejected.refused(KEY, LOOK, REJECTED, 0.0)
    denied.refused(KEY, LOOK, DENIED, 0.0)

    assert rejected.standing(KEY, STOP, 1.0) is not None
    assert denied.standing(KEY, LOOK, 1.0) is not None
    assert denied.standing(KEY, STOP, 1.0) is None


@pytest.mark.parametrize(
    "other",
    [
        replace(KEY, secret="another secret"),
        replace(KEY, token="a token"),
        replace(KEY, key_id="LTAI5u"),
    ],
    ids=["another secret", "with a token", "another key"],
)
def test_nobody_blocks_a_key_by_naming_its_id_with_a_wrong_secret(other: Credential) -> None:
    refusals = Refusals()

    refusals.refused(other, LOOK, REJECTED, 0.0)

    assert refusals.standing(KEY, LOOK, 1.0) is None


def test_when_a_refused_key_may_be_tried_one_tries_and_the_others_wait() -> None:
    refusals = Refusals()
    refusals.refused(KEY, LOOK, REJECTED, 0.0)

    answers = [refusals.standing(KEY, LOOK, 5.0) for _ in range(100)]

    assert answers[0] is None
    assert all(answer == (REJECTED, 10.0) for answer in answers[1:])


def test_a_trial_that_never_comes_back_keeps_the_others_for_five_seconds_only() -> None:
    refusals = Refusals()
    refusals.refused(KEY, LOOK, REJECTED, 0.0)
    refusals.standing(KEY, LOOK, 5.0)

    assert refusals.standing(KEY, LOOK, 9.9) is not None
    assert refusals.standing(KEY, LOOK, 10.0) is None


@pytest.mark.parametrize("error", [Throttled(""), VendorUnavailable(""), InvalidResponse("")])
def test_a_trial_that_came_to_nothing_is_followed_by_another(error: VendorError) -> None:
    refusals = Refusals()
    refusals.refused(KEY, LOOK, REJECTED, 0.0)
    refusals.standing(KEY, LOOK, 5.0)

    assert refusals.refused(KEY, LOOK, error, 5.1) is None
    assert refusals.standing(KEY, LOOK, 10.0) is None


def test_a_key_that_is_rejected_and_a_call_that_is_denied_wait_for_the_later_of_both() -> None:
    refusals = Refusals()
    for now_s in (0.0, 5.0, 15.0):
        refusals.refused(KEY, LOOK, DENIED, now_s)
    refusals.refused(KEY, LOOK, REJECTED, 16.0)

    assert refusals.standing(KEY, LOOK, 22.0) == (DENIED, 35.0), "nobody asks before 35 s"
    assert refusals.standing(KEY, STOP, 22.0) is None, "and nobody took the turn of those who ask something else"


def test_an_accepted_call_ends_the_keys_refusal_and_that_calls() -> None:
    refusals = Refusals()
    refusals.refused(KEY, LOOK, DENIED, 0.0)
    refusals.refused(KEY, STOP, DENIED, 0.0)
    refusals.refused(KEY, LOOK, REJECTED, 0.0)

    assert refusals.accepted(KEY, LOOK)

    assert refusals.standing(KEY, LOOK, 1.0) is None
    assert refusals.standing(KEY, STOP, 1.0) == (DENIED, 5.0), "another call is denied all the same"
    assert not refusals.accepted(KEY, LOOK), "nothing was left to end"


def test_a_changed_secret_starts_the_count_anew() -> None:
    refusals = Refusals()
    tried_at(refusals, REJECTED, until_s=400)
    refusals.refused(KEY, STOP, DENIED, 400.0)

    refusals.secret_changed(KEY)

    assert refusals.standing(KEY, LOOK, 401.0) is None
    assert refusals.standing(KEY, STOP, 401.0) is None
    assert refusals.refused(KEY, LOOK, REJECTED, 401.0) == 406.0


def test_a_changed_secret_says_nothing_of_other_keys() -> None:
    refusals = Refusals()
    other = replace(KEY, secret="another secret")
    refusals.refused(other, LOOK, REJECTED, 0.0)

    refusals.secret_changed(KEY)

    assert refusals.standing(other, LOOK, 1.0) is not None


@pytest.mark.parametrize(
    "error",
    [InvalidRequest(""), ClockSkew(""), AccountSuspended(""), EndpointNotFound(""), Throttled(""), InvalidResponse("")],
    ids=lambda error: type(error).__name__,
)
def test_what_is_not_about_the_key_holds_nobody_else_back(error: VendorError) -> None:
    refusals = Refusals()

    assert refusals.refused(KEY, LOOK, error, 0.0) is None

    assert refusals.standing(KEY, LOOK, 0.0) is None


def test_keys_that_nobody_uses_any_more_are_forgotten() -> None:
    refusals = Refusals()
    for number in range(100):
        refusals.refused(Credential(f"key-{number}", "secret"), LOOK, REJECTED, float(number))

    refusals.refused(KEY, LOOK, REJECTED, 10_000.0)

    assert len(refusals._refusals) == 1


def test_a_secret_that_gets_another_wrong_key_each_moment_costs_no_more_and_no_more_time() -> None:
    refusals = Refusals()
    for number in range(MAX_KEYS + 5_000):
        refusals.refused(Credential("LTAI5t", f"wrong-{number}"), LOOK, REJECTED, number / 40)

    latest = Credential("LTAI5t", f"wrong-{MAX_KEYS + 4_999}")

    assert len(refusals._refusals) == MAX_KEYS
    assert refusals.standing(latest, LOOK, (MAX_KEYS + 5_000) / 40) is not None


def test_a_noted_refusal_keeps_nothing_of_the_request_that_met_it() -> None:
    def asked() -> None:
        raise CredentialsRejected("the vendor does not know the key")

    refusals = Refusals()
    with pytest.raises(CredentialsRejected) as caught:
        asked()
    refusals.refused(KEY, LOOK, caught.value, 0.0)

    standing = refusals.standing(KEY, LOOK, 1.0)

    assert standing is not None
    assert standing[0].__traceback__ is None
