"""Secrets as credentials: read with `get` alone, read again while in use, told of when they change.

No list and no watch: the operator's rights on Secrets are `get`. Values stay in memory.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kubernetes.aio import client

from livetask_operator.kube.api import KubeError, ObjectGone, Refused, translated
from livetask_operator.observability.metrics import Metrics
from livetask_operator.polling.quota import Lane, Turnstile
from livetask_operator.reconcile.resource import Resource
from livetask_operator.reconcile.trouble import Trouble
from livetask_operator.vendors.contract import Credential, SecretUnusable

READS_PER_S = 40.0
READ_AGAIN_AFTER_S = 4.0
READ_TIMEOUT_S = 5.0
RETRY_AFTER_S = 1.0

log = logging.getLogger("livetask.secrets")

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Content:
    """What a Secret held when it was read; `data` is None where it is not there or may not be read."""

    data: Mapping[str, str] | None = field(repr=False, default=None)
    forbidden: bool = False


@dataclass(slots=True)
class _Entry:
    users: set[str]
    content: _Content | None = None
    read_s: float = 0.0
    tried_s: float = 0.0
    """When it was last read, or should have been: one that cannot be read must not keep the others from their turn."""
    failed: bool = False
    reading: asyncio.Task[_Content] | None = None


class Secrets:
    """The Secrets that objects use. `changed(namespace, name)` is called after one reads differently than before."""

    def __init__(
        self,
        api: client.ApiClient,
        monotonic: Callable[[], float],
        metrics: Metrics,
        changed: Callable[[str, str], None],
    ) -> None:
        self._core = client.CoreV1Api(api)
        self._monotonic = monotonic
        self._metrics = metrics
        self._changed = changed
        self._entries: dict[Key, _Entry] = {}
        self._reads = Turnstile(READS_PER_S, monotonic)

    async def credential(self, task: Resource) -> Credential | Trouble:
        """The credential of an object, or why there is none. Raises KubeError where the API server does not answer."""
        key = (task.namespace, task.secret)
        entry = self._entries.setdefault(key, _Entry(set()))
        entry.users.add(task.uid)
        if entry.content is None:
            await self._read(key, Lane.PERSON)
        known = self.known(task)
        return Trouble.secret_not_found(task) if known is None else known

    def known(self, task: Resource) -> Credential | Trouble | None:
        """What the last reading of an object's Secret says; None where it was not read."""
        entry = self._entries.get((task.namespace, task.secret))
        if entry is None or entry.content is None:
            return None
        if entry.content.forbidden:
            return Trouble.secret_forbidden(task)
        if entry.content.data is None:
            return Trouble.secret_not_found(task)
        try:
            return task.vendor.credential(entry.content.data)
        except SecretUnusable as error:
            return Trouble.secret_unusable(task, str(error))

    async def read_again(self, task: Resource) -> bool:
        """Read an object's Secret now, as after the vendor refused its key. Returns whether it has changed."""
        key = (task.namespace, task.secret)
        entry = self._entries.get(key)
        before = entry.content if entry else None
        return await self._read(key, Lane.PERSON) != before

    def release(self, uid: str, keep: Key | None = None) -> None:
        """An object is gone, or uses another Secret now."""
        for key in [key for key, entry in self._entries.items() if uid in entry.users and key != keep]:
            self._entries[key].users.discard(uid)
            if not self._entries[key].users:
                del self._entries[key]

    async def run(self) -> None:
        """Read the Secrets in use again, the longest untried first, for ever."""
        while True:
            now_s = self._monotonic()
            self._metrics.secrets_in_use.set(len(self._entries))
            read_s = [entry.read_s for entry in self._entries.values() if entry.content is not None]
            self._metrics.secret_age_seconds.set(now_s - min(read_s) if read_s else 0.0)
            key, entry = min(self._entries.items(), key=lambda item: item[1].tried_s, default=(None, None))
            if key is None or entry is None or now_s - entry.tried_s < READ_AGAIN_AFTER_S:
                wait_s = RETRY_AFTER_S if entry is None else READ_AGAIN_AFTER_S - (now_s - entry.tried_s)
                await asyncio.sleep(min(wait_s, RETRY_AFTER_S))
                continue
            try:
                await self._read(key, Lane.POLL)
                entry.failed = False
            except KubeError as error:
                if not entry.failed:
                    log.warning("a Secret could not be read again: %s", error)
                entry.failed = True

    async def _read(self, key: Key, lane: Lane) -> _Content:
        """Read a Secret, or wait for the reading that is under way: many objects that begin together need one."""
        entry = self._entries.get(key)
        if entry is None:
            return await self._fetch(key, lane)
        if entry.reading is None:
            entry.reading = asyncio.get_running_loop().create_task(self._fetch(key, lane))
            entry.reading.add_done_callback(lambda reading: _done(entry, reading))
        return await asyncio.shield(entry.reading)  # not cancelled with the one who came first

    async def _fetch(self, key: Key, lane: Lane) -> _Content:
        await self._reads.enter(lane)
        if (entry := self._entries.get(key)) is not None:
            entry.tried_s = self._monotonic()
        namespace, name = key
        try:
            with translated(f"get Secret {namespace}/{name}"):
                secret = await self._core.read_namespaced_secret(name, namespace, _request_timeout=READ_TIMEOUT_S)
            content = _Content(_decoded(secret.data or {}))
        except ObjectGone:
            content = _Content()
        except Refused as error:
            log.error("a Secret may not be read: %s", error)
            content = _Content(forbidden=True)
        entry = self._entries.get(key)
        if entry is None:
            return content
        before, entry.content, entry.read_s = entry.content, content, self._monotonic()
        if before is not None and before != content:
            self._changed(namespace, name)
        return content


def _done(entry: _Entry, reading: asyncio.Task[_Content]) -> None:
    entry.reading = None
    if not reading.cancelled():
        reading.exception()  # told to whoever waits; if nobody does any more, it is no fault


def _decoded(data: Mapping[str, str | bytes]) -> Mapping[str, str]:
    """A Secret's data as text. What is no text cannot be a key: it reads as characters that cannot be sent."""
    decoded = {}
    for key, value in data.items():
        try:
            decoded[key] = base64.b64decode(value).decode()
        except (binascii.Error, UnicodeDecodeError):
            decoded[key] = "\x00"
    return decoded
