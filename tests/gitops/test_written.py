"""The test data of Argo CD's scripts is what the operator writes, for every row of the design's table.

Where the operator's words or fields change on purpose, `RENEW_TESTDATA=1 pytest tests/gitops/test_written.py` writes
the test data anew, and the diff is there to be read. What Argo CD and kstatus must make of each row is in `rows.py`,
and that is not renewed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.gitops.customizations import CUSTOMIZATIONS, read_object
from tests.gitops.gitopscheck import GitopsCheck
from tests.gitops.odd_operator import PROGRAM
from tests.gitops.rows import PENDING_DELETION, ROWS, Row
from tests.gitops.written import SHOULD_BE_RENEWED, action_data, dumped, file_of, health_test, made_same, words_of
from tests.reconcile.checker import contradictions
from tests.reconcile.kstatus import kstatus
from tests.stage.objects import Objects
from tests.stage.processes import Cloud, Operator
from tests.stage.vendors import Customer

RENEWS = bool(os.environ.get("RENEW_TESTDATA"))
AT_ONCE = 16
Body = Mapping[str, Any]
EACH_ROW = pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.kind}-{row.name}")


@pytest.fixture(scope="module")
def written(
    kubeconfig: Path, cloud: Cloud, objects: Objects, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[Row, Body]:
    """All rows, played at once: each an object as the API server has it."""

    def operator(which: str, **more: Any) -> Operator:
        arguments = ("--no-leader-elect", "--selector", f"stage=rows-{which}")
        return Operator(kubeconfig, cloud.url, tmp_path_factory.mktemp(which), arguments=arguments, **more)

    def play(row: Row) -> tuple[Row, Any]:
        name = namespace_of(row)
        stage = f"rows-{row.followed_by}"
        return row, row.plays(Customer.moves_in(name, objects, cloud.admin, row.side, stage=stage))

    with ExitStack() as stack:
        for started in (operator("usual"), operator("odd", program=PROGRAM, config={"stops": "Hold"})):
            stack.callback(started.process.stop)
        with ThreadPoolExecutor(AT_ONCE) as threads:
            played = dict(threads.map(play, ROWS))
        bodies = {row: followed.body() for row, followed in played.items()}
    for row, followed in played.items():
        if row.edited is not None:
            followed.edit(**row.edited)
            bodies[row] = followed.body()
    return {row: made_same(body, namespace_of(row)) for row, body in bodies.items()}


@pytest.fixture(scope="module")
def renewed(written: Mapping[Row, Body]) -> None:
    """The test data as it is, or made anew where that was asked for."""
    if RENEWS:
        renew(written)


def namespace_of(row: Row) -> str:
    return f"rows-{row.kind.lower()}-{row.name}"


@EACH_ROW
@pytest.mark.usefixtures("renewed")
def test_the_test_data_is_what_the_operator_writes(written: Mapping[Row, Body], row: Row) -> None:
    assert read_object(file_of(row)) == written[row], f"if that is meant: {SHOULD_BE_RENEWED}"


@EACH_ROW
@pytest.mark.usefixtures("renewed")
def test_argo_cd_and_kstatus_read_each_status_as_the_table_says(argo: GitopsCheck, row: Row) -> None:
    body = read_object(file_of(row))

    words = PENDING_DELETION if row.is_deleted else words_of(row, body)
    assert argo.health(body) == (row.argo, words)
    assert argo.kstatus(body) == row.kubernetes
    assert kstatus(body) == row.kubernetes
    assert contradictions(body) == []


def renew(written: Mapping[Row, Body]) -> None:
    """Write all test data, and the lists that go with it."""
    for each in CUSTOMIZATIONS:
        rows = {row: body for row, body in written.items() if row.kind == each.kind}
        for row, body in rows.items():
            file_of(row).parent.mkdir(parents=True, exist_ok=True)
            file_of(row).write_text(dumped(body))
        tests = [health_test(row, body) for row, body in rows.items() if not row.is_deleted]
        (each.folder / "health_test.yaml").write_text(dumped({"tests": tests}))
        for path, value in action_data(each.kind, {row.name: body for row, body in rows.items()}).items():
            (each.folder / "actions" / path).write_text(dumped(value))
