"""A vendor's side of the stage: the same orders at each of them, in their own words.

Apart from `tenant.py`, which plays at Alibaba Cloud alone: what must hold at every vendor is written once, for a
`Customer` of any of them.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from livetask_simulator.client import Call, Simulator
from tests.stage.objects import Objects
from tests.stage.tenant import Relay, Tenant

_SDK_APP_IDS = itertools.count(1400100001)


class Side(ABC):
    """One account with one key at one vendor."""

    vendor: ClassVar[str]
    """As in `status.vendor`."""
    title: ClassVar[str]
    block: ClassVar[str]
    secret: ClassVar[str]
    """How its customers name their Secret."""
    secret_keys: ClassVar[tuple[str, ...]]
    """What a message asks a person to put there."""
    lacks: ClassVar[str]
    """What is said of a Secret that holds `half_key`."""
    look_call: ClassVar[str]
    stop_call: ClassVar[str]

    def __init__(self, cloud: Simulator, account: str, namespace: str) -> None:
        self.cloud = cloud
        self.account = account
        self.namespace = namespace
        self.set()
        self.accept_key()

    @abstractmethod
    def set(self, **settings: object) -> None:
        """Change settings of the account, as in the simulator's README."""

    @property
    @abstractmethod
    def key(self) -> dict[str, str]:
        """The good key, as a Secret holds it."""

    @property
    def half_key(self) -> dict[str, str]:
        """What a Secret holds from which something was forgotten."""
        first = self.secret_keys[0]
        return {first: self.key[first]}

    @abstractmethod
    def accept_key(self, **settings: Any) -> None:
        """Accept the good key; with `active=False`, `allow=[…]`: with that restriction."""

    @abstractmethod
    def take_key_for_wrong(self) -> None:
        """The vendor knows the id, and another secret to it."""

    def settle(self) -> None:
        """All is well again: the key, the account and the line."""
        self.cloud.clear_faults(self.account)
        self.accept_key()

    @abstractmethod
    def refuse_ids(self) -> None:
        """What the spec names is refused."""

    @abstractmethod
    def block_of(self, task: str) -> dict[str, object]:
        """The block of a spec that names a task."""

    @abstractmethod
    def start(self, task: str) -> None:
        """The task runs."""

    @abstractmethod
    def end(self, task: str) -> None:
        """The task ends by itself."""

    @abstractmethod
    def say(self, task: str, word: object) -> None:
        """Let the vendor say any word of a task."""

    @abstractmethod
    def forget(self, task: str) -> None:
        """The vendor does not know the task."""

    @abstractmethod
    def is_running(self, task: str) -> bool:
        """Whether it costs money."""


class Alibaba(Side):
    vendor, title, block, secret = "AlibabaCloud", "Alibaba Cloud", "alibabaCloud", "alibaba"
    secret_keys = ("accessKeyId", "accessKeySecret")
    lacks = "has no key accessKeySecret; add it (keys found: accessKeyId)"
    look_call, stop_call = "GetMPUTaskStatus", "StopLiveMPUTask"

    def set(self, **settings: object) -> None:
        self.cloud.add_account(self.account, **settings)

    @property
    def key(self) -> dict[str, str]:
        return {"accessKeyId": f"LTAI{self.namespace}", "accessKeySecret": f"s3cr3t/{self.namespace}+=~"}

    def accept_key(self, **settings: Any) -> None:
        self.cloud.add_key(self.account, *self.key.values(), **settings)

    def take_key_for_wrong(self) -> None:
        self.cloud.add_key(self.account, self.key["accessKeyId"], "an0ther-s3cr3t")

    def settle(self) -> None:
        super().settle()
        self.set(service="ok", clockSkewSeconds=0, apps=None)

    def refuse_ids(self) -> None:
        self.set(apps=["another"])

    @property
    def app(self) -> str:
        return f"app-{self.namespace}"

    def block_of(self, task: str) -> dict[str, object]:
        return {"appId": self.app, "taskId": task}

    def start(self, task: str) -> None:
        self.cloud.start_task(self.account, self.app, task)

    def end(self, task: str) -> None:
        self.become(task, 2)

    def become(self, task: str, status: int) -> None:
        self.cloud.set_task(self.account, self.app, task, status=status)

    def say(self, task: str, word: object) -> None:
        self.cloud.set_task(self.account, self.app, task, raw_status=word)

    def forget(self, task: str) -> None:
        self.cloud.forget_task(self.account, self.app, task)

    def is_running(self, task: str) -> bool:
        found = self.cloud.task(self.account, self.app, task)
        return found is not None and found.status in (0, 1)


class Tencent(Side):
    vendor, title, block, secret = "TencentCloud", "Tencent Cloud", "tencentCloud", "tencent"
    secret_keys = ("secretId", "secretKey")
    lacks = "has no key secretKey; add it (keys found: secretId)"
    look_call, stop_call = "DescribeStreamIngest", "StopStreamIngest"

    def __init__(self, cloud: Simulator, account: str, namespace: str) -> None:
        self.app = next(_SDK_APP_IDS)
        super().__init__(cloud, account, namespace)

    def set(self, **settings: object) -> None:
        self.cloud.tencent.add_account(self.account, **settings)

    @property
    def key(self) -> dict[str, str]:
        return {"secretId": f"AKID{self.namespace}", "secretKey": f"s3cr3t/{self.namespace}+=~"}

    def accept_key(self, **settings: Any) -> None:
        self.cloud.tencent.add_key(self.account, *self.key.values(), **settings)

    def take_key_for_wrong(self) -> None:
        self.cloud.tencent.add_key(self.account, self.key["secretId"], "an0ther-s3cr3t")

    def settle(self) -> None:
        super().settle()
        self.set(service="ok", clockSkewSeconds=0, apps=None)

    def refuse_ids(self) -> None:
        self.set(apps=["1"])

    def block_of(self, task: str) -> dict[str, object]:
        return {"sdkAppId": self.app, "region": "ap-singapore", "taskId": task}

    def start(self, task: str) -> None:
        self.cloud.tencent.start_task(self.account, self.app, task)

    def end(self, task: str) -> None:
        self.cloud.tencent.set_task(self.account, self.app, task, status="NotExist")

    def say(self, task: str, word: object) -> None:
        self.cloud.tencent.set_task(self.account, self.app, task, raw_status=word)

    def forget(self, task: str) -> None:
        self.cloud.tencent.forget_task(self.account, self.app, task)

    def is_running(self, task: str) -> bool:
        found = self.cloud.tencent.task(self.account, self.app, task)
        return found is not None and found.status == "InProgress"


class Huawei(Side):
    vendor, title, block, secret = "HuaweiCloud", "Huawei Cloud", "huaweiCloud", "huawei"
    secret_keys = ("accessKeyId", "secretAccessKey")
    lacks = "has no key secretAccessKey; add it (keys found: accessKeyId)"
    look_call, stop_call = "ListPullTasks", "DeletePullTask"

    def set(self, **settings: object) -> None:
        self.cloud.huawei.add_account(self.account, **settings)

    @property
    def key(self) -> dict[str, str]:
        return {"accessKeyId": f"HPUA{self.namespace}", "secretAccessKey": f"s3cr3t/{self.namespace}+=~"}

    def accept_key(self, **settings: Any) -> None:
        self.cloud.huawei.add_key(self.account, *self.key.values(), **settings)

    def take_key_for_wrong(self) -> None:
        self.cloud.huawei.add_key(self.account, self.key["accessKeyId"], "an0ther-s3cr3t")

    def settle(self) -> None:
        super().settle()
        self.set(service="ok", clockSkewSeconds=0, regions=None)

    def refuse_ids(self) -> None:
        self.cloud.fault("error", account=self.account, code="LIVE.100011001", status=400)

    @property
    def project(self) -> str:
        return f"project-{self.namespace}"

    def block_of(self, task: str) -> dict[str, object]:
        return {"projectId": self.project, "region": "cn-north-4", "taskId": task}

    def start(self, task: str) -> None:
        self.cloud.huawei.start_task(self.account, self.project, task)

    def end(self, task: str) -> None:
        self.cloud.huawei.set_task(self.account, self.project, task, status="finished")

    def say(self, task: str, word: object) -> None:
        self.cloud.huawei.set_task(self.account, self.project, task, raw_status=word)

    def forget(self, task: str) -> None:
        self.cloud.huawei.forget_task(self.account, self.project, task)

    def is_running(self, task: str) -> bool:
        found = self.cloud.huawei.task(self.account, self.project, task)
        return found is not None and found.status == "running"


class HuaweiByToken(Huawei):
    """Huawei Cloud with the token of somebody who logged in, instead of an access key."""

    secret = "huawei-token"
    lacks = "has no keys accessKeyId and secretAccessKey, nor authToken; add them (keys found: token)"

    @property
    def key(self) -> dict[str, str]:
        return {"authToken": f"t0ken/{self.namespace}+=="}

    @property
    def half_key(self) -> dict[str, str]:
        return {"token": "under a wrong name"}

    def accept_key(self, **settings: Any) -> None:
        token = self.key["authToken"]
        self.cloud.huawei.add_key(self.account, f"user-{self.namespace}", auth_token=token, **settings)

    def take_key_for_wrong(self) -> None:
        # As with an access key, the ledger must still tell whose calls these are: the token has expired.
        self.accept_key(token_expired=True)


class Customer(Tenant):
    """A tenant at one vendor, `at`: a namespace, an account there, a Secret with its key, and RelayTasks."""

    def __init__(
        self,
        namespace: str,
        objects: Objects,
        cloud: Simulator,
        side: type[Side],
        labels: Mapping[str, str] | None = None,
    ) -> None:
        self.at = side(cloud, f"account-{namespace}", namespace)
        super().__init__(namespace, objects, cloud, labels)

    @classmethod
    def moves_in(cls, namespace: str, objects: Objects, cloud: Simulator, side: type[Side], *, stage: str) -> Self:
        """A customer with a new namespace, whose objects only an operator with the selector `stage=…` follows."""
        objects.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
        return cls(namespace, objects, cloud, side, labels={"operator": "own", "stage": stage})

    def put_secret(self, name: str = "", **values: str) -> None:
        """Create or replace a Secret; without values it holds the good key."""
        super().put_secret(name or self.at.secret, **(values or self.at.key))

    def drop_secret(self, name: str = "") -> None:
        super().drop_secret(name or self.at.secret)

    def relay(self, name: str, task: str | None = None, **spec: Any) -> Relay:
        """A RelayTask that names a task of the same name, unless told otherwise, with the least interval."""
        ours = {self.at.block: self.at.block_of(task or name), "credentialsSecretRef": {"name": self.at.secret}}
        return super().relay(name, task, **{"alibabaCloud": None, **ours, **spec})

    def stops(self, task: str | None = None) -> list[Call]:
        """The stop calls that reached the vendor."""
        return self.cloud.calls(account=self.account, operation=self.at.stop_call, task_id=task)

    def looks(self, task: str | None = None) -> list[Call]:
        return self.cloud.calls(account=self.account, operation=self.at.look_call, task_id=task)

    def stopped(self) -> list[str]:
        """The tasks that a stop call stopped."""
        return [call.task_id for call in self.stops() if call.stopped_task]
