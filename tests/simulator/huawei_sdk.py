"""The vendor's own SDK, pointed at a simulator.

Apart from the tests, because the SDK is untyped: here its calls become plain values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdklive.v1 import (
    CreatePullTaskRequest,
    DeletePullTaskRequest,
    ListPullTasksRequest,
    LiveClient,
    LivePullStreamTask,
)

SOURCE_URL = "rtmp://play.example.com/live/stream1"
DESTINATION_URL = "rtmp://push.example.com/live/stream1"


@dataclass(frozen=True)
class Sdk:
    """The SDK's client with one key and one project."""

    live: Any

    @classmethod
    def at(cls, url: str, key_id: str, secret: str, *, project: str, token: str | None = None) -> Sdk:
        """A client of a simulator. With a token the key is a temporary one."""
        credentials = BasicCredentials(key_id, secret, project)
        if token is not None:
            credentials = credentials.with_security_token(token)
        return cls(LiveClient.new_builder().with_credentials(credentials).with_endpoint(url).build())

    def create(self, **changes: Any) -> str:
        """CreatePullTask of a live source; returns the task's id."""
        body = {"source_type": "PullLivePushLive", "source_urls": [SOURCE_URL], "destination_url": DESTINATION_URL}
        request = CreatePullTaskRequest(body=LivePullStreamTask(**(body | changes)))
        return str(self.live.create_pull_task(request).task_id)

    def page(self, **query: Any) -> tuple[int, list[Any]]:
        """ListPullTasks: the total, and the page's rows."""
        answer = self.live.list_pull_tasks(ListPullTasksRequest(**query))
        return int(answer.total), list(answer.task_infos)

    def status(self, task_id: str, region: str | None = None) -> str:
        """The status of one task."""
        (row,) = self.page(task_id=task_id, region=region)[1]
        return str(row.status)

    def delete(self, task_id: str, region: str | None = None) -> str:
        """DeletePullTask; returns the request id."""
        return str(self.live.delete_pull_task(DeletePullTaskRequest(task_id=task_id, region=region)).request_id)
