"""Asking Alibaba Cloud for preloads: in few calls, each in its turn, and never more certain than the answer."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetask_operator.vendors.alibaba.preload import SHORT_LIST_PAGES, in_chunks
from livetask_operator.vendors.catalogue import preload_vendors
from livetask_operator.vendors.contract import (
    ClockSkew,
    Credential,
    InvalidRequest,
    InvalidResponse,
    PermissionDenied,
    PreloadRow,
    RowState,
    SecretUnusable,
    Throttled,
    VendorError,
    VendorUnavailable,
)
from livetask_operator.vendors.transport import Transport
from tests.vendors.alibaba.conversation import body, json, refuses
from tests.vendors.alibaba.preload_list import DOMAIN, KEY, NOW, PreloadList, names, row, says, url
from tests.vendors.no_network import NoNetwork

URL = url()


def ids(rows: tuple[PreloadRow, ...]) -> list[str]:
    return sorted(each.task_id for each in rows)


def answering(answer: httpx.Response) -> PreloadList:
    """A vendor that always says this."""
    return PreloadList(answer=lambda _: httpx.Response(answer.status_code, content=answer.content))


async def test_a_call_asks_the_live_edition_for_a_page_of_a_domain() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return says([row()], 1)

    await PreloadList(answer=answer).read(play_urls=[URL])

    (asked,) = seen
    assert (asked.method, asked.url.host, asked.content) == ("POST", "live.example", b"")
    assert dict(asked.url.params) == {"DomainName": DOMAIN, "PageNum": "1", "PageSize": "100", "PlayUrl": URL}
    assert asked.headers["x-acs-action"] == "DescribeLiveStreamPreloadTasks"
    assert asked.headers["x-acs-version"] == "2016-11-01"


async def test_a_hundred_urls_are_one_call() -> None:
    urls = [url(number) for number in range(100)]
    vendor = PreloadList([row(f"p-{number}", each) for number, each in enumerate(urls)])

    found = await vendor.read(play_urls=urls)

    assert (found.complete, len(found.rows), len(vendor.asked)) == (True, 100, 1)


async def test_all_rows_of_a_url_are_told_and_of_no_other() -> None:
    older = row("old", URL, CreateTime="2026-11-20T11:00:00Z")
    vendor = PreloadList([row("new"), older, row("other", url(2))])
    vendor.answer = lambda _: says(vendor.rows, 3)  # as if the filter did nothing

    found = await vendor.read(play_urls=[URL])

    assert (found.complete, ids(found.rows)) == (True, ["new", "old"])


async def test_a_url_without_a_row_is_unknown_to_the_vendor() -> None:
    vendor = PreloadList([row("other", url(2))])

    found = await vendor.read(play_urls=[URL])

    assert (found.complete, found.rows) == (True, ())


async def test_long_urls_go_into_request_lines_that_servers_take() -> None:
    urls = [f"rtmp://{DOMAIN}/{'%20*~' * 190}/{number}" for number in range(20)]
    vendor = PreloadList([row(f"p-{number}", each) for number, each in enumerate(urls)])

    found = await vendor.read(play_urls=urls)

    assert (found.complete, len(found.rows)) == (True, 20)
    assert max(len(f"POST {target} HTTP/1.1\r\n") for target in vendor.targets) < 8190


@given(lengths=st.lists(st.integers(1, 1024), max_size=100))
def test_every_url_is_in_one_chunk_and_no_chunk_is_too_long(lengths: list[int]) -> None:
    urls = [f"rtmp://a/{number}-{'~ü'[number % 2] * length}"[:1024] for number, length in enumerate(lengths)]

    chunks = list(in_chunks(urls))

    assert [each for chunk in chunks for each in chunk] == urls
    for chunk in chunks:
        encoded = len(str(httpx.QueryParams({"PlayUrl": ",".join(chunk)})))
        assert len(chunk) == 1 or encoded <= 7500 + len("PlayUrl=")


async def test_more_than_a_hundred_urls_are_two_calls() -> None:
    urls = [f"rtmp://a/{number}" for number in range(101)]
    vendor = PreloadList()

    await vendor.read(play_urls=urls)

    assert [len(query["PlayUrl"].split(",")) for query in vendor.asked] == [100, 1]


async def test_a_long_list_is_asked_for_again_from_since_on() -> None:
    old = [row(f"old-{number}", URL, CreateTime="2026-11-19T11:00:00Z") for number in range(SHORT_LIST_PAGES * 100)]
    vendor = PreloadList([*old, row("new")])

    found = await vendor.read(play_urls=[URL])

    assert (found.complete, ids(found.rows)) == (True, ["new"])
    windows = [(query.get("StartTime"), query.get("EndTime")) for query in vendor.asked]
    assert windows == [(None, None), ("2026-11-21T05:40:00Z", "2026-11-21T12:20:00Z")]


@pytest.mark.parametrize("since", [NOW - timedelta(days=30), NOW - timedelta(days=3), NOW, NOW + timedelta(hours=1)])
@pytest.mark.parametrize("ahead", [timedelta(minutes=-15), timedelta(), timedelta(minutes=15)])
async def test_the_window_is_within_the_last_three_days_whatever_the_vendors_clock(
    since: datetime, ahead: timedelta
) -> None:
    vendor = PreloadList(answer=lambda _: says([], 1000, 10))

    await vendor.read_all(names(play_urls=[URL], since=since))

    start, end = (datetime.fromisoformat(vendor.asked[-1][name]) for name in ("StartTime", "EndTime"))
    horizon = NOW + ahead - timedelta(days=3)
    assert horizon <= start <= max(since, horizon + timedelta(minutes=35))
    assert timedelta() < end - start <= timedelta(days=3)
    assert end >= NOW + ahead


async def test_a_list_too_long_to_be_read_is_incomplete_and_costs_two_calls() -> None:
    vendor = PreloadList(answer=lambda _: says([row()], 10**30, 10**28))

    found = await vendor.read(play_urls=[URL])

    assert (found.complete, found.rows, len(vendor.asked)) == (False, (), 2)


async def test_one_or_two_tasks_are_asked_for_by_their_ids() -> None:
    vendor = PreloadList([row("p-1"), row("p-2", url(2)), row("p-3", url(3))])

    found = await vendor.read(task_ids=["p-1", "p-2"])

    assert (found.complete, ids(found.rows)) == (True, ["p-1", "p-2"])
    assert vendor.filters == ["TaskId=p-1 page 1", "TaskId=p-2 page 1"]


async def test_a_hundred_tasks_in_a_quiet_domain_are_one_call() -> None:
    names = [f"p-{number}" for number in range(100)]
    vendor = PreloadList([row(name, url(number)) for number, name in enumerate(names)])

    found = await vendor.read(task_ids=names)

    assert (found.complete, ids(found.rows), vendor.filters) == (True, sorted(names), ["all page 1"])


async def test_tasks_that_a_whole_list_does_not_have_are_unknown_without_a_call_each() -> None:
    vendor = PreloadList([row("p-1")])

    found = await vendor.read(task_ids=["p-1", "gone-1", "gone-2", "gone-3"])

    assert (found.complete, ids(found.rows), vendor.filters) == (True, ["p-1"], ["all page 1"])


async def test_in_a_busy_domain_a_few_tasks_cost_one_call_more_than_one_by_one() -> None:
    others = [row(f"other-{number}") for number in range(1000)]
    vendor = PreloadList([*others, row("p-1"), row("p-2"), row("p-3")])

    found = await vendor.read(task_ids=["p-1", "p-2", "p-3"])

    assert (found.complete, ids(found.rows)) == (True, ["p-1", "p-2", "p-3"])
    assert vendor.filters == ["all page 1", *(f"TaskId=p-{number} page 1" for number in (1, 2, 3))]


async def test_many_tasks_in_a_busy_domain_are_walked_to_as_long_as_that_is_cheaper() -> None:
    names = [f"p-{number}" for number in range(20)]
    others = [row(f"other-{number}") for number in range(480)]
    vendor = PreloadList([*others, *(row(name) for name in names)])

    found = await vendor.read(task_ids=names)

    assert (found.complete, ids(found.rows)) == (True, sorted(names))
    assert vendor.filters == [f"all page {number}" for number in range(1, 6)]


async def test_a_task_that_is_also_one_of_the_urls_is_not_asked_for_again() -> None:
    vendor = PreloadList([row("p-1"), row("p-2", url(2))])

    found = await vendor.read(task_ids=["p-1", "p-2"], play_urls=[URL])

    assert (found.complete, ids(found.rows)) == (True, ["p-1", "p-2"])
    assert vendor.filters == [f"PlayUrl={URL} page 1", "TaskId=p-2 page 1"]


async def test_a_task_without_a_row_is_unknown_to_the_vendor_in_whichever_words_it_says_so() -> None:
    silent, plain = PreloadList(), answering(refuses("InvalidTask.NotFound", 404))

    found = [await vendor.read(task_ids=["p-1"]) for vendor in (silent, plain)]

    assert [(each.complete, each.rows) for each in found] == [(True, ())] * 2


async def test_every_request_waits_for_its_turn_one_that_is_repeated_too() -> None:
    refused = iter([True])
    vendor = PreloadList([row("p-1")])
    vendor.answer = lambda request: (
        refuses("SignatureNonceUsed") if next(refused, False) else vendor.page(request.url.params)
    )

    found = await vendor.read(task_ids=["p-1", "p-2"])

    assert (found.complete, ids(found.rows)) == (True, ["p-1"])
    assert (len(vendor.asked), vendor.turns) == (3, 3)


async def test_without_a_turn_nothing_is_sent() -> None:
    vendor = PreloadList([row("p-1")])

    async def no_turn() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await vendor.vendor.rows(KEY, DOMAIN, [names(["p-1"])], no_turn)

    assert vendor.asked == []


@pytest.mark.parametrize(
    "rows",
    [[row()], {"PreloadTask": [row()]}],
    ids=["as its page shows it", "as its SDKs read it"],
)
async def test_the_list_is_read_in_both_shapes_that_are_documented(rows: object) -> None:
    found = await answering(json({"PreloadTasks": rows, "TotalNum": 1, "TotalPage": 1})).read(play_urls=[URL])

    assert (found.complete, [each.state for each in found.rows]) == (True, [RowState.SUCCEEDED])


@pytest.mark.parametrize("rows", [[], {}, {"PreloadTask": []}, {"PreloadTask": None}, None, ""])
async def test_an_empty_list_is_read_in_every_shape(rows: object) -> None:
    found = await answering(json({"PreloadTasks": rows, "TotalNum": "0", "TotalPage": "0"})).read(play_urls=[URL])

    assert (found.complete, found.rows) == (True, ())


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"RequestId": "r-1"},
        {"PreloadTasks": []},
        {"PreloadTasks": [], "TotalNum": 0},
        {"PreloadTasks": [], "TotalNum": -1, "TotalPage": 1},
        {"PreloadTasks": [], "TotalNum": True, "TotalPage": 1},
        {"PreloadTasks": [], "TotalNum": "many", "TotalPage": 1},
        {"PreloadTasks": [], "TotalNum": 0.5, "TotalPage": 1},
        {"PreloadTasks": 7, "TotalNum": 0, "TotalPage": 0},
        {"PreloadTasks": "none", "TotalNum": 0, "TotalPage": 0},
        {"PreloadTasks": {"PreloadTask": row()}, "TotalNum": 1, "TotalPage": 1},
        {"PreloadTasks": [row(), row(TaskId=...)], "TotalNum": 2, "TotalPage": 1},
        {"PreloadTasks": [None], "TotalNum": 0, "TotalPage": 1},
        {"PreloadTasks": [[row()]], "TotalNum": 1, "TotalPage": 1},
    ],
)
@pytest.mark.parametrize("asked", ["task", "url"])
async def test_what_is_no_list_is_an_invalid_response_and_never_an_absence(document: object, asked: str) -> None:
    vendor = answering(json(document))

    with pytest.raises(InvalidResponse):
        await (vendor.read(task_ids=["p-1"]) if asked == "task" else vendor.read(play_urls=[URL]))


async def test_somebody_elses_broken_row_in_the_domain_hides_no_task() -> None:
    vendor = PreloadList([row("p-1"), row("p-2"), row("x", TaskId=...)])

    found = await vendor.read(task_ids=["p-1", "p-2", "p-3"])

    assert (found.complete, ids(found.rows)) == (True, ["p-1", "p-2"])
    assert vendor.filters == ["all page 1", "TaskId=p-3 page 1"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refuses("InvalidDomain.NotFound", 404), InvalidRequest),
        (refuses("InvalidDomain.Offline", 400), InvalidRequest),
        (refuses("DomainNotFound", 404), InvalidRequest),
        (refuses("DomainNotExist", 400), InvalidRequest),
        (refuses("InvalidDomainName.Malformed", 400), InvalidRequest),
        (refuses("InvalidParam", 400), InvalidRequest),
        (refuses("Throttling.User", 400), Throttled),
        (refuses("Forbidden.RAM", 403), PermissionDenied),
        (refuses("InvalidTimeStamp.Expired", 400), ClockSkew),
        (refuses("InternalError", 500), VendorUnavailable),
        (refuses("App.Whatever", 200), InvalidRequest),
        (body(b"<html>", 502), VendorUnavailable),
        (body(b"<html>"), InvalidResponse),
        (body(b'{"PreloadTasks": [], "TotalNum": 0'), InvalidResponse),
        (body(b'{"PreloadTasks": [], "TotalNum": NaN, "TotalPage": 1}'), InvalidResponse),
    ],
)
async def test_a_refusal_is_an_error_and_never_an_absence(answer: httpx.Response, kind: type[VendorError]) -> None:
    with pytest.raises(VendorError) as caught:
        await answering(answer).read(play_urls=[URL])

    assert type(caught.value) is kind


async def test_a_refused_domain_is_named_as_the_cause() -> None:
    with pytest.raises(InvalidRequest, match="does not know this domain, or the domain is another account's"):
        await answering(refuses("InvalidDomain.NotFound", 404)).read(play_urls=[URL])


async def test_a_call_that_fails_on_a_later_page_fails_the_reading() -> None:
    vendor = PreloadList([row(f"p-{number}") for number in range(150)])
    vendor.answer = lambda request: (
        refuses("InternalError", 500) if request.url.params["PageNum"] == "2" else vendor.page(request.url.params)
    )

    with pytest.raises(VendorUnavailable):
        await vendor.read(play_urls=[URL])


ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["PreloadTask", "a"]), inner),
    max_leaves=4,
)


@given(rows=ANY, total=ANY, pages=ANY)
async def test_no_answer_without_our_row_makes_one(rows: object, total: object, pages: object) -> None:
    vendor = answering(json({"PreloadTasks": rows, "TotalNum": total, "TotalPage": pages}))
    try:
        found = await vendor.read(play_urls=[URL], task_ids=["p-1", "p-2", "p-3"])
    except InvalidResponse:
        return

    assert found.rows == ()
    assert not found.complete or str(total) == "0"


def test_calls_are_counted_by_the_keys_id() -> None:
    assert PreloadList().vendor.account(KEY) == "testid"


def test_a_secret_is_read_as_for_relay_tasks() -> None:
    vendor = PreloadList().vendor
    data = {"accessKeyId": " LTAIx\n", "accessKeySecret": "s3cret", "securityToken": "CAIS"}

    assert vendor.credential(data) == Credential("LTAIx", "s3cret", "CAIS")
    with pytest.raises(SecretUnusable, match="has no key accessKeySecret"):
        vendor.credential({"accessKeyId": "LTAIx"})


async def test_the_catalogue_has_the_vendor_and_asks_at_the_live_editions_endpoint() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(f"{request.url.scheme}://{request.url.host}")
        return says([], 0, 0)

    async def turn() -> None: ...

    async with Transport("livetask-operator/0.1.0 (test)", http=NoNetwork(answer)) as transport:
        vendors = preload_vendors(transport)
        await vendors["AlibabaCloud"].rows(KEY, DOMAIN, [names(play_urls=[URL])])

    assert {name: vendor.name for name, vendor in vendors.items()} == {"AlibabaCloud": "AlibabaCloud"}
    assert vendors["AlibabaCloud"].list_call == "DescribeLiveStreamPreloadTasks"
    assert seen == ["https://live.aliyuncs.com"]
