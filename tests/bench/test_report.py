"""The pure parts of the benchmark: what is read, counted and told is what was there."""

from __future__ import annotations

import json
import math

import pytest

from livetask_simulator.client import Row as Call
from tests.bench import report
from tests.bench.audit import of_objects, per_object, read
from tests.bench.measure import percentile, read_cpu_s, read_resident_mib
from tests.bench.plot import svg
from tests.bench.report import Row, Target
from tests.bench.scenes.huawei import rounds
from tests.bench.scenes.million import read_rows
from tests.bench.scenes.saturation import unfairness
from tests.bench.stage import population


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([3.0], 50, 3.0), ([4, 1, 3, 2], 50, 2), (list(range(1, 301)), 99, 297), ([1, 2], 100, 2), ([5, 9], 0, 5)],
)
def test_a_percentile_is_a_value_that_was_measured(values: list[float], percent: float, expected: float) -> None:
    assert percentile(values, percent) == expected


def test_a_percentile_of_nothing_is_no_number() -> None:
    assert math.isnan(percentile([], 50))


def test_cpu_time_is_read_behind_a_name_with_spaces_and_brackets() -> None:
    stat = "4711 (a (strange) name) S 1 4711 4711 0 -1 4194560 900 0 0 0 150 50 7 7 20 0 1 0 100 0 0"

    assert read_cpu_s(stat) == pytest.approx(2.0)


def test_resident_memory_is_read_in_mebibytes() -> None:
    assert read_resident_mib("Name:\tpython\nVmHWM:\t  9 kB\nVmRSS:\t  153600 kB\n") == 150


def audited(resource: str, name: str, verb: str = "patch", user: str = "operator", subresource: str = "") -> bytes:
    target = {"resource": resource, "namespace": "sports", "name": name, "subresource": subresource}
    entry = {"user": {"username": user}, "verb": verb, "objectRef": target, "responseStatus": {"code": 200}}
    return json.dumps(entry).encode()


def test_events_and_the_lease_are_no_writes_of_objects() -> None:
    writes = read(
        [
            audited("relaytasks", "cup-final"),
            audited("events", "cup-final.1", verb="create"),
            audited("relaytasks", "cup-final", subresource="status"),
            audited("leases", "livetask-operator", verb="update"),
            audited("relaytasks", "", verb="list"),
            b"",
        ]
    )

    assert [write.subresource for write in of_objects(writes)] == ["", "status"]
    assert per_object(writes) == {"sports/cup-final": 2}


def test_a_target_says_which_way_is_good() -> None:
    at_most, at_least = Target(2.3, stretch=2.0), Target(95, at_least=True)

    assert (at_most.is_met(2.3), at_most.is_met(2.31), at_most.is_met(math.inf)) == (True, False, False)
    assert (at_least.is_met(95), at_least.is_met(94.9), at_least.is_met(math.nan)) == (True, False, False)
    assert (at_most.words("x"), at_least.words("%")) == ("≤ 2.3 x (stretch 2)", "≥ 95 %")


def test_rows_of_one_figure_from_several_scenes_are_one_row() -> None:
    ours = Row(key="memory", figure="resident memory", unit="MiB", ours=120.0, target=Target(185), note="at 1,000")
    plain = Row(key="memory", figure="another title", capped=200.0, as_it_comes=math.inf)

    (row,) = report.merged([ours, plain])

    assert (row.figure, row.ours, row.capped, row.as_it_comes) == ("resident memory", 120.0, 200.0, math.inf)
    assert (row.met, row.note) == (True, "at 1,000")


def test_the_table_shows_misses_and_what_never_came() -> None:
    rows = [
        Row(key="a", figure="writes", ours=3, target=Target(0)),
        Row(key="b", figure="settled", unit="s", ours=1.5, target=Target(2), as_it_comes=math.inf),
        Row(key="c", figure="only shown", unit="us", ours=1234.5),
    ]

    header, _, writes, settled, shown = report.table(rows).splitlines()

    assert [cell.strip() for cell in header.strip("|").split("|")] == list(report.HEADER)
    assert [cell.strip() for cell in writes.strip("|").split("|")] == ["writes", "3", "≤ 0", "", "", "**no**"]
    assert [cell.strip() for cell in settled.strip("|").split("|")] == ["settled", "1.5 s", "≤ 2 s", "", "never", "yes"]
    assert "1,234 us" in shown
    assert report.misses(rows) == rows[:1]


def test_the_readme_gets_the_section_once() -> None:
    page = "# It\n\n## Running it\n\nso\n\n## Pages\n\n| a |\n"

    once = report.placed(page, "first\n")
    twice = report.placed(once, "second\n")

    assert once == "# It\n\n## Running it\n\nso\n\n## What it costs\n\nfirst\n\n## Pages\n\n| a |\n"
    assert twice == once.replace("first", "second")


def test_json_holds_what_the_table_holds() -> None:
    row = Row(key="a", figure="settled", unit="s", ours=1.5, target=Target(2), as_it_comes=math.inf)

    document = json.loads(json.dumps(report.document([row], {"cores": "2"}), allow_nan=False))

    (figure,) = document["figures"]
    assert (figure["ours"], figure["as_it_comes"], figure["met"]) == (1.5, "never", True)
    assert document["machine"] == {"cores": "2"}


def test_the_picture_has_a_bar_for_each_value() -> None:
    rows = [
        Row(key="a", figure="writes < all", ours=3, target=Target(0), capped=0),
        Row(key="b", figure="settled", ours=math.inf, target=Target(2)),
        Row(key="c", figure="plain kopf alone", capped=1),
    ]

    picture = svg(rows, "N & M")

    assert picture.count("<rect") == 1 + 3  # the background, and the bars
    assert "writes &lt; all" in picture
    assert "plain kopf alone" not in picture


def test_a_million_objects_tell_their_rows_in_their_last_line() -> None:
    told = {"rows": [{"key": "decision", "figure": "a decision", "unit": "us", "ours": 9.5, "target": {"value": 20}}]}

    rows = read_rows(f"working …\n{json.dumps(told)}\n")

    assert rows == [Row(key="decision", figure="a decision", unit="us", ours=9.5, target=Target(20))]


def test_the_population_makes_500_polls_a_second_however_large_it_is() -> None:
    for tasks in (1_000, 2_500, 10_000):
        members = population(tasks)

        assert len(members) == max(tasks, 2_500)
        assert sum(1 / member.interval_s for member in members) == pytest.approx(500, rel=0.01)
        assert len({member.name for member in members}) == len(members)


def call(at_s: float, task: str = "t", account: str = "a") -> Call:
    return Call(int(at_s * 1000), at_s, account, "GetMPUTaskStatus", task, False)


def test_unfairness_is_told_of_the_account_that_suffers_most() -> None:
    even = [call(at_s, task, "even") for at_s in (0, 10, 20) for task in ("x", "y")]
    uneven = [call(0, "x"), call(10, "x"), call(0, "y"), call(15, "y")]

    assert unfairness(even) == pytest.approx(1.0)
    assert unfairness([*even, *uneven]) == pytest.approx(1.5)


def test_rounds_are_told_apart_by_the_pause_between_them() -> None:
    calls = [call(at_s) for at_s in (0.0, 0.1, 0.2, 20.0, 20.1, 40.0)]

    assert rounds(calls) == [3, 2, 1]
