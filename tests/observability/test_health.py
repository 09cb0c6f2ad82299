"""When the process calls itself healthy and ready."""

from __future__ import annotations

from livetask_operator.observability.health import Health


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_a_process_with_nothing_required_is_healthy() -> None:
    health = Health(Clock())

    assert health.report(1000.0) == (True, [])


def test_a_part_that_beats_in_time_is_healthy() -> None:
    clock = Clock()
    health = Health(clock)
    health.require("scheduler", within_s=10)

    clock.now_s += 9
    health.beat("scheduler")
    clock.now_s += 10

    assert health.report(clock.now_s) == (True, ["scheduler: ok, last beat 10.0 s ago, 10 s allowed"])


def test_a_part_that_stopped_beating_is_named() -> None:
    clock = Clock()
    health = Health(clock)
    health.require("scheduler", within_s=10)
    health.require("events", within_s=60)

    clock.now_s += 10.5

    healthy, lines = health.report(clock.now_s)
    assert not healthy
    assert lines == [
        "events: ok, last beat 10.5 s ago, 60 s allowed",
        "scheduler: LATE, last beat 10.5 s ago, 10 s allowed",
    ]


def test_a_part_that_never_beat_is_late_after_its_time() -> None:
    clock = Clock()
    health = Health(clock)
    clock.now_s += 500
    health.require("scheduler", within_s=10)

    assert health.report(clock.now_s)[0]
    assert not health.report(clock.now_s + 11)[0]


def test_a_process_is_ready_when_it_says_so() -> None:
    health = Health(Clock())
    assert (health.ready, health.not_ready_because) == (False, "starting")

    health.become_ready()
    assert (health.ready, health.not_ready_because) == (True, "")


def test_it_is_not_ready_while_the_work_of_a_part_does_not_go_on() -> None:
    health = Health(Clock())
    health.become_ready()

    health.note("namespace news", "namespace news is forbidden", work_goes_on=False)
    health.note("namespace sports", "namespace sports does not exist", work_goes_on=True)
    assert (health.ready, health.not_ready_because) == (False, "namespace news is forbidden")
    assert health.notes == ["namespace sports does not exist"]

    health.settle("namespace news")
    assert (health.ready, health.not_ready_because) == (True, "")
    assert health.notes == ["namespace sports does not exist"]


def test_why_it_is_not_ready_names_all_that_is_in_the_way() -> None:
    health = Health(Clock())

    health.note("Lease", "no right to the Lease", work_goes_on=False)

    assert health.not_ready_because == "starting; no right to the Lease"
