"""Whether what is to be followed can be reached: each namespace is there, may be read, and the kinds are served.

Apart from the watching: kopf tries again for ever, and says no more than the API server's answer. What stands in the
way is told here in words, once, by the log and for as long as it lasts by /readyz; that it is mended is noticed, too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kubernetes.aio import client

from livetask_operator.kube.api import (
    KubeError,
    NotServed,
    ObjectApi,
    ObjectGone,
    Place,
    Refused,
    Unavailable,
    translated,
)
from livetask_operator.observability.health import Health
from livetask_operator.reconcile.resource import GROUP, VERSION

CHECK_EVERY_S = 60.0
CHECK_AGAIN_S = 5.0
"""While something is in the way, or not known."""
AT_ONCE = 8
REQUEST_TIMEOUT_S = 10.0

log = logging.getLogger("livetask.reach")


@dataclass(frozen=True, slots=True)
class InTheWay:
    """What cannot be followed and why, and what to do. `work_waits`: there may be objects that nobody follows now."""

    words: str
    work_waits: bool


class Reach:
    """All places that are followed."""

    def __init__(self, api: client.ApiClient, kinds: Sequence[ObjectApi], health: Health) -> None:
        self._core = client.CoreV1Api(api)
        self._discovery = client.CustomObjectsApi(api)
        self._kinds = kinds
        self._health = health
        self._known: dict[str, InTheWay | None] = {}
        self._unwell_s: dict[str, float] = {}
        health.note("reach", "the API server has not answered yet", work_goes_on=False)

    def unwell_s(self, place: Place) -> float:
        """When (monotonic) the newest check found that a place could not be reached; -inf where none did."""
        return max(self._unwell_s.get(part, float("-inf")) for part in ("kinds", _name(place)))

    async def run(self) -> None:
        """Check all places, and again and again: soon where something is in the way, sparingly where all is well."""
        places = self._kinds[0].places
        while True:
            well = False
            if await self._are_served():
                turn = asyncio.Semaphore(AT_ONCE)
                well = all(await asyncio.gather(*(self._check(place, turn) for place in places)))
            if {"kinds", *map(_name, places)} <= self._known.keys() or self._known.get("kinds") is not None:
                self._health.settle("reach")  # whatever stands in the way is named by now
            await asyncio.sleep(CHECK_EVERY_S if well else CHECK_AGAIN_S)

    async def _are_served(self) -> bool:
        """Whether the API server serves the kinds; asked of its discovery, which takes no right of ours."""
        wanted = {kind.plural for kind in self._kinds}
        try:
            with translated(f"ask which kinds of {GROUP} are served"):
                found = await self._discovery.get_api_resources(GROUP, VERSION, _request_timeout=REQUEST_TIMEOUT_S)
            missing = wanted - {resource.name for resource in found.resources}
        except (NotServed, ObjectGone):
            missing = wanted
        except KubeError as error:
            log.debug("%s", error)
            self._unwell_s["kinds"] = self._health.monotonic()
            return False
        if missing:
            kinds = ", ".join(f"{plural}.{GROUP}" for plural in sorted(missing))
            self._tell("kinds", InTheWay(f"{kinds}: not served. Apply crds/ first", work_waits=True))
            return False
        self._tell("kinds", None)
        return True

    async def _check(self, place: Place, turn: asyncio.Semaphore) -> bool:
        """Whether a place is known to be well."""
        async with turn:
            try:
                found = await self._in_the_way(place)
            except Unavailable as error:
                log.debug("whether %s can be followed is not known: %s", _name(place), error)
                self._unwell_s[_name(place)] = self._health.monotonic()
                return False
        self._tell(_name(place), found)
        return found is None

    async def _in_the_way(self, place: Place) -> InTheWay | None:
        """What is in the way at a place. Raises Unavailable where that cannot be told now."""
        for kind in self._kinds:
            try:
                await kind.can_list(place)
            except Refused as error:
                return InTheWay(f"{_name(place)} cannot be followed: {error}. {_ways_out(place)}", work_waits=True)
        if place is not None and not await self._is_there(place):
            return InTheWay(
                f"namespace {place} does not exist; what is created in it is followed once it does", work_waits=False
            )
        return None

    async def _is_there(self, namespace: str) -> bool:
        """Whether a namespace exists. Nobody lists namespaces for that: it is asked whether an Event could be posted.

        To list what is in a namespace that does not exist is allowed, and finds nothing.
        """
        event: Any = {
            "metadata": {"generateName": "livetask-operator.", "namespace": namespace},
            "involvedObject": {"apiVersion": "v1", "kind": "Namespace", "namespace": namespace, "name": namespace},
        }
        try:
            with translated(f"ask whether an Event can be posted in namespace {namespace}"):
                await self._core.create_namespaced_event(
                    namespace, event, dry_run="All", _request_timeout=REQUEST_TIMEOUT_S
                )
        except ObjectGone:
            return False
        except Unavailable:
            raise
        except KubeError as error:
            log.debug("%s", error)  # as of a namespace that is being deleted
        return True

    def _tell(self, part: str, found: InTheWay | None) -> None:
        """Say what has changed: in a line of the log, and on /readyz for as long as it lasts."""
        known = self._known.get(part)
        self._known[part] = found
        if found is not None:
            self._unwell_s[part] = self._health.monotonic()
        if found is None:
            self._health.settle(part)
            if known is not None:
                log.info("no more in the way: %s", known.words)
        elif found != known:
            self._health.note(part, found.words, work_goes_on=not found.work_waits)
            log.log(logging.ERROR if found.work_waits else logging.WARNING, "%s", found.words)


def _name(place: Place) -> str:
    return "the cluster" if place is None else f"namespace {place}"


def _ways_out(place: Place) -> str:
    if place is None:
        return (
            "Give the ServiceAccount the ClusterRole of manifests/, or name the namespaces in which it has a Role with "
            "--namespace"
        )
    return (
        "It does not exist, or the ServiceAccount has no Role in it: create it with its Role and RoleBinding, or leave "
        f"--namespace {place} away"
    )
