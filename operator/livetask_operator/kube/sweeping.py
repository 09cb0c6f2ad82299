"""Notices what the watch did not tell: first of all what vanished while it was down.

kopf lists again then, and says nothing of what is not there. What is there and was missed is taken over, too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

from livetask_operator.kube.api import KubeError, ObjectApi, Place
from livetask_operator.reconcile.resource import Resource

log = logging.getLogger("livetask.follow")


class Vanished(Protocol):
    """Is told of an object that is not there any more, or that another operator follows now."""

    def __call__(self, uid: str, *, passed_on: bool) -> None: ...


async def sweep(
    api: ObjectApi,
    known: Mapping[str, Resource],
    followed: Collection[str],
    changed: Callable[[Mapping[str, Any]], None],
    vanished: Vanished,
) -> bool:
    """List a kind's objects, and tell what differs. By uid: `known` were followed before, `followed` are now.

    Returns whether all could be listed.
    """
    is_whole = True
    for place in api.places:  # one by one: what is wrong with one says nothing of another
        there = set()
        try:
            async for body in api.each(place):
                uid = body["metadata"]["uid"]
                there.add(uid)
                if uid in followed or uid not in known:  # else it vanished during the listing
                    changed(body)
        except KubeError as error:
            log.warning("%s; looked for missed changes in %s again later", error, _name(place))
            is_whole = False
            continue
        for uid in known.keys() - there:
            if place in (None, known[uid].namespace):
                # Whether one that the selector has no more is gone cannot be told here; deleted, it would have waited.
                vanished(uid, passed_on=api.selects and not known[uid].is_deleted)
    return is_whole


def _name(place: Place) -> str:
    return "all namespaces" if place is None else f"namespace {place}"
