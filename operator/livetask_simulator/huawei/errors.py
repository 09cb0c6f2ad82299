"""Huawei Cloud's error answers: code, HTTP status and words.

Apart, because this table is what clients are tested against. Codes, statuses and, where a page or an answer that
somebody showed gives them, words are the vendor's; README.md lists those that nothing gives.
"""

ERRORS: dict[str, tuple[int, str]] = {
    # The gateway. (API Gateway's list of error codes)
    "APIG.0101": (404, "The API does not exist or has not been published in the environment"),
    "APIG.0201": (400, "Backend request error"),
    "APIGW.0301": (401, "Incorrect IAM authentication information"),
    "APIGW.0302": (403, "The IAM user is not authorized to access the API"),
    "APIGW.0306": (403, "API access denied"),
    "APIGW.0307": (401, "The token must be updated"),
    "APIGW.0308": (429, "The throttling threshold has been reached: policy user over ratelimit"),
    # Live: one code for 400 and 404. (ListPullTasks)
    "LIVE.100011001": (400, "Request Illegal"),
    # What an error made to order is, where nothing else is asked for.
    "InternalError": (500, "Internal error"),
}

ILLEGAL = "LIVE.100011001"
UNAUTHENTICATED = "APIGW.0301"


class ApiError(Exception):
    """A request ends with one of the vendor's error codes."""

    def __init__(self, code: str, message: str | None = None, *, status: int | None = None) -> None:
        known_status, known_message = ERRORS.get(code, (400, code))
        super().__init__(code)
        self.code = code
        self.message = known_message if message is None else message
        self.status = known_status if status is None else status
        self.retry_after_ms: int | None = None


def unauthenticated(why: str) -> ApiError:
    """The gateway's answer to whatever is wrong with a key, a signature or a token."""
    return ApiError(UNAUTHENTICATED, f"Incorrect IAM authentication information: {why}")


def not_found() -> ApiError:
    """The task is not there: the code of a bad request under another status."""
    return ApiError(ILLEGAL, status=404)
