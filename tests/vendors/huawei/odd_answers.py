"""Answers of every kind, for properties that hold whatever the vendor says."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.vendors.huawei.conversation import TASK, body, json

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
rows = st.dictionaries(st.sampled_from(["task_id", "status"]), st.sampled_from([TASK.task, "running"]) | json_values)
documents = st.fixed_dictionaries(
    {},
    optional={
        "task_infos": st.lists(rows | json_values, max_size=3) | json_values,
        "total": st.integers(-1, 3) | json_values,
        "request_id": st.just("r-1") | json_values,
        "error_code": st.sampled_from(["LIVE.1", "APIG.0101"]) | json_values,
    },
)
statuses = st.sampled_from([200, 200, 200, 400, 404, 500])
answers = (
    st.builds(body, st.binary(max_size=64), statuses)
    | st.builds(json, json_values, statuses)
    | st.builds(json, documents, statuses)
)
