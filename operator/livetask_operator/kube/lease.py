"""Who may act: one of several replicas, by a Lease. Times are 15 / 10 / 2 s, as controllers in Kubernetes have them.

Our own loop: the published one cannot create its Lease, never lets go of it, and waits for ever when a renewal hangs.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import UTC, datetime

from kubernetes.aio import client

from livetask_operator.kube.api import Conflict, KubeError, ObjectGone, Refused, translated
from livetask_operator.vendors.contract import NotSent

LEASE_DURATION_S = 15.0
RENEW_DEADLINE_S = 10.0
RETRY_S = 2.0
STANDBY_SPREAD = (0.6, 0.9)
"""A standby looks a little sooner, so that whoever was killed is replaced within the duration and 2 s; with jitter, as
standbys of one Deployment start together."""
AT_ITS_END_S = 0.05
REQUEST_TIMEOUT_S = 3.0
"""Well under the deadline, so that a renewal that hangs is tried again before it is too late."""

log = logging.getLogger("livetask.lease")


class LeaseLost(Exception):
    """Another replica may act by now: this process must end."""


class Lease:
    """A claim on one Lease. Other replicas' clocks are not trusted: a holder is gone when its entry stands still."""

    def __init__(
        self,
        api: client.ApiClient,
        namespace: str,
        name: str,
        identity: str,
        monotonic: Callable[[], float],
        told: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`told` what keeps this process from ever acting, as long as it does; "" when nothing does any more."""
        self._told = told
        self._leases = client.CoordinationV1Api(api)
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._monotonic = monotonic
        self._entry: tuple[str, datetime | None] | None = None
        self._entry_seen_s = 0.0
        self._entry_lasts_s = 0.0
        self._renewed_s = float("-inf")

    async def acquire(self) -> None:
        """Wait until this process holds the Lease."""
        said = None
        while True:
            held, in_the_way, level = await self._try()
            self._told(in_the_way)
            if held == self._identity:
                log.info("leading", extra={"fields": {"lease": self._label, "as": held}})
                return
            words = in_the_way or held
            if words != said:
                log.log(level, "standing by: %s", words)
                said = words
            await asyncio.sleep(self._standby_s())

    def _standby_s(self) -> float:
        """In how many seconds a standby looks again: right away when the holder's time is up."""
        pause_s = RETRY_S * random.uniform(*STANDBY_SPREAD)  # noqa: S311 - a spread
        left_s = self._entry_seen_s + self._entry_lasts_s - self._monotonic()
        return min(pause_s, left_s + AT_ITS_END_S) if left_s > 0 else pause_s

    def may_change(self) -> None:
        """Return where this process may still change something at a vendor. Raises NotSent after its own deadline.

        Asked as each request is handed over: a process that was stopped for a minute goes on where it was, and what
        tells it that its time is over may come after what it was about to send.
        """
        if self._monotonic() >= self._renewed_s + RENEW_DEADLINE_S:
            raise NotSent(f"the Lease {self._label} is not this process's any more")

    async def _try(self) -> tuple[str, str, int]:
        """Who holds the Lease, or how that stands; what a person must mend before this process can; how loud."""
        try:
            holder = await self._claim()
        except Conflict:
            return "another replica was faster", "", logging.INFO
        except Refused as error:
            words = (
                f"{error}. Give the ServiceAccount the right to create Leases in namespace {self._namespace}, and to "
                f"get and update the one named {self._name}"
            )
            return "", f"the Lease {self._label} cannot be had: {words}", logging.ERROR
        except ObjectGone as error:  # not of the Lease: that would have been made
            words = f"{error}. Create namespace {self._namespace}, or name another with --lease-namespace"
            return "", f"the Lease {self._label} cannot be had: {words}", logging.ERROR
        except KubeError as error:
            return f"who holds the Lease {self._label} cannot be told: {error}", "", logging.WARNING
        if holder == self._identity:
            return holder, "", logging.INFO
        return f"the Lease {self._label} is held by {holder}", "", logging.INFO

    @property
    def _label(self) -> str:
        return f"{self._namespace}/{self._name}"

    async def keep(self) -> None:
        """Renew until the Lease is lost. Raises LeaseLost, in time for this process to end before another acts."""
        while True:
            try:
                # Over the pause and the requests, too: two that hang would take it past the moment another may act.
                async with asyncio.timeout(self._renewed_s + RENEW_DEADLINE_S - self._monotonic()):
                    await asyncio.sleep(RETRY_S)
                    holder = await self._claim()
            except KubeError as error:
                log.warning("the Lease was not renewed: %s", error)
            except TimeoutError:
                raise LeaseLost(f"the Lease {self._label} was not renewed for {RENEW_DEADLINE_S:g} s") from None
            else:
                if holder != self._identity:
                    self._renewed_s = float("-inf")
                    raise LeaseLost(f"the Lease {self._label} was taken by {holder}")

    async def release(self) -> None:
        """Let a standby take over at once, at the end of this process."""
        self._renewed_s = float("-inf")
        try:
            lease = await self._read()
            spec = lease.spec or client.V1LeaseSpec()
            if spec.holder_identity == self._identity:
                spec.holder_identity, spec.lease_duration_seconds = "", 1
                await self._replace(lease)
        except KubeError as error:
            log.warning("the Lease was not released: %s", error)

    async def _claim(self) -> str:
        """Create, take over or renew the Lease where that is allowed. Returns who holds it then. Raises KubeError.

        Conflict: somebody changed it meanwhile, perhaps but a label of it; the next try tells who holds it.
        """
        began_s = self._monotonic()
        try:
            lease = await self._read()
        except ObjectGone:
            await self._create()
            self._renewed_s = began_s
            return self._identity
        spec = lease.spec = lease.spec or client.V1LeaseSpec()
        entry = (spec.holder_identity or "", spec.renew_time)
        if entry != self._entry:
            self._entry, self._entry_seen_s = entry, began_s
        self._entry_lasts_s = float(spec.lease_duration_seconds or LEASE_DURATION_S)
        free = not spec.holder_identity or began_s - self._entry_seen_s > self._entry_lasts_s
        if spec.holder_identity != self._identity:
            if not free:
                return str(spec.holder_identity)
            spec.holder_identity, spec.acquire_time = self._identity, _now()
            spec.lease_transitions = (spec.lease_transitions or 0) + 1
        spec.renew_time, spec.lease_duration_seconds = _now(), int(LEASE_DURATION_S)
        await self._replace(lease)
        self._renewed_s = began_s
        return self._identity

    async def _read(self) -> client.V1Lease:
        with translated(f"get Lease {self._label}"):
            return await self._leases.read_namespaced_lease(
                self._name, self._namespace, _request_timeout=REQUEST_TIMEOUT_S
            )

    async def _create(self) -> None:
        spec = client.V1LeaseSpec(
            holder_identity=self._identity,
            lease_duration_seconds=int(LEASE_DURATION_S),
            acquire_time=_now(),
            renew_time=_now(),
            lease_transitions=0,
        )
        lease = client.V1Lease(metadata=client.V1ObjectMeta(name=self._name, namespace=self._namespace), spec=spec)
        with translated(f"create Lease {self._label}"):
            await self._leases.create_namespaced_lease(self._namespace, lease, _request_timeout=REQUEST_TIMEOUT_S)

    async def _replace(self, lease: client.V1Lease) -> None:
        with translated(f"renew Lease {self._label}"):
            await self._leases.replace_namespaced_lease(
                self._name, self._namespace, lease, _request_timeout=REQUEST_TIMEOUT_S
            )


def _now() -> datetime:
    """UTC, and never on a whole second: the API server wants the fraction, which Python leaves out where it is zero."""
    now = datetime.now(UTC)
    return now if now.microsecond else now.replace(microsecond=1)
