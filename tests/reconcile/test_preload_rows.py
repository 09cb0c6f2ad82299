"""Which row counts for each preload: one for a task and its URL, the newest of a URL, and what was seen before."""

from __future__ import annotations

import pytest

from livetask_operator.reconcile.preload_status import PreloadTaskStatus
from livetask_operator.vendors.contract import PreloadRow, PreloadRows, RowState
from tests.reconcile.preload_given import (
    DAY_S,
    FINAL,
    OPENING,
    PreloadLife,
    done,
    failed,
    preload_task,
    preloaded,
    row,
    rows,
)


def shown_rows(status: PreloadTaskStatus) -> list[tuple[str | None, str | None, str]]:
    """Task, URL and state of each row; the URLs by their last word."""
    return [(each.task_id, each.play_url and each.play_url.rpartition("/")[2], each.state) for each in status.tasks]


BOTH = {"task_ids": ["t-1", "t-2"], "play_urls": [FINAL, OPENING]}

UNIONS: list[tuple[str, dict[str, list[str]], list[PreloadRow], list[tuple[str | None, str | None, str]]]] = [
    ("a task", {"task_ids": ["t-1"]}, [row()], [("t-1", "opening", "Preloading")]),
    ("a URL", {"play_urls": [OPENING]}, [row()], [("t-1", "opening", "Preloading")]),
    (
        "a task and its own URL are one",
        {"task_ids": ["t-1"], "play_urls": [OPENING]},
        [row()],
        [("t-1", "opening", "Preloading")],
    ),
    (
        "an older task of a URL and the URL's newest are two",
        {"task_ids": ["t-1"], "play_urls": [OPENING]},
        [failed(made_at_s=-600), done(task_id="t-9", made_at_s=-60)],
        [("t-1", "opening", "Failed"), ("t-9", "opening", "Succeeded")],
    ),
    (
        "two tasks of one URL are two, and the URL is the newer one",
        {"task_ids": ["t-1", "t-2"], "play_urls": [OPENING]},
        [row(), done(task_id="t-2", made_at_s=-30)],
        [("t-1", "opening", "Preloading"), ("t-2", "opening", "Succeeded")],
    ),
    (
        "tasks first, then URLs, as the spec has them and not as the vendor tells them",
        BOTH,
        [done(url=FINAL, task_id="t-8"), row(task_id="t-9"), row(url="rtmp://other/a/b", task_id="t-2"), row()],
        [
            ("t-1", "opening", "Preloading"),
            ("t-2", "b", "Preloading"),
            ("t-8", "final", "Succeeded"),
            ("t-9", "opening", "Preloading"),
        ],
    ),
    (
        "what is not there is named by the spec's own word",
        BOTH,
        [],
        [
            ("t-1", None, "NotFound"),
            ("t-2", None, "NotFound"),
            (None, "final", "NotFound"),
            (None, "opening", "NotFound"),
        ],
    ),
    (
        "what nobody asked for is left out",
        {"play_urls": [OPENING]},
        [row(), row(url=FINAL, task_id="t-7")],
        [("t-1", "opening", "Preloading")],
    ),
]


@pytest.mark.parametrize(("spec", "told", "shown"), [pytest.param(*each[1:], id=each[0]) for each in UNIONS])
def test_the_rows_are_the_union_of_tasks_and_urls(
    spec: dict[str, list[str]], told: list[PreloadRow], shown: list[tuple[str | None, str | None, str]]
) -> None:
    status = preloaded(
        preload_task(task_ids=spec.get("task_ids", ()), play_urls=spec.get("play_urls", ())), (0, rows(*told))
    )

    assert shown_rows(status) == shown
    assert status.total == len(shown)


@pytest.mark.parametrize(
    ("told", "newest"),
    [
        pytest.param([row(task_id="t-1"), row(task_id="t-2", made_at_s=-59)], "t-2", id="the newest"),
        pytest.param([row(task_id="t-2", made_at_s=-59), row(task_id="t-1")], "t-2", id="told first"),
        pytest.param([row(task_id="t-2"), row(task_id="t-1")], "t-2", id="of the same second the greater task id"),
        pytest.param([row(task_id="t-2", made_at_s=None), row(task_id="t-1")], "t-1", id="not one without a time"),
        pytest.param([row(task_id="t-1"), row(task_id="t-2", made_at_s=60)], "t-2", id="made after the object"),
    ],
)
def test_of_several_preloads_of_a_url_the_newest_counts(told: list[PreloadRow], newest: str) -> None:
    status = preloaded(preload_task(), (120, rows(*told)))

    assert [each.task_id for each in status.tasks] == [newest]


def test_a_url_that_is_preloaded_again_follows_the_new_preload() -> None:
    life = PreloadLife(preload_task(play_urls=[OPENING, FINAL]))
    life.look(rows(failed(), row(url=FINAL, task_id="t-2")))

    status = life.look(rows(failed(), row(url=FINAL, task_id="t-2"), row(task_id="t-3", made_at_s=10)))

    assert shown_rows(status) == [("t-3", "opening", "Preloading"), ("t-2", "final", "Preloading")]
    assert status.failed == 0


SIX_HOURS_S = 6 * 3600.0


@pytest.mark.parametrize(
    ("after", "made_at_s", "counts"),
    [
        pytest.param(None, -SIX_HOURS_S, True, id="6 hours before the object"),
        pytest.param(None, -SIX_HOURS_S - 1, False, id="a second more"),
        pytest.param("2026-11-21T19:00:00Z", -3600.0, True, id="at createdAfter"),
        pytest.param("2026-11-21T19:00:00Z", -3601.0, False, id="a second before it"),
        pytest.param("2026-11-20T20:00:00Z", -DAY_S, True, id="yesterday, where createdAfter says so"),
        pytest.param("2026-11-22T04:00:00+08:00", -1.0, False, id="another zone"),
        pytest.param("0001-01-01T00:00:00Z", -2 * DAY_S, True, id="since ever"),
    ],
)
def test_a_rehearsal_of_a_url_that_is_too_old_does_not_count(after: str | None, made_at_s: float, counts: bool) -> None:
    task = preload_task(block={"createdAfter": after} if after else {})

    status = preloaded(task, (0, rows(done(made_at_s=made_at_s))))

    assert status.state == ("Succeeded" if counts else "NotFound")


@pytest.mark.parametrize("made_at_s", [-2.9 * DAY_S, None])
def test_a_task_counts_whatever_its_age(made_at_s: float | None) -> None:
    status = preloaded(preload_task(task_ids=["t-1"]), (0, rows(done(made_at_s=made_at_s))))

    assert status.state == "Succeeded"


def test_an_old_task_does_not_pass_for_its_url() -> None:
    task = preload_task(task_ids=["t-1"], play_urls=[OPENING])

    status = preloaded(task, (600, rows(done(made_at_s=-DAY_S))))

    assert shown_rows(status) == [("t-1", "opening", "Succeeded"), (None, "opening", "NotFound")]
    assert status.state == "NotFound"


LATE_S = 3 * DAY_S
"""When a preload of -60 s is forgotten."""


@pytest.mark.parametrize(
    ("last_seen", "state"),
    [
        pytest.param(done(), "Succeeded", id="a success stays"),
        pytest.param(failed(), "Failed", id="a failure stays"),
        pytest.param(row(), "Expired", id="unfinished"),
        pytest.param(row(RowState.PENDING, 0), "Expired", id="not begun"),
        pytest.param(row(RowState.UNKNOWN, None, said="melting"), "Expired", id="a word that nobody knows"),
    ],
)
def test_what_the_vendor_forgets_stays_as_it_was_seen_or_is_expired(last_seen: PreloadRow, state: str) -> None:
    life = PreloadLife(preload_task(play_urls=[OPENING, FINAL]))
    other = row(url=FINAL, task_id="t-2", made_at_s=LATE_S - 60)
    life.look(rows(last_seen, other))

    life.now_s = LATE_S
    status = life.look(rows(other))

    assert [each.state for each in status.tasks] == [state, "Preloading"]
    assert status.tasks[0].create_time == "2026-11-21T19:59:00Z"


def test_what_the_vendor_forgets_is_expired_after_a_restart_too() -> None:
    life = PreloadLife(preload_task())
    life.look(rows(row()))

    life.now_s = LATE_S
    life.restart()
    status = life.look(rows())

    assert (status.state, status.tasks[0].progress) == ("Expired", 50)


@pytest.mark.parametrize(
    ("at_s", "state"),
    [
        pytest.param(30, "NotFound", id="at once"),
        pytest.param(LATE_S - 3600 - 61, "NotFound", id="an hour before 3 days, nearly"),
        pytest.param(LATE_S - 3600 - 60, "Expired", id="an hour before 3 days"),
    ],
)
def test_what_is_gone_before_the_vendor_forgets_is_not_expired_for_good(at_s: float, state: str) -> None:
    life = PreloadLife(preload_task())
    life.look(rows(row()))

    life.now_s = at_s
    status = life.look(rows())

    assert status.state == state
    assert (status.tasks[0].task_id, status.tasks[0].progress) == ("t-1", 50), "what was seen stays"


def test_what_was_gone_for_a_moment_comes_back() -> None:
    life = PreloadLife(preload_task())
    first = life.look(rows(row()))
    life.look(rows())

    assert life.look(rows(row())).tasks == first.tasks


def test_a_row_without_a_time_is_forgotten_three_days_after_its_object_was_made() -> None:
    life = PreloadLife(preload_task(task_ids=["t-1"]))
    life.look(rows(row(made_at_s=None)))

    life.now_s = 3 * DAY_S - 3601
    before = life.look(rows()).state
    life.now_s = 3 * DAY_S - 3600

    assert (before, life.look(rows()).state) == ("NotFound", "Expired")


@pytest.mark.parametrize("lacks", [rows(complete=False), rows(row(), complete=False)], ids=["all", "one"])
def test_an_incomplete_reading_changes_nothing_for_what_it_lacks(lacks: PreloadRows) -> None:
    life = PreloadLife(preload_task(task_ids=["t-1", "t-2", "t-3"]))
    before = life.look(rows(row(), row(url=FINAL, task_id="t-2")))

    life.now_s = LATE_S
    status = life.look(lacks)

    assert status.patch_from(before) == {}
    assert [each.state for each in status.tasks] == ["Preloading", "Preloading", "NotFound"]


def test_an_incomplete_reading_tells_what_it_has() -> None:
    life = PreloadLife(preload_task(task_ids=["t-1", "t-2"]))
    life.look(rows(row(), row(url=FINAL, task_id="t-2")))

    status = life.look(rows(done(), complete=False))

    assert [each.state for each in status.tasks] == ["Succeeded", "Preloading"]


def test_a_task_that_is_suddenly_another_urls_is_not_two() -> None:
    life = PreloadLife(preload_task(task_ids=["t-1"], play_urls=[OPENING]))
    life.look(rows(row()))

    life.look(rows(done(url=FINAL)))
    status = life.look(rows(done(url=FINAL)))

    assert shown_rows(status) == [("t-1", "final", "Succeeded"), (None, "opening", "NotFound")]


def test_a_row_that_is_told_twice_counts_once_as_it_was_told_last() -> None:
    status = preloaded(preload_task(), (0, rows(row(), done())))

    assert [each.state for each in status.tasks] == ["Succeeded"]
