"""One call for many: objects whose tasks one list shows are looked at together, and two that name one task as one.

Shared only within one exact credential: nobody sees a task by naming somebody else's key.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Generic, TypeVar

from livetask_operator.kube.asking import Asking, NotAnswered, Reading, Refused
from livetask_operator.kube.looking import lane_of
from livetask_operator.kube.readings import Reading as UnderWay
from livetask_operator.kube.readings import Readings
from livetask_operator.kube.record import Record
from livetask_operator.kube.secrets import Secrets
from livetask_operator.polling.quota import Lane, QuotaKey
from livetask_operator.reconcile.preload_resource import PreloadTask
from livetask_operator.reconcile.resource import RelayTask, Resource
from livetask_operator.reconcile.settle import Seen
from livetask_operator.vendors.contract import (
    Credential,
    InvalidRequest,
    InvalidResponse,
    PreloadNames,
    PreloadRows,
    TaskRef,
)

ALONG_FROM = 0.5
"""A poll takes along who was looked at longer ago than this part of the interval. So those of one interval are soon
looked at together, whenever each of them came, and who has a longer one is looked at twice as often at most."""

ListKey = tuple[str, ...]
T = TypeVar("T", bound=Resource)
W = TypeVar("W")
A = TypeVar("A")


class Shared(ABC, Generic[T, W, A]):
    """Looks at one kind of objects. `told(record, look, credential)` brings what a reading says to who did not ask."""

    def __init__(
        self,
        asking: Asking,
        secrets: Secrets,
        told: Callable[[Record[Any], Any, Credential], None],
        spawn: Callable[[Coroutine[Any, Any, Any]], asyncio.Task[Any]],
    ) -> None:
        self._asking = asking
        self._secrets = secrets
        self._told = told
        self._members: dict[ListKey, Record[T] | dict[str, Record[T]]] = {}
        """By list, its one object, or all of them by uid: most have nobody to share with."""
        self._readings: Readings[W, A] = Readings(spawn)

    def join(self, record: Record[T]) -> None:
        """An object is followed."""
        key, uid = self._list_of(record.task), record.task.uid
        match self._members.get(key):
            case None:
                self._members[key] = record
            case Record() as first:
                self._members[key] = {first.task.uid: first, uid: record}
            case members:
                members[uid] = record

    def leave(self, record: Record[T]) -> None:
        """An object is followed no more."""
        key = self._list_of(record.task)
        members = self._members.get(key)
        if isinstance(members, dict):
            members.pop(record.task.uid, None)
        if not isinstance(members, dict) or not members:
            self._members.pop(key, None)

    async def look(self, record: Record[T], credential: Credential, lane: Lane, *, forced: bool) -> Any:
        """Look at an object's task: in a reading that is under way, if it may join one, or in one that serves many.

        Returns what was seen, or Refused.
        """
        task = record.task
        if self._has_no_company(task):
            reading = UnderWay[W, A](lane, forced, {self._wants(task): None})
            return self._of(task, await self._ask(task, credential, reading, record.begun))
        answer = await self._readings.answer(
            (credential.fingerprint, *self._company(task)),
            self._wants(task),
            lane,
            forced=forced,
            known_s=_known_s(record),
            joined=record.begun,
            read=partial(self._read, record, credential),
            tell=partial(self._tell, self._list_of(task), credential),
        )
        return self._of(task, answer)

    async def _read(self, record: Record[T], credential: Credential, reading: UnderWay[W, A]) -> A:
        def begun() -> None:
            """Called before each request; the first tells that the reading is on its way."""
            if reading.sent_s is None:
                now_s = self._asking.now_s()
                along = self._along(record, credential, now_s) if reading.lane is Lane.POLL else ()
                reading.send(now_s, along)
                record.begun()

        return await self._ask(record.task, credential, reading, begun)

    def _along(self, record: Record[T], credential: Credential, now_s: float) -> Iterable[W]:
        """What others of the list want to have read by now. What a person waits for is asked for by their own step."""
        company = self._company(record.task)
        for each in self._with(self._list_of(record.task), credential):
            since_s = now_s - _known_s(each)
            if (
                since_s >= ALONG_FROM * each.track.interval_s
                and lane_of(each.task) is Lane.POLL
                and self._company(each.task) == company
            ):
                yield self._wants(each.task)

    def _tell(self, key: ListKey, credential: Credential, reading: UnderWay[W, A], answer: A) -> Iterator[None]:
        """Tell all whom the answer serves and who have no look of their own under way, or something newer."""
        for record in self._with(key, credential):
            newer = reading.sent_s is not None and _known_s(record) > reading.sent_s
            if record.step is None and not newer and (look := self._of(record.task, answer)) is not None:
                self._told(record, look, credential)
            yield

    def _with(self, key: ListKey, credential: Credential) -> Iterator[Record[T]]:
        """The objects of a list that are followed with exactly this credential."""
        known: dict[tuple[str, str], bool] = {}
        members = self._members.get(key, {})
        for record in list(members.values()) if isinstance(members, dict) else [members]:
            task = record.task
            secret = (task.namespace, task.secret)
            if secret not in known:
                known[secret] = self._secrets.known(task) == credential
            if known[secret] and self._is_followed(task):
                yield record

    def _has_no_company(self, task: T) -> bool:
        members = self._members.get(self._list_of(task))  # None: it was left while its look was on its way
        return not isinstance(members, dict) or len(members) == 1

    def _company(self, task: T) -> ListKey:
        """Who is looked at together."""
        return self._list_of(task)

    @abstractmethod
    def quota(self, task: T, credential: Credential) -> QuotaKey:
        """What a look at this task is counted by."""

    @abstractmethod
    def _list_of(self, task: T) -> ListKey:
        """What one reading shows."""

    @abstractmethod
    def _wants(self, task: T) -> W:
        """What of it an object wants to have read."""

    @abstractmethod
    def _is_followed(self, task: T) -> bool:
        """Whether an object is looked at as things are."""

    @abstractmethod
    async def _ask(self, task: T, credential: Credential, reading: UnderWay[W, A], begun: Callable[[], None]) -> A:
        """Ask the vendor."""

    @abstractmethod
    def _of(self, task: T, answer: A) -> Any:
        """What an answer says of one object; None: nothing."""


class Sharing(Shared[RelayTask, TaskRef, Reading]):
    """Looks at RelayTasks: a project's region in one reading where the vendor lists, else all objects of one task."""

    def quota(self, task: RelayTask, credential: Credential) -> QuotaKey:
        return self._asking.quota(task.vendor, task.vendor.account(credential, task.ref), task.vendor.look_call)

    def _list_of(self, task: RelayTask) -> ListKey:
        ref = task.ref
        listed = (ref.vendor, ref.application, ref.region)
        return listed if task.vendor.look_batch > 1 else (*listed, ref.task)

    def _wants(self, task: RelayTask) -> TaskRef:
        return task.ref

    def _is_followed(self, task: RelayTask) -> bool:
        return not task.is_deleted and not task.suspend and task.has_finalizer

    async def _ask(
        self, task: RelayTask, credential: Credential, reading: UnderWay[TaskRef, Reading], begun: Callable[[], None]
    ) -> Reading:
        return await self._asking.look(
            task, reading.wanted, credential, reading.lane, forced=reading.forced, begun=begun
        )

    def _of(self, task: RelayTask, answer: Reading) -> Seen | Refused | None:
        return answer.of(task) if task.ref in answer.looks else None


Rows = Mapping[PreloadNames, PreloadRows | NotAnswered]


class PreloadSharing(Shared[PreloadTask, PreloadNames, Rows]):
    """Looks at PreloadTasks: all of a domain in one reading.

    What one of them names may be what the vendor refuses, or a list too long to be read, and must not keep the others
    from their answer. So who gets none in company is asked for in halves, and in the end alone; and alone it stays,
    with a back-off of its own, until it has a good answer.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._alone: set[tuple[ListKey, PreloadNames]] = set()

    def leave(self, record: Record[PreloadTask]) -> None:
        super().leave(record)
        self._alone.discard((self._list_of(record.task), self._wants(record.task)))

    def quota(self, task: PreloadTask, credential: Credential) -> QuotaKey:
        return self._asking.quota(task.vendor, task.vendor.account(credential), task.vendor.list_call)

    def _company(self, task: PreloadTask) -> ListKey:
        domain, names = self._list_of(task), self._wants(task)
        return (*domain, *names.task_ids, "", *names.play_urls) if (domain, names) in self._alone else domain

    def _list_of(self, task: PreloadTask) -> ListKey:
        return (task.vendor.block, task.domain)

    def _wants(self, task: PreloadTask) -> PreloadNames:
        return PreloadNames(task.task_ids, task.play_urls, task.created_after)

    def _is_followed(self, task: PreloadTask) -> bool:
        return not task.is_deleted and task.is_polled

    async def _ask(
        self,
        task: PreloadTask,
        credential: Credential,
        reading: UnderWay[PreloadNames, Rows],
        begun: Callable[[], None],
    ) -> Rows:
        rows = partial(
            self._asking.rows, task, credential=credential, lane=reading.lane, forced=reading.forced, begun=begun
        )
        answers = dict(await rows(reading.wanted))
        left = [list(answers)]
        while left:
            asked = left.pop()
            hidden = [names for names in asked if _may_be_anothers_fault(answers[names])]
            if len(asked) == 1:
                self._keep_alone(task, asked[0], alone=bool(hidden))
                continue
            half = (len(hidden) + 1) // 2
            for part in (hidden[:half], hidden[half:]):
                if part:
                    answers |= await rows(part)
                    left.append(part)
        return answers

    def _keep_alone(self, task: PreloadTask, names: PreloadNames, *, alone: bool) -> None:
        key = (self._list_of(task), names)
        if alone:
            self._alone.add(key)
        else:
            self._alone.discard(key)

    def _of(self, task: PreloadTask, answer: Rows) -> PreloadRows | Refused | None:
        rows = answer.get(self._wants(task))
        return self._asking.refused(task, rows) if isinstance(rows, NotAnswered) else rows


def _known_s(record: Record[Any]) -> float:
    """When what is known of an object was told."""
    return float("-inf") if record.track.good_s is None else record.track.good_s


def _may_be_anothers_fault(answer: PreloadRows | NotAnswered) -> bool:
    """Whether somebody else's names in the same request may have hidden the answer."""
    if isinstance(answer, NotAnswered):
        return isinstance(answer.error, InvalidRequest | InvalidResponse)
    return not answer.complete
