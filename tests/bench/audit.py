"""The API server's audit log, read on from where it was read last: who wrote what."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.controlplane.cluster import AuditedWrite

VERBS = ("create", "update", "patch", "delete", "deletecollection")
BESIDE = ("events", "leases")
"""Written beside the objects: an Event per transition, and the Lease that says that the operator lives."""


def read(lines: Iterable[bytes]) -> list[AuditedWrite]:
    """The writes in lines of the audit log."""
    return [AuditedWrite.of(json.loads(line)) for line in lines if line.strip()]


class AuditLog:
    """The log of a control plane that runs."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def end(self) -> int:
        """A place in the log: what is written from now on is behind it."""
        return self._path.stat().st_size

    def since(self, place: int, user: str) -> list[AuditedWrite]:
        """The writes behind a place of those whose user name ends in this."""
        with self._path.open("rb") as log:
            log.seek(place)
            text = log.read()
        whole = text[: text.rfind(b"\n") + 1]
        return [write for write in read(whole.splitlines()) if write.user.endswith(user)]


def beside(writes: Iterable[AuditedWrite]) -> list[AuditedWrite]:
    return [write for write in writes if write.resource in BESIDE]


def of_objects(writes: Iterable[AuditedWrite]) -> list[AuditedWrite]:
    """Writes alone, where reads are logged, too; and all but Events and the Lease."""
    return [write for write in writes if write.verb in VERBS and write.resource not in BESIDE]


def words(writes: Iterable[AuditedWrite]) -> str:
    """What was written how often, for people: `3 patch relaytasks/status`; nothing of nothing."""
    kinds = Counter(f"{write.verb} {write.resource}/{write.subresource}".rstrip("/") for write in writes)
    return ", ".join(f"{count} {kind}" for kind, count in kinds.items())


def per_object(writes: Iterable[AuditedWrite]) -> Counter[str]:
    """How many writes each object got."""
    return Counter(write.object for write in of_objects(writes))
