"""One call for many: objects whose tasks one list shows are looked at together, and two that name one task as one.

Shared only within one exact credential: nobody sees a task by naming somebody else's key.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from livetask_operator.kube.asking import Asking, Reading, Refused
from livetask_operator.kube.record import Record
from livetask_operator.kube.secrets import Secrets
from livetask_operator.polling.quota import Lane, QuotaKey
from livetask_operator.reconcile.resource import RelayTask
from livetask_operator.reconcile.settle import Seen
from livetask_operator.vendors.contract import Credential, TaskRef

ListKey = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _UnderWay:
    refs: frozenset[TaskRef]
    reading: asyncio.Task[Reading]


class Sharing:
    """Looks of RelayTasks. `told(record, look, credential)` brings what a reading says to who did not ask for it."""

    def __init__(
        self,
        asking: Asking,
        secrets: Secrets,
        told: Callable[[Record[RelayTask], Seen | Refused, Credential], None],
        spawn: Callable[[Coroutine[Any, Any, Reading]], asyncio.Task[Reading]],
    ) -> None:
        self._asking = asking
        self._secrets = secrets
        self._told = told
        self._spawn = spawn
        self._members: defaultdict[ListKey, dict[str, Record[RelayTask]]] = defaultdict(dict)
        self._under_way: dict[tuple[str, ListKey, Lane], _UnderWay] = {}

    def join(self, record: Record[RelayTask]) -> None:
        """An object is followed."""
        self._members[_list_of(record.task)][record.task.uid] = record

    def leave(self, record: Record[RelayTask]) -> None:
        """An object is followed no more."""
        key = _list_of(record.task)
        self._members[key].pop(record.task.uid, None)
        if not self._members[key]:
            del self._members[key]

    def quota(self, task: RelayTask, credential: Credential) -> QuotaKey:
        """What a look at this task is counted by."""
        return self._asking.quota(task.vendor, task.vendor.account(credential, task.ref), task.vendor.look_call)

    async def look(
        self, record: Record[RelayTask], credential: Credential, lane: Lane, *, forced: bool
    ) -> Seen | Refused:
        """Look at an object's task: in a reading that is under way for it, or in one that serves its whole list."""
        task = record.task
        key = (
            credential.fingerprint,
            _list_of(task),
            lane,
        )  # a person does not wait for a reading far back in the line
        while (under_way := self._under_way.get(key)) is not None and task.ref not in under_way.refs:
            await asyncio.wait({under_way.reading})
        if under_way is None:
            members = [each for each in self._members[key[1]].values() if self._goes_along(each, credential)]
            refs = frozenset({task.ref, *(each.task.ref for each in members)})
            reading = self._spawn(self._read(record, refs, credential, lane, forced, members))
            under_way = self._under_way[key] = _UnderWay(refs, reading)
            reading.add_done_callback(lambda _: self._under_way.pop(key, None))
        else:
            record.begun()  # it stands in no line of its own
        # Not cancelled with the one who asked: others wait for it, too.
        return (await asyncio.shield(under_way.reading)).of(task)

    async def _read(
        self,
        record: Record[RelayTask],
        refs: Iterable[TaskRef],
        credential: Credential,
        lane: Lane,
        forced: bool,
        members: list[Record[RelayTask]],
    ) -> Reading:
        in_order = sorted(refs, key=lambda ref: ref.task)
        reading = await self._asking.look(record.task, in_order, credential, lane, forced=forced, begun=record.begun)
        for member in members:
            if member.step is None and member.task.ref in reading.looks:
                self._told(member, reading.of(member.task), credential)
        return reading

    def _goes_along(self, record: Record[RelayTask], credential: Credential) -> bool:
        task = record.task
        return (
            not task.is_deleted and not task.suspend and task.has_finalizer and self._secrets.known(task) == credential
        )


def _list_of(task: RelayTask) -> ListKey:
    """What one reading shows: a project's region where the vendor lists, else one task."""
    ref = task.ref
    listed = (ref.vendor, ref.application, ref.region)
    return listed if task.vendor.look_batch > 1 else (*listed, ref.task)
