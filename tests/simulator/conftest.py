"""What the simulator's tests can ask for: a simulator in a process of its own, and an account on it per test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from livetask_simulator.client import Simulator
from livetask_simulator.process import simulator_process

_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Tenant:
    """An account on a shared simulator, with one key."""

    simulator: Simulator
    account: str
    key_id: str
    secret: str
    app_id: str = "app-1"

    @property
    def host(self) -> str:
        """Where the clouds listen, as SDKs take it."""
        return self.simulator.url.removeprefix("http://")


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    """One simulator for all tests; each test keeps to an account of its own."""
    with simulator_process() as running:
        yield running


@pytest.fixture
def tenant(simulator: Simulator) -> Iterator[Tenant]:
    """An account of the test's own."""
    number = next(_NUMBERS)
    tenant = Tenant(simulator, f"account-{number}", f"LTAI-{number}", "s3cret")
    simulator.add_account(tenant.account)
    simulator.add_key(tenant.account, tenant.key_id, tenant.secret)
    yield tenant
    simulator.remove_account(tenant.account)
