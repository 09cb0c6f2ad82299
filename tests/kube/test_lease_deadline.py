"""A leader whose renewals fail ends before another may act, however the requests fail."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from kubernetes.aio import client

from livetask_operator.kube import lease
from livetask_operator.kube.lease import Lease, LeaseLost
from tests.kube.small_world import refusal, run
from tests.polling.fake_time import now_s


class Leases:
    """The API server's Leases. After `good` requests each takes `hangs_s`, and then fails."""

    def __init__(self, good: int, hangs_s: float) -> None:
        self.good = good
        self.hangs_s = hangs_s
        self.entry: Any = None

    async def _request(self) -> None:
        self.good -= 1
        if self.good < 0:
            await asyncio.sleep(self.hangs_s)
            raise TimeoutError

    async def read_namespaced_lease(self, name: str, namespace: str, **_: object) -> Any:
        await self._request()
        if self.entry is None:
            raise refusal(404, "NotFound", f"leases {namespace}/{name} not found")
        return self.entry

    async def create_namespaced_lease(self, namespace: str, body: Any, **_: object) -> None:
        await self._request()
        self.entry = body

    async def replace_namespaced_lease(self, name: str, namespace: str, body: Any, **_: object) -> None:
        await self._request()
        self.entry = body


@pytest.mark.parametrize("good", range(2, 12))
@pytest.mark.parametrize("hangs_s", [0.0, 2.9, lease.REQUEST_TIMEOUT_S, 60.0])
def test_a_lease_that_is_not_renewed_is_given_up_in_time(good: int, hangs_s: float) -> None:
    async def story() -> float:
        leases = Leases(good, hangs_s)
        claim = Lease(client.ApiClient(client.Configuration()), "livetask-system", "livetask-operator", "me", now_s)
        claim._leases = cast("client.CoordinationV1Api", leases)
        await claim.acquire()
        with pytest.raises(LeaseLost, match="not renewed for 10 s"):
            await claim.keep()
        return now_s() - claim._renewed_s

    assert run(story()) <= lease.RENEW_DEADLINE_S + 0.001
