"""Our reading of kstatus's rules, which other tests go by, is what the real library computes.

On everything that is well-formed; on each status that operators wrote in the tests it is asked too, with the table, at
their end (`tests/conftest.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gitops.customizations import read_object
from tests.gitops.gitopscheck import GitopsCheck
from tests.gitops.rows import ROWS
from tests.gitops.table import disagreements
from tests.gitops.written import file_of
from tests.reconcile.kstatus import kstatus

Body = Mapping[str, Any]

STALLED = {"type": "Stalled", "status": "True", "reason": "Stopped", "message": "Nobody must act."}
CONDITIONS = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["Ready", "Reconciling", "Stalled", "Succeeded", "Other"]),
            "status": st.sampled_from(["True", "False", "Unknown", ""]),
        },
        optional={
            "reason": st.sampled_from(["Running", "Suspended", ""]),
            "message": st.text(max_size=5),
            "observedGeneration": st.integers(-1, 3),
        },
    ),
    max_size=4,
)
STATUSES = st.one_of(
    st.none(), st.fixed_dictionaries({}, optional={"observedGeneration": st.integers(-1, 3), "conditions": CONDITIONS})
)
BODIES = st.builds(
    lambda meta, status: {
        "apiVersion": "livetask.dev/v1alpha1",
        "kind": "RelayTask",
        "metadata": {"name": "cup-final", "namespace": "sports", **meta},
        "spec": {},
        **({} if status is None else {"status": status}),
    },
    st.fixed_dictionaries(
        {}, optional={"generation": st.integers(1, 3), "deletionTimestamp": st.just("2026-01-02T03:04:05Z")}
    ),
    STATUSES,
)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(BODIES)
def test_our_reading_of_kstatus_is_what_the_library_computes(asked: GitopsCheck, body: Body) -> None:
    assert asked.kstatus(body) == kstatus(body)


def test_the_table_and_all_its_readers_agree_on_each_row(argo: GitopsCheck) -> None:
    assert list(disagreements([read_object(file_of(row)) for row in ROWS], argo)) == []


@pytest.mark.parametrize(
    ("name", "spoils", "complaint"),
    [
        ("failed", lambda status: status["conditions"].pop(), "kstatus computes InProgress"),
        ("new", lambda status: status.clear(), "kstatus computes Current"),
        ("running", lambda status: status["conditions"][0].update(status="False"), "Argo CD says Progressing"),
        ("stopped", lambda status: status["conditions"].append(STALLED), "Argo CD says Degraded"),
    ],
)
def test_a_status_that_is_read_otherwise_than_the_table_says_is_caught(
    argo: GitopsCheck, name: str, spoils: Any, complaint: str
) -> None:
    body = read_object(file_of(next(row for row in ROWS if (row.kind, row.name) == ("RelayTask", name))))
    spoils(body["status"])

    found = "\n".join(disagreements([body], argo))

    assert complaint in found
