"""What the operator sends of one object is read by a command of another version, and of something else nothing is."""

from __future__ import annotations

import json

import pytest

from livetask_operator.explain.known import KeyIs, Known

FULL = Known(
    uid="8a5c",
    own_interval_s=30.0,
    interval_s=127.3,
    key=KeyIs.REFUSED,
    key_reason="PermissionDenied",
    key_ago_s=60.5,
    seen_ago_s=4.2,
    failures=2,
    failed_with="Throttled",
    under_way=False,
    due_in_s=-3.1,
    ahead=7,
    account="sports",
    call="GetMPUTaskStatus",
    limit_per_s=2.0,
    paused_s=1.5,
    stop_accepted_ago_s=None,
)


def test_what_is_sent_is_read_as_it_was() -> None:
    assert Known.from_json(json.loads(json.dumps(FULL.to_json()))) == FULL


def test_names_and_units_are_as_kubernetes_writes_them() -> None:
    assert sorted(FULL.to_json()) == [
        "account",
        "ahead",
        "call",
        "dueInSeconds",
        "failedWith",
        "failures",
        "intervalSeconds",
        "key",
        "keyAgoSeconds",
        "keyReason",
        "limitPerSecond",
        "ownIntervalSeconds",
        "pausedSeconds",
        "seenAgoSeconds",
        "stopAcceptedAgoSeconds",
        "uid",
        "underWay",
    ]


def test_another_version_may_know_more_or_less() -> None:
    told = {"uid": "8a5c", "ownIntervalSeconds": 30, "intervalSeconds": 30, "somethingNew": {"of": "later"}}

    assert Known.from_json(told) == Known(uid="8a5c", own_interval_s=30, interval_s=30)


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"error": "not found"},
        {**FULL.to_json(), "dueInSeconds": "soon"},
        {**FULL.to_json(), "ahead": True},
        {**FULL.to_json(), "account": None},
        {name: value for name, value in FULL.to_json().items() if name != "uid"},
    ],
)
def test_what_something_else_answers_is_not_taken_for_it(body: object) -> None:
    with pytest.raises(ValueError, match="is not as it should be"):
        Known.from_json(body)
