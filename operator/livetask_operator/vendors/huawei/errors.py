"""What Huawei Cloud's refusals mean: two tables, the gateway's codes and HTTP's statuses, to the error tree.

Apart from the client because it is what the vendor's pages say and not how it is asked. Pure.
Source: vendor-apis.md, sections 4.5 and 6.3; traps 29 and 35. The vendor's error_msg is never kept: it may echo what
was signed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from livetask_operator.vendors.answers import retry_after_s, skew_words
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


class NoSuchThing(InvalidRequest):
    """HTTP 404 from the service itself: of a call that names a task, that there is no such task."""


class BadRequest(InvalidRequest):
    """HTTP 400: a bad request, or a task that is not there any more (trap 29). Nothing tells which."""


# What a refusal is, as a clause: what to do is said where the object and its Secret are known.
_BAD_KEY = "it does not know the key, or its secret, or its token; an account that is overdue is told the same"
_TOKEN_EXPIRED = "the token has expired"  # noqa: S105 - words
_CLOCK = "it refuses the time of the request"
_RIGHTS = "the IAM policy of the key's user does not allow the call"
_CALL = "it does not have this call there"
_SPEC = "it refuses what is asked for"
_NOTHING = "it does not know what is asked for"
_QUOTA = "the project's quota is used up"
_TROUBLE = "it has trouble of its own"

GATEWAY_CODES: Mapping[str, tuple[type[VendorError], str]] = {
    # APIG.0101 is APIGW.0101: two generations of one gateway. Its 0201 stands for anything, so HTTP's status decides.
    "0101": (EndpointNotFound, _CALL),
    "0301": (CredentialsRejected, _BAD_KEY),
    "0302": (PermissionDenied, _RIGHTS),
    "0306": (PermissionDenied, _RIGHTS),
    "0307": (CredentialsRejected, _TOKEN_EXPIRED),
    "0308": (Throttled, _QUOTA),
}

STATUSES: Mapping[int, tuple[type[VendorError], str]] = {
    400: (BadRequest, _SPEC),
    401: (CredentialsRejected, _BAD_KEY),
    403: (PermissionDenied, _RIGHTS),
    404: (InvalidRequest, _NOTHING),
    408: (VendorUnavailable, _TROUBLE),
    429: (Throttled, _QUOTA),
}

_GATEWAY = re.compile(r"APIGW?\.([0-9]{4})")
_SERVICE = "LIVE."


def refusal(
    status: int, headers: Mapping[str, str], code: str, message: object, request_id: str, now: datetime
) -> VendorError:
    """The error that an answer is.

    code: clean, empty where the answer has none. message: the vendor's words, looked at and not kept.
    """
    kind, words = _gateways(code, message) or _by_status(code, status)
    if kind is ClockSkew:
        words = skew_words(headers, now) or words
    return kind(
        words if code else f"HTTP {status} without an error code",
        code=code,
        request_id=request_id,
        retry_after_s=retry_after_s(headers, now),
    )


def _gateways(code: str, message: object) -> tuple[type[VendorError], str] | None:
    found = _GATEWAY.fullmatch(code)
    if found is None:
        return None
    # No page has a code for a wrong clock. The gateway says it in words: "signature expired, signature time: ...".
    if found[1] == "0301" and isinstance(message, str) and "signature expired" in message:
        return ClockSkew, _CLOCK
    return GATEWAY_CODES.get(found[1])


def _by_status(code: str, status: int) -> tuple[type[VendorError], str]:
    if status >= 500:
        return VendorUnavailable, _TROUBLE
    if status < 400:
        return InvalidResponse, "an error and a success in one"
    if not code and status not in (408, 429):
        # Without a code it is not this API that speaks, but something on the way: no verdict on the spec or the key.
        return InvalidResponse, ""
    if status == 404 and code.startswith(_SERVICE):
        return NoSuchThing, _NOTHING
    return STATUSES.get(status, (InvalidRequest, _SPEC))
