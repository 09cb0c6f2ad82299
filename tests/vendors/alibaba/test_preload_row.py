"""What each row of the vendor's list of preloads means: its words, its percent, its times."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetask_operator.vendors.alibaba.preload_row import read_row
from livetask_operator.vendors.contract import PreloadRow, RowState
from tests.vendors.alibaba.preload_list import NOW, Row, row, url


def read(**changes: object) -> PreloadRow:
    found = read_row(row(**changes), NOW)
    assert found is not None
    return found


def test_a_row_of_the_page_is_read_whole() -> None:
    assert read() == PreloadRow(
        task_id="p-1",
        play_url=url(),
        state=RowState.SUCCEEDED,
        area="domestic",
        progress=100,
        vendor_status="Success",
        description="Successfully",
        create_time=datetime(2026, 11, 21, 11, 0, tzinfo=UTC),
        start_time=datetime(2026, 11, 21, 11, 30, tzinfo=UTC),
        end_time=datetime(2026, 11, 21, 12, 30, tzinfo=UTC),
    )


@pytest.mark.parametrize("as_written", [str, str.lower, str.upper], ids=["as it is", "lower", "upper"])
@pytest.mark.parametrize(
    ("status", "process", "state"),
    [
        ("Success", "100%", RowState.SUCCEEDED),
        ("complete", "100%", RowState.SUCCEEDED),
        ("Successfully", "100%", RowState.SUCCEEDED),
        ("Success", "99%", RowState.PRELOADING),
        ("Success", "99.9%", RowState.PRELOADING),
        ("Success", "1%", RowState.PRELOADING),
        ("complete", "62%", RowState.PRELOADING),
        ("Success", ..., RowState.UNKNOWN),
        ("Success", "", RowState.UNKNOWN),
        ("Success", "done", RowState.UNKNOWN),
        ("pending", "0%", RowState.PENDING),
        ("pending", ..., RowState.PENDING),
        ("pending", "100%", RowState.PENDING),
        ("preloading", "62%", RowState.PRELOADING),
        ("preloading", ..., RowState.PRELOADING),
        ("preloading", "100%", RowState.PRELOADING),
        ("preloading", "much", RowState.UNKNOWN),
        ("Failed", "100%", RowState.FAILED),
        ("Failed", ..., RowState.FAILED),
        ("Failed", "garbage", RowState.FAILED),
        ("InternalError", "50%", RowState.FAILED),
        ("Cancelled", "100%", RowState.UNKNOWN),
        ("", "100%", RowState.UNKNOWN),
    ],
)
def test_the_word_and_the_percent_together_say_the_state(
    status: str, process: object, state: RowState, as_written: type[str]
) -> None:
    found = read(Status=as_written(status), Process=process)

    assert (found.state, found.vendor_status) == (state, as_written(status))


@pytest.mark.parametrize(
    ("start", "process", "state"),
    [
        ("2026-11-21T11:59:59Z", "0%", RowState.PRELOADING),
        ("2026-11-21T12:00:01Z", "0%", RowState.PENDING),
        (..., "0%", RowState.PENDING),
        ("2026-11-21T12:00:01Z", "1%", RowState.PRELOADING),
    ],
)
def test_a_preload_at_0_percent_is_pending_until_it_starts(start: object, process: str, state: RowState) -> None:
    assert read(PreloadedStartTime=start, Process=process).state is state


@pytest.mark.parametrize(
    ("description", "state"),
    [
        ("InternalError", RowState.FAILED),
        ("internalerror ", RowState.FAILED),
        ("Failed", RowState.FAILED),
        ("some error on the way", RowState.UNKNOWN),
        ("2 nodes failed", RowState.UNKNOWN),
        ("Successfully", RowState.SUCCEEDED),
        ("成功", RowState.SUCCEEDED),
        (..., RowState.SUCCEEDED),
        (None, RowState.SUCCEEDED),
    ],
)
def test_a_description_that_speaks_of_failure_is_no_success(description: object, state: RowState) -> None:
    assert read(Description=description).state is state


@pytest.mark.parametrize("status", ["pending", "preloading", "Success", "nonsense"])
def test_an_internal_error_is_a_failure_whatever_the_status(status: str) -> None:
    assert read(Status=status, Process="10%", Description="InternalError").state is RowState.FAILED


@pytest.mark.parametrize(
    ("process", "progress"),
    [
        ("0%", 0),
        ("62%", 62),
        ("62.5%", 62),
        ("99.999999999%", 99),
        ("100%", 100),
        ("100.0%", 100),
        (" 7 % ", 7),
        ("62", 62),
        (62, 62),
        (62.5, 62),
        (100, 100),
        (..., None),
        (None, None),
        ("", None),
        ("100.1%", None),
        ("101%", None),
        (101, None),
        (-1, None),
        ("-1%", None),
        ("+1%", None),
        ("1e2%", None),
        ("62%%", None),
        ("6 2%", None),
        ("0x10", None),
        ("\u0661\u0660\u0660%", None),
        ("100%\n100%", None),
        (True, None),
        ([100], None),
        (10**400, None),
    ],
)
def test_the_percent_is_read_strictly(process: object, progress: int | None) -> None:
    assert read(Process=process).progress == progress


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ("2016-06-29T19:00:00Z", datetime(2016, 6, 29, 19, tzinfo=UTC)),
        ("2016-06-29T19:00:00.5Z", datetime(2016, 6, 29, 19, 0, 0, 500_000, tzinfo=UTC)),
        ("2016-06-30T03:00:00+08:00", datetime(2016, 6, 29, 19, tzinfo=UTC)),
        ("2016-06-29T19:00:00", None),
        ("2016-06-29", None),
        ("2016-13-29T19:00:00Z", None),
        ("0001-01-01T00:00:00+08:00", None),
        ("yesterday", None),
        ("", None),
        (1467226800, None),
        (..., None),
    ],
)
@pytest.mark.parametrize("name", ["CreateTime", "PreloadedStartTime", "PreloadedEndTime"])
def test_a_time_has_a_zone_or_is_none(name: str, said: object, moment: datetime | None) -> None:
    found = read(**{name: said})

    times = {
        "CreateTime": found.create_time,
        "PreloadedStartTime": found.start_time,
        "PreloadedEndTime": found.end_time,
    }
    assert times[name] == moment


@pytest.mark.parametrize(
    "said",
    [
        None,
        7,
        "row",
        [],
        {},
        row(TaskId=...),
        row(TaskId=""),
        row(TaskId=" "),
        row(TaskId=7),
        row(PlayUrl=...),
        row(PlayUrl=None),
        row(PlayUrl=[url()]),
    ],
)
def test_what_names_no_task_or_no_url_is_no_row(said: object) -> None:
    assert read_row(said, NOW) is None


def test_texts_are_cut_to_what_a_status_takes() -> None:
    found = read(Area="a" * 500, Status="s" * 500, Description="d" * 500)

    assert [len(text) for text in (found.area, found.vendor_status, found.description)] == [64, 128, 256]


@pytest.mark.parametrize("longer", [url() + "x" * 1000 + "y", url() + "x" * 5000])
def test_a_url_too_long_for_a_spec_is_cut_and_equals_none(longer: str) -> None:
    found = read(PlayUrl=longer)

    assert (len(found.play_url), found.play_url[-1]) == (1024, "…")
    assert not longer.startswith(found.play_url)


def test_a_task_id_that_cannot_be_shown_equals_none_that_could_be_asked_for() -> None:
    assert read(TaskId="p-\x001").task_id == "p-?1…"
    assert read(TaskId="p" * 129).task_id == "p" * 127 + "…"


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(said=ANY | st.dictionaries(st.sampled_from(sorted(row())), ANY), process=ANY, status=ANY, description=ANY)
def test_nothing_crashes_and_only_a_word_of_success_at_100_percent_succeeds(
    said: object, process: object, status: object, description: object
) -> None:
    read_row(said, NOW)
    changed: Row = row(Process=process, Status=status, Description=description)

    found = read_row(changed, NOW)

    assert found is not None
    if found.state is RowState.SUCCEEDED:
        assert found.progress == 100
        assert str(status).strip().lower() in ("success", "successfully", "complete")
