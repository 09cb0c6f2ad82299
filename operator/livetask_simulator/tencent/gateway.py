"""Tencent Cloud's gateway: finds the operation, checks who asks, counts, runs it, and words the answer.

Apart from the operations, because the order of these checks and the shape of the answers are the same for all of them.
"""

import json
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from urllib.parse import urlsplit

from livetask_simulator.accounts import Accounts, Key
from livetask_simulator.clock import Clock
from livetask_simulator.exchange import OK, Identity, Received, Reply
from livetask_simulator.limits import Limits
from livetask_simulator.tencent import signature
from livetask_simulator.tencent.errors import ApiError
from livetask_simulator.tencent.operations import OPERATIONS, Operation, Request, Result, unavailable
from livetask_simulator.tencent.tasks import Tasks

VENDOR = "tencent"
VERSION = "2019-07-22"
VENDORS_DOMAIN = "tencentcloudapi.com"


class TencentCloud:
    """The simulated cloud: its accounts, its tasks, its answers."""

    name = VENDOR
    throttling_code = "RequestLimitExceeded"

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.accounts = Accounts()
        self.tasks = Tasks(clock)
        self.limits = Limits()

    def claims(self, received: Received) -> bool:
        """Whether a request is of API 3.0."""
        return received.header("authorization").startswith("TC3-") or "x-tc-action" in received.headers

    def identify(self, received: Received) -> Identity:
        """Who asks for what, unverified: the ledger and the faults go by it."""
        parameters = _parameters(received) or {}
        key_id = signature.claimed_key_id(received)
        key = self.accounts.key(key_id)
        app_id, task_id = parameters.get("SdkAppId", ""), parameters.get("TaskId", "")
        return Identity(
            vendor=VENDOR,
            account=key.account if key else None,
            key_id=key_id,
            operation=received.header("x-tc-action"),
            version=received.header("x-tc-version"),
            app_id=str(app_id),
            task_id=task_id if isinstance(task_id, str) else "",
        )

    def handle(self, received: Received, identity: Identity) -> Reply:
        """Check a request in the order of the vendor's gateway and carry it out."""
        try:
            operation = _find_operation(received, identity)
            key = self._authenticate(received)
            self._authorise(operation, key)
            request = Request(
                account=key.account,
                region=_region(received, operation),
                parameters=_checked_parameters(received, operation),
                tasks=self.tasks,
                clock=self.clock,
            )
            if (error := unavailable(request.settings.service)) is not None:
                raise error
            result = operation.run(request)
        except ApiError as error:
            return self._refusal(identity, error)
        return self._success(identity, result)

    def refuse(self, identity: Identity, *, code: str, status: int, message: str, retry_after_ms: int | None) -> Reply:
        """An error made to order, in the vendor's shape: inside an HTTP 200 unless another status is asked for."""
        error = ApiError(code, message or None)
        error.retry_after_ms = retry_after_ms
        return self._refusal(identity, error, status=status or 200)

    def reset(self, account: str | None) -> None:
        """Back to how the account was added: its keys stay."""
        self.tasks.forget(account)
        self.limits.forget(account)

    def _authenticate(self, received: Received) -> Key:
        claim = signature.read_claim(received)
        key = self.accounts.key(claim.key_id)
        if key is None or key.revoked or not key.active:
            raise ApiError("AuthFailure.SecretIdNotFound")
        signature.check_fresh(claim, self._now(key.account))
        signature.check_token(claim, key)
        signature.check_signature(claim, received, key)
        return key

    def _authorise(self, operation: Operation, key: Key) -> None:
        if key.allow is not None and operation.name not in key.allow:
            raise ApiError(key.denial)
        window = self.limits.window(key.account, operation.name, operation.quota)
        if not window.admit(self.clock.monotonic()):
            error = ApiError(self.throttling_code)
            error.retry_after_ms = window.quota.retry_after_ms
            raise error

    def _success(self, identity: Identity, result: Result) -> Reply:
        return self._reply(identity, result.fields, stopped_task=result.stopped_task)

    def _refusal(self, identity: Identity, error: ApiError, *, status: int = 200) -> Reply:
        return self._reply(
            identity,
            {"Error": {"Code": error.code, "Message": error.message}},
            status=status,
            outcome=error.code,
            retry_after_ms=error.retry_after_ms,
            stopped_task=False if identity.operation.startswith("Stop") else None,
        )

    def _reply(
        self,
        identity: Identity,
        fields: Mapping[str, object],
        *,
        status: int = 200,
        outcome: str = OK,
        retry_after_ms: int | None = None,
        stopped_task: bool | None = None,
    ) -> Reply:
        request_id = str(uuid.uuid4())
        headers = {
            "Content-Type": "application/json",  # to the letter: the vendor's SDK sees no error under another type
            "Date": format_datetime(self._now(identity.account), usegmt=True),
        }
        if retry_after_ms is not None:
            headers["Retry-After"] = f"{retry_after_ms / 1000:g}"
        text = json.dumps({"Response": {**fields, "RequestId": request_id}}, ensure_ascii=False)
        return Reply(
            status=status,
            body=text.encode("utf-8", "replace"),
            headers=headers,
            outcome=outcome,
            request_id=request_id,
            throttled=outcome.startswith("RequestLimitExceeded"),
            stopped_task=stopped_task,
        )

    def _now(self, account: str | None) -> datetime:
        skew_s = 0.0 if account is None else self.tasks.settings(account).clock_skew_s
        return self.clock.now() + timedelta(seconds=skew_s)


def _find_operation(received: Received, identity: Identity) -> Operation:
    if received.method != "POST" or received.path != "/" or received.header("content-type") != "application/json":
        raise ApiError("InvalidRequest", "Send a POST of application/json to /.")
    host = urlsplit(f"//{received.header('host')}").hostname or ""
    if host.endswith(VENDORS_DOMAIN) and not host.startswith("trtc."):
        raise ApiError("NoSuchProduct")
    if identity.version != VERSION:
        raise ApiError("NoSuchVersion")
    operation = OPERATIONS.get(identity.operation)
    if operation is None:
        raise ApiError("InvalidAction")
    return operation


def _region(received: Received, operation: Operation) -> str:
    region = received.header("x-tc-region")
    if not region:
        raise ApiError("MissingParameter", "The request is missing a required parameter `Region`.")
    if region not in operation.regions:
        raise ApiError("UnsupportedRegion", f"{operation.name} does not support the region `{region}`.")
    return region


def _checked_parameters(received: Received, operation: Operation) -> Mapping[str, object]:
    parameters = _parameters(received)
    if parameters is None:
        raise ApiError("InvalidParameter", "The body is not a JSON object.")
    if unknown := sorted(set(parameters) - operation.parameters):
        raise ApiError("UnknownParameter", f"The parameter `{unknown[0]}` is not known.")
    return parameters


def _parameters(received: Received) -> dict[str, object] | None:
    """The body's object; None where it is none."""
    try:
        value = json.loads(received.body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
