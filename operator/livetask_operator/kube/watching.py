"""kopf: it lists and watches, and its handlers say what happened. Nothing is decided or written here."""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, NoReturn

import kopf
from kopf._core.reactor.inventory import ResourceMemories, ResourceMemory  # kopf takes one, and has no name for it

from livetask_operator.kube.connection import Connection
from livetask_operator.kube.follow import Follow
from livetask_operator.kube.kinds import Kinds
from livetask_operator.kube.scope import Scope
from livetask_operator.reconcile.preload_resource import PRELOAD_TASKS
from livetask_operator.reconcile.resource import FINALIZER, GROUP, RELAY_TASKS, VERSION

WATCH_SERVER_TIMEOUT_S = 300  # an int: the API server refuses 300.0
WATCH_CLIENT_TIMEOUT_S = 330
WATCH_SILENT_S = 70.0
"""The API server sends a bookmark a minute: a watch without a word for so long is connected again."""
PAGE = 100
AGAIN_S = 1.0
AGAIN_CAP_S = 30.0
HELD_S = 10.0
"""A kopf that ran for so long had begun well."""
END_WITHIN_S = 5.0
WATCHER = "watcher for "
"""So kopf names its task for a kind and a place. Where one of them fails it leaves the others to themselves."""
LOGIN_AGAIN_S = 5.0
IDENTITY: Any = "livetask-operator"
"""Who this is to kopf's peering, which is off. Without it kopf asks for the user's name, and ends where the user is but
a number, as in a container. Any, as kopf keeps its type to itself."""

log = logging.getLogger("livetask.watch")


class _Thinned(logging.Filter):
    """Of kopf's lines about a request that goes on failing the 1st, 2nd, 4th, 8th …: `kube/reach.py` says why."""

    ATTEMPT = re.compile(r"Request attempt #(\d+)")

    def filter(self, record: logging.LogRecord) -> bool:
        attempt = self.ATTEMPT.match(record.getMessage())
        return attempt is None or int(attempt[1]).bit_count() == 1


_THINNED = _Thinned()
KOPF_WATCHES = logging.getLogger("kopf._cogs.clients.watching")


class _ForEver:
    """Back-offs without an end, with jitter: kopf exits, or falls silent, when they are used up."""

    STEPS_S = (0.5, 1.0, 2.0, 4.0, 8.0)

    def __iter__(self) -> Iterator[float]:
        for step_s in itertools.chain(self.STEPS_S, itertools.repeat(self.STEPS_S[-1])):
            yield step_s * random.uniform(0.7, 1.3)  # noqa: S311 - a spread


class _NoDiffBase(kopf.DiffBaseStorage):
    """kopf compares nothing: for `on.event` alone nobody asks, and it would copy each object five times per event."""

    def build(self, *, body: kopf.Body, extra_fields: Iterable[object] | None = None) -> kopf.BodyEssence:
        return kopf.BodyEssence({})

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence | None:
        return None

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        pass


class _NoMemories(ResourceMemories):
    """kopf remembers nothing of the objects: for `on.event` alone it would be a kilobyte each, for nobody."""

    async def recall(self, raw_body: Any, *, memobase: Any = None, **_: object) -> ResourceMemory:
        return ResourceMemory(memo=memobase)


def settings(scope: Scope) -> kopf.OperatorSettings:
    """How kopf behaves here; measured on a real API server.

    Confined to some namespaces, kopf would list all namespaces and, forbidden to, try for ever: so it does not scan.
    """
    settings = kopf.OperatorSettings()
    settings.persistence.diffbase_storage = _NoDiffBase()
    settings.posting.enabled = False  # our Events are posted on transitions, by our own writer
    settings.networking.error_backoffs = _ForEver()
    settings.networking.connect_timeout = 5.0
    settings.networking.request_timeout = 30.0
    settings.watching.server_timeout = WATCH_SERVER_TIMEOUT_S
    settings.watching.client_timeout = WATCH_CLIENT_TIMEOUT_S
    settings.watching.inactivity_timeout = WATCH_SILENT_S
    settings.watching.chunk_size = PAGE
    settings.queueing.idle_timeout = 1.0
    settings.scanning.disabled = bool(scope.namespaces)
    settings.process.ultimate_exiting_timeout = None
    if scope.selector:
        for plural in (RELAY_TASKS, PRELOAD_TASKS):
            settings.watching.label_selectors[GROUP, VERSION, plural] = scope.selector
    return settings


def registry(connection: Connection, follow: Follow, heard: Callable[[str], None]) -> kopf.OperatorRegistry:
    """kopf's handlers: a login and an `on.event` for each kind, and nothing that makes kopf write.

    heard: told the path of whatever the API server says.
    """
    registry = kopf.OperatorRegistry()
    last_login_s = float("-inf")

    @kopf.on.login(registry=registry)
    async def log_in(**_: object) -> kopf.AiohttpSession:
        nonlocal last_login_s
        if time.monotonic() - last_login_s < LOGIN_AGAIN_S:
            await asyncio.sleep(LOGIN_AGAIN_S)  # a token that is refused again and again must not become a storm
        last_login_s = time.monotonic()
        return connection.kopf_session(heard)

    @kopf.on.event(GROUP, VERSION, RELAY_TASKS, registry=registry)
    async def relay_task_changed(event: kopf.RawEvent, **_: object) -> None:
        _tell(follow, RELAY_TASKS, event)

    @kopf.on.event(GROUP, VERSION, PRELOAD_TASKS, registry=registry)
    async def preload_task_changed(event: kopf.RawEvent, **_: object) -> None:
        _tell(follow, PRELOAD_TASKS, event)

    return registry


def _tell(follow: Follow, plural: str, event: kopf.RawEvent) -> None:
    body = event["object"]
    if event["type"] == "DELETED":
        follow.vanished(body["metadata"]["uid"], passed_on=_is_passed_on(body["metadata"]))
    else:
        follow.changed(plural, body, listed=event["type"] is None)


def _is_passed_on(meta: Mapping[str, Any]) -> bool:
    """Whether an object that the watch calls deleted is there all the same: then the selector has it no more.

    With a finalizer on it, it would have been marked as deleted before it could be.
    """
    return FINALIZER in (meta.get("finalizers") or ()) and "deletionTimestamp" not in meta


async def watch(
    connection: Connection,
    follow: Follow,
    scope: Scope,
    ready: asyncio.Event,
    *,
    heard: Callable[[str], None],
    begun: Callable[[], None],
) -> None:
    """List and watch until cancelled. `ready` is set when kopf runs, `begun` is called each time that it begins.

    kopf ends at answers that it does not expect: an error in a watch other than 410, a list whose continuation was
    compacted away, a kind that is not served any more, half a line. Then it begins anew, and lists everything.
    """
    KOPF_WATCHES.addFilter(_THINNED)
    handlers, again_s = registry(connection, follow, heard), AGAIN_S
    while True:
        began_s, how, kinds = time.monotonic(), settings(scope), Kinds((RELAY_TASKS, PRELOAD_TASKS))
        try:
            tasks = await kopf.spawn_tasks(
                registry=handlers,
                settings=how,
                insights=kinds.insights,
                memories=_NoMemories(),
                standalone=True,
                identity=IDENTITY,
                clusterwide=not scope.namespaces,
                namespaces=list(scope.namespaces),
                ready_flag=ready,
            )
            begun()
            looking = asyncio.create_task(kinds.run(how, handlers), name="kinds")  # after kopf knows the way
            await _until_one_ends([*tasks, looking])
        except Exception as error:
            again_s = AGAIN_S if time.monotonic() - began_s > HELD_S else min(again_s * 2, AGAIN_CAP_S)
            log.error("watching broke off and begins anew in %g s: %s", again_s, _one_line(error))
        await asyncio.sleep(again_s)


async def _until_one_ends(tasks: Collection[asyncio.Task[Any]]) -> NoReturn:
    """Have kopf's tasks run until one of them ends, and end the others. Raises what it ended with, or RuntimeError.

    In the place of kopf's own: that cancels whatever began after it, stops under way among them. And together with a
    watch it cancels what the watch waits for, which hides the one from the other: it went on, and nobody knew of it.
    """
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _end(tasks)
        await _end([task for task in asyncio.all_tasks() if task.get_name().startswith(WATCHER)])
    for task in done:
        task.result()
    raise RuntimeError(f"{', '.join(task.get_name() for task in done)} ended")


async def _end(tasks: Collection[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        _, left = await asyncio.wait(tasks, timeout=END_WITHIN_S)
        for task in left:
            log.warning("%s does not end", task.get_name())


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"
