"""Who is asked next: people, then whoever is latest for their interval, in few steps however many there are."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livetask_operator.polling.quota import Lane
from livetask_operator.polling.scheduler import IN_LINE, Scheduler, Turn

AT_ONCE = 8


def scheduler() -> Scheduler[str, str]:
    return Scheduler(lambda _: AT_ONCE)


def poll(due_s: float, interval_s: float = 30.0, account: str = "sports", *, ended: bool = False) -> Turn[str]:
    return Turn(account, Lane.POLL, due_s, interval_s, ended)


def take(of: Scheduler[str, str], now_s: float, *, polls: bool = True) -> str | None:
    """Whose step begins; its request leaves the line at once."""
    taken = of.take(now_s, polls=polls)
    if taken is None:
        return None
    of.begun(taken.key)
    return taken.key


def take_all(of: Scheduler[str, str], now_s: float, *, polls: bool = True) -> list[str]:
    """Whose steps begin, each of them over at once."""
    keys = []
    while (key := take(of, now_s, polls=polls)) is not None:
        keys.append(key)
        of.ended(key)
    return keys


def test_nobody_is_taken_before_it_is_due() -> None:
    given_one = scheduler()
    given_one.set("cup-final", poll(10.0))

    assert take(given_one, 9.9) is None
    assert given_one.next_at() == 10.0
    assert take(given_one, 10.0) == "cup-final"
    assert given_one.next_at() is None


def test_people_come_before_polls_and_deletions_before_all() -> None:
    queue = scheduler()
    queue.set("poll", poll(0.0))
    queue.set("edit", Turn("sports", Lane.PERSON, 5.0, 30.0))
    queue.set("deletion", Turn("news", Lane.DELETION, 6.0, 30.0))

    assert take_all(queue, 7.0) == ["deletion", "edit", "poll"]


def test_polls_step_back_when_they_are_told_to() -> None:
    queue = scheduler()
    queue.set("poll", poll(0.0))
    queue.set("edit", Turn("sports", Lane.PERSON, 5.0, 30.0))

    assert take_all(queue, 7.0, polls=False) == ["edit"]
    assert queue.has_ready
    assert take_all(queue, 7.0) == ["poll"]


def test_the_latest_for_its_interval_comes_first() -> None:
    queue = scheduler()
    queue.set("hourly, a minute late", poll(0.0, 3600.0))
    queue.set("each 5 s, 30 s late", poll(30.0, 5.0))
    queue.set("each 30 s, 50 s late", poll(10.0, 30.0))
    queue.set("ended, each 5 s, 40 s late", poll(20.0, 5.0, ended=True))

    assert take_all(queue, 60.0) == [
        "each 5 s, 30 s late",
        "each 30 s, 50 s late",
        "ended, each 5 s, 40 s late",
        "hourly, a minute late",
    ]


def test_accounts_take_turns() -> None:
    queue = scheduler()
    for number in range(3):
        queue.set(f"sports-{number}", poll(0.0, account="sports"))
    queue.set("news", poll(9.0, account="news"))

    assert take_all(queue, 10.0).index("news") <= 1


def test_few_polls_of_an_account_stand_in_its_line_and_the_next_is_taken_when_one_leaves_it() -> None:
    queue = scheduler()
    for number in range(10):
        queue.set(str(number), poll(float(number)))

    in_line = [taken.key for taken in iter(lambda: queue.take(60.0), None)]
    assert in_line == ["0", "1"]
    assert len(in_line) == IN_LINE[Lane.POLL]
    assert not queue.has_ready

    queue.begun("0")
    assert queue.take(60.0) is not None
    assert queue.take(60.0) is None


def test_a_vendor_that_hangs_gathers_so_many_polls_and_no_more() -> None:
    queue = scheduler()
    for number in range(3 * AT_ONCE):
        queue.set(str(number), poll(0.0))

    under_way = [take(queue, 1.0) for _ in range(AT_ONCE)]

    assert take(queue, 1.0) is None
    queue.ended(under_way[0] or "")
    assert take(queue, 1.0) is not None


def test_people_of_one_account_do_not_hold_up_anothers() -> None:
    queue = scheduler()
    for number in range(2 * IN_LINE[Lane.PERSON]):
        queue.set(f"sports-{number}", Turn("sports", Lane.PERSON, 0.0, 30.0))
    queue.set("news", Turn("news", Lane.PERSON, 1.0, 30.0))

    begun = [taken.key for taken in iter(lambda: queue.take(2.0), None)]

    assert "news" in begun
    assert len(begun) == IN_LINE[Lane.PERSON] + 1


def test_people_whose_requests_are_under_way_hold_up_nobody() -> None:
    queue = scheduler()
    many = 3 * IN_LINE[Lane.PERSON]
    for number in range(many):
        queue.set(str(number), Turn("sports", Lane.PERSON, 0.0, 30.0))

    under_way = list(iter(lambda: take(queue, 1.0), None))

    assert len(under_way) == many
    for key in under_way:
        queue.ended(key)
    assert not queue._accounts


def test_what_is_set_during_a_step_comes_after_it() -> None:
    queue = scheduler()
    queue.set("cup-final", poll(0.0))
    assert take(queue, 1.0) == "cup-final"

    queue.hasten("cup-final", Turn("sports", Lane.PERSON, 1.0, 30.0))
    queue.hasten("cup-final", poll(31.0))

    assert take(queue, 2.0) is None
    queue.ended("cup-final")
    assert take(queue, 2.0, polls=False) == "cup-final"


def test_who_is_hastened_moves_forward_in_time_and_lane_and_never_back() -> None:
    queue = scheduler()
    queue.set("cup-final", poll(30.0))
    queue.hasten("cup-final", Turn("sports", Lane.PERSON, 5.0, 30.0))
    queue.hasten("cup-final", poll(50.0))

    assert queue.due_at("cup-final") == 5.0
    assert take(queue, 5.0, polls=False) == "cup-final"


def test_who_is_dropped_has_no_turn() -> None:
    queue = scheduler()
    queue.set("cup-final", poll(0.0))
    queue.drop("cup-final")

    assert take(queue, 1.0) is None
    assert len(queue) == 0


keys = st.sampled_from("abcdef")
orders = st.lists(
    st.one_of(
        st.tuples(st.just("set"), keys, st.integers(0, 50), st.sampled_from(Lane), st.sampled_from(["x", "y"])),
        st.tuples(st.just("hasten"), keys, st.integers(0, 50), st.sampled_from(Lane), st.sampled_from(["x", "y"])),
        st.tuples(st.sampled_from(["drop", "begun", "take", "end", "ask how late"]), keys, st.integers(0, 50)),
    ),
    max_size=80,
)


@given(orders)
@settings(max_examples=400, deadline=None)
def test_nobody_is_lost_and_nobody_has_two_turns(story: list[tuple[Any, ...]]) -> None:
    queue, expected, under_way, now_s = scheduler(), dict[str, float](), set[str](), 0.0

    for order, key, moment, *more in story:
        match order:
            case "set" | "hasten":
                turn = Turn(more[1], more[0], float(moment), 30.0)
                getattr(queue, order)(key, turn)
                earlier = expected.get(key, float("inf")) if order == "hasten" else float("inf")
                expected[key] = min(float(moment), earlier)
            case "drop":
                queue.drop(key)
                expected.pop(key, None)
            case "begun":
                queue.begun(key)
            case "ask how late":
                assert queue.lateness("x", now_s) >= 0.0
            case "end" if key in under_way:
                queue.ended(key)
                under_way.discard(key)
            case "take":
                now_s = max(now_s, float(moment))
                taken = queue.take(now_s)
                if taken is not None:
                    assert taken.key not in under_way
                    assert expected.pop(taken.key) <= now_s
                    under_way.add(taken.key)
        assert {each: queue.due_at(each) for each in expected} == expected
        assert len(queue) == len(expected)

    for key in under_way:
        queue.ended(key)
    assert sorted(take_all(queue, 100.0)) == sorted(expected)
    assert not queue._accounts, "nothing is kept of accounts that nobody waits in"
    assert not queue.has_ready


def _rounds(queue: Scheduler[str, str], intervals: dict[str, float], calls_per_s: float, hours: float) -> Any:
    """An account that may be called so often, for hours: at which times each object was looked at."""
    looks = defaultdict[str, list[float]](list)
    for key, interval_s in intervals.items():
        queue.set(key, poll(random.Random(key).uniform(0, 10), interval_s))
    now_s = 0.0
    while now_s < hours * 3600:
        now_s += 1 / calls_per_s
        first = take(queue, now_s)
        if first is not None:
            looks[first].append(now_s)
            queue.ended(first)
            queue.set(first, poll(now_s + intervals[first], intervals[first]))
    return looks


@pytest.mark.parametrize("objects", [200, 777])
def test_in_an_oversubscribed_account_equal_objects_have_equal_shares(objects: int) -> None:
    looks = _rounds(scheduler(), {f"task-{number}": 5.0 for number in range(objects)}, 10.0, 1.0)

    gaps = [later - earlier for times in looks.values() for earlier, later in pairwise(times[1:])]
    assert max(gaps) / min(gaps) <= 1.2
    assert max(gaps) <= objects / 10 * 1.1


def test_in_an_oversubscribed_account_all_are_slowed_by_the_same_factor() -> None:
    intervals = {f"{interval_s} s {number}": float(interval_s) for interval_s in (5, 30, 300) for number in range(100)}
    wished_per_s = sum(1 / interval_s for interval_s in intervals.values())

    looks = _rounds(scheduler(), intervals, wished_per_s / 4, 2.0)

    for key, times in looks.items():
        gaps = [later - earlier for earlier, later in pairwise(times[len(times) // 2 :])]
        assert sum(gaps) / len(gaps) / intervals[key] == pytest.approx(4.0, rel=0.2), key


def test_an_account_that_is_not_oversubscribed_looks_at_each_in_its_interval() -> None:
    intervals = {f"task-{number}": 10.0 for number in range(90)}

    looks = _rounds(scheduler(), intervals, 10.0, 0.5)

    assert Counter(len(times) for times in looks.values()).most_common(1)[0][0] >= 170
    assert max(b - a for times in looks.values() for a, b in pairwise(times)) <= 11.0


class Counted(float):
    """A due time that counts how often it is compared."""

    compared = 0

    def __lt__(self, other: float) -> bool:
        Counted.compared += 1
        return float(self) < float(other)

    def __le__(self, other: float) -> bool:
        Counted.compared += 1
        return float(self) <= float(other)


def _steps_per_decision(objects: int) -> float:
    queue = scheduler()
    chance = random.Random(objects)
    for number in range(objects):
        queue.set(str(number), poll(Counted(chance.uniform(0, 30)), 30.0, f"account-{number % (objects // 100)}"))
    Counted.compared = 0
    decisions, now_s = 0, 0.0
    while decisions < 2_000:
        now_s += 0.01
        while (key := take(queue, now_s)) is not None:
            queue.ended(key)
            queue.set(key, poll(Counted(now_s + 30.0), 30.0, f"account-{int(key) % (objects // 100)}"))
            decisions += 1
    return Counted.compared / decisions


def test_a_decision_takes_as_many_steps_as_the_logarithm_of_all_objects() -> None:
    few, many = _steps_per_decision(1_000), _steps_per_decision(64_000)

    assert many <= few * 2.2, "64 times as many objects: 16 levels instead of 10"
    assert many < 80


def test_an_account_whose_last_waiting_poll_was_dropped_is_forgotten_for_good() -> None:
    queue = scheduler()
    for key in ("first", "second", "dropped"):
        queue.set(key, poll(0.0))
    assert take(queue, 1.0) == "first"
    assert take(queue, 1.0) == "second"

    queue.drop("dropped")
    assert queue.lateness("sports", 2.0) == 0.0
    queue.ended("first")
    queue.ended("second")

    assert take(queue, 3.0) is None
    assert not queue.has_ready


@given(
    st.lists(st.tuples(st.integers(0, 900), st.sampled_from([5.0, 30.0, 300.0])), unique=True, max_size=12),
    st.lists(st.integers(901, 999), unique=True, max_size=4),
)
def test_how_many_are_ahead_is_how_many_are_taken_first(polls: list[tuple[int, float]], people: list[int]) -> None:
    queue, now_s = scheduler(), 1_000.0
    lateness = [(now_s - due_s) / interval_s for due_s, interval_s in polls]
    for number, (due_s, interval_s) in enumerate(polls):
        if lateness.count(lateness[number]) == 1:  # of two that are equally late either may come first
            queue.set(f"poll-{number}", poll(due_s, interval_s))
    for due_s in people:
        queue.set(f"person-{due_s}", Turn("sports", Lane.PERSON, due_s, 30.0))
    queue.set("later", poll(now_s + 1))
    queue.set("another's", poll(0.0, account="news"))
    mine = [*(f"poll-{number}" for number in range(len(polls))), *(f"person-{due_s}" for due_s in people)]
    ahead = {key: queue.ahead_of(key, now_s) for key in mine if queue.due_at(key) is not None}

    taken = [key for key in take_all(queue, now_s) if key != "another's"]

    assert sorted(ahead, key=lambda key: ahead[key]) == taken
    assert sorted(ahead.values()) == list(range(len(taken)))
    assert queue.ahead_of("later", now_s) == 0
