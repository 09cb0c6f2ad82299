"""Broadcasts of a tenant, and who watched them."""

from __future__ import annotations

from livetask_simulator.client import Call
from tests.stage.tenant import Relay, Tenant

INSTALL = "kubectl apply -k crds/; kubectl apply -k manifests/"
STARTED_WITHIN_S = 30.0
"""An operator that was only just installed may need so long until it has looked."""


def airs(tenant: Tenant, task: str) -> Relay:
    """A task that runs at the vendor, with a RelayTask that says so."""
    tenant.starts(task)
    relay = tenant.relay(task)
    relay.reaches("Running", within_s=STARTED_WITHIN_S)
    return relay


def running(tenant: Tenant, *tasks: str) -> list[bool]:
    """Whether these tasks run at the vendor."""
    found = [tenant.cloud.task(tenant.account, tenant.app, task) for task in tasks]
    return [task is not None and task.status == 1 for task in found]


def in_order(tenant: Tenant, task: str) -> list[Call]:
    """The looks at a task, from every cluster and version, as they came."""
    return sorted(tenant.looks(task), key=lambda call: call.seq)
