"""Lists of preloads that change while they are read: what a complete reading says is true, whatever shifts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetask_operator.vendors.alibaba.preload_reading import MAX_SWEEPS
from tests.vendors.alibaba.preload_list import PreloadList, Row, row, says, url

STREAM = url()


def ids(rows: list[Row]) -> set[str]:
    return {str(each["TaskId"]) for each in rows}


def changing(changes: dict[int, Callable[[list[Row]], None]], rows: list[Row]) -> PreloadList:
    """A vendor with two rows a page whose list changes right before these calls, the first being 0."""
    vendor = PreloadList(rows, page_size=2)
    vendor.before_each = lambda call: changes[call](vendor.rows) if call in changes else None
    return vendor


def a_goes_as_e_comes(rows: list[Row]) -> None:
    del rows[0]
    rows.append(row("e"))


def z_comes_first(rows: list[Row]) -> None:
    rows.insert(0, row("z"))


async def test_a_list_that_holds_still_is_read_forth_and_back() -> None:
    vendor = PreloadList([row(name) for name in "abcde"], page_size=2)

    found = await vendor.read(play_urls=[STREAM])

    assert (found.complete, {each.task_id for each in found.rows}) == (True, set("abcde"))
    assert [query["PageNum"] for query in vendor.asked] == ["1", "2", "3", "2", "1"]


async def test_a_row_that_slips_to_a_page_that_was_read_is_found_though_the_totals_stay_the_same() -> None:
    vendor = changing({1: a_goes_as_e_comes}, [row(name) for name in "abcd"])

    found = await vendor.read(play_urls=[STREAM])

    assert found.complete
    assert {each.task_id for each in found.rows} >= set("bcde")


async def test_a_row_that_is_seen_twice_counts_once() -> None:
    vendor = changing({1: z_comes_first}, [row(name) for name in "abcd"])

    found = await vendor.read(play_urls=[STREAM])

    names = [each.task_id for each in found.rows]
    assert (found.complete, sorted(names)) == (True, sorted("zabcd"))


async def test_a_row_is_told_as_it_was_seen_last() -> None:
    def goes_on(rows: list[Row]) -> None:
        rows[0] = row("a", Process="90%")

    vendor = changing({2: goes_on}, [row("a", Process="10%"), row("b"), row("c")])

    found = await vendor.read(play_urls=[STREAM])

    assert [each.progress for each in found.rows if each.task_id == "a"] == [90]


async def test_a_list_that_never_holds_still_is_given_up_and_says_nothing_of_its_urls() -> None:
    names = iter(range(10**6))
    vendor = PreloadList([row(name) for name in "abc"], page_size=2)

    def churns(_: int) -> None:
        del vendor.rows[0]
        vendor.rows.append(row(f"new-{next(names)}"))

    vendor.before_each = churns

    found = await vendor.read(play_urls=[STREAM])

    assert (found.complete, found.rows) == (False, ())
    assert len(vendor.asked) == MAX_SWEEPS * 2


@pytest.mark.parametrize("total", [0, 1, 3, 10**30, "3"])
async def test_a_list_whose_length_is_not_what_the_vendor_says_is_not_complete(total: object) -> None:
    vendor = PreloadList(answer=lambda _: says([row("a"), row("b")], total))

    found = await vendor.read(play_urls=[STREAM])

    assert (found.complete, found.rows) == (False, ())
    assert len(vendor.asked) == MAX_SWEEPS


async def test_of_a_url_whose_rows_were_not_all_read_not_even_a_named_tasks_row_is_told() -> None:
    """It might be an old success, and the newest row the one that was missed."""
    rows = [row("old"), row("other", url(2))]
    vendor = PreloadList(rows)
    vendor.answer = lambda request: (
        says([rows[0]], 2) if "PlayUrl" in request.url.params else vendor.page(request.url.params)
    )

    found = await vendor.read(task_ids=["old", "other"], play_urls=[STREAM])

    assert (found.complete, [each.task_id for each in found.rows]) == (False, ["other"])


Step = tuple[int, str, int]
STEPS = st.lists(st.tuples(st.integers(0, 12), st.sampled_from(["come", "go", "mix"]), st.integers(0, 20)), max_size=12)


def shifting(count: int, steps: list[Step], of_url: Callable[[int], str]) -> tuple[PreloadList, set[str]]:
    """A vendor whose list changes by these steps: (before which call, how, where). Tells who is there all the time."""
    rows = [row(f"p-{number}", of_url(number)) for number in range(count)]
    vendor = PreloadList(rows, page_size=2)
    stayed = ids(rows)

    def change(call: int) -> None:
        for number, (when, how, where) in enumerate(steps):
            if when != call:
                continue
            at = where % (len(vendor.rows) + 1)
            if how == "come":
                vendor.rows.insert(at, row(f"new-{number}", of_url(where)))
            elif how == "go" and vendor.rows:
                stayed.discard(str(vendor.rows.pop(at % len(vendor.rows))["TaskId"]))
            else:
                vendor.rows = vendor.rows[at:] + vendor.rows[:at]

    vendor.before_each = change
    return vendor, stayed


@given(count=st.integers(0, 9), steps=STEPS)
async def test_whatever_shifts_no_row_of_a_url_that_was_there_all_the_time_is_missing(
    count: int, steps: list[Step]
) -> None:
    vendor, stayed = shifting(count, steps, lambda number: url(number % 3))

    found = await vendor.read(play_urls=[url(0), url(1), url(2)])

    told = {each.task_id for each in found.rows}
    assert told >= stayed if found.complete else not told


@given(count=st.integers(0, 9), steps=STEPS)
async def test_whatever_shifts_no_task_that_was_there_all_the_time_is_unknown(count: int, steps: list[Step]) -> None:
    vendor, stayed = shifting(count, steps, url)
    asked = [f"p-{number}" for number in range(count)] + ["never-was"]

    found = await vendor.read(task_ids=asked)

    told = {each.task_id for each in found.rows}
    assert told <= set(asked)
    assert not found.complete or told >= stayed
