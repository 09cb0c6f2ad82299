"""The vendor's own SDKs and signers, pointed at a simulator.

Apart from the tests, because the SDKs are untyped: here their calls become plain values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from alibabacloud_live20161101 import models as live_models
from alibabacloud_live20161101.client import Client as LiveClient
from alibabacloud_rtc20180111 import models as rtc_models
from alibabacloud_rtc20180111.client import Client as RtcClient
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
from darabonba.runtime import RuntimeOptions

PUSH_URL = "rtmp://push.example.com/app/stream"
SIGNATURES = {"ACS3-HMAC-SHA256": None, "HMAC-SHA1": "v2"}  # how the SDKs name the older one


@dataclass(frozen=True)
class Sdk:
    """Both SDK clients with one key."""

    live: Any
    rtc: Any

    @classmethod
    def at(cls, host: str, key_id: str, secret: str, *, token: str | None = None, signature: str | None = None) -> Sdk:
        """Clients of a simulator; `signature` is None for ACS3, "v2" for RPC v1."""
        settings: dict[str, Any] = {
            "access_key_id": key_id,
            "access_key_secret": secret,
            "protocol": "HTTP",
            "endpoint": host,
        }
        if token is not None:
            settings |= {"security_token": token, "type": "sts"}
        if signature is not None:
            settings["signature_algorithm"] = signature
        return cls(live=LiveClient(Config(**settings)), rtc=RtcClient(Config(**settings)))

    def status(self, app_id: str, task_id: str) -> int:
        """GetMPUTaskStatus of the RTC edition."""
        request = rtc_models.GetMPUTaskStatusRequest(app_id=app_id, task_id=task_id)
        return int(self.rtc.get_mputask_status(request).body.status)

    async def status_async(self, app_id: str, task_id: str) -> int:
        """GetMPUTaskStatus by the SDK's other HTTP stack."""
        request = rtc_models.GetMPUTaskStatusRequest(app_id=app_id, task_id=task_id)
        return int((await self.rtc.get_mputask_status_async(request)).body.status)

    def live_status(self, app_id: str, task_id: str) -> int:
        """GetMPUTaskStatus under the Live edition: in no SDK, so called by its name."""
        params = Params(
            action="GetMPUTaskStatus",
            version="2016-11-01",
            protocol="HTTPS",
            pathname="/",
            method="POST",
            auth_type="AK",
            style="RPC",
            req_body_type="formData",
            body_type="json",
        )
        request = OpenApiRequest(query={"AppId": app_id, "TaskId": task_id})
        return int(self.live.call_api(params, request, RuntimeOptions())["body"]["Status"])

    def stop(self, app_id: str, task_id: str) -> str:
        """StopLiveMPUTask; returns the request id."""
        request = live_models.StopLiveMPUTaskRequest(app_id=app_id, task_id=task_id)
        return str(self.live.stop_live_mputask(request).body.request_id)

    def start(self, app_id: str, task_id: str, **changes: Any) -> str:
        """StartLiveMPUTask, forwarding one stream; returns the request id."""
        parameters: dict[str, Any] = {
            "channel_id": "channel-1",
            "mix_mode": "0",
            "stream_url": PUSH_URL,
            "single_sub_params": live_models.StartLiveMPUTaskRequestSingleSubParams(user_id="u 1*~/+流"),
        }
        request = live_models.StartLiveMPUTaskRequest(app_id=app_id, task_id=task_id, **(parameters | changes))
        return str(self.live.start_live_mputask(request).body.request_id)

    def tasks(self, app_id: str, **query: Any) -> list[Any]:
        """ListRtcMPUTaskDetail."""
        request = live_models.ListRtcMPUTaskDetailRequest(app_id=app_id, **query)
        return list(self.live.list_rtc_mputask_detail(request).body.mputasks)

    def start_old(self, app_id: str, task_id: str, **changes: Any) -> str:
        """StartMPUTask of the RTC edition; returns the request id. The SDK drops an error inside an HTTP 200."""
        parameters: dict[str, Any] = {"channel_id": "channel-1", "stream_url": PUSH_URL}
        request = rtc_models.StartMPUTaskRequest(app_id=app_id, task_id=task_id, **(parameters | changes))
        return str(self.rtc.start_mputask(request).body.request_id)
