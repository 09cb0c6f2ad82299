"""A simulated Tencent Cloud without a server, its clock in the test's hand, asked with the vendor's own signer.

Apart from the tests that use it: with it they can sign what no SDK would send.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tencentcloud.common.credential import Credential
from tencentcloud.common.http.request import RequestInternal
from tencentcloud.trtc.v20190722.trtc_client import TrtcClient

from livetask_simulator.accounts import Key
from livetask_simulator.exchange import Received, Reply
from livetask_simulator.fields import Fields
from livetask_simulator.tencent.orders import put_settings
from livetask_simulator.tencent.tasks import Status, Task, Turn
from livetask_simulator.world import World
from tests.simulator.clouds import FakeClock

ACCOUNT, KEY_ID, SECRET = "sports", "AKID-1", "s3cret"
APP, TASK = 1400000001, "CR6Lqv-x+y."
RUNNING: tuple[tuple[float, str], ...] = ((0.0, "InProgress"),)


@dataclass(frozen=True)
class Answer:
    """A reply, its JSON read."""

    reply: Reply
    body: dict[str, Any]

    @property
    def code(self) -> str:
        """The error code, or OK."""
        return str(self.body.get("Error", {}).get("Code", "OK"))

    @property
    def status(self) -> object:
        """The task's status; an absent one reads as "absent"."""
        return self.body.get("Status", "absent")


class Cloud:
    """The simulated cloud with one account and one key."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.world = World(self.clock)
        self.tencent = self.world.tencent
        self.settings()
        self.key()

    def settings(self, **settings: object) -> None:
        """Change the account's settings."""
        put_settings(self.tencent, ACCOUNT, Fields(settings, "settings"))

    def key(self, **changes: Any) -> None:
        """Give the account its key, or replace it."""
        self.tencent.accounts.put_key(Key(**({"key_id": KEY_ID, "account": ACCOUNT, "secret": SECRET} | changes)))

    def has_task(self, task_id: str = TASK, life: tuple[tuple[float, str], ...] = RUNNING, **changes: Any) -> Task:
        """Have a task, started now."""
        turns = [Turn(after_s, Status(status)) for after_s, status in life]
        return self.tencent.tasks.start(ACCOUNT, str(APP), task_id, life=turns, **changes)

    def ask(self, action: str = "DescribeStreamIngest", region: str = "ap-singapore", **parameters: object) -> Answer:
        """A properly signed request. SdkAppId and TaskId are the usual ones unless given; None leaves one out."""
        body = {"SdkAppId": APP, "TaskId": TASK} | parameters
        sent = {name: value for name, value in body.items() if value is not None}
        return self.send(self.signed(action, json.dumps(sent).encode(), headers={"x-tc-region": region}))

    def stop(self) -> Answer:
        return self.ask("StopStreamIngest")

    def start(self, **changes: object) -> Answer:
        """StartStreamIngest into an integer room."""
        parameters: dict[str, Any] = {
            "TaskId": None,
            "RoomId": "1001",
            "UserId": "bot",
            "UserSig": "signature",
            "StreamUrl": "https://media.example.com/cup-final.mp4",
        }
        return self.ask("StartStreamIngest", **(parameters | changes))

    def send(self, received: Received) -> Answer:
        """Send a request as it is."""
        assert self.world.vendor_of(received) is self.tencent
        reply = self.tencent.handle(received, self.tencent.identify(received))
        return Answer(reply, json.loads(reply.body)["Response"])

    def signed(
        self,
        action: str = "DescribeStreamIngest",
        body: bytes = json.dumps({"SdkAppId": APP, "TaskId": TASK}).encode(),
        *,
        headers: Mapping[str, str | None] | None = None,
        day: str = "",
    ) -> Received:
        """A request under the vendor's own signature. A header changed to None is not sent."""
        timestamp = int(self.clock.now().timestamp())
        sent: dict[str, str | None] = {
            "host": "127.0.0.1:8900",
            "content-type": "application/json",
            "x-tc-action": action,
            "x-tc-version": "2019-07-22",
            "x-tc-region": "ap-singapore",
            "x-tc-timestamp": str(timestamp),
        }
        final = {name: value for name, value in (sent | dict(headers or {})).items() if value is not None}
        scope = day or datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d")
        request = RequestInternal(final["host"], "POST", "/")
        request.data = body
        request.header = {
            "Content-Type": final.get("content-type", ""),
            "Host": final["host"],
            "X-TC-Timestamp": final.get("x-tc-timestamp", ""),
            "X-TC-Content-SHA256": final.get("x-tc-content-sha256", ""),
        }
        client = TrtcClient(Credential("id", "key"), "ap-singapore")
        signature = client._get_tc3_signature({}, request, scope, "trtc", SECRET)
        final["authorization"] = (
            f"TC3-HMAC-SHA256 Credential={KEY_ID}/{scope}/trtc/tc3_request, "
            f"SignedHeaders=content-type;host, Signature={signature}"
        )
        return Received(method="POST", path="/", query="", headers=final, body=body)
