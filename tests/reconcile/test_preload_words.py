"""What people read of a PreloadTask: the word, what it means, what to do next."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from livetask_operator.reconcile.reasons import Reason
from livetask_operator.vendors.contract import PreloadRow, RowState
from tests.reconcile.preload_given import (
    DAY_S,
    FINAL,
    OPENING,
    done,
    failed,
    preload_task,
    preload_trouble,
    preloaded,
    row,
    rows,
)

GROWN_S = 600.0
PENDING = row(RowState.PENDING, 0)
UNKNOWN = row(RowState.UNKNOWN, None, said="melting")


def message(told: list[PreloadRow], *, task_ids: Sequence[str] = (), play_urls: Sequence[str] = ()) -> str:
    """Ready's message after a look."""
    status = preloaded(preload_task(task_ids=task_ids, play_urls=play_urls), (GROWN_S, rows(*told)))
    return status.conditions[0].message


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (
            [PENDING],
            "Alibaba Cloud has not begun any of 1 preload. It is looked at again until all have ended.",
        ),
        (
            [row()],
            "Alibaba Cloud has completed 0 of 1 preload. It is looked at again until all have ended.",
        ),
        ([done()], "Alibaba Cloud has completed 1 of 1 preload."),
        (
            [failed()],
            f"1 of 1 preload failed at Alibaba Cloud: {OPENING}. Preload them again, with a new PreloadTask.",
        ),
        (
            [],
            f"Alibaba Cloud does not know 1 of 1 preload: {OPENING}. Start them there, or check the domain, the ids, "
            "the URLs and createdAfter of this object; it is looked at again all the while.",
        ),
        (
            [UNKNOWN],
            f"Alibaba Cloud says what this operator does not know of 1 of 1 preload: {OPENING}. "
            "Look at them in the vendor's console; a newer operator may know the word.",
        ),
    ],
    ids=["Pending", "Preloading", "Succeeded", "Failed", "NotFound", "Unknown"],
)
def test_each_state_is_told_with_what_to_do(told: list[PreloadRow], said: str) -> None:
    assert message(told) == said


def test_expired_is_told_with_what_to_do() -> None:
    status = preloaded(preload_task(), (0, rows(row())), (3 * DAY_S, rows()))

    assert status.conditions[0].message == (
        f"Alibaba Cloud forgot 1 of 1 preload before the end was seen: {OPENING}. "
        "Preload them again, with a new PreloadTask."
    )


def test_a_failure_is_told_while_others_go_on() -> None:
    assert message([failed(), row(url=FINAL, task_id="t-2")], play_urls=[OPENING, FINAL]).startswith(
        "Alibaba Cloud has completed 0 of 2 preloads, 1 failed. "
    )


def test_the_first_three_that_failed_are_named_and_the_others_are_counted() -> None:
    urls = [f"rtmp://live.example.com/app/{number}" for number in range(6)]
    told = [failed(url=url, task_id=url[-1]) for url in urls[:5]]

    said = message([*told, done(url=urls[5], task_id="9")], play_urls=urls)

    assert said.startswith(
        f"5 of 6 preloads failed at Alibaba Cloud: {urls[0]}, {urls[1]}, {urls[2]} and 2 more (see status.tasks). "
    )


def test_each_is_named_as_the_spec_names_it() -> None:
    told = [failed(), failed(url="rtmp://the.vendors.own/word", task_id="t-2")]

    said = message(told, task_ids=["t-2"], play_urls=[OPENING])

    assert f": t-2, {OPENING}. " in said


def test_a_key_in_a_url_is_not_told() -> None:
    signed = f"{OPENING}?auth_key=1700000000-0-0-secret"

    assert "auth_key" not in message([failed(url=signed)], play_urls=[signed])


def test_long_urls_leave_room_for_what_to_do() -> None:
    urls = [f"rtmp://live.example.com/{number}/".ljust(1024, "x") for number in range(100)]

    said = message([], play_urls=urls)

    assert len(said) <= 1024
    assert said.endswith("it is looked at again all the while.")


def test_the_words_about_looks_name_the_preload_and_its_own_call() -> None:
    refused = preload_trouble(
        Reason.INVALID_REQUEST, code="InvalidDomain.NotFound", detail="it does not know the domain"
    )

    assert refused.message == (
        "Alibaba Cloud refuses DescribeLiveStreamPreloadTasks for the preload of live.example.com "
        "(InvalidDomain.NotFound: it does not know the domain). Check the domain, the task ids and the URLs: "
        "they cannot be changed, so where they are wrong make a new object with the right ones."
    )


def test_a_suspended_preload_tells_how_to_go_on() -> None:
    status = preloaded(preload_task(suspend=True), (0, None))

    assert status.conditions[0].message == (
        "spec.suspend is true: the preload is not looked at. "
        'To go on: kubectl -n sports patch plt opening --type merge -p \'{"spec":{"suspend":false}}\''
    )


def test_a_preload_that_nobody_looked_at_is_told_to_be_old() -> None:
    status = preloaded(preload_task(pollIntervalSeconds=20), (0, rows(row())), (60, None))

    assert status.conditions[0].message.startswith("The preload was not looked at for more than 60 s")


def test_a_list_that_could_not_be_read_to_the_end_is_told() -> None:
    status = preloaded(preload_task(), (0, rows(complete=False)))

    assert status.conditions[0].message == (
        "Alibaba Cloud was asked, and its list could not be read to the end. It is asked again."
    )
