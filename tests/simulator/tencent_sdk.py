"""The vendor's own SDK, pointed at a simulator.

Apart from the tests, because the SDK is untyped: here its calls become plain values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tencentcloud.common.credential import Credential
from tencentcloud.common.exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.trtc.v20190722 import models
from tencentcloud.trtc.v20190722.trtc_client import TrtcClient

APP = 1400000001
STREAM_URL = "https://media.example.com/cup-final.mp4"


@dataclass(frozen=True)
class Sdk:
    """The SDK's client with one key."""

    client: Any

    @classmethod
    def at(
        cls,
        host: str,
        key_id: str,
        secret: str,
        *,
        token: str | None = None,
        region: str = "ap-singapore",
        unsigned_payload: bool = False,
    ) -> Sdk:
        """A client of a simulator."""
        profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=host, reqTimeout=10))
        profile.unsignedPayload = unsigned_payload
        return cls(TrtcClient(Credential(key_id, secret, token), region, profile))

    def status(self, task_id: str, app_id: int = APP) -> str:
        """DescribeStreamIngest."""
        request = models.DescribeStreamIngestRequest()
        request.SdkAppId, request.TaskId = app_id, task_id
        return str(self.client.DescribeStreamIngest(request).Status)

    def stop(self, task_id: str, app_id: int = APP) -> str:
        """StopStreamIngest; returns the request id."""
        request = models.StopStreamIngestRequest()
        request.SdkAppId, request.TaskId = app_id, task_id
        return str(self.client.StopStreamIngest(request).RequestId)

    def start(self, **changes: Any) -> str:
        """StartStreamIngest into an integer room; returns the task id. A parameter changed to None is not sent."""
        parameters: dict[str, Any] = {
            "SdkAppId": APP,
            "RoomId": "1001",
            "UserId": "bot",
            "UserSig": "signature",
            "StreamUrl": STREAM_URL,
        }
        request = models.StartStreamIngestRequest()
        for name, value in (parameters | changes).items():
            setattr(request, name, value)
        return str(self.client.StartStreamIngest(request).TaskId)


__all__ = ["APP", "STREAM_URL", "Sdk", "TencentCloudSDKException"]
