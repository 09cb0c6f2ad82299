"""One team's corner: a namespace, an account at the simulated cloud, a key in a Secret, RelayTasks and PreloadTasks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from livetask_simulator.alibaba.preload_client import Preload as PreloadThere
from livetask_simulator.client import Call, Simulator
from tests.stage.objects import Objects, live_tasks, secrets, wait_for

REACHES_S = 15.0


class Tenant:
    """Everything is named after the namespace, so that tenants at one cloud and one operator never meet."""

    def __init__(
        self,
        namespace: str,
        objects: Objects,
        cloud: Simulator,
        labels: Mapping[str, str] | None = None,
        app: str | None = None,
    ) -> None:
        """`app`: another tenant's application, for objects of two namespaces that name one task."""
        self.namespace = namespace
        self.app = app or f"app-{namespace}"
        self.labels = dict(labels or {})
        self.objects = objects
        self.cloud = cloud
        self.domain = f"{namespace}.example.com"
        self.account = f"account-{namespace}"
        self.key_id = f"LTAI{namespace}"
        self.secret_key = f"s3cr3t/{namespace}+=~"
        cloud.add_account(self.account)
        cloud.add_key(self.account, self.key_id, self.secret_key)
        self.put_secret()

    # At the cloud

    def starts(self, task: str, status: int = 1, **settings: Any) -> None:
        """The task exists at the vendor."""
        self.cloud.start_task(self.account, self.app, task, status, **settings)

    def becomes(self, task: str, status: int) -> None:
        self.cloud.set_task(self.account, self.app, task, status=status)

    def fault(self, kind: str, **settings: object) -> int:
        return self.cloud.fault(kind, account=self.account, **settings)

    def stops(self, task: str | None = None) -> list[Call]:
        """The stop calls that reached the cloud."""
        return self.cloud.calls(account=self.account, operation="StopLiveMPUTask", task_id=task)

    def looks(self, task: str | None = None) -> list[Call]:
        return self.cloud.calls(account=self.account, operation="GetMPUTaskStatus", task_id=task)

    def url(self, stream: str) -> str:
        """A play URL of the tenant's domain."""
        return f"rtmp://{self.domain}/app/{stream}"

    def preloads(self, task: str, stream: str | None = None, **settings: Any) -> PreloadThere:
        """A preload exists at the vendor, of the stream of its task's name unless told otherwise."""
        return self.cloud.add_preload(self.account, self.domain, self.url(stream or task), task_id=task, **settings)

    def lists(self, task: str | None = None) -> list[Call]:
        """The reads of preloads; of those that asked for one task alone."""
        return self.cloud.calls(account=self.account, operation="DescribeLiveStreamPreloadTasks", task_id=task)

    # In the namespace

    def put_secret(self, name: str = "alibaba", **values: str) -> None:
        """Create or replace a Secret; without values it holds the good key."""
        values = values or {"accessKeyId": self.key_id, "accessKeySecret": self.secret_key}
        self.drop_secret(name)
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": values}
        self.objects.create(secrets(self.namespace), body)

    def drop_secret(self, name: str = "alibaba") -> None:
        self.objects.delete(secrets(self.namespace, name))

    def relay(self, name: str, task: str | None = None, **spec: Any) -> Relay:
        """A RelayTask that names a task of the same name, unless told otherwise, with the least interval."""
        block = {"appId": self.app, "taskId": task or name}
        return Relay(self, name).made({"alibabaCloud": block, **spec})

    def preload(
        self, name: str, *, streams: Sequence[str] = (), tasks: Sequence[str] = (), since: str = "", **spec: Any
    ) -> Preload:
        """A PreloadTask that names these streams' URLs and these tasks, with the least interval."""
        named = {"playUrls": [self.url(stream) for stream in streams], "taskIds": list(tasks), "createdAfter": since}
        block = {"domainName": self.domain, **{field: value for field, value in named.items() if value}}
        return Preload(self, name).made({"alibabaCloud": block, **spec})


@dataclass(frozen=True)
class Followed:
    """One object that the operator follows, as whoever made it looks at it."""

    tenant: Tenant
    name: str

    KIND: ClassVar[str]

    def made(self, spec: Mapping[str, Any]) -> Self:
        """It exists from now on, with the least interval."""
        body = {
            "apiVersion": "livetask.dev/v1alpha1",
            "kind": self.KIND,
            "metadata": {"name": self.name, "labels": self.tenant.labels},
            "spec": {"credentialsSecretRef": {"name": "alibaba"}, "pollIntervalSeconds": 5, **spec},
        }
        self.tenant.objects.create(live_tasks(self.KIND, self.tenant.namespace), body)
        return self

    @property
    def path(self) -> str:
        return live_tasks(self.KIND, self.tenant.namespace, self.name)

    def body(self) -> Any:
        return self.tenant.objects.get(self.path)

    def status(self) -> Mapping[str, Any]:
        body = self.body()
        return {} if body is None else body.get("status", {})

    def condition(self, kind: str = "Ready") -> Mapping[str, Any]:
        conditions = self.status().get("conditions", [])
        return next((each for each in conditions if each["type"] == kind), {})

    def reaches(
        self, state: str | None = None, reason: str | None = None, within_s: float = REACHES_S
    ) -> Mapping[str, Any]:
        """Wait until the state is this one and Ready has this reason. Returns the status."""

        def there() -> Mapping[str, Any] | None:
            status = self.status()
            ready: Mapping[str, Any] = next((c for c in status.get("conditions", []) if c["type"] == "Ready"), {})
            right = (state is None or status.get("state") == state) and (
                reason is None or ready.get("reason") == reason
            )
            return status if right and status.get("conditions") else None

        what = f"state {state}, reason {reason}"
        found = wait_for(there, lambda: f"{what}; it is {json.dumps(self.status(), indent=1)}", within_s)
        assert isinstance(found, dict)
        return found

    def holds(self, kind: str, reason: str, within_s: float = REACHES_S) -> Mapping[str, Any]:
        """Wait until a condition is True for this reason. Returns it."""

        def there() -> Mapping[str, Any] | None:
            condition = self.condition(kind)
            return condition if condition.get("status") == "True" and condition.get("reason") == reason else None

        found = wait_for(there, lambda: f"{kind}/{reason}; it is {json.dumps(self.status(), indent=1)}", within_s)
        assert isinstance(found, dict)
        return found

    def edit(self, **spec: Any) -> None:
        self.tenant.objects.merge(self.path, {"spec": spec})

    def ask(self, value: str) -> None:
        """Ask for a look now."""
        self.tenant.objects.merge(self.path, {"metadata": {"annotations": {"livetask.dev/requested-at": value}}})

    def delete(self) -> None:
        """Ask for its deletion; does not wait for it."""
        self.tenant.objects.delete(self.path)

    def is_gone(self, within_s: float = 5.0) -> None:
        wait_for(lambda: self.body() is None, lambda: f"gone; it is {json.dumps(self.status(), indent=1)}", within_s)

    def events(self) -> list[Mapping[str, Any]]:
        """Its Events, oldest first."""
        mine = f"involvedObject.kind={self.KIND},involvedObject.name={self.name}"
        path = f"/api/v1/namespaces/{self.tenant.namespace}/events?fieldSelector={mine}"
        items = self.tenant.objects.get(path)["items"]
        return sorted(items, key=lambda item: int(item["metadata"]["resourceVersion"]))

    def tells(self, reason: str, kind: str, within_s: float = 5.0) -> Mapping[str, Any]:
        """Wait for an Event of this reason and type. Returns it."""

        def there() -> Mapping[str, Any] | None:
            return next((each for each in self.events() if (each["reason"], each["type"]) == (reason, kind)), None)

        found = wait_for(
            there, lambda: f"{kind} Event {reason}; there are {[e['reason'] for e in self.events()]}", within_s
        )
        assert isinstance(found, dict)
        return found


class Relay(Followed):
    """A RelayTask."""

    KIND = "RelayTask"


class Preload(Followed):
    """A PreloadTask."""

    KIND = "PreloadTask"

    def rows(self) -> list[Mapping[str, Any]]:
        """What its status says of each preload."""
        return list(self.status().get("tasks", []))


def until(condition: Callable[[], Any], what: str, within_s: float = REACHES_S) -> Any:
    """Wait for something that has no better name."""
    return wait_for(condition, what, within_s)
