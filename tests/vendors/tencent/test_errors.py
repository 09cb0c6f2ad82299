"""What each refusal of Tencent Cloud means to the operator: the dossier's table (section 6.2), row by row."""

from __future__ import annotations

import httpx
import pytest

from livetask_operator.vendors.contract import (
    AccountSuspended,
    ClockSkew,
    CredentialsRejected,
    InvalidRequest,
    InvalidResponse,
    Observation,
    PermissionDenied,
    Throttled,
    VendorError,
    VendorUnavailable,
)
from livetask_operator.vendors.tencent.errors import CODES, TASK_NOT_EXIST
from tests.vendors.tencent.conversation import Conversation, body, refuses, status_is


async def refusal(*answers: httpx.Response) -> VendorError:
    """The error that a look came to."""
    found = await Conversation(*answers).look()
    assert isinstance(found, VendorError)
    return found


KINDS: dict[type[VendorError], list[str]] = {
    Throttled: [
        "RequestLimitExceeded",
        "RequestLimitExceeded.UinLimitExceeded",
        "RequestLimitExceeded.GlobalRegionUinLimitExceeded",
        "RequestLimitExceeded.IPLimitExceeded",
        "FailedOperation.RestrictedFrequency",
        "OperationDenied.FreqOverLimit",
        "FailedOperation.RestrictedConcurrency",
        "LimitExceeded",
        "LimitExceeded.ConcurrencyLimit",
        "UnsupportedOperation.TaskLimit",
        "ResourceInsufficient.RequestRejection",
    ],
    VendorUnavailable: [
        "InternalError",
        "InternalError.DBError",
        "InternalError.HttpParseFailed",
        "FailedOperation",
        "FailedOperation.QueryTaskInfoFailed",
        "FailedOperation.DbOperationFailed",
        "FailedOperation.NobodyKnows",
        "ResourceUnavailable",
        "ServiceUnavailable",
    ],
    CredentialsRejected: [
        "AuthFailure.SecretIdNotFound",
        "AuthFailure.InvalidSecretId",
        "AuthFailure.SignatureFailure",
        "AuthFailure.InvalidAuthorization",
        "AuthFailure.TokenFailure",
        "AuthFailure",
        "AuthFailure.NobodyKnows",
    ],
    PermissionDenied: [
        "AuthFailure.UnauthorizedOperation",
        "AuthFailure.UnsupportedOperation",
        "AuthFailure.MFAFailure",
        "UnauthorizedOperation",
        "UnauthorizedOperation.SdkAppId",
        "IpNotInWhitelist",
        "IpInBlacklist",
    ],
    AccountSuspended: [
        "AuthFailure.UnRealNameAuthenticated",
        "FailedOperation.NotAbility",
        "FailedOperation.NotAllowed",
        "FailedOperation.NotRtmpFunction",
        "UnsupportedOperation.NotAllowed",
    ],
    InvalidRequest: [
        "InvalidParameter",
        "InvalidParameter.TaskId",
        "InvalidParameter.SdkAppId",
        "InvalidParameter.BodyParamsError",
        "InvalidParameterValue",
        "MissingParameter",
        "MissingParameter.SdkAppId",
        "MissingParameter.TaskId",
        "UnknownParameter",
        "UnsupportedOperation",
        "UnsupportedRegion",
        "NoSuchVersion",
        "NoSuchProduct",
        "InvalidAction",
        "ActionOffline",
        "DryRunOperation",
        "FailedOperation.SdkAppIdNotExist",
        "FailedOperation.SdkAppIdNotUnderAppId",
        "FailedOperation.TaskFinished",
        "ResourceNotFound",
        "ResourceNotFound.NobodyKnows",
        "NobodyKnows.This",
    ],
    ClockSkew: ["AuthFailure.SignatureExpire"],
}


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, codes in KINDS.items() for code in codes])
async def test_the_code_decides_what_a_refusal_is(kind: type[VendorError], code: str) -> None:
    error = await refusal(refuses(code))

    assert (type(error), error.code, error.request_id) == (kind, code, "r-1")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (500, "AuthFailure.SignatureFailure", CredentialsRejected),
        (400, "InternalError", VendorUnavailable),
        (500, "NobodyKnows.This", VendorUnavailable),
        (408, "NobodyKnows.This", VendorUnavailable),
        (429, "NobodyKnows.This", Throttled),
        (429, "InternalError", Throttled),
        (429, "AuthFailure.SignatureFailure", CredentialsRejected),
        (403, "NobodyKnows.This", InvalidRequest),
    ],
)
async def test_the_code_decides_whatever_http_says_unless_nobody_knows_the_code(
    status: int, code: str, kind: type[VendorError]
) -> None:
    assert type(await refusal(refuses(code, status))) is kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, InvalidResponse), (403, InvalidResponse), (404, InvalidResponse), (429, Throttled)]
    + [(status, VendorUnavailable) for status in (408, 500, 502, 503, 504)],
)
@pytest.mark.parametrize(
    "raw",
    [b"", b"<html>Bad Gateway</html>", b"[]", b'{"Response": []}', b'{"Response": {"Status": "NotExist"}}'],
)
async def test_without_a_code_http_decides(status: int, raw: bytes, kind: type[VendorError]) -> None:
    error = await refusal(body(raw, status))

    assert type(error) is kind
    assert (error.code, error.detail) == ("", f"HTTP {status} without an error code")


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "99999"}, 120.0),
        ({"retry-after": "Sat, 21 Nov 2026 12:00:31 GMT"}, 30.0),
        ({"retry-after": "Sat, 21 Nov 2020 12:00:31 GMT"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({}, None),
    ],
)
async def test_a_wait_that_the_vendor_asks_for_is_passed_on(headers: dict[str, str], wait_s: float | None) -> None:
    error = await refusal(refuses("RequestLimitExceeded", headers=headers))

    assert error.retry_after_s == wait_s


async def test_a_refused_time_is_asked_again_once_with_a_new_one() -> None:
    vendor = Conversation(refuses("AuthFailure.SignatureExpire"), status_is("InProgress"))

    found = await vendor.look()

    assert isinstance(found, Observation)
    first, second = (int(request.headers["x-tc-timestamp"]) for request in vendor.asked)
    assert first < second
    assert vendor.asked[0].headers["authorization"] != vendor.asked[1].headers["authorization"]


async def test_a_time_that_is_refused_twice_is_clock_skew() -> None:
    vendor = Conversation(refuses("AuthFailure.SignatureExpire"))

    error = await vendor.look()

    assert isinstance(error, ClockSkew)
    assert len(vendor.asked) == 2
    assert error.detail == "it refuses the time of the request"


async def test_other_refusals_are_not_asked_again() -> None:
    vendor = Conversation(refuses("AuthFailure.SignatureFailure"))

    await vendor.look()

    assert len(vendor.asked) == 1


@pytest.mark.parametrize(
    ("theirs", "words"),
    [
        ("Sat, 21 Nov 2026 12:06:40 GMT", "the clock of this machine is some minutes behind the vendor's"),
        ("Sat, 21 Nov 2026 04:00:40 GMT", "the clock of this machine is about 8 hours ahead of the vendor's"),
        ("yesterday", "it refuses the time of the request"),
    ],
)
async def test_clock_skew_says_how_far_off_the_clock_is(theirs: str, words: str) -> None:
    error = await refusal(refuses("AuthFailure.SignatureExpire", headers={"date": theirs}))

    assert error.detail == words


async def test_a_code_is_cut_where_it_stops_looking_like_one() -> None:
    error = await refusal(refuses("AuthFailure.TokenFailure\n<script>"))

    assert error.code == "AuthFailure.TokenFailure"


@pytest.mark.parametrize("code", sorted(set(CODES) - {TASK_NOT_EXIST}))
async def test_the_words_for_a_code_say_what_it_means_and_nothing_of_the_vendors_text(code: str) -> None:
    error = await refusal(refuses(code.removesuffix("*")))

    assert error.detail
    assert not error.detail.endswith(".")  # a clause, for others to put into a sentence
    assert "canonical request" not in error.detail
