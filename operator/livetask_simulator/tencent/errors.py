"""Tencent Cloud's error answers: codes and words. All of them come inside an HTTP 200.

Apart, because this table is what clients are tested against. Codes and, where a page gives them, words are the
vendor's; README.md lists what no page gives.
"""

ERRORS: dict[str, str] = {
    # The gateway: who asks, and is the request sound. (the list of common errors)
    "AuthFailure.InvalidAuthorization": "The Authorization header does not conform to the standard.",
    "AuthFailure.InvalidSecretId": "The key is not a cloud API key.",
    "AuthFailure.SecretIdNotFound": "The SecretId is not found.",
    "AuthFailure.SignatureExpire": "The signature expired: timestamp and server time differ by more than five minutes.",
    "AuthFailure.SignatureFailure": "The provided credentials could not be validated because of a bad signature.",
    "AuthFailure.TokenFailure": "The token is wrong.",
    "AuthFailure.UnauthorizedOperation": "The request is not authorized by CAM.",
    "AuthFailure.UnRealNameAuthenticated": "The account's real name is not authenticated.",
    "UnauthorizedOperation": "You are not authorized to perform the operation.",
    "UnauthorizedOperation.SdkAppId": "No permission to operate the SdkAppId.",
    "InternalError": "An internal error has occurred.",
    "InvalidAction": "The API does not exist.",
    "InvalidParameter": "The parameter is wrong.",
    "InvalidRequest": "The request is not valid.",
    "MissingParameter": "A parameter is missing.",
    "NoSuchProduct": "The product does not exist.",
    "NoSuchVersion": "The version does not exist.",
    "RequestLimitExceeded": "The number of requests exceeds the frequency limit.",
    "UnknownParameter": "The parameter is not known.",
    "UnsupportedRegion": "The API does not support the region.",
    # TRTC. (DescribeStreamIngest, StopStreamIngest, StartStreamIngest)
    "FailedOperation.NotAbility": "The ability must be unlocked first.",
    "FailedOperation.QueryTaskInfoFailed": "Query task failed.",
    "FailedOperation.SdkAppIdNotUnderAppId": "The SdkAppId does not belong to the account.",
    "FailedOperation.TaskExist": "The task already exists.",
    "FailedOperation.TaskFinished": "The task has finished.",
    "FailedOperation.TaskNotExist": "The task does not exist.",
    "InternalError.DBError": "An error occurred while querying the database.",
    "InvalidParameter.BodyParamsError": "The body's parameters are wrong.",
    "InvalidParameter.RoomId": "RoomId parameter error.",
    "InvalidParameter.SdkAppId": "SdkAppId parameter error.",
    "InvalidParameter.StrRoomId": "The string RoomId is wrong.",
    "InvalidParameter.StreamUrl": "StreamUrl parameter error.",
    "InvalidParameter.TaskId": "TaskId parameter error.",
    "InvalidParameter.UserSig": "UserSig is wrong or has expired.",
    "MissingParameter.RoomId": "RoomId is missing.",
    "MissingParameter.SdkAppId": "SdkAppId is missing.",
    "MissingParameter.TaskId": "TaskId parameter missing.",
    "ResourceNotFound": "The resource does not exist.",
}


class ApiError(Exception):
    """An operation ends with one of the vendor's error codes."""

    def __init__(self, code: str, message: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.message = ERRORS.get(code, code) if message is None else message
        self.retry_after_ms: int | None = None
