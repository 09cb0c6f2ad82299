"""What Tencent Cloud's refusals mean: a table from its error codes to the error tree.

Apart from the client because it is what the vendor's pages say and not how it is asked. Pure.
Source: vendor-apis.md, sections 3.2, 3.4 and 6.2. The vendor's Message is never kept: it may echo what was signed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from livetask_operator.vendors.answers import retry_after_s, skew_words
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

TASK_NOT_EXIST = "FailedOperation.TaskNotExist"
TASK_FINISHED = "FailedOperation.TaskFinished"
INVALID_TASK_ID = "InvalidParameter.TaskId"
RESOURCE_NOT_FOUND = "ResourceNotFound"
"""And all that begin so."""

# What a refusal is, as a clause: what to do is said where the object and its Secret are known.
_BAD_KEY = "it does not know this secretId, or has switched it off"
_BAD_SIGNATURE = "the signature is wrong: secretKey does not belong to secretId"
_BAD_STS = "the token is wrong or has expired, or is not secretId's"
_CLOCK = "it refuses the time of the request"
_RIGHTS = "the CAM policy of the key's user does not allow the call"
_ADDRESS = "it takes no calls from this address"
_NOT_ENABLED = "the account may not use the service: it is not enabled for it, or not in its package"
_APP = "it refuses the sdkAppId"
_NOT_OURS = "the sdkAppId is not this account's"
_TASK = "it refuses the task id"
_REGION = "it does not have this call in this region"
_CALL = "it does not have this call at this endpoint in this version"
_SPEC = "it refuses what is asked for"
_QUOTA = "the account's quota is used up"
_TROUBLE = "it has trouble of its own"

CODES: Mapping[str, tuple[type[VendorError], str]] = {
    # Whose name ends in * stands for all that begin so; the first that fits holds.
    "FailedOperation.TaskNotExist": (InvalidRequest, "it does not know this task"),
    "FailedOperation.TaskFinished": (InvalidRequest, "the task has ended"),
    "ResourceNotFound*": (InvalidRequest, "it does not know what is asked for"),
    "FailedOperation.SdkAppIdNotExist": (InvalidRequest, _APP),
    "FailedOperation.SdkAppIdNotUnderAppId": (InvalidRequest, _NOT_OURS),
    "InvalidParameter.SdkAppId": (InvalidRequest, _APP),
    "InvalidParameter.InvalidSdkAppId": (InvalidRequest, _APP),
    "InvalidParameter.TaskId": (InvalidRequest, _TASK),
    "InvalidParameter*": (InvalidRequest, _SPEC),  # InvalidParameterValue too
    "MissingParameter*": (InvalidRequest, _SPEC),
    "UnknownParameter*": (InvalidRequest, _SPEC),
    "InvalidRequest*": (InvalidRequest, _SPEC),
    "UnsupportedRegion*": (InvalidRequest, _REGION),
    "InvalidAction*": (InvalidRequest, _CALL),
    "NoSuchVersion*": (InvalidRequest, _CALL),
    "NoSuchProduct*": (InvalidRequest, _CALL),
    "ActionOffline*": (InvalidRequest, _CALL),
    "UnsupportedProtocol*": (InvalidRequest, _CALL),
    "UnsupportedOperation.TaskLimit": (Throttled, _QUOTA),
    "UnsupportedOperation.NotAllowed": (AccountSuspended, _NOT_ENABLED),
    "UnsupportedOperation*": (InvalidRequest, _CALL),
    "AuthFailure.SignatureExpire": (ClockSkew, _CLOCK),
    "AuthFailure.SecretIdNotFound": (CredentialsRejected, _BAD_KEY),
    "AuthFailure.InvalidSecretId": (CredentialsRejected, _BAD_KEY),
    "AuthFailure.SignatureFailure": (CredentialsRejected, _BAD_SIGNATURE),
    "AuthFailure.InvalidAuthorization": (CredentialsRejected, _BAD_SIGNATURE),
    "AuthFailure.TokenFailure": (CredentialsRejected, _BAD_STS),
    "AuthFailure.UnauthorizedOperation": (PermissionDenied, _RIGHTS),
    "AuthFailure.UnsupportedOperation": (PermissionDenied, _RIGHTS),
    "AuthFailure.MFAFailure": (PermissionDenied, "it asks for a second factor, which a key cannot give"),
    "AuthFailure.UnRealNameAuthenticated": (AccountSuspended, "the account's real name is not verified"),
    "AuthFailure*": (CredentialsRejected, "it does not accept the key"),
    "UnauthorizedOperation*": (PermissionDenied, _RIGHTS),
    "IpNotInWhitelist": (PermissionDenied, _ADDRESS),
    "IpInBlacklist": (PermissionDenied, _ADDRESS),
    "FailedOperation.NotAbility": (AccountSuspended, _NOT_ENABLED),
    "FailedOperation.NotAllowed": (AccountSuspended, _NOT_ENABLED),
    "FailedOperation.NotRtmpFunction": (AccountSuspended, _NOT_ENABLED),
    "RequestLimitExceeded*": (Throttled, _QUOTA),
    "FailedOperation.RestrictedFrequency": (Throttled, _QUOTA),
    "FailedOperation.RestrictedConcurrency": (Throttled, _QUOTA),
    "OperationDenied.FreqOverLimit": (Throttled, _QUOTA),
    "LimitExceeded*": (Throttled, _QUOTA),
    "ResourceInsufficient*": (Throttled, _QUOTA),
    "InternalError*": (VendorUnavailable, _TROUBLE),
    "ServiceUnavailable*": (VendorUnavailable, _TROUBLE),
    "ResourceUnavailable*": (VendorUnavailable, _TROUBLE),
    # QueryTaskInfoFailed, DbOperationFailed: a call that came to nothing says nothing against the spec or the key.
    "FailedOperation*": (VendorUnavailable, _TROUBLE),
}


def refusal(status: int, headers: Mapping[str, str], code: str, request_id: str, now: datetime) -> VendorError:
    """The error that an answer is. The code decides, and where the table does not have it HTTP's status.

    code: as `clean_code` leaves it, empty where the answer has none. status: 200 as a rule, also for errors.
    """
    kind, words = _documented(code) or _by_status(code, status)
    if status == 429 and kind is VendorUnavailable:
        kind, words = Throttled, _QUOTA
    if kind is ClockSkew:
        words = skew_words(headers, now) or words
    return kind(
        words if code else f"HTTP {status} without an error code",
        code=code,
        request_id=request_id,
        retry_after_s=retry_after_s(headers, now),
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
