"""Somebody who watches all RelayTasks and PreloadTasks of a control plane, and keeps each status that operators wrote.

So that what must hold of every status of every test is checked without a line in those tests.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import httpx

from tests.controlplane import ControlPlane
from tests.stage.footprint import OPERATOR, trespasses
from tests.stage.objects import Objects

KINDS = ("relaytasks", "preloadtasks")
WATCHES_S = 2
"""So long at a time: then it is asked whether it is over."""
TRIES_AGAIN_S = 0.2
BEGINS_WITHIN_S = 30.0
PLANTED = "livetask.dev/planted-fault"
"""The label of objects whose status a test spoils on purpose."""

Body = Mapping[str, Any]


class Witness:
    """For as long as the `with` lasts. `bodies` are the objects as they were seen, each different status once, and
    `trespasses` what an operator changed that is none of its business.

    spoils: look at the objects with the label PLANTED alone, which all others pass over.
    """

    def __init__(self, plane: ControlPlane, *, spoils: bool = False) -> None:
        self.bodies: dict[str, Body] = {}
        self.trespasses: set[str] = set()
        self._selector = PLANTED if spoils else f"!{PLANTED}"
        self._plane = plane
        self._is_over = threading.Event()
        self._begun = {kind: threading.Event() for kind in KINDS}
        self._threads = [threading.Thread(target=self._see_all, args=(kind,)) for kind in KINDS]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        if not all(begun.wait(BEGINS_WITHIN_S) for begun in self._begun.values()):
            self.ends()
            raise TimeoutError(f"{' or '.join(KINDS)} are not served")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ends()

    def ends(self) -> None:
        """Stop watching; what was written before is seen."""
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _see_all(self, kind: str) -> None:
        path = f"/apis/livetask.dev/v1alpha1/{kind}"
        with Objects(self._plane) as objects:
            version = ""
            while True:
                is_last = self._is_over.is_set()
                try:
                    version = version or self._list(objects, path)
                    self._begun[kind].set()
                    since = {"resourceVersion": version, "labelSelector": self._selector}
                    for event in objects.events(path, since, for_s=1 if is_last else WATCHES_S):
                        version = self._see(event)
                except (httpx.HTTPError, RuntimeError):  # the API server is away, or the kind is
                    version = ""
                if is_last:
                    return
                if not version:
                    self._is_over.wait(TRIES_AGAIN_S)

    def _list(self, objects: Objects, path: str) -> str:
        found = objects.get(f"{path}?labelSelector={self._selector}")
        if found is None:
            raise RuntimeError(f"{path} is not served")
        for body in found["items"]:
            self._note({"apiVersion": found["apiVersion"], "kind": found["kind"].removesuffix("List"), **body})
        return str(found["metadata"]["resourceVersion"])

    def _see(self, event: Mapping[str, Any]) -> str:
        """Take in what a watch told. Returns from where it goes on; empty where it cannot."""
        body = event.get("object")
        if body is None or event["type"] == "ERROR":
            return ""
        self._note(body)
        return str(body["metadata"]["resourceVersion"])

    def _note(self, body: Body) -> None:
        self.trespasses.update(trespasses(body))
        if is_of_operators(body):
            self.bodies.setdefault(_what_is_read(body), body)


def is_of_operators(body: Body) -> bool:
    """Whether nobody but an operator ever wrote this status; one that nobody wrote yet counts too."""
    return {entry["manager"] for entry in status_writes(body)} <= {OPERATOR}


def status_writes(body: Body) -> Iterator[Body]:
    """The entries of managedFields that own something in the status."""
    for entry in body["metadata"].get("managedFields", ()):
        if entry.get("subresource") == "status" or "f:status" in entry.get("fieldsV1", {}):
            yield entry


def _what_is_read(body: Body) -> str:
    """All that any reader of a status looks at."""
    meta = body["metadata"]
    generation = (meta["generation"], "deletionTimestamp" in meta, body["spec"].get("suspend", False))
    return json.dumps([body["kind"], generation, body.get("status")], sort_keys=True)
