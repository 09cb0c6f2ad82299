"""What Alibaba Cloud's refusals mean: a table from its error codes to the error tree, and the headers beside them.

Apart from the client because it is what the vendor's pages say and not how it is asked. Pure.
Source: vendor-apis.md, sections 1.6, 1.7 and 6.1. The vendor's Message is never kept: it may echo what was signed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from livetask_operator.vendors.answers import MAX_RETRY_AFTER_S, retry_after_s, skew_words
from livetask_operator.vendors.contract import (
    AccountSuspended,
    ClockSkew,
    CredentialsRejected,
    InvalidRequest,
    InvalidResponse,
    NeedsPerson,
    PermissionDenied,
    Throttled,
    VendorError,
    VendorUnavailable,
)

TASK_NOT_FOUND = "InvalidTask.NotFound"
INVALID_PARAM = "InvalidParam"

# What a refusal is, as a clause: what to do is said where the object and its Secret are known.
_BAD_KEY = "it does not know this access key, or has switched it off"
_BAD_SIGNATURE = "the signature is wrong: accessKeySecret does not belong to accessKeyId"
_BAD_STS = "the security token is wrong or has expired"
_CLOCK = "it refuses the time of the request, or its nonce"
_RIGHTS = "the RAM policy of the key's user does not allow the call"
_ACCOUNT = "the account is overdue, or the service is not enabled"
_APP = "it refuses the application id"
_TASK = "it refuses the task id"
_DOMAIN = "it does not know this domain, or the domain is another account's"
_CALL = "it does not have this call at this endpoint in this version"
_SPEC = "it refuses what is asked for"
_QUOTA = "the account's quota is used up"
_TROUBLE = "it has trouble of its own"

CODES: Mapping[str, tuple[type[VendorError], str]] = {
    # Whose name ends in * stands for all that begin so.
    "InvalidTask.NotFound": (InvalidRequest, "it does not know this task"),
    "InvalidTask.IDError": (InvalidRequest, _TASK),
    "InvalidAppId": (InvalidRequest, _APP),
    "InvalidParam": (InvalidRequest, _SPEC),
    "MissingParam": (InvalidRequest, _SPEC),
    "InvalidParameter*": (InvalidRequest, _SPEC),
    "MissingParameter*": (InvalidRequest, _SPEC),
    "InvalidDomain*": (InvalidRequest, _DOMAIN),
    "DomainNotFound": (InvalidRequest, _DOMAIN),
    "DomainNotExist": (InvalidRequest, _DOMAIN),
    "Service.NoExist": (InvalidRequest, _APP),
    "Service.NoApp": (InvalidRequest, _APP),
    "UnsupportedOperation": (InvalidRequest, _CALL),
    "NoSuchVersion": (InvalidRequest, _CALL),
    "InvalidVersion": (InvalidRequest, _CALL),
    "InvalidAction*": (InvalidRequest, _CALL),
    "InvalidAccessKeyId*": (CredentialsRejected, _BAD_KEY),
    "SignatureDoesNotMatch": (CredentialsRejected, _BAD_SIGNATURE),
    "IncompleteSignature": (CredentialsRejected, _BAD_SIGNATURE),
    "Request.IllegalSignature": (CredentialsRejected, _BAD_SIGNATURE),
    "Request.IllegallAuth": (CredentialsRejected, _BAD_SIGNATURE),  # the vendor's spelling
    "InvalidSecurityToken*": (CredentialsRejected, _BAD_STS),
    "MissingSecurityToken": (CredentialsRejected, _BAD_STS),
    "InvalidTimeStamp*": (ClockSkew, _CLOCK),
    "IllegalTimestamp": (ClockSkew, _CLOCK),
    "Request.IllegalTimestamp": (ClockSkew, _CLOCK),
    "SignatureNonceUsed": (ClockSkew, _CLOCK),
    "Forbidden*": (PermissionDenied, _RIGHTS),
    "NoPermission*": (PermissionDenied, _RIGHTS),
    "OperationDenied*": (AccountSuspended, _ACCOUNT),
    "App.ChargeOverDue": (AccountSuspended, _ACCOUNT),
    "App.Stop": (AccountSuspended, _ACCOUNT),
    "Service.Inactive": (AccountSuspended, _ACCOUNT),
    "Throttling*": (Throttled, _QUOTA),
    "ServiceUnavailable*": (VendorUnavailable, _TROUBLE),
    "InternalError*": (VendorUnavailable, _TROUBLE),
    "InternalFailure": (VendorUnavailable, _TROUBLE),
    "UnknownError": (VendorUnavailable, _TROUBLE),
}


def refusal(status: int, headers: Mapping[str, str], code: str, request_id: str, now: datetime) -> VendorError:
    """The error that an answer is. The code decides; where the table does not have it, headers and HTTP's status.

    code: as `clean_code` leaves it, empty where the answer has none. status: 200 too, some errors come with it.
    """
    kind, words = _documented(code) or _by_status(code, status)
    wait_s = _vendor_wait_s(headers)
    asks_for_less = status == 429 or (status >= 400 and wait_s is not None)
    if asks_for_less and not (_documented(code) and issubclass(kind, NeedsPerson)):
        kind, words = Throttled, _QUOTA
    if kind is ClockSkew:
        words = skew_words(headers, now) or words
    return kind(
        words if code else f"HTTP {status} without an error code",
        code=code,
        request_id=request_id,
        retry_after_s=wait_s if wait_s is not None else retry_after_s(headers, now),
    )


def _documented(code: str) -> tuple[type[VendorError], str] | None:
    if code in CODES:
        return CODES[code]
    families = (meaning for name, meaning in CODES.items() if name.endswith("*") and code.startswith(name[:-1]))
    return next(families, None)


def _by_status(code: str, status: int) -> tuple[type[VendorError], str]:
    if status == 429:
        return Throttled, _QUOTA
    if status >= 500 or status == 408:
        return VendorUnavailable, _TROUBLE
    if code:
        return InvalidRequest, _SPEC
    # Without a code it is not this API that speaks, but something on the way: no verdict on the spec or the key.
    return InvalidResponse, ""


def _vendor_wait_s(headers: Mapping[str, str]) -> float | None:
    """`x-acs-retry-after`, which counts milliseconds. Source: the vendor's SDK sleeps it so."""
    said = headers.get("x-acs-retry-after", "").strip()
    wait_s = float(said) / 1000 if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", said) else 0.0
    return min(wait_s, MAX_RETRY_AFTER_S) if wait_s > 0 else None
