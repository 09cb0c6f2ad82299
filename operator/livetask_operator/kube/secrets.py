"""Secrets as credentials: read with `get` alone, read again while in use, told of when they change.

No list and no watch: the operator's rights on Secrets are `get`. Of a Secret, whatever its size, only the credential is
kept, in memory. All reads together are capped, and the namespaces share them in turn (`polling/fair.py`).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from kubernetes.aio import client

from livetask_operator.kube.api import ObjectGone, Refused, translated
from livetask_operator.observability.metrics import Metrics
from livetask_operator.polling.fair import FairTurnstile
from livetask_operator.polling.quota import Lane
from livetask_operator.reconcile.resource import Resource
from livetask_operator.reconcile.trouble import Trouble
from livetask_operator.vendors.contract import Credential, SecretUnusable, Vendor

READS_PER_S = 40.0
READ_AGAIN_AFTER_S = 4.0
READ_TIMEOUT_S = 5.0
READS_AT_ONCE = 8
"""A reading that hangs must not keep the others from their turn."""
REST_AT_MOST_S = 1.0
COUNT_EVERY_S = 1.0

log = logging.getLogger("livetask.secrets")

Key = tuple[str, str]
"""A namespace and a name in it."""


@dataclass(frozen=True, slots=True)
class _Content:
    """What a Secret held when it was read: for each vendor that is asked with it the credential, or what is wrong.

    `keys` is None where it is not there or may not be read.
    """

    keys: Mapping[str, Credential | str] | None = field(repr=False, default=None)
    forbidden: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """The credential for one vendor that a Secret held when it was last read, in monotonic seconds."""

    namespace: str
    name: str
    vendor: str
    credential: Credential
    read_s: float


@dataclass(slots=True)
class _Entry:
    key: Key
    users: set[str] = field(default_factory=set)
    vendors: dict[str, Vendor] = field(default_factory=dict)
    """Whose credentials are looked for in it, by name."""
    content: _Content | None = None
    read_s: float = 0.0
    """When the reading began that brought the content: it may have been changed since."""
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
        self._used_by: dict[str, tuple[Key, ...]] = {}
        self._resting: OrderedDict[str, OrderedDict[Key, _Entry]] = OrderedDict()
        """Those that no reading is under way for, by namespace, the longest untried first; whose turn it is, first."""
        self._turnstile = FairTurnstile(READS_PER_S, monotonic)

    async def credential(self, task: Resource) -> Credential | Trouble:
        """The credential of an object, or why there is none. Raises KubeError where the API server does not answer."""
        key = (task.namespace, task.secret)
        entry = self._entries.setdefault(key, _Entry(key))
        entry.users.add(task.uid)
        entry.vendors[task.vendor.name] = task.vendor
        used = self._used_by.get(task.uid, ())
        if key not in used:
            self._used_by[task.uid] = (*used, entry.key)
        while (known := self.known(task)) is None:
            await self._read(key, Lane.PERSON)
            if self._entries.get(key) is not entry:  # released meanwhile, with its last user
                return Trouble.secret_not_found(task)
        return known

    def known(self, task: Resource) -> Credential | Trouble | None:
        """What the last reading of an object's Secret says; None where it was not read, or not for its vendor."""
        entry = self._entries.get((task.namespace, task.secret))
        if entry is None or entry.content is None:
            return None
        if entry.content.forbidden:
            return Trouble.secret_forbidden(task)
        if entry.content.keys is None:
            return Trouble.secret_not_found(task)
        found = entry.content.keys.get(task.vendor.name)
        return Trouble.secret_unusable(task, found) if isinstance(found, str) else found

    def held(self) -> Iterator[Held]:
        """The credentials that the Secrets in use hold, as they were last read."""
        for (namespace, name), entry in self._entries.items():
            for vendor, found in ((entry.content and entry.content.keys) or {}).items():
                if isinstance(found, Credential):
                    yield Held(namespace, name, vendor, found, entry.read_s)

    async def read_again(self, task: Resource) -> bool:
        """Read an object's Secret now, as after the vendor refused its key. Returns whether it has changed."""
        key = (task.namespace, task.secret)
        entry = self._entries.get(key)
        if entry is None:
            return False
        before = entry.content
        content = await self._read(key, Lane.PERSON)
        return before is None or _differs(before, content)

    def release(self, uid: str, keep: Key | None = None) -> None:
        """An object is gone, or uses another Secret now."""
        for key in self._used_by.pop(uid, ()):
            if key == keep:
                continue
            entry = self._entries[key]
            entry.users.discard(uid)
            if not entry.users:
                del self._entries[key]
                self._rouse(key)
        if keep in self._entries and uid in self._entries[keep].users:
            self._used_by[uid] = (keep,)

    async def run(self) -> None:
        """Read the Secrets in use again: each namespace in its turn, of its Secrets the longest untried; for ever."""
        count_at_s = self._monotonic()
        readings: set[asyncio.Task[None]] = set()
        while True:
            now_s = self._monotonic()
            if now_s >= count_at_s:
                count_at_s = now_s + COUNT_EVERY_S
                self._count(now_s)
            key, wait_s = self._next_due(now_s)
            if key is None:
                await asyncio.sleep(wait_s)
                continue
            reading = asyncio.create_task(self._read_in_turn(key))
            readings.add(reading)
            reading.add_done_callback(readings.discard)
            await asyncio.sleep(0)  # it is under way, and no more due
            if len(readings) >= READS_AT_ONCE:
                await asyncio.wait(readings, return_when=asyncio.FIRST_COMPLETED)

    async def _read_in_turn(self, key: Key) -> None:
        entry = self._entries.get(key)
        if entry is None:
            return  # released with its last user
        try:
            await self._read(key, Lane.POLL)
            entry.failed = False
        except Exception as error:  # whatever a proxy may answer in the API server's place
            if not entry.failed:
                log.warning("a Secret could not be read again: %s", error)
            entry.failed = True

    def _next_due(self, now_s: float) -> tuple[Key | None, float]:
        """The Secret to be read again now, of the namespace whose turn it is; else how many seconds to wait."""
        wait_s = REST_AT_MOST_S
        for namespace, resting in self._resting.items():
            key, entry = next(iter(resting.items()))
            due_in_s = entry.tried_s + READ_AGAIN_AFTER_S - now_s
            if due_in_s <= 0:
                self._resting.move_to_end(namespace)
                return key, 0.0
            wait_s = min(wait_s, due_in_s)
        return None, wait_s

    def _count(self, now_s: float) -> None:
        self._metrics.secrets_in_use.set(len(self._entries))
        read_s = [entry.read_s for entry in self._entries.values() if entry.content is not None]
        self._metrics.secret_age_seconds.set(now_s - min(read_s) if read_s else 0.0)

    async def _read(self, key: Key, lane: Lane) -> _Content:
        """Read a Secret, or wait for the reading that is under way: many objects that begin together need one."""
        entry = self._entries[key]
        if entry.reading is None:
            self._rouse(key)
            entry.reading = asyncio.get_running_loop().create_task(self._fetch(key, entry, lane))
            entry.reading.add_done_callback(lambda reading: self._done(key, entry, reading))
        return await asyncio.shield(entry.reading)  # not cancelled with the one who came first

    async def _fetch(self, key: Key, entry: _Entry, lane: Lane) -> _Content:
        namespace, name = key
        await self._turnstile.enter(namespace, lane)
        before, began_s = entry.content, self._monotonic()
        try:
            with translated(f"get Secret {namespace}/{name}"):
                secret = await self._core.read_namespaced_secret(name, namespace, _request_timeout=READ_TIMEOUT_S)
            data = _Values(secret.data or {})
            content = _Content({vendor: _key_in(data, entry.vendors[vendor]) for vendor in entry.vendors})
        except ObjectGone:
            content = _Content()
        except Refused as error:
            if before is None or not before.forbidden:
                log.error("a Secret may not be read: %s", error)
            content = _Content(forbidden=True)
        entry.content, entry.read_s = content, began_s
        if self._entries.get(key) is entry and before is not None and _differs(before, content):
            self._changed(namespace, name)
        return content

    def _done(self, key: Key, entry: _Entry, reading: asyncio.Task[_Content]) -> None:
        entry.reading = None
        entry.tried_s = self._monotonic()
        if self._entries.get(key) is entry:
            self._resting.setdefault(key[0], OrderedDict())[key] = entry
        if not reading.cancelled():
            reading.exception()  # told to whoever waits; if nobody does any more, it is no fault

    def _rouse(self, key: Key) -> None:
        """It rests no more: it is being read, or is not in use."""
        resting = self._resting.get(key[0])
        if resting is not None:
            resting.pop(key, None)
            if not resting:
                del self._resting[key[0]]


def _differs(before: _Content, now: _Content) -> bool:
    """Whether a Secret reads differently for any vendor that it was read for before."""
    if before.keys is None or now.keys is None:
        return before != now
    return any(now.keys.get(vendor) != key for vendor, key in before.keys.items())


def _key_in(data: Mapping[str, str], vendor: Vendor) -> Credential | str:
    try:
        return vendor.credential(data)
    except SecretUnusable as error:
        return str(error)


class _Values(Mapping[str, str]):
    """A Secret's data as text, each value decoded when it is asked for: there may be a megabyte of others.

    What is no text cannot be a key: it reads as a character that cannot be sent.
    """

    def __init__(self, data: Mapping[str, str | bytes]) -> None:
        self._data = data

    def __getitem__(self, key: str) -> str:
        try:
            return base64.b64decode(self._data[key]).decode()
        except (binascii.Error, UnicodeDecodeError):
            return "\x00"

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)
