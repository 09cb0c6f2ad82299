"""Which kinds kopf watches, and that it looks again while one is missing.

kopf looks which are served when a CRD changes, and the API server may serve a kind only a moment after the last change:
nothing tells kopf then, and it would follow none of its objects until some CRD changes again. Seen more than once, on a
busy machine, where the CRDs were taken away and applied again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection

import kopf
from kopf._cogs.clients.scanning import scan_resources
from kopf._cogs.structs.bodies import RawEvent
from kopf._cogs.structs.references import Insights
from kopf._core.reactor.observation import process_discovered_resource_event

from livetask_operator.reconcile.resource import GROUP

LOOK_AGAIN_S = 2.0
AFTER_A_FAULT_S = 15.0

log = logging.getLogger("livetask.watch")


class Kinds:
    """What kopf knows of the API server's kinds: it takes `insights`, and `run` is to be begun where kopf was."""

    def __init__(self, plurals: Collection[str]) -> None:
        self.insights = Insights()
        self._wanted = frozenset(plurals)

    @property
    def missing(self) -> frozenset[str]:
        """Those that are not watched."""
        return self._wanted - {resource.plural for resource in self.insights.watched_resources}

    async def run(self, settings: kopf.OperatorSettings, registry: kopf.OperatorRegistry) -> None:
        """Have kopf look again while a kind is missing, for ever."""
        await self.insights.ready_resources.wait()
        while True:
            await asyncio.sleep(LOOK_AGAIN_S)
            try:
                if self.missing:
                    await self._look(settings, registry)
            except Exception as error:  # whatever a proxy may answer in the API server's place
                log.warning("which kinds are served was not told: %s; asked again in %g s", error, AFTER_A_FAULT_S)
                await asyncio.sleep(AFTER_A_FAULT_S)

    async def _look(self, settings: kopf.OperatorSettings, registry: kopf.OperatorRegistry) -> None:
        served = await scan_resources(groups={GROUP}, settings=settings, logger=log)
        found = self.missing & {resource.plural for resource in served}
        if found:
            log.info("found to be served by now: %s", ", ".join(sorted(found)))
            as_if_a_crd_changed = RawEvent(type="MODIFIED", object={"spec": {"group": GROUP}})
            await process_discovered_resource_event(
                raw_event=as_if_a_crd_changed, settings=settings, registry=registry, insights=self.insights
            )
