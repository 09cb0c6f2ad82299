"""Whether a kind's CRD is itself being deleted: asked before each stop, and one answer serves all who ask together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from livetask_operator.kube.api import ObjectApi, Refused
from livetask_operator.reconcile.resource import Instant

log = logging.getLogger("livetask.release")


class Crd:
    """The CRD of one kind."""

    def __init__(self, api: ObjectApi, now: Callable[[], Instant]) -> None:
        self._api = api
        self._now = now
        self._reading: tuple[float, asyncio.Future[bool] | None] = (float("-inf"), None)
        self._is_hidden = False

    async def is_deleted(self, since_s: float, max_age_s: float) -> bool:
        """What a reading says that began after `since_s`, and is not old.

        A CRD's own deletion begins before its objects': one that is not being deleted after an object was seen deleted
        did not bring that about.
        """
        while True:
            began_s, reading = self._reading
            now_s = self._now().mono
            if reading is not None and not reading.done() and began_s < since_s:
                await asyncio.wait({reading})  # the next serves all who came meanwhile
                continue
            failed = reading is not None and reading.done() and (reading.cancelled() or reading.exception() is not None)
            if reading is None or failed or began_s < since_s or now_s - began_s > max_age_s:
                reading = asyncio.ensure_future(self._ask())
                reading.add_done_callback(lambda done: done.cancelled() or done.exception())  # told to whoever waits
                self._reading = (now_s, reading)
            return await asyncio.shield(reading)  # others may wait for it, too

    async def _ask(self) -> bool:
        """The CRD itself knows first; where it may not be read, as with Roles alone, its kind tells."""
        try:
            return await self._api.crd_is_deleted()
        except Refused as error:
            if not self._is_hidden:
                self._is_hidden = True
                log.info("%s: whether it is being deleted is told by what can be done with its kind", error)
            return not await self._api.takes_new_objects()
