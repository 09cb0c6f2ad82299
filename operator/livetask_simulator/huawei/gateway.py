"""Huawei Cloud's gateway: finds the operation, checks who asks, counts, runs it, and words the answer.

Apart from the operations, because the order of these checks and the shape of the answers are the same for all of them.
"""

import json
import re
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime

from livetask_simulator.accounts import Accounts, Key
from livetask_simulator.clock import Clock
from livetask_simulator.exchange import OK, Identity, Received, Reply
from livetask_simulator.huawei import signature
from livetask_simulator.huawei.errors import ILLEGAL, ApiError, unauthenticated
from livetask_simulator.huawei.operations import OPERATIONS, Operation, Request
from livetask_simulator.huawei.tasks import Service, Tasks
from livetask_simulator.limits import Limits

VENDOR = "huawei"
VERSION = "v1"
PATH = re.compile(r"/v1/([A-Za-z0-9-]{1,64})/pull/stream/task")


class HuaweiCloud:
    """The simulated cloud: its accounts, its tasks, its answers. All regions on one address."""

    name = VENDOR
    throttling_code = "APIGW.0308"

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.accounts = Accounts()
        self.auth_tokens: dict[str, str] = {}
        """Whose key each X-Auth-Token stands for."""
        self.tasks = Tasks(clock)
        self.limits = Limits()

    def claims(self, received: Received) -> bool:
        """Whether a request is of a REST API with this vendor's authentication."""
        by_header = "x-sdk-date" in received.headers or "x-auth-token" in received.headers
        return by_header or received.path.startswith(f"/{VERSION}/")

    def identify(self, received: Received) -> Identity:
        """Who asks for what, unverified: the ledger and the faults go by it."""
        token = received.header("x-auth-token")
        key_id = self.auth_tokens.get(token, "") if token else signature.claimed_key_id(received)
        key = self.accounts.key(key_id)
        found, operation = PATH.fullmatch(received.path), OPERATIONS.get(received.method)
        return Identity(
            vendor=VENDOR,
            account=key.account if key else None,
            key_id=key_id,
            operation=operation.name if operation and found else "",
            version=VERSION,
            app_id=found[1] if found else "",
            task_id=dict(received.query_pairs()).get("task_id", ""),
        )

    def handle(self, received: Received, identity: Identity) -> Reply:
        """Check a request in the order of the vendor's gateway and carry it out."""
        try:
            operation = _find_operation(received, identity)
            key = self._authenticate(received)
            self._authorise(operation, key, identity.app_id)
            result = operation.run(self._request(received, key, identity.app_id))
        except ApiError as error:
            return self._refusal(identity, error)
        return self._reply(identity, result.fields, stopped_task=result.stopped_task)

    def refuse(self, identity: Identity, *, code: str, status: int, message: str, retry_after_ms: int | None) -> Reply:
        """An error made to order, in the vendor's shape."""
        error = ApiError(code, message or None, status=status or None)
        error.retry_after_ms = retry_after_ms
        return self._refusal(identity, error)

    def reset(self, account: str | None) -> None:
        """Back to how the account was added: its keys stay."""
        self.tasks.forget(account)
        self.limits.forget(account)

    def _authenticate(self, received: Received) -> Key:
        if received.header("x-auth-token"):
            return self._of_token(received.header("x-auth-token"))
        claim = signature.read_claim(received)
        key = self.accounts.key(claim.key_id)
        if key is None or key.revoked or not key.active or not key.secret:
            raise unauthenticated(f"ak {claim.key_id} not exist")
        signature.check_fresh(claim, self._now(key.account))
        signature.check_token(claim, key)
        signature.check_signature(claim, received, key)
        return key

    def _of_token(self, token: str) -> Key:
        key = self.accounts.key(self.auth_tokens.get(token, ""))
        if key is None or key.revoked or not key.active:
            raise unauthenticated("decrypt token fail")
        if key.token_expired:
            raise unauthenticated("token expires, expires_at: 2026-11-20T00:00:00.000000Z")
        return key

    def _authorise(self, operation: Operation, key: Key, project: str) -> None:
        settings = self.tasks.settings(key.account)
        if settings.service is Service.OVERDUE:
            raise unauthenticated("the account is in arrears")
        if settings.projects is not None and project not in settings.projects:
            raise ApiError("APIGW.0302")
        if key.allow is not None and operation.name not in key.allow:
            raise ApiError(key.denial)
        window = self.limits.window(key.account, operation.name, operation.quota)
        if not window.admit(self.clock.monotonic()):
            quota = window.quota
            error = ApiError(
                self.throttling_code,
                "The throttling threshold has been reached: policy user over ratelimit,"
                f"limit:{quota.limit},time:{quota.window_s:g} second",
            )
            error.retry_after_ms = quota.retry_after_ms
            raise error

    def _request(self, received: Received, key: Key, project: str) -> Request:
        pairs = received.query_pairs()
        parameters = dict(pairs)
        if len(parameters) != len(pairs):
            raise ApiError(ILLEGAL)  # which of the two was meant?
        regions = self.tasks.settings(key.account).regions
        if regions is not None and parameters.get("region", "") not in regions:
            raise ApiError("APIG.0101")
        return Request(
            account=key.account,
            project=project,
            parameters=parameters,
            body=received.body,
            tasks=self.tasks,
            clock=self.clock,
        )

    def _refusal(self, identity: Identity, error: ApiError) -> Reply:
        return self._reply(
            identity,
            {"error_code": error.code, "error_msg": error.message},
            status=error.status,
            outcome=error.code,
            retry_after_ms=error.retry_after_ms,
            stopped_task=False if identity.operation.startswith("Delete") else None,
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
            "Content-Type": "application/json",
            "Date": format_datetime(self._now(identity.account), usegmt=True),
            "X-Request-Id": request_id,
        }
        if retry_after_ms is not None:
            headers["Retry-After"] = f"{retry_after_ms / 1000:g}"
        text = json.dumps({**fields, "request_id": request_id}, ensure_ascii=False)
        return Reply(
            status=status,
            body=text.encode("utf-8", "replace"),
            headers=headers,
            outcome=outcome,
            request_id=request_id,
            throttled=outcome == self.throttling_code,
            stopped_task=stopped_task,
        )

    def _now(self, account: str | None) -> datetime:
        skew_s = 0.0 if account is None else self.tasks.settings(account).clock_skew_s
        return self.clock.now() + timedelta(seconds=skew_s)


def _find_operation(received: Received, identity: Identity) -> Operation:
    operation = OPERATIONS.get(received.method)
    if operation is None or not identity.operation:
        raise ApiError("APIG.0101")
    return operation
