"""Alibaba Cloud's preloads: how the rows of tasks and URLs are asked for in few calls, and what absence means.

Sources: vendor-apis.md, section 2.2; traps 14, 16 and 17.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from livetask_operator.vendors.alibaba.credential import SECRET_KEYS, credential_in
from livetask_operator.vendors.alibaba.errors import TASK_NOT_FOUND
from livetask_operator.vendors.alibaba.preload_reading import Key, Page, Reading, key
from livetask_operator.vendors.alibaba.preload_row import read_row
from livetask_operator.vendors.alibaba.rpc import Edition, Reply, Rpc
from livetask_operator.vendors.contract import (
    ClockSkew,
    Credential,
    InvalidResponse,
    PreloadNames,
    PreloadRow,
    PreloadRows,
    Turn,
    VendorError,
    at_once,
)
from livetask_operator.vendors.transport import Transport

LIST_CALL = "DescribeLiveStreamPreloadTasks"
VERSION = "2016-11-01"
PAGE_SIZE = 100

MAX_URLS_PER_CALL = 100
MAX_ENCODED_URLS_CHARACTERS = 7500
"""Of the PlayUrl parameter, so that with the rest the request line stays under 8 KiB, which many a server refuses."""

MAX_PAGES = 50
SHORT_LIST_PAGES = 3
"""A longer list of URLs is asked for again from `since` on: see `_Asker.chunk`."""

FEW_TASKS = 2
"""So many are asked for one by one, without a try at the domain's list: see `_Asker.tasks`."""

VENDOR_REMEMBERS = timedelta(days=3)
CLOCK_MARGIN = timedelta(minutes=20)
"""More than the vendor's clock and ours can be apart: it refuses what is signed 15 minutes off."""


class AlibabaPreload:
    """Alibaba Cloud as a PreloadVendor. endpoint: the Live edition's."""

    name = "AlibabaCloud"
    title = "Alibaba Cloud"
    block = "alibabaCloud"
    list_call = LIST_CALL
    secret_keys = SECRET_KEYS

    def __init__(
        self, transport: Transport, *, endpoint: str, clock: Callable[[], datetime], nonce: Callable[[], str]
    ) -> None:
        self._rpc = Rpc(transport, clock, nonce)
        self._edition = Edition(endpoint, VERSION)
        self._clock = clock

    def credential(self, data: Mapping[str, str]) -> Credential:
        """The access key in a Secret, with its security token where there is one. Raises SecretUnusable."""
        return credential_in(data)

    def account(self, credential: Credential) -> str:
        """The vendor counts calls per account; all that is known of it is the key's id."""
        return credential.key_id

    async def rows(
        self, credential: Credential, domain: str, asked: Collection[PreloadNames], turn: Turn = at_once
    ) -> Mapping[PreloadNames, PreloadRows]:
        """All objects' URLs together, a hundred a call, then all their tasks: the URLs' rows often are those, too.

        The URLs in the order of their `since`: those that are asked for in one call have the earliest of theirs.
        """
        asker = _Asker(self._rpc, self._edition, self._clock, credential, domain, turn)
        found = _Found()
        since = _earliest(asked)
        for urls in in_chunks(sorted(since, key=lambda url: since[url])):
            reading = await asker.chunk(urls, since[urls[0]])
            if not reading.is_whole:
                found.unread.update(urls)
            found.add(reading.rows)
        task_ids = dict.fromkeys(task_id for names in asked for task_id in names.task_ids)
        rows, found.uncertain = await asker.tasks([task_id for task_id in task_ids if task_id not in found.of_task])
        found.add(rows)
        return {names: found.of(names) for names in asked}


@dataclass(slots=True)
class _Found:
    """All rows that were found, and what of it is whose."""

    of_task: defaultdict[str, dict[Key, PreloadRow]] = field(default_factory=lambda: defaultdict(dict))
    of_url: defaultdict[str, dict[Key, PreloadRow]] = field(default_factory=lambda: defaultdict(dict))
    unread: set[str] = field(default_factory=set)
    """URLs whose rows were not all read."""
    uncertain: Set[str] = frozenset()
    """Tasks of which it is not known whether they are there."""

    def add(self, rows: Iterable[PreloadRow]) -> None:
        for row in rows:
            self.of_task[row.task_id][key(row)] = row
            self.of_url[row.play_url][key(row)] = row

    def of(self, names: PreloadNames) -> PreloadRows:
        """What one object is told."""
        unread = self.unread.intersection(names.play_urls)
        rows: dict[Key, PreloadRow] = {}
        for url in names.play_urls:
            rows |= self.of_url.get(url, {})
        for task_id in names.task_ids:
            rows |= self.of_task.get(task_id, {})
        # Of a URL whose rows were not all read not even a task's row is told: it might pass for the URL's newest.
        told = tuple(row for row in rows.values() if row.play_url not in unread)
        return PreloadRows(told, complete=not unread and self.uncertain.isdisjoint(names.task_ids))


def _earliest(asked: Iterable[PreloadNames]) -> Mapping[str, datetime]:
    """From when on the rows of each URL are wanted."""
    since: dict[str, datetime] = {}
    for names in asked:
        for url in names.play_urls:
            since[url] = min(since.get(url, names.since), names.since)
    return since


@dataclass(frozen=True, slots=True)
class _Asker:
    """Asks for the rows of one domain with one credential."""

    rpc: Rpc
    edition: Edition
    clock: Callable[[], datetime]
    credential: Credential
    domain: str
    turn: Turn

    async def chunk(self, urls: Sequence[str], since: datetime) -> Reading:
        """All rows of these URLs that the vendor remembers; of a long list those since a moment.

        StartTime and EndTime are left out where the list is short: the page does not say which of a row's times they
        mean. Were it the preload's own start, a preload that is planned for tonight would be missing, and
        this morning's be taken for the newest.
        """
        asked = {"PlayUrl": ",".join(urls)}
        reading = await self._read(asked, SHORT_LIST_PAGES)
        return await self._read({**asked, **self._window(since)}, MAX_PAGES) if reading.is_too_long else reading

    async def tasks(self, task_ids: Sequence[str]) -> tuple[Iterable[PreloadRow], Set[str]]:
        """The rows of these tasks, and which of them have none and may be there all the same.

        A call takes one TaskId, but a page of the domain's list shows a hundred rows. So the list is walked as long as
        the walk has fewer pages to go than there are tasks to find; the rest is asked for one by one. In a domain
        with few preloads that is one call for a hundred tasks; in a busy one it is one call more than one by one.
        """
        wanted = set(task_ids)
        left = set(task_ids)
        found: list[PreloadRow] = []
        if len(left) > FEW_TASKS:
            walk = Reading(MAX_PAGES)
            while walk.goes_on and walk.calls_left_in_sweep < len(left):
                walk.add(await self._page({}, walk.next_page))
                left = wanted - {row.task_id for row in walk.rows}
            found = [row for row in walk.rows if row.task_id in wanted]
            if walk.is_whole:
                return found, frozenset()
        uncertain = set()
        for task_id in sorted(left):
            reading = await self._task(task_id)
            of_task = [row for row in reading.rows if row.task_id == task_id]
            if not (reading.is_whole or of_task):
                uncertain.add(task_id)
            found += of_task
        return found, uncertain

    async def _task(self, task_id: str) -> Reading:
        try:
            # A task is of one URL: of many pages none is read. A hundred such tasks would be half an hour of the quota.
            return await self._read({"TaskId": task_id}, SHORT_LIST_PAGES)
        except VendorError as error:
            if error.code != TASK_NOT_FOUND:
                raise
            # The page documents an empty list; this says the same, and one unknown task must not hide the others.
            unknown = Reading(MAX_PAGES)
            unknown.add(Page(rows=(), total=0, pages=0))
            return unknown

    async def _read(self, asked: Mapping[str, str], most_pages: int) -> Reading:
        """Reads a list until it is read whole, or given up. Raises InvalidResponse where an entry is no row."""
        reading = Reading(most_pages)
        while reading.goes_on:
            reading.add(await self._page(asked, reading.next_page))
            if not reading.is_sound:
                raise InvalidResponse("a row of the list has no TaskId or no PlayUrl")
        return reading

    async def _page(self, asked: Mapping[str, str], number: int) -> Page:
        params = {"DomainName": self.domain, "PageSize": str(PAGE_SIZE), "PageNum": str(number), **asked}
        try:
            reply = await self._send(params)
        except ClockSkew:
            # The clock may just have been set, or the network may have sent a request twice.
            reply = await self._send(params)
        return read_page(reply, self.clock())

    async def _send(self, params: Mapping[str, str]) -> Reply:
        await self.turn()
        return await self.rpc.once(self.edition, LIST_CALL, params, self.credential)

    def _window(self, since: datetime) -> Mapping[str, str]:
        """From a moment until now, as wide as the clocks may differ, and within 3 days by whichever of them."""
        now = self.clock()
        start = max(since - CLOCK_MARGIN, now - VENDOR_REMEMBERS + CLOCK_MARGIN)
        end = max(now, start) + CLOCK_MARGIN
        return {"StartTime": _utc(start), "EndTime": _utc(end)}


def in_chunks(play_urls: Sequence[str]) -> Iterator[Sequence[str]]:
    """The URLs in as many lists as calls are needed: a call takes a hundred, and a request line is so long."""
    chunk: list[str] = []
    length = 0
    for url in play_urls:
        own_length = len(quote(url, safe="~")) + len("%2C")
        if chunk and (len(chunk) == MAX_URLS_PER_CALL or length + own_length > MAX_ENCODED_URLS_CHARACTERS):
            yield chunk
            chunk, length = [], 0
        chunk.append(url)
        length += own_length
    if chunk:
        yield chunk


def read_page(reply: Reply, now: datetime) -> Page:
    """What an answer says. Raises InvalidResponse where it has no list, or does not say how long the whole list is."""
    document = reply.document
    total, pages = _count(document.get("TotalNum")), _count(document.get("TotalPage"))
    if total is None or pages is None:
        raise InvalidResponse("the answer has no TotalNum or no TotalPage", request_id=reply.request_id)
    entries = _entries(document.get("PreloadTasks"))
    if entries is None:
        raise InvalidResponse("the answer has no list of preloads", request_id=reply.request_id)
    rows = [read_row(entry, now) for entry in entries]
    sound = tuple(row for row in rows if row is not None)
    return Page(sound, total, pages, is_sound=len(sound) == len(rows))


def _entries(said: object) -> Sequence[object] | None:
    """The list, in both shapes that are documented: as it is, or as `PreloadTask` of an object. Nothing: it is empty.

    A list that is missing and should not be is found out by its length.
    """
    if isinstance(said, Mapping):
        said = said.get("PreloadTask")
    if said is None or said == "":
        return ()
    return said if isinstance(said, list) else None


def _count(said: object) -> int | None:
    if isinstance(said, str) and said.isascii() and said.isdigit() and len(said) < 19:
        return int(said)
    return said if isinstance(said, int) and not isinstance(said, bool) and said >= 0 else None


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
