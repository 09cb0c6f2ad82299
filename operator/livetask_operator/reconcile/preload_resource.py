"""A PreloadTask as the operator reads it: parsed once per event from the untyped body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from livetask_operator.reconcile.preload_status import PreloadTaskStatus, is_final
from livetask_operator.reconcile.resource import (
    Resource,
    UnreadableResource,
    common_fields,
    moment,
    only_vendor,
    reading,
)
from livetask_operator.vendors.contract import PreloadVendor

PRELOAD_TASKS = "preloadtasks"
COUNTED_BEFORE = timedelta(hours=6)
"""Without a createdAfter: how long before the object a preload of a URL may have been made (design, section 2)."""


@dataclass(frozen=True, slots=True)
class PreloadTask(Resource):
    """One PreloadTask object at one moment."""

    vendor: PreloadVendor
    domain: str
    task_ids: tuple[str, ...]
    play_urls: tuple[str, ...]
    created_after: datetime
    """Older preloads of `play_urls` do not count; `task_ids` count at any age."""
    status: PreloadTaskStatus

    KIND: ClassVar[str] = "PreloadTask"
    SHORT: ClassVar[str] = "plt"
    NOUN: ClassVar[str] = "preload"
    NAMES: ClassVar[str] = "the domain, the task ids and the URLs"

    @classmethod
    def from_body(cls, body: Mapping[str, Any], vendors: Mapping[str, PreloadVendor]) -> PreloadTask:
        """Parse an object. `vendors` is keyed by block. Raises UnreadableResource, with the object's name in it."""
        with reading(cls.KIND, body):
            vendor = only_vendor(body["spec"], vendors)
            block, common = body["spec"][vendor.block], common_fields(body)
            task_ids, play_urls = tuple(block.get("taskIds") or ()), tuple(block.get("playUrls") or ())
            if not task_ids and not play_urls:
                raise UnreadableResource("names no preload, neither in taskIds nor in playUrls")
            after = block.get("createdAfter")
            return cls(
                **common,
                vendor=vendor,
                domain=block["domainName"],
                task_ids=task_ids,
                play_urls=play_urls,
                created_after=moment(after) if after else common["created"] - COUNTED_BEFORE,
                status=_sharing_urls(PreloadTaskStatus.from_body(body.get("status")), play_urls),
            )

    @property
    def subject(self) -> str:
        return f"the preload of {self.domain}"

    @property
    def is_polled(self) -> bool:
        return not self.suspend and not is_final(self.status)


def _sharing_urls(status: PreloadTaskStatus, play_urls: tuple[str, ...]) -> PreloadTaskStatus:
    """The status with the spec's own texts where it repeats them: a hundred kilobytes less for the largest objects."""
    named = {url: url for url in play_urls}
    rows = (
        replace(row, play_url=named.get(row.play_url, row.play_url)) if row.play_url else row for row in status.tasks
    )
    return replace(status, tasks=tuple(rows))
