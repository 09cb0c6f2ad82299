"""Whose turn it is."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from livetask_operator.polling.schedule import Schedule

keys = st.sampled_from(["a", "b", "c", "d"])
moments = st.integers(0, 20).map(float)
orders = st.lists(
    st.one_of(
        st.tuples(st.just("set"), keys, moments),
        st.tuples(st.just("drop"), keys, moments),
        st.tuples(st.just("pop"), keys, moments),
    ),
    max_size=40,
)


@given(orders)
@settings(max_examples=300, deadline=None)
def test_a_schedule_is_a_table_of_due_times(given_orders: list[tuple[str, str, float]]) -> None:
    schedule, table = Schedule[str](), dict[str, float]()

    for order, key, moment in given_orders:
        match order:
            case "set":
                schedule.set(key, moment)
                table[key] = moment
            case "drop":
                schedule.drop(key)
                table.pop(key, None)
            case "pop":
                popped = schedule.pop_due(moment)
                assert [table[each] for each in popped] == sorted(due for due in table.values() if due <= moment)
                assert set(popped) == {each for each, due in table.items() if due <= moment}
                assert len(popped) == len(set(popped)), "nobody has two turns"
                table = {each: due for each, due in table.items() if due > moment}
        assert len(schedule) == len(table)
        assert schedule.next_due() == min(table.values(), default=None)
        assert all(schedule.due_at(each) == table.get(each) for each in "abcd")


def test_an_empty_schedule_has_nobody_due() -> None:
    schedule = Schedule[str]()

    assert schedule.next_due() is None
    assert schedule.pop_due(float("inf")) == []


def test_those_who_are_due_at_the_same_time_come_in_the_order_of_their_setting() -> None:
    schedule = Schedule[int]()
    for key in (3, 1, 2):
        schedule.set(key, 5.0)

    assert schedule.pop_due(5.0) == [3, 1, 2]


def test_who_is_popped_is_out_until_set_again() -> None:
    schedule = Schedule[str]()
    schedule.set("a", 5.0)
    schedule.pop_due(5.0)

    assert schedule.pop_due(100.0) == []
    schedule.set("a", 5.0)
    assert schedule.pop_due(5.0) == ["a"]


def test_ten_thousand_objects_take_a_few_steps_each() -> None:
    compared = 0

    class Counted(float):
        def __lt__(self, other: float) -> bool:
            nonlocal compared
            compared += 1
            return float(self) < float(other)

    turns = Schedule[int]()
    for round_s in (0, 10_000):
        for key in range(10_000):
            turns.set(key, Counted(round_s + (key * 7_919) % 10_000))

    popped = turns.pop_due(30_000.0)

    assert len(popped) == 10_000
    assert compared < 10_000 * 2 * 3 * 14, "a heap takes log2(20 000) = 14 steps, not thousands"
