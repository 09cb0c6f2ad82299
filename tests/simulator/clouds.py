"""A simulated Alibaba Cloud without a server, its clock in the test's hand, asked with the vendor's own signers.

Apart from the tests that use it: with it they can sign what no SDK would send.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from alibabacloud_tea_openapi.utils import Utils
from darabonba.request import DaraRequest

from livetask_simulator.accounts import Key
from livetask_simulator.alibaba.orders import put_settings
from livetask_simulator.alibaba.tasks import Task, Turn
from livetask_simulator.exchange import Received, Reply
from livetask_simulator.fields import Fields
from livetask_simulator.world import World

ACCOUNT, KEY_ID, SECRET = "sports", "LTAI-1", "s3cret"
APP, TASK = "app-1", "cup-final"
RTC, LIVE = "2018-01-11", "2016-11-01"
START = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
_NONCES = itertools.count(1)


class FakeClock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.elapsed_s = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.elapsed_s)

    def monotonic(self) -> float:
        return 1000.0 + self.elapsed_s

    def passes(self, seconds: float) -> None:
        self.elapsed_s += seconds


@dataclass(frozen=True)
class Answer:
    """A reply, its JSON read."""

    reply: Reply
    body: dict[str, Any]

    @property
    def code(self) -> str:
        """The error code, or OK."""
        return str(self.body.get("Code", "OK"))

    @property
    def status(self) -> object:
        """The task's status; an absent one reads as "absent"."""
        return self.body.get("Status", "absent")


class Cloud:
    """The simulated cloud with one account and one key."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.world = World(self.clock)
        self.alibaba = self.world.alibaba
        self.settings()
        self.key()

    def settings(self, **settings: object) -> None:
        """Change the account's settings."""
        put_settings(self.alibaba, ACCOUNT, Fields(settings, "settings"))

    def key(self, **changes: Any) -> None:
        """Give the account its key, or replace it."""
        self.alibaba.accounts.put_key(Key(**({"key_id": KEY_ID, "account": ACCOUNT, "secret": SECRET} | changes)))

    def has_task(self, task_id: str = TASK, life: tuple[tuple[float, int], ...] = ((0.0, 1),), **changes: Any) -> Task:
        """Have a task, started now."""
        turns = [Turn(after_s, status) for after_s, status in life]
        return self.alibaba.tasks.start(ACCOUNT, APP, task_id, life=turns, **changes)

    def ask(self, action: str, version: str = LIVE, **parameters: str) -> Answer:
        """A properly signed request. AppId and TaskId are the usual ones unless given; "" leaves one out."""
        query = {"AppId": APP, "TaskId": TASK} | parameters
        return self.send(self.signed(action, version, {name: value for name, value in query.items() if value}))

    def status(self) -> Answer:
        """GetMPUTaskStatus of the RTC edition."""
        return self.ask("GetMPUTaskStatus", RTC)

    def stop(self) -> Answer:
        """StopLiveMPUTask."""
        return self.ask("StopLiveMPUTask")

    def send(self, received: Received) -> Answer:
        """Send a request as it is."""
        reply = self.alibaba.handle(received, self.alibaba.identify(received))
        return Answer(reply, json.loads(reply.body))

    def signed(
        self,
        action: str = "GetMPUTaskStatus",
        version: str = RTC,
        query: Mapping[str, str] | None = None,
        *,
        method: str = "POST",
        headers: Mapping[str, str | None] | None = None,
        body: bytes = b"",
        host: str = "127.0.0.1:8900",
    ) -> Received:
        """An ACS3 request under the vendor's own signature. A header changed to None is neither signed nor sent."""
        query = {"AppId": APP, "TaskId": TASK} if query is None else query
        sent: dict[str, str | None] = {
            "host": host,
            "x-acs-action": action,
            "x-acs-version": version,
            "x-acs-date": self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": f"nonce-{next(_NONCES)}",
            "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
            "accept": "application/json",
        }
        final = {name: value for name, value in (sent | dict(headers or {})).items() if value is not None}
        request = DaraRequest()
        request.method, request.pathname, request.query, request.headers = method, "/", dict(query), final
        payload = final.get("x-acs-content-sha256", "")
        final["authorization"] = Utils.get_authorization(request, "ACS3-HMAC-SHA256", payload, KEY_ID, SECRET)
        return Received(method=method, path="/", query=urlencode(query), headers=final, body=body)

    def signed_rpc(self, action: str = "GetMPUTaskStatus", version: str = RTC, **changes: str) -> Received:
        """An RPC v1 request under the vendor's own signature. A parameter changed to "" is neither signed nor sent."""
        parameters = {
            "Action": action,
            "Version": version,
            "Format": "JSON",
            "AccessKeyId": KEY_ID,
            "SignatureMethod": "HMAC-SHA1",
            "SignatureVersion": "1.0",
            "SignatureNonce": f"nonce-{next(_NONCES)}",
            "Timestamp": self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "AppId": APP,
            "TaskId": TASK,
        } | changes
        final = {name: value for name, value in parameters.items() if value}
        final["Signature"] = Utils.get_rpcsignature(final, "GET", SECRET)
        return Received(method="GET", path="/", query=urlencode(final), headers={"host": "127.0.0.1:8900"})
