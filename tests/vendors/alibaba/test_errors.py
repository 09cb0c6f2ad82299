"""What each refusal of Alibaba Cloud means to the operator: the dossier's table (section 6.1), row by row."""

from __future__ import annotations

import httpx
import pytest

from livetask_operator.vendors.alibaba.errors import CODES
from livetask_operator.vendors.contract import (
    AccountSuspended,
    ClockSkew,
    CredentialsRejected,
    InvalidRequest,
    InvalidResponse,
    PermissionDenied,
    Throttled,
    VendorError,
    VendorUnavailable,
)
from tests.vendors.alibaba.conversation import Conversation, body, json, refuses


async def refusal(*answers: httpx.Response) -> VendorError:
    """The error that a look came to."""
    found = await Conversation(*answers).look()
    assert isinstance(found, VendorError)
    return found


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "Throttling", Throttled),
        (400, "Throttling.User", Throttled),
        (429, "Throttling.Api", Throttled),
        (503, "Throttling.User", Throttled),
        (503, "ServiceUnavailable", VendorUnavailable),
        (500, "InternalError", VendorUnavailable),
        (500, "InternalFailure", VendorUnavailable),
        (500, "UnknownError", VendorUnavailable),
        (200, "InternalError", VendorUnavailable),
        (403, "SignatureDoesNotMatch", CredentialsRejected),
        (400, "SignatureDoesNotMatch", CredentialsRejected),
        (400, "IncompleteSignature", CredentialsRejected),
        (404, "InvalidAccessKeyId.NotFound", CredentialsRejected),
        (400, "InvalidAccessKeyId.NotFound", CredentialsRejected),
        (400, "InvalidAccessKeyId.Inactive", CredentialsRejected),
        (400, "InvalidSecurityToken.Expired", CredentialsRejected),
        (403, "InvalidSecurityToken.Malformed", CredentialsRejected),
        (401, "Request.IllegalSignature", CredentialsRejected),
        (401, "Request.IllegallAuth", CredentialsRejected),
        (403, "Forbidden", PermissionDenied),
        (403, "Forbidden.RAM", PermissionDenied),
        (403, "Forbidden.RiskControl", PermissionDenied),
        (403, "NoPermission", PermissionDenied),
        (403, "OperationDenied", AccountSuspended),
        (200, "App.ChargeOverDue", AccountSuspended),
        (200, "App.Stop", AccountSuspended),
        (200, "Service.Inactive", AccountSuspended),
        (400, "MissingParameter", InvalidRequest),
        (400, "InvalidParameter", InvalidRequest),
        (400, "InvalidParameter.TaskId", InvalidRequest),
        (400, "InvalidParam", InvalidRequest),
        (400, "MissingParam", InvalidRequest),
        (404, "MissingParam", InvalidRequest),
        (400, "InvalidAppId", InvalidRequest),
        (400, "UnsupportedOperation", InvalidRequest),
        (400, "NoSuchVersion", InvalidRequest),
        (404, "InvalidAction.NotFound", InvalidRequest),
        (400, "InvalidTask.IDError", InvalidRequest),
        (200, "Service.NoExist", InvalidRequest),
        (400, "NobodyKnows.This", InvalidRequest),
        (200, "NobodyKnows.This", InvalidRequest),
        (500, "NobodyKnows.This", VendorUnavailable),
        (502, "NobodyKnows.This", VendorUnavailable),
        (408, "NobodyKnows.This", VendorUnavailable),
        (429, "NobodyKnows.This", Throttled),
        (429, "ServiceUnavailable", Throttled),
        (429, "Forbidden.RAM", PermissionDenied),
    ],
)
async def test_the_code_decides_what_a_refusal_is(status: int, code: str, kind: type[VendorError]) -> None:
    error = await refusal(refuses(code, status))

    assert type(error) is kind
    assert error.code == code
    assert error.request_id == "r-1"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, InvalidResponse), (403, InvalidResponse), (404, InvalidResponse), (429, Throttled)]
    + [(status, VendorUnavailable) for status in (408, 500, 502, 503, 504)],
)
@pytest.mark.parametrize("raw", [b"", b"<html>Bad Gateway</html>", b"[]", b'{"Message": "no code"}', b'{"Code": 7}'])
async def test_without_a_code_http_decides(status: int, raw: bytes, kind: type[VendorError]) -> None:
    error = await refusal(body(raw, status))

    assert type(error) is kind
    assert (error.code, error.detail) == ("", f"HTTP {status} without an error code")


async def test_an_error_in_xml_is_understood() -> None:
    raw = b'<?xml version="1.0"?><Error><RequestId>r</RequestId><Code>Throttling.User</Code></Error>'

    error = await refusal(body(raw, 400))

    assert (type(error), error.code) == (Throttled, "Throttling.User")


async def test_the_lower_case_spelling_is_understood() -> None:
    error = await refusal(json({"code": "Forbidden.RAM", "message": "no"}, 403))

    assert (type(error), error.code) == (PermissionDenied, "Forbidden.RAM")


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"x-acs-retry-after": "1500"}, 1.5),
        ({"x-acs-retry-after": "9999999"}, 120.0),
        ({"x-acs-retry-after": "0"}, None),
        ({"x-acs-retry-after": "-5"}, None),
        ({"x-acs-retry-after": "soon"}, None),
        ({"x-acs-retry-after": "nan"}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "99999"}, 120.0),
        ({"retry-after": "Sat, 21 Nov 2026 12:00:31 GMT"}, 30.0),
        ({"retry-after": "Sat, 21 Nov 2020 12:00:31 GMT"}, None),
        ({"retry-after": "Sat, 99 Nov 2026"}, None),
        ({"x-acs-retry-after": "2000", "retry-after": "60"}, 2.0),
        ({}, None),
    ],
)
async def test_a_wait_that_the_vendor_asks_for_is_passed_on(headers: dict[str, str], wait_s: float | None) -> None:
    error = await refusal(refuses("Throttling.User", headers=headers))

    assert error.retry_after_s == wait_s


@pytest.mark.parametrize(
    ("code", "status"), [("ServiceUnavailable", 503), ("NobodyKnows.This", 400), ("", 400), ("", 502)]
)
async def test_a_refusal_with_the_vendors_retry_header_is_throttling(code: str, status: int) -> None:
    error = await refusal(refuses(code, status, headers={"x-acs-retry-after": "3000"}))

    assert (type(error), error.retry_after_s) == (Throttled, 3.0)


async def test_the_vendors_retry_header_does_not_hide_what_needs_a_person() -> None:
    error = await refusal(refuses("InvalidAccessKeyId.NotFound", 404, headers={"x-acs-retry-after": "3000"}))

    assert type(error) is CredentialsRejected


CLOCK_CODES = ["InvalidTimeStamp.Expired", "InvalidTimeStamp.Format", "IllegalTimestamp", "SignatureNonceUsed"]


@pytest.mark.parametrize("code", CLOCK_CODES)
async def test_a_refused_time_or_nonce_is_asked_again_once_with_new_ones(code: str) -> None:
    vendor = Conversation(refuses(code), json({"Status": 1, "RequestId": "r-2"}))

    found = await vendor.look()

    assert not isinstance(found, VendorError)
    assert len(vendor.asked) == 2
    assert [request.headers["x-acs-signature-nonce"] for request in vendor.asked] == ["nonce-1", "nonce-2"]
    assert vendor.asked[0].headers["x-acs-date"] < vendor.asked[1].headers["x-acs-date"]


@pytest.mark.parametrize("code", CLOCK_CODES)
async def test_a_time_or_nonce_that_is_refused_twice_is_clock_skew(code: str) -> None:
    vendor = Conversation(refuses(code))

    error = await vendor.look()

    assert isinstance(error, ClockSkew)
    assert len(vendor.asked) == 2
    assert error.detail == "it refuses the time of the request, or its nonce"


async def test_other_refusals_are_not_asked_again() -> None:
    vendor = Conversation(refuses("InternalError", 500))

    await vendor.look()

    assert len(vendor.asked) == 1


@pytest.mark.parametrize(
    ("theirs", "words"),
    [
        ("Sat, 21 Nov 2026 12:20:40 GMT", "the clock of this machine is about 20 minutes behind the vendor's"),
        ("Sat, 21 Nov 2026 04:00:40 GMT", "the clock of this machine is about 8 hours ahead of the vendor's"),
        ("yesterday", "it refuses the time of the request, or its nonce"),
    ],
)
async def test_clock_skew_says_how_far_off_the_clock_is(theirs: str, words: str) -> None:
    error = await refusal(refuses("InvalidTimeStamp.Expired", headers={"date": theirs}))

    assert error.detail == words


async def test_a_code_is_cut_where_it_stops_looking_like_one() -> None:
    error = await refusal(refuses("Forbidden.RAM\n<script>"))

    assert error.code == "Forbidden.RAM"


@pytest.mark.parametrize("code", sorted(set(CODES) - {"InvalidTask.NotFound"}))
async def test_the_words_for_a_code_say_what_it_means_and_nothing_of_the_vendors_text(code: str) -> None:
    said = code.removesuffix("*")

    error = await refusal(refuses(said))

    assert error.detail
    assert not error.detail.endswith(".")  # a clause, for others to put into a sentence
    assert "string to sign" not in error.detail
