"""The stage of all scenes: a control plane, two simulated clouds, N objects in 20 accounts, and who follows them.

One population for all: `thousand` has the first 1,000 objects, at 200 polls a second; `thousands` and `crowd` have the
others, at 300. So all of them together make 500 polls a second, however many they are. A scene asks for what it needs;
what is there already is not made again.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from livetask_simulator.client import Row as Call
from tests.bench.api import RELAY_TASKS, Api, many, relay_task
from tests.bench.audit import AuditLog, of_objects
from tests.bench.operators import Bare, Measured, Ours, PlainKopf
from tests.bench.report import Row
from tests.controlplane import ControlPlane
from tests.controlplane.cluster import AuditedWrite
from tests.stage.processes import Cloud

ACCOUNTS = 20
APP = "yourAppId"
SECRET = "s3cr3t"
FIRST, FIRST_INTERVAL_S = 1_000, 5
OTHERS_AT_LEAST = 1_500
OTHERS_PER_S = 300
RESTARTED = 5_000
OPERATOR_NAMESPACE, OPERATOR = "livetask-system", "livetask-operator"
NAMESPACES = ("thousand", "thousands", "crowd", "samples", "huawei")
PLAIN_USER = "plain-kopf"
SETTLED_WITHIN_S = 900.0
QUIET_FOR_S = 3.0


@dataclass(frozen=True)
class Options:
    """What `make bench` was asked for."""

    tasks: int
    polls: int
    samples: int
    lease: bool = True
    """Whether the operator holds its Lease, as users run it."""


@dataclass(frozen=True, slots=True)
class Member:
    """A RelayTask of the population; its task at the vendor has its name."""

    namespace: str
    name: str
    account: int
    interval_s: int

    @property
    def body(self) -> dict[str, Any]:
        block = {"alibabaCloud": {"appId": APP, "taskId": self.name}}
        return relay_task(self.name, block, secret_of(self.account), self.interval_s)

    @property
    def path(self) -> str:
        return RELAY_TASKS.format(namespace=self.namespace)


def population(tasks: int) -> list[Member]:
    """So many objects; a few more than a thousand become 2,500, so that they can make 500 polls a second."""
    others = max(tasks - FIRST, OTHERS_AT_LEAST)
    interval_s = max(5, math.ceil(others / OTHERS_PER_S))
    first = [Member("thousand", f"t-{number}", number % ACCOUNTS, FIRST_INTERVAL_S) for number in range(FIRST)]
    return first + [
        Member("thousands" if number < RESTARTED - FIRST else "crowd", f"o-{number}", number % ACCOUNTS, interval_s)
        for number in range(others)
    ]


def account_of(number: int) -> str:
    return f"account-{number}"


def key_of(number: int) -> str:
    return f"LTAIbench{number:02}"


def secret_of(number: int) -> str:
    return f"key-{number}"


class Stage:
    """What the scenes play on."""

    def __init__(
        self, options: Options, cluster: ControlPlane, api: Api, folder: Path, say: Callable[[str], None]
    ) -> None:
        self.options = options
        self.cluster = cluster
        self.api = api
        self.folder = folder
        self.say = say
        self.audit = AuditLog(cluster.folder / "audit.log")
        self.members = population(options.tasks)
        self.measured: list[Row] = []
        self._ours: Ours | None = None
        self._ours_as: object = None
        self._created = self._populated = False
        self._runs = 0

    async def open(self) -> None:
        """Install the operator's rights, start the clouds, add accounts, namespaces and Secrets."""
        self.cluster.kubectl("apply", "-k", "crds/")
        self.cluster.kubectl("apply", "-k", "manifests/")
        crds = ("crd/relaytasks.livetask.dev", "crd/preloadtasks.livetask.dev")
        self.cluster.wait_until_established(*crds)
        self._kubeconfig = self.cluster.kubeconfig_of(OPERATOR_NAMESPACE, OPERATOR)
        self.cluster.kubectl("create", "serviceaccount", PLAIN_USER)
        account = f"--serviceaccount=default:{PLAIN_USER}"
        self.cluster.kubectl("create", "clusterrolebinding", PLAIN_USER, "--clusterrole=cluster-admin", account)
        self._plain_kubeconfig = self.cluster.kubeconfig_of("default", PLAIN_USER)
        (self.folder / "bare").mkdir()
        self.cloud, self.bare_cloud = Cloud(self.folder), Cloud(self.folder / "bare")
        for cloud in (self.cloud, self.bare_cloud):
            for number in range(ACCOUNTS):
                cloud.admin.add_account(account_of(number))
                cloud.admin.add_key(account_of(number), key_of(number), SECRET)
        for namespace in NAMESPACES:
            await self.api.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
        put = [
            partial(self._put_secret, namespace, number) for namespace in NAMESPACES[:-1] for number in range(ACCOUNTS)
        ]
        await many(put)

    async def close(self) -> None:
        """End what was started; a scene that failed may have left anything running."""
        if self._ours is not None:
            self._ours.process.stop()
        for name in ("cloud", "bare_cloud"):
            if (cloud := getattr(self, name, None)) is not None:
                cloud.stop()

    # Who follows

    async def follow(
        self, *namespaces: str, config: Mapping[str, Any] | None = None, fresh: bool = False, profile: bool = False
    ) -> Ours:
        """The operator that follows these namespaces, or all: the one that runs, unless a fresh one is wanted."""
        wanted = (namespaces, config, profile)
        runs = self._ours is not None and self._ours.process.returncode is None
        if self._ours is not None and runs and self._ours_as == wanted and not fresh:
            return self._ours
        await self.nobody_follows()
        self._runs += 1
        self._ours = Ours(
            self._kubeconfig,
            self.cloud.url,
            self.folder / f"operator-{self._runs}",
            config=config or {},
            namespaces=namespaces,
            lease=self.options.lease,
            profile=profile,
        )
        self._ours_as = wanted
        return self._ours

    async def followed(self, *namespaces: str, config: Mapping[str, Any] | None = None, profile: bool = False) -> Ours:
        """All objects of these namespaces, or of the population, are there, and the operator has looked at each."""
        await self.populate()
        since = self.cloud.admin.tally().calls
        before = self._ours
        ours = await self.follow(*namespaces, config=config, profile=profile)
        if ours is not before:
            await ours.ready()
            members = self.of(*namespaces) if namespaces else self.members
            if math.isinf(await self.all_looked_at(ours, members, SETTLED_WITHIN_S, since)):
                raise TimeoutError(f"the operator has not looked at all objects after {SETTLED_WITHIN_S:g} s")
            await asyncio.sleep(QUIET_FOR_S)
        return ours

    async def nobody_follows(self) -> None:
        """End the operator that runs."""
        if self._ours is not None:
            await self._ours.end()
            self._ours = None

    async def plain_kopf(self, namespace: str, connections: int | None) -> PlainKopf:
        """Plain kopf in the operator's place."""
        await self.nobody_follows()
        return PlainKopf(self._plain_kubeconfig, self.cloud.url, self.folder, namespace, connections)

    @asynccontextmanager
    async def bare_loop(self, per_second: float) -> AsyncIterator[Bare]:
        """The bare loop, at a cloud of its own, for as long as the `async with` lasts."""
        await self.start_tasks(self.of("thousand"), self.bare_cloud)
        tasks = [[key_of(each.account), SECRET, APP, each.name] for each in self.of("thousand")]
        bare = Bare(self.bare_cloud.url, self.folder, tasks, per_second)
        try:
            yield bare
        finally:
            bare.end()

    # What is followed

    def of(self, *namespaces: str) -> list[Member]:
        return [member for member in self.members if member.namespace in namespaces]

    @staticmethod
    def polls_per_s(members: Iterable[Member]) -> float:
        """How often they wish to be looked at, all together."""
        return sum(1 / member.interval_s for member in members)

    async def populate(self) -> None:
        """All objects exist, and the operator that follows all of them has looked at each."""
        if self._populated:
            return
        ours = await self.follow()
        await ours.ready()
        if not self._created:
            self._created = True
            self.say(f"creating {len(self.members):,} RelayTasks in {ACCOUNTS} accounts, while the operator follows")
            await self.start_tasks(self.members, self.cloud)
            await self.create(self.members)
        await self.all_have_a_status(ours, "thousand", "thousands", "crowd")
        self._populated = True

    async def start_tasks(self, members: Iterable[Member], cloud: Cloud) -> None:
        """They run at the vendor."""
        await many([partial(self._start_task, cloud, member) for member in members])

    async def create(self, members: Iterable[Member]) -> None:
        await many([partial(self.api.create, member.path, member.body) for member in members])

    async def all_have_a_status(self, follower: Measured, *namespaces: str) -> None:
        """Wait until the state of every object in these namespaces is Running, and a little longer."""
        deadline_s = time.monotonic() + SETTLED_WITHIN_S
        for namespace in namespaces:
            path = RELAY_TASKS.format(namespace=namespace) + "?limit=1&fieldSelector=status.state!=Running"
            while (await self.api.get(path))["items"]:
                follower.check()
                if time.monotonic() > deadline_s:
                    raise TimeoutError(f"not all objects of {namespace} have a status after {SETTLED_WITHIN_S:g} s")
                await asyncio.sleep(1)
        await asyncio.sleep(QUIET_FOR_S)

    async def all_looked_at(self, follower: Measured, members: Iterable[Member], within_s: float, since: int) -> float:
        """Wait until each was looked at since a call of the ledger. Returns the moment, in monotonic seconds."""
        missing = {member.name for member in members}
        deadline_s = time.monotonic() + within_s
        while True:
            follower.check()
            for call in self.calls(since):
                since = call.seq
                missing.discard(call.task_id)
                if not missing:
                    return call.monotonic_s
            if time.monotonic() > deadline_s:
                return math.inf
            await asyncio.sleep(0.2)

    # What happened

    def calls(self, since: int = 0) -> Sequence[Call]:
        """The calls that reached the vendor after one, oldest first."""
        return self.cloud.admin.rows(since=since)

    def place(self) -> int:
        """A place in the audit log: now."""
        return self.audit.end()

    def writes(self, since: int, user: str = OPERATOR) -> list[AuditedWrite]:
        """What a user has written to objects since; Events and the Lease apart."""
        return of_objects(self.audit.since(since, user))

    def quota(self, per_second: int | None) -> None:
        """How often the cloud lets each account ask for a status; None: as documented."""
        limit, window_s = (4000, 60.0) if per_second is None else (per_second, 1.0)
        for number in range(ACCOUNTS):
            self.cloud.admin.quota(account_of(number), "GetMPUTaskStatus", limit, window_seconds=window_s)

    async def _start_task(self, cloud: Cloud, member: Member) -> None:
        path = f"/_admin/alibaba/accounts/{account_of(member.account)}/tasks/{APP}/{member.name}"
        await self.api.order("PUT", cloud.url + path, {"status": 1})

    async def _put_secret(self, namespace: str, number: int) -> None:
        data = {"accessKeyId": key_of(number), "accessKeySecret": SECRET}
        body = {"metadata": {"name": secret_of(number)}, "stringData": data}
        await self.api.create(f"/api/v1/namespaces/{namespace}/secrets", body)
