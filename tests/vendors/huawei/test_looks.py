"""Looking at many tasks through a list that shifts, fails and lies: what is there is never taken for gone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livetask_operator.vendors.contract import (
    CredentialsRejected,
    EndpointNotFound,
    InvalidRequest,
    InvalidResponse,
    Look,
    Observation,
    State,
    TaskRef,
    Throttled,
    VendorUnavailable,
)
from livetask_operator.vendors.huawei.looks import MAX_ONE_BY_ONE
from tests.vendors.huawei.conversation import KEY, Listing, body, json, listed, refuses, relay, row, task

Rows = list[dict[str, object]]


def names(count: int) -> list[str]:
    return [f"t-{number:04}" for number in range(count)]


def tasks(wanted: Sequence[str]) -> list[TaskRef]:
    return [task(name) for name in wanted]


def word_of(look: Look) -> str:
    """The state, or the reason why there is none."""
    return look.state if isinstance(look, Observation) else look.reason


async def words(listing: Listing, wanted: Sequence[str]) -> dict[str, str]:
    """What a look at all of them says of each."""
    looks = await listing.look(tasks(wanted))
    assert set(looks) == set(tasks(wanted))
    return {each.task: word_of(look) for each, look in looks.items()}


async def test_250_tasks_are_looked_at_with_3_calls() -> None:
    listing = Listing([row(name) for name in names(250)])

    found = await words(listing, names(250))

    assert set(found.values()) == {State.RUNNING}
    assert listing.asked == ["0", "100", "200"]


async def test_a_page_is_asked_for_by_region_with_the_most_rows_that_the_vendor_gives() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return listed(row("a"), row("b"))

    await relay(answer).look(KEY, tasks(["a", "b"]))

    assert asked == [
        "https://live.cn-north-4.example:8443/v1/0123456789abcdef/pull/stream/task?limit=100&offset=0&region=cn-north-4"
    ]


async def test_projects_and_regions_are_asked_each_for_their_own() -> None:
    listing = Listing([row("a", "running"), row("b", "failed")])
    wanted = [task("a"), task("b"), task("a", region="cn-east-3"), task("b", project="p2"), task("a", project="p2")]

    looks = await listing.look(wanted)

    assert [word_of(looks[each]) for each in wanted] == [
        State.RUNNING,
        State.FAILED,
        State.RUNNING,
        State.FAILED,
        State.RUNNING,
    ]
    assert listing.asked == ["0", "a", "0"]


async def test_a_misnamed_task_hides_no_other() -> None:
    listing = Listing([row("a")])

    looks = await listing.look([task("a", region="no region"), task("a")])

    assert list(map(word_of, looks.values())) == [InvalidRequest.reason, State.RUNNING]


async def test_what_the_list_does_not_show_is_asked_for_by_its_id() -> None:
    listing = Listing([row("a"), row("b", None)])

    found = await words(listing, ["a", "b", "c"])

    assert found == {"a": State.RUNNING, "b": InvalidResponse.reason, "c": State.NOT_FOUND}
    assert listing.asked == ["0", "b", "c"]


async def test_a_long_list_is_not_read_for_a_few_tasks() -> None:
    listing = Listing([row(name) for name in names(5000)])

    found = await words(listing, ["t-4000", "t-0001", "gone"])

    assert found == {"t-4000": State.RUNNING, "t-0001": State.RUNNING, "gone": State.NOT_FOUND}
    assert listing.asked == ["0", "gone", "t-4000"]


async def test_every_call_waits_for_its_turn() -> None:
    listing = Listing([row(name) for name in names(150)])
    waited: list[int] = []

    async def turn() -> None:
        waited.append(len(listing.asked))

    await relay(listing.answer).look(KEY, tasks([*names(150), "gone"]), turn)

    assert listing.asked == ["0", "100", "gone"]
    assert waited == [0, 1, 2]


async def test_a_task_that_slips_to_the_page_before_is_found_all_the_same() -> None:
    def the_first_is_deleted(rows: Rows) -> None:
        del rows[0]

    listing = Listing([row(name) for name in names(150)], between=[the_first_is_deleted])

    found = await words(listing, names(150))

    assert set(found.values()) == {State.RUNNING}
    assert listing.asked == ["0", "100", "t-0100"]


async def test_a_task_that_is_seen_twice_in_two_states_is_asked_for() -> None:
    def the_hundredth_ends_and_slips(rows: Rows) -> None:
        rows[99]["status"] = "finished"
        rows.insert(0, row("new"))

    listing = Listing([row(name) for name in names(150)], between=[the_hundredth_ends_and_slips])

    found = await words(listing, names(150))

    assert found.pop("t-0099") is State.STOPPED
    assert set(found.values()) == {State.RUNNING}
    assert listing.asked == ["0", "100", "t-0099"]


@pytest.mark.parametrize("total", [0, 1, 99, 100, 151, 9999, 10**9, -1, "150", 1.5, True, [], {}])
async def test_a_total_that_lies_hides_no_task(total: object) -> None:
    listing = Listing([row(name) for name in names(150)], total=total)

    found = await words(listing, names(150))

    assert set(found.values()) == {State.RUNNING}
    assert listing.asked == ["0", "100"]


@pytest.mark.parametrize(
    ("failing", "own", "others"),
    [
        (body(b"", 503), VendorUnavailable.reason, State.RUNNING),
        (body(b"garbage"), InvalidResponse.reason, State.RUNNING),
        (json({"request_id": "r-1"}), InvalidResponse.reason, State.RUNNING),
        (refuses("LIVE.100011001", 400), InvalidRequest.reason, State.RUNNING),
        (refuses("APIGW.0308", 429), Throttled.reason, Throttled.reason),
        (refuses("APIGW.0301", 401), CredentialsRejected.reason, CredentialsRejected.reason),
        (refuses("APIG.0101", 404), EndpointNotFound.reason, EndpointNotFound.reason),
    ],
    ids=["503", "garbage", "no list", "400", "throttled", "key refused", "no such API"],
)
async def test_a_page_that_fails_leaves_what_other_pages_show(failing: httpx.Response, own: str, others: str) -> None:
    listing = Listing([row(name) for name in names(450)], pages={100: failing, 300: failing})

    found = await words(listing, names(450))

    # After a second page that failed no more are read: 250 are missing, 100 of whom are asked for one by one.
    assert {found[name] for name in names(100)} == {State.RUNNING}
    assert {found[name] for name in names(300)[200:]} == {others}
    asked_for = 0 if others == own else MAX_ONE_BY_ONE
    assert list(found.values()).count(own) == 450 - 100 - (100 if others == State.RUNNING else 0) - asked_for
    assert set(found.values()) == {State.RUNNING, own}


async def test_one_page_that_fails_hides_nothing_where_its_tasks_can_be_asked_for() -> None:
    listing = Listing([row(name) for name in names(250)], pages={100: body(b"", 503)})

    assert set((await words(listing, names(250))).values()) == {State.RUNNING}
    assert len(listing.asked) == 3 + 100


async def test_nobody_is_asked_for_one_by_one_where_the_vendor_is_down() -> None:
    listing = Listing([], pages={0: body(b"", 503)})

    found = await words(listing, names(30))

    assert set(found.values()) == {VendorUnavailable.reason}
    assert listing.asked == ["0"]


async def test_asking_one_by_one_ends_where_there_is_no_answer_any_more() -> None:
    listing = Listing([row("a")], absent=lambda: body(b"", 503))

    found = await words(listing, ["a", *names(10)])

    assert found.pop("a") is State.RUNNING
    assert set(found.values()) == {VendorUnavailable.reason}
    assert listing.asked == ["0", "t-0000"]


async def test_many_that_the_list_lacks_are_asked_for_in_turn_and_none_of_them_is_gone_before_that() -> None:
    listing = Listing([row("a")], total="many")  # never whole: nothing of it is remembered
    asker = relay(listing.answer)

    rounds = []
    for _ in range(3):
        looks = await asker.look(KEY, tasks(["a", *names(150)]))
        rounds.append({each.task for each, look in looks.items() if word_of(look) == State.NOT_FOUND})
        assert {word_of(look) for look in looks.values()} == {State.RUNNING, State.NOT_FOUND, InvalidResponse.reason}

    assert [len(each) for each in rounds] == [MAX_ONE_BY_ONE] * 3
    assert rounds[0] | rounds[1] == rounds[1] | rounds[2] == set(names(150))  # nobody is left out twice


async def test_a_list_that_is_not_there_says_nothing_of_its_tasks() -> None:
    listing = Listing([row("a"), row("b")], pages={0: refuses("LIVE.100011001", 404)})

    assert await words(listing, ["a", "b"]) == {"a": State.RUNNING, "b": State.RUNNING}


@pytest.mark.parametrize(
    "rows",
    [
        [None, 7, "x", [], {}, {"task_id": 7}, {"task_id": None}, {"status": "running"}],
        [row("a", None), row("a", []), row("b", {}), row("a")],
        [row("a"), row("a"), row("b"), row("b", "failed"), row("a")],
    ],
    ids=["nameless", "without a status", "repeated"],
)
async def test_rows_that_make_no_sense_are_passed_over(rows: list[object]) -> None:
    honest = Listing([row("a"), row("b")], pages={0: listed(*rows, total=2)})

    assert await words(honest, ["a", "b"]) == {"a": State.RUNNING, "b": State.RUNNING}


async def test_a_list_that_repeats_itself_is_not_read_for_ever() -> None:
    asked: list[str] = []

    def same_page(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return listed(*(row(name) for name in names(100)), total=10_000)

    await relay(same_page).look(KEY, tasks(["gone", *names(60), *(f"x-{n}" for n in range(60))]))

    assert len(asked) == 2 + 61  # two pages, the second of which has nothing new


Happening = Callable[[Rows], None]


def starts(number: int, at: int) -> Happening:
    def happen(rows: Rows) -> None:
        for each in range(number):
            rows.insert(min(at, len(rows)), row(f"new-{at}-{each}-{len(rows)}"))

    return happen


def ends(number: int, at: int) -> Happening:
    """Some that nobody wants to know of end."""

    def happen(rows: Rows) -> None:
        passing = [each for each in rows[at:] if str(each["task_id"]).startswith(("new", "passing"))][:number]
        for each in passing:
            rows.remove(each)

    return happen


def moves(number: int, at: int) -> Happening:
    """Some go to the front, as in a list by the last change."""

    def happen(rows: Rows) -> None:
        moved = rows[at : at + number]
        rows[:] = moved + rows[:at] + rows[at + number :]

    return happen


happenings = st.builds(
    lambda make, number, at: make(number, at),
    st.sampled_from([starts, ends, moves]),
    st.integers(1, 120),
    st.integers(0, 400),
)
failures = st.sampled_from(
    [
        body(b"", 503),
        body(b"garbage"),
        refuses("LIVE.100011001", 404),
        refuses("LIVE.100011001", 400),
        refuses("APIG.0101", 404),
        refuses("APIGW.0308", 429),
        listed(),
        listed(None, {}, total=250),
    ]
)


@settings(deadline=None)
@given(
    there=st.integers(2, 260),
    passing=st.integers(0, 150),
    gone=st.integers(0, 5),
    between=st.lists(happenings, max_size=6),
    pages=st.dictionaries(st.sampled_from([0, 100, 200, 300]), failures, max_size=2),
    total=st.none() | st.integers(0, 500) | st.just("many"),
)
async def test_whatever_shifts_fails_or_lies_no_task_reads_as_gone_that_was_there_all_the_while(
    there: int, passing: int, gone: int, between: list[Happening], pages: dict[int, httpx.Response], total: object
) -> None:
    wanted = names(there)
    mixed = sorted([*wanted, *(f"passing-{number}" for number in range(passing))], key=lambda name: name[::-1])
    listing = Listing([row(name) for name in mixed], total=total, between=between, pages=pages)

    found = await words(listing, [*wanted, *(f"gone-{number}" for number in range(gone))])

    assert {found[name] for name in wanted} <= {State.RUNNING} | {
        VendorUnavailable.reason,
        InvalidResponse.reason,
        InvalidRequest.reason,
        EndpointNotFound.reason,
        Throttled.reason,
    }
    assert State.RUNNING not in {found[name] for name in found if name.startswith("gone")}
    assert len(listing.asked) <= 6 + MAX_ONE_BY_ONE


few = st.builds(
    lambda make, number, at: make(number, at),
    st.sampled_from([starts, ends, moves]),
    st.integers(1, 5),
    st.integers(0, 300),
)


@settings(deadline=None)
@given(there=st.integers(2, 260), passing=st.integers(0, 20), between=st.lists(few, max_size=4))
async def test_a_list_that_shifts_by_a_few_hides_nothing(there: int, passing: int, between: list[Happening]) -> None:
    rows = [row(f"passing-{number}") for number in range(passing)] + [row(name) for name in names(there)]
    listing = Listing(rows, between=between)

    found = await words(listing, names(there))

    assert set(found.values()) == {State.RUNNING}
