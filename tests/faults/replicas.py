"""The replicas of one Deployment: processes with one Lease between them, and one tenant whose task they follow.

Each reaches the simulated cloud through a proxy of its own, which tells who sent what and when; one that is to be cut
off reaches the API server through another.
"""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.controlplane import ControlPlane
from tests.faults.proxy import Exchange, Proxy, in_front_of_api_server
from tests.image.contain import in_line_s
from tests.stage.objects import Objects, wait_for
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import Tenant

LEASE = "livetask-operator"
STARTS = threading.Semaphore(2)
"""So many processes start at once: each start costs a second of a processor."""
ACCOUNT = "livetask-system:livetask-operator"


def is_renewal(exchange: Exchange) -> bool:
    return exchange.method == "PUT" and exchange.path.endswith(f"/leases/{LEASE}")


def asks_for_other_owners(exchange: Exchange) -> bool:
    """The last question before a stop: who else follows the task."""
    return "fieldSelector" in exchange.query


def is_stop(exchange: Exchange) -> bool:
    return "StopLiveMPUTask" in exchange.headers.values()


@dataclass(frozen=True)
class Replica:
    """One process, its way to the cloud, and its way to the API server where that can be broken."""

    operator: Operator
    cloud: Proxy
    api: Proxy | None

    @property
    def in_line_s(self) -> float:
        """For how long it stood in line for a processor so far: that says how busy the machine is."""
        return in_line_s(self.operator.process.pid)

    @property
    def leads(self) -> bool:
        return "livetask_leader 1.0" in (self.operator.answer("/metrics") or "")

    def comes_to_lead(self, within_s: float = 15.0) -> float:
        """Wait for it. Returns when (monotonic) that was seen."""
        wait_for(lambda: self.leads, "it leads", within_s)
        return time.monotonic()

    def lease_is_over_at(self) -> float:
        """Its own deadline (monotonic), as far as its renewals tell: the true one is a little earlier."""
        assert self.api is not None
        renewals = [each for each in self.api.trace if is_renewal(each) and each.status == 200]
        return renewals[-1].arrived_s + 10.0

    @property
    def stops(self) -> list[Exchange]:
        return [each for each in self.cloud.trace if is_stop(each)]


class Company:
    """A namespace with a Lease, a tenant, and replicas, for as long as the `with` lasts."""

    def __init__(
        self, name: str, cluster: ControlPlane, objects: Objects, cloud: Cloud, kubeconfig: Path, folder: Path
    ) -> None:
        self.name = name
        self._kubeconfig = kubeconfig
        self._folder = folder / name
        self._cloud = cloud
        self._stack = ExitStack()
        cluster.kubectl("create", "namespace", name)
        rights = ("--verb=create,get,update", "--resource=leases.coordination.k8s.io")
        cluster.kubectl("-n", name, "create", "role", "leases", *rights)
        cluster.kubectl("-n", name, "create", "rolebinding", "leases", "--role=leases", f"--serviceaccount={ACCOUNT}")
        self.tenant = Tenant(name, objects, cloud.admin)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def starts(self, name: str, *, breakable: bool = False) -> Replica:
        """One more replica; `breakable`: through a proxy in front of the API server."""
        kubeconfig, api = self._kubeconfig, None
        if breakable:
            api, kubeconfig = in_front_of_api_server(kubeconfig, self._folder / f"{name}-proxy")
            self._stack.enter_context(api)
        cloud = self._stack.enter_context(Proxy(self._cloud.url))
        arguments = ("--leader-elect", "--namespace", self.name, "--lease-namespace", self.name)
        with STARTS:
            operator = Operator(kubeconfig, cloud.url, self._folder / name, arguments=arguments)
        self._stack.callback(operator.process.kill)
        return Replica(operator, cloud, api)
