"""What each refusal of Huawei Cloud means to the operator: the dossier's section 6.3, row by row."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetask_operator.vendors.contract import (
    ClockSkew,
    CredentialsRejected,
    EndpointNotFound,
    InvalidRequest,
    InvalidResponse,
    PermissionDenied,
    Throttled,
    VendorError,
    VendorUnavailable,
)
from tests.vendors.huawei.conversation import Conversation, body, json, refuses


async def refusal(answer: httpx.Response) -> VendorError:
    """The error that a look came to."""
    found = await Conversation(answer).look()
    assert isinstance(found, VendorError)
    return found


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (429, "APIGW.0308", Throttled),
        (429, "APIG.0308", Throttled),
        (400, "APIGW.0308", Throttled),
        (429, "LIVE.100011001", Throttled),
        (429, "APIG.0201", Throttled),
        (200, "APIGW.0308", Throttled),
        (401, "APIGW.0301", CredentialsRejected),
        (401, "APIG.0301", CredentialsRejected),
        (403, "APIGW.0301", CredentialsRejected),
        (401, "APIGW.0307", CredentialsRejected),
        (401, "LIVE.100011001", CredentialsRejected),
        (403, "APIGW.0302", PermissionDenied),
        (403, "APIGW.0306", PermissionDenied),
        (403, "PAP5.0001", PermissionDenied),
        (404, "APIG.0101", EndpointNotFound),
        (404, "APIGW.0101", EndpointNotFound),
        (404, "APIGW.0106", InvalidRequest),
        (404, "LIVES.100011001", InvalidRequest),
        (400, "LIVE.100011001", InvalidRequest),
        (400, "LIVE.103011019", InvalidRequest),
        (400, "APIG.0201", InvalidRequest),
        (413, "APIG.0201", InvalidRequest),
        (414, "APIG.0201", InvalidRequest),
        (494, "APIG.0201", InvalidRequest),
        (500, "APIG.0201", VendorUnavailable),
        (502, "APIG.0201", VendorUnavailable),
        (504, "APIG.0201", VendorUnavailable),
        (500, "LIVE.100011001", VendorUnavailable),
        (503, "NobodyKnows.This", VendorUnavailable),
        (408, "NobodyKnows.This", VendorUnavailable),
        (409, "NobodyKnows.This", InvalidRequest),
        (200, "LIVE.100011001", InvalidResponse),
    ],
)
async def test_the_gateways_code_decides_and_else_http(status: int, code: str, kind: type[VendorError]) -> None:
    error = await refusal(refuses(code, status))

    assert error.reason == kind.reason
    assert isinstance(error, kind)
    assert (error.code, error.request_id) == (code, "r-1")


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, InvalidResponse), (401, InvalidResponse), (403, InvalidResponse), (404, InvalidResponse), (429, Throttled)]
    + [(status, VendorUnavailable) for status in (408, 500, 502, 503, 504)],
)
@pytest.mark.parametrize("raw", [b"", b"<html>Bad Gateway</html>", b"[]", b'{"error_msg": "no code"}', b'{"code": []}'])
async def test_without_a_code_http_decides(status: int, raw: bytes, kind: type[VendorError]) -> None:
    error = await refusal(body(raw, status))

    assert type(error) is kind
    assert (error.code, error.detail) == ("", f"HTTP {status} without an error code")


@pytest.mark.parametrize(
    "document",
    [
        {"errorCode": "APIGW.0302", "errorMsg": "no"},
        {"code": "APIGW.0302", "message": "no"},
        {"error": {"error_code": "APIGW.0302", "error_msg": "no"}},
        {"error": {"code": "APIGW.0302", "message": "no"}},
    ],
    ids=lambda document: "/".join(document),
)
async def test_other_spellings_are_understood(document: object) -> None:
    error = await refusal(json(document, 403, {"X-Request-Id": "r-2"}))

    assert (type(error), error.code, error.request_id) == (PermissionDenied, "APIGW.0302", "r-2")


async def test_a_number_for_a_code_is_understood() -> None:
    error = await refusal(json({"error": {"code": 401, "message": "token"}}, 401))

    assert (type(error), error.code) == (CredentialsRejected, "401")


SKEW = "Incorrect IAM authentication information: calc aksk signature fail:signature expired, signature time:2026..."


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        (
            {"date": "Sat, 21 Nov 2026 12:20:00 GMT"},
            "the clock of this machine is about 20 minutes behind the vendor's",
        ),
        ({"date": "yesterday"}, "it refuses the time of the request"),
        ({}, "it refuses the time of the request"),
    ],
)
async def test_an_expired_signature_is_clock_skew_and_says_how_far_off_the_clock_is(
    headers: dict[str, str], words: str
) -> None:
    error = await refusal(refuses("APIGW.0301", 401, headers, error_msg=SKEW))

    assert (type(error), error.detail) == (ClockSkew, words)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "99999"}, 120.0),
        ({"retry-after": "Sat, 21 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
async def test_a_wait_that_the_vendor_asks_for_is_passed_on(headers: dict[str, str], wait_s: float | None) -> None:
    error = await refusal(refuses("APIGW.0308", 429, headers))

    assert error.retry_after_s == wait_s


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 429, 500])
@pytest.mark.parametrize("code", ["APIG.0101", "APIGW.0301", "APIGW.0302", "APIGW.0307", "APIGW.0308", "OTHER.1"])
async def test_the_words_for_a_refusal_are_a_clause_and_nothing_of_the_vendors_text(code: str, status: int) -> None:
    error = await refusal(refuses(code, status))

    assert error.detail
    assert not error.detail.endswith(".")  # for others to put into a sentence
    assert "canonicalRequest" not in error.detail


@given(said=st.text() | st.none() | st.integers() | st.lists(st.text()) | st.booleans(), status=st.integers(400, 599))
async def test_a_code_is_never_more_than_a_code_looks_like(said: object, status: int) -> None:
    error = await Conversation(refuses(said, status)).look()

    assert isinstance(error, VendorError)
    assert len(error.code) <= 64
    assert all(character.isascii() and (character.isalnum() or character in "._-") for character in error.code)
