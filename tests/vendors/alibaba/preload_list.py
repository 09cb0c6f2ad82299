"""A vendor's list of preloads without a network: it filters and pages, may change before each call, and is counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import httpx

from livetask_operator.vendors.alibaba.preload import AlibabaPreload
from livetask_operator.vendors.contract import Credential, PreloadNames, PreloadRows
from livetask_operator.vendors.transport import Transport
from tests.vendors.no_network import NoNetwork

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
SINCE = NOW - timedelta(hours=6)
KEY = Credential("testid", "testsecret")
DOMAIN = "live.example.com"

Row = dict[str, object]


def url(number: int = 1) -> str:
    return f"rtmp://{DOMAIN}/app/stream-{number}"


def row(task_id: str = "p-1", play_url: str = url(), /, **changes: object) -> Row:
    """A row as the vendor's page shows it: by default one that has succeeded. A field changed to ... is left out."""
    shown: Row = {
        "Area": "domestic",
        "CreateTime": "2026-11-21T11:00:00Z",
        "Description": "Successfully",
        "DomainName": DOMAIN,
        "PlayUrl": play_url,
        "PreloadedEndTime": "2026-11-21T12:30:00Z",
        "PreloadedStartTime": "2026-11-21T11:30:00Z",
        "Process": "100%",
        "Status": "Success",
        "TaskId": task_id,
    }
    return {name: value for name, value in (shown | changes).items() if value is not ...}


def names(task_ids: Sequence[str] = (), play_urls: Sequence[str] = (), since: datetime = SINCE) -> PreloadNames:
    """What an object follows."""
    return PreloadNames(tuple(task_ids), tuple(play_urls), since)


class PreloadList:
    """AlibabaPreload and a vendor with these rows.

    before_each: told the number of the call that comes, to change `rows`.
    answer: says something else instead, whatever is asked.
    """

    def __init__(
        self,
        rows: Sequence[Row] = (),
        *,
        before_each: Callable[[int], None] = lambda _: None,
        answer: Callable[[httpx.Request], httpx.Response] | None = None,
        page_size: int = 100,
    ) -> None:
        self.rows = list(rows)
        self.asked: list[httpx.QueryParams] = []
        self.targets: list[str] = []
        self.turns = 0
        self.before_each = before_each
        self.answer = answer
        self._page_size = page_size
        nonces = iter(range(10**6))
        self.vendor = AlibabaPreload(
            Transport("livetask-operator/0.1.0 (test)", http=NoNetwork(self._serve)),
            endpoint="https://live.example",
            clock=lambda: NOW,
            nonce=lambda: f"nonce-{next(nonces)}",
        )

    async def read(self, *, task_ids: Sequence[str] = (), play_urls: Sequence[str] = ()) -> PreloadRows:
        (rows,) = await self.read_all(names(task_ids, play_urls))
        return rows

    async def read_all(self, *asked: PreloadNames) -> list[PreloadRows]:
        """What each of these is told by one reading."""
        told = await self.vendor.rows(KEY, DOMAIN, asked, self.take_turn)
        return [told[each] for each in asked]

    @property
    def filters(self) -> list[str]:
        """By what each call asked: "TaskId=p-1 page 1", "all page 2"."""
        return [_filter(query) for query in self.asked]

    async def take_turn(self) -> None:
        self.turns += 1

    def _serve(self, request: httpx.Request) -> httpx.Response:
        assert self.turns > len(self.asked), "a request was sent without a turn"
        self.before_each(len(self.asked))
        self.asked.append(request.url.params)
        self.targets.append(request.url.raw_path.decode())
        return self.answer(request) if self.answer else self.page(request.url.params)

    def page(self, query: httpx.QueryParams) -> httpx.Response:
        """The page that a query asks for, by what is in the list now."""
        found = self.rows
        if "TaskId" in query:
            found = [each for each in found if each.get("TaskId") == query["TaskId"]]
        if "PlayUrl" in query:
            found = [each for each in found if each.get("PlayUrl") in query["PlayUrl"].split(",")]
        if "StartTime" in query:
            times = [str(each["CreateTime"]) for each in found]
            found = [each for each, at in zip(found, times, strict=True) if query["StartTime"] <= at]
        size, number = min(int(query["PageSize"]), self._page_size), int(query["PageNum"])
        shown = found[(number - 1) * size : number * size]
        return says(shown, len(found), -(-len(found) // size))


def says(rows: object, total: object, pages: object = 1) -> httpx.Response:
    """An answer of DescribeLiveStreamPreloadTasks."""
    return httpx.Response(
        200, json={"RequestId": "r-1", "PreloadTasks": {"PreloadTask": rows}, "TotalNum": total, "TotalPage": pages}
    )


def _filter(query: httpx.QueryParams) -> str:
    by = [f"{name}={query[name]}" for name in ("TaskId", "PlayUrl") if name in query]
    return f"{' '.join(by) or 'all'} page {query['PageNum']}"
