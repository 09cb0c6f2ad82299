"""Alibaba Cloud's error answers: code, HTTP status and words.

Apart, because this table is what clients are tested against. Codes, statuses and, where a page gives
them, words are the vendor's; README.md lists those that no page gives.
"""

from livetask_simulator.limits import Quota

ERRORS: dict[str, tuple[int, str]] = {
    # The gateway: who asks, and is the request sound. (document_detail/51132, 434846)
    "IncompleteSignature": (400, "The request signature does not conform to Aliyun standards."),
    "SignatureDoesNotMatch": (403, "Specified signature is not matched with our calculation."),
    "SignatureNonceUsed": (400, "Specified signature nonce was used already."),
    "InvalidTimeStamp.Format": (400, "Specified time stamp or date value is not well formatted."),
    "InvalidTimeStamp.Expired": (400, "Specified time stamp or date value is expired."),
    "InvalidAccessKeyId.NotFound": (404, "Specified access key is not found."),
    "InvalidAccessKeyId.Inactive": (400, "Specified access key is disabled."),
    "InvalidSecurityToken.Expired": (400, "Specified SecurityToken is expired."),
    "InvalidSecurityToken.Malformed": (400, "Specified SecurityToken is malformed."),
    "Forbidden": (403, "You have no permission."),
    "Forbidden.RAM": (
        403,
        "User not authorized to operate on the specified resource, or this API doesn't support RAM.",
    ),
    "NoPermission": (403, "You are not authorized to do this action."),
    "NoSuchVersion": (400, "Specified version does not exist."),
    "InvalidAction.NotFound": (404, "Specified api is not found, please check your url and method."),
    "UnsupportedHTTPMethod": (405, "This http method is not supported."),
    "Throttling": (400, "Request was denied due to request throttling."),
    "Throttling.User": (400, "Request was denied due to user flow control."),
    "Throttling.Api": (400, "Request was denied due to api flow control."),
    "ServiceUnavailable": (503, "The request has failed due to a temporary failure of the server."),
    "InternalError": (500, "The request processing has failed due to some unknown error, exception or failure."),
    # ApsaraVideo Live. (StopLiveMPUTask, DeleteRtcMPUEventSub)
    "MissingParam": (400, "The parameter is missing."),
    "InvalidParam": (400, "Parameter verification failed."),
    "InvalidAppId": (400, "The AppId is invalid. Please check and try again later."),
    "OperationDenied": (403, "Your account does not open the Live service yet, or has overdue payments."),
    "InvalidDomain.NotFound": (404, "The domain provided does not belong to you."),  # as at the CDN
    # ApsaraVideo RTC. (GetMPUTaskStatus, StartMPUTask, the service's table of errors)
    "MissingParameter": (400, "A parameter that is mandatory for processing this request is not supplied."),
    "InvalidParameter": (400, "A specified parameter is not valid."),
    "InvalidTask.IDError": (400, "taskid is invalid"),
    "InvalidTask.NotFound": (404, "no such task"),
    "InvalidLayoutID.Malformed": (400, "The specified parameter LayoutIds is malformed."),
    "InvalidMediaEncode.Malformed": (400, "The specified parameter MediaEncode is malformed."),
    "InvalidBackgroundColor.Malformed": (400, "The specified parameter BackgroundColor is malformed."),
    "TaskExisted": (200, "Task is already existed."),  # an error inside HTTP 200, as the next three
    "App.ChargeOverDue": (200, "The app is out of service because of overdue payments."),
    "App.Stop": (200, "The app is stopped."),
    "Service.Inactive": (200, "The service is inactive."),
}


class ApiError(Exception):
    """An operation ends with one of the vendor's error codes."""

    def __init__(self, code: str, message: str | None = None, *, status: int | None = None) -> None:
        known_status, known_message = ERRORS.get(code, (400, code))
        super().__init__(code)
        self.code = code
        self.message = known_message if message is None else message
        self.status = known_status if status is None else status
        self.retry_after_ms: int | None = None

    @classmethod
    def throttled(cls, quota: Quota) -> "ApiError":
        """Too many calls; says when to come back where the quota is set to."""
        error = cls("Throttling.User")
        error.retry_after_ms = quota.retry_after_ms
        return error
