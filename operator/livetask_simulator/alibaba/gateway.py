"""Alibaba Cloud's gateway: finds the operation, checks who asks, counts, runs it, and words the answer.

Apart from the operations, because the order of these checks and the shape of the answers are the same for all of them.
"""

import json
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from livetask_simulator.accounts import Accounts, Key
from livetask_simulator.alibaba import signature
from livetask_simulator.alibaba.errors import ApiError
from livetask_simulator.alibaba.operations import OPERATIONS, Operation, unavailable
from livetask_simulator.alibaba.preloads import Preloads
from livetask_simulator.alibaba.requests import Request, Result
from livetask_simulator.alibaba.tasks import Edition, Tasks
from livetask_simulator.clock import Clock
from livetask_simulator.exchange import OK, Identity, Received, Reply
from livetask_simulator.limits import Limits

VENDOR = "alibaba"
VERSIONS = {"2016-11-01": Edition.LIVE, "2018-01-11": Edition.RTC}


class AlibabaCloud:
    """The simulated cloud: its accounts, its tasks, its answers."""

    name = VENDOR
    throttling_code = "Throttling.User"

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.accounts = Accounts()
        self.tasks = Tasks(clock)
        self.preloads = Preloads(clock)
        self.limits = Limits()

    def claims(self, received: Received) -> bool:
        """Every request is Alibaba Cloud's that no other vendor claims."""
        return True

    def identify(self, received: Received) -> Identity:
        """Who asks for what, unverified: the ledger and the faults go by it."""
        parameters = _parameters(received)
        key_id = signature.claimed_key_id(received, parameters)
        key = self.accounts.key(key_id)
        operation, version = _action(received, parameters)
        return Identity(
            vendor=VENDOR,
            account=key.account if key else None,
            key_id=key_id,
            operation=operation,
            version=version,
            app_id=parameters.get("AppId", ""),
            task_id=parameters.get("TaskId", ""),
        )

    def handle(self, received: Received, identity: Identity) -> Reply:
        """Check a request in the order of the vendor's gateway and carry it out."""
        parameters = _parameters(received)
        as_xml = _wants_xml(received, parameters)
        try:
            operation = _find_operation(received, identity)
            key = self._authenticate(received, parameters)
            self._authorise(operation, key)
            request = Request(
                account=key.account,
                parameters=parameters,
                tasks=self.tasks,
                preloads=self.preloads,
                clock=self.clock,
            )
            if (error := unavailable(operation.edition, request.settings.service)) is not None:
                raise error
            result = operation.run(request)
        except ApiError as error:
            return self._refusal(identity, received.header("host"), error, as_xml=as_xml)
        return self._success(identity, result, as_xml=as_xml)

    def refuse(self, identity: Identity, *, code: str, status: int, message: str, retry_after_ms: int | None) -> Reply:
        """An error made to order, in the vendor's shape."""
        error = ApiError(code, message or None, status=status or None)
        error.retry_after_ms = retry_after_ms
        return self._refusal(identity, "", error, as_xml=False)

    def reset(self, account: str | None) -> None:
        """Back to how the account was added: its keys stay."""
        self.tasks.forget(account)
        self.preloads.forget(account)
        self.limits.forget(account)
        for name in self.accounts.names() if account is None else [account]:
            for key in self.accounts.keys_of(name):
                key.nonces.clear()

    def _authenticate(self, received: Received, parameters: Mapping[str, str]) -> Key:
        claim = signature.read_claim(received, parameters)
        key = self.accounts.key(claim.key_id)
        if key is None or key.revoked:
            raise ApiError("InvalidAccessKeyId.NotFound")
        if not key.active:
            raise ApiError("InvalidAccessKeyId.Inactive")
        signature.check_fresh(claim, self._now(key.account))
        signature.check_token(claim, key)
        signature.check_signature(claim, received, key)
        signature.check_nonce(claim, key, self.clock.monotonic())
        return key

    def _authorise(self, operation: Operation, key: Key) -> None:
        if key.allow is not None and operation.name not in key.allow:
            raise ApiError(key.denial)
        window = self.limits.window(key.account, quota_name(operation.edition, operation.name), operation.quota)
        if not window.admit(self.clock.monotonic()):
            raise ApiError.throttled(window.quota)

    def _success(self, identity: Identity, result: Result, *, as_xml: bool) -> Reply:
        request_id = _request_id()
        return self._reply(
            identity,
            200,
            {"RequestId": request_id, **result.fields},
            element=f"{identity.operation}Response" if as_xml else None,
            stopped_task=result.stopped_task,
        )

    def _refusal(self, identity: Identity, host: str, error: ApiError, *, as_xml: bool) -> Reply:
        fields = {
            "RequestId": _request_id(),
            "HostId": host or "live.aliyuncs.com",
            "Code": error.code,
            "Message": error.message,
        }
        return self._reply(
            identity,
            error.status,
            fields,
            element="Error" if as_xml else None,
            outcome=error.code,
            retry_after_ms=error.retry_after_ms,
            stopped_task=False if identity.operation.startswith("Stop") else None,
        )

    def _reply(
        self,
        identity: Identity,
        status: int,
        fields: Mapping[str, object],
        *,
        element: str | None,
        outcome: str = OK,
        retry_after_ms: int | None = None,
        stopped_task: bool | None = None,
    ) -> Reply:
        request_id = str(fields["RequestId"])
        headers = {
            "Content-Type": "application/json;charset=utf-8" if element is None else "text/xml;charset=utf-8",
            "Date": format_datetime(self._now(identity.account), usegmt=True),
            "x-acs-request-id": request_id,
        }
        if retry_after_ms is not None:
            headers["x-acs-retry-after"] = str(retry_after_ms)
        text = json.dumps(fields, ensure_ascii=False) if element is None else _xml(element, fields)
        return Reply(
            status=status,
            body=text.encode("utf-8", "replace"),
            headers=headers,
            outcome=outcome,
            request_id=request_id,
            throttled=outcome.startswith("Throttling"),
            stopped_task=stopped_task,
        )

    def _now(self, account: str | None) -> datetime:
        skew_s = 0.0 if account is None else self.tasks.settings(account).clock_skew_s
        return self.clock.now() + timedelta(seconds=skew_s)


def quota_name(edition: Edition, operation: str) -> str:
    """How a quota is kept: each edition counts by itself."""
    return f"{edition}/{operation}"


def _find_operation(received: Received, identity: Identity) -> Operation:
    if received.method not in ("GET", "POST"):
        raise ApiError("UnsupportedHTTPMethod")
    edition = VERSIONS.get(identity.version)
    of_host = _edition_of_host(received.header("host"))
    if edition is None or (of_host is not None and of_host is not edition):
        raise ApiError("NoSuchVersion")
    operation = OPERATIONS.get((edition, identity.operation))
    if operation is None or received.path != "/":
        raise ApiError("InvalidAction.NotFound")
    return operation


def _edition_of_host(host: str) -> Edition | None:
    """The edition that a vendor's host name stands for; None for the simulator's own address."""
    name = urlsplit(f"//{host}").hostname or ""
    return {"live.aliyuncs.com": Edition.LIVE, "rtc.aliyuncs.com": Edition.RTC}.get(name)


def _action(received: Received, parameters: Mapping[str, str]) -> tuple[str, str]:
    """The operation and the version: headers under ACS3, parameters under RPC v1."""
    if received.header("authorization"):
        return received.header("x-acs-action"), received.header("x-acs-version")
    return parameters.get("Action", ""), parameters.get("Version", "")


def _parameters(received: Received) -> dict[str, str]:
    return dict(received.query_pairs() + received.form_pairs())


def _wants_xml(received: Received, parameters: Mapping[str, str]) -> bool:
    """RPC v1 answers XML unless Format=JSON is asked for; ACS3 goes by Accept."""
    if "Format" in parameters or not received.header("authorization"):
        return parameters.get("Format", "XML").upper() != "JSON"
    accept = received.header("accept")
    return "xml" in accept and "json" not in accept


def _request_id() -> str:
    return str(uuid.uuid4()).upper()


def _xml(element: str, value: object) -> str:
    if isinstance(value, Mapping):
        inner = "".join(_xml(str(name), each) for name, each in value.items())
    elif isinstance(value, list):
        return "".join(_xml(element, each) for each in value)
    elif isinstance(value, bool):
        inner = str(value).lower()
    else:
        inner = "" if value is None else escape(str(value))
    return f"<{element}>{inner}</{element}>"
