"""What Alibaba Cloud's refusals mean: a table from its error codes to the error tree, and the headers beside them.

Apart from the client because it is what the vendor's pages say and not how it is asked. Pure.
Source: vendor-apis.md, sections 1.6, 1.7 and 6.1. The vendor's Message is never kept: it may echo what was signed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

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

MAX_RETRY_AFTER_S = 120.0
"""Where the vendor's SDK cuts it too."""

_RETRY = "It is asked again."
_BAD_KEY = "It does not know this access key, or has switched it off. Put a valid key into the Secret."
_BAD_SIGNATURE = "The signature is wrong. Correct accessKeySecret in the Secret."
_BAD_STS = "The security token is wrong or has expired. Put a new one into the Secret, with the key it came with."
_CLOCK = "It refuses the time of the request. Set this machine's clock."
_RIGHTS = "The key may not do this. Allow the call in the RAM policy of its user."
_ACCOUNT = "The account is overdue, or the service is not enabled. Settle that in the vendor's console."
_APP = "It refuses the application id. Check spec.alibabaCloud.appId."
_TASK = "It refuses the task id. Check spec.alibabaCloud.taskId."
_CALL = "It does not have this call there. Check statusCall and endpoints in the configuration."
_SPEC = "It refuses what is asked for. Check appId and taskId in spec.alibabaCloud."

CODES: Mapping[str, tuple[type[VendorError], str]] = {
    # Whose name ends in * stands for all that begin so.
    "InvalidTask.NotFound": (InvalidRequest, "It does not know this task. Check spec.alibabaCloud.taskId."),
    "InvalidTask.IDError": (InvalidRequest, _TASK),
    "InvalidAppId": (InvalidRequest, _APP),
    "InvalidParam": (InvalidRequest, _SPEC),
    "MissingParam": (InvalidRequest, _SPEC),
    "InvalidParameter*": (InvalidRequest, _SPEC),
    "MissingParameter*": (InvalidRequest, _SPEC),
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
    "Throttling*": (Throttled, "The account's quota is used up. It is asked again, more slowly."),
    "ServiceUnavailable*": (VendorUnavailable, _RETRY),
    "InternalError*": (VendorUnavailable, _RETRY),
    "InternalFailure": (VendorUnavailable, _RETRY),
    "UnknownError": (VendorUnavailable, _RETRY),
}


def refusal(
    action: str, status: int, headers: Mapping[str, str], code: str, request_id: str, now: datetime
) -> VendorError:
    """The error that an answer is. The code decides; where the table does not have it, headers and HTTP's status.

    code: as `clean` leaves it, empty where the answer has none. status: 200 too, some errors come with it.
    """
    kind, advice = _meaning(code, status)
    wait_s = _vendor_wait_s(headers)
    if wait_s is not None and status >= 400 and not issubclass(kind, NeedsPerson):
        kind, advice = Throttled, CODES["Throttling*"][1]
    if kind is ClockSkew:
        advice = _clock_advice(headers, now)
    return kind(
        f"Alibaba Cloud answered {action} with {code or f'HTTP {status} and no error code'}. {advice}",
        code=code,
        request_id=request_id,
        retry_after_s=wait_s if wait_s is not None else _standard_wait_s(headers, now),
    )


def clean(code: object) -> str:
    """A code as far as it looks like one, 64 characters at most. Empty where it does not begin like one."""
    found = re.match(r"[A-Za-z0-9._-]{1,64}", code) if isinstance(code, str) else None
    return found[0] if found else ""


def _meaning(code: str, status: int) -> tuple[type[VendorError], str]:
    if code in CODES:
        return CODES[code]
    for name, meaning in CODES.items():
        if name.endswith("*") and code.startswith(name[:-1]):
            return meaning
    if status == 429:
        return CODES["Throttling*"]
    if status >= 500 or status == 408:
        return VendorUnavailable, _RETRY
    if code:
        return InvalidRequest, _SPEC
    # Without a code it is not this API that speaks, but something on the way: no verdict on the spec or the key.
    return InvalidResponse, "Something between may have answered in its place. It is asked again."


def _vendor_wait_s(headers: Mapping[str, str]) -> float | None:
    """`x-acs-retry-after`, which counts milliseconds. Source: the vendor's SDK sleeps it so."""
    wait_s = _number(headers.get("x-acs-retry-after", "")) / 1000
    return min(wait_s, MAX_RETRY_AFTER_S) if wait_s > 0 else None


def _standard_wait_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """HTTP's own `Retry-After`: seconds, or a date."""
    said = headers.get("retry-after", "")
    until = _http_date(said)
    wait_s = (until - now).total_seconds() if until else _number(said)
    return min(wait_s, MAX_RETRY_AFTER_S) if wait_s > 0 else None


def _number(text: str) -> float:
    return float(text) if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", text.strip()) else 0.0


def _http_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _clock_advice(headers: Mapping[str, str], now: datetime) -> str:
    theirs = _http_date(headers.get("date", ""))
    about = coarse(now - theirs) if theirs else ""
    if not about:
        return _CLOCK
    return f"This machine's clock is {about} the vendor's. Set it."


def coarse(skew: timedelta) -> str:
    """How far this clock is off, in words that stay the same from poll to poll. Empty below two minutes.

    No bound lies where skews do: at 15 minutes (the vendor's window) or at whole and half hours (a wrong zone).
    """
    minutes = abs(skew).total_seconds() / 60
    if minutes < 2:
        return ""
    if minutes < 12:
        size = "some minutes"
    elif minutes < 24:
        size = "about 20 minutes"
    elif minutes < 50:
        size = "about half an hour"
    elif minutes < 100:
        size = "about an hour"
    elif minutes < 36 * 60:
        size = f"about {int(minutes / 60 + 0.4)} hours"
    else:
        size = "more than a day"
    return f"{size} {'ahead of' if skew > timedelta() else 'behind'}"
