"""Many objects' preloads in one reading: few calls, and each is told what it would have been told alone."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from livetask_operator.vendors.contract import PreloadNames, PreloadRows
from tests.vendors.alibaba.preload_list import SINCE, PreloadList, Row, names, row, url


def told(rows: PreloadRows) -> tuple[bool, set[str]]:
    return rows.complete, {each.task_id for each in rows.rows}


async def test_thirty_objects_cost_two_calls_and_each_hears_of_its_own() -> None:
    rows = [row(f"u-{number}", url(number)) for number in range(60)]
    rows += [row(f"t-{number}", url(1000 + number)) for number in range(30)]
    vendor = PreloadList(rows)

    found = await vendor.read_all(*(names([f"t-{n}"], [url(2 * n), url(2 * n + 1)]) for n in range(30)))

    assert [told(each) for each in found] == [(True, {f"t-{n}", f"u-{2 * n}", f"u-{2 * n + 1}"}) for n in range(30)]
    assert len(vendor.asked) == 2


async def test_what_two_objects_name_is_asked_for_once_and_told_to_both() -> None:
    vendor = PreloadList([row("p-1"), row("p-2", url(2))])

    first, second = await vendor.read_all(names(["p-2"], [url()]), names(["p-1"], [url(), url(2)]))

    assert told(first) == told(second) == (True, {"p-1", "p-2"})
    assert vendor.filters == [f"PlayUrl={url()},{url(2)} page 1"]


async def test_a_url_that_cannot_be_read_hides_nothing_of_who_does_not_name_it() -> None:
    busy = [row(f"busy-{number}", url(1)) for number in range(5001)]
    quiet = [row(f"q-{number}", url(100 + number)) for number in range(100)]
    vendor = PreloadList([*busy, *quiet])
    urls = [str(each["PlayUrl"]) for each in quiet]

    theirs, ours = await vendor.read_all(names([], [url(1)], SINCE + timedelta(hours=1)), names([], urls))

    assert told(theirs) == (False, set())
    assert told(ours) == (True, {f"q-{number}" for number in range(100)})


async def test_the_earliest_since_of_a_url_is_what_it_is_asked_for_by() -> None:
    old = [row(f"old-{number}", url(), CreateTime="2026-11-19T11:00:00Z") for number in range(301)]
    vendor = PreloadList([*old, row("new", url(), CreateTime="2026-11-21T11:00:00Z")])

    late, early = await vendor.read_all(
        names([], [url()], SINCE + timedelta(hours=4)), names([], [url()], SINCE - timedelta(hours=2))
    )

    assert told(late) == told(early) == (True, {"new"})
    assert vendor.asked[-1]["StartTime"] == "2026-11-21T03:40:00Z"


Asked = st.tuples(
    st.lists(st.integers(0, 12), max_size=5, unique=True), st.lists(st.integers(0, 5), max_size=4, unique=True)
)
There = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 7)), max_size=12, unique_by=lambda each: each[0])


@settings(deadline=None)
@given(asked=st.lists(Asked, min_size=1, max_size=6), there=There)
async def test_each_is_told_in_company_what_it_is_told_alone(
    asked: list[tuple[list[int], list[int]]], there: list[tuple[int, int]]
) -> None:
    rows: list[Row] = [row(f"p-{task}", url(of)) for task, of in there]
    wanted: list[PreloadNames] = [
        names([f"p-{task}" for task in tasks], [url(number) for number in urls]) for tasks, urls in asked
    ]
    together, apart = PreloadList(rows, page_size=3), PreloadList(rows, page_size=3)

    found = await together.read_all(*wanted)

    assert [told(each) for each in found] == [told((await apart.read_all(each))[0]) for each in wanted]
