"""The list of reasons is closed: another word is added to the contract, the CRDs' page and this list together."""

from __future__ import annotations

import pytest

from livetask_operator.reconcile.preload_status import PreloadState
from livetask_operator.reconcile.reasons import (
    FORGIVEN_WHILE_YOUNG,
    MAY_PASS,
    NEEDS_PERSON,
    REASON_OF_PRELOAD,
    REASON_OF_STATE,
    Reason,
)
from livetask_operator.vendors import contract
from livetask_operator.vendors.contract import State, VendorError
from tests.reconcile import checker

STATES = ["Pending", "Running", "Paused", "Stopped", "TaskFailed", "TaskNotFound", "UnknownVendorStatus", "Suspended"]
PRELOAD_STATES = ["Preloading", "Succeeded", "PreloadFailed", "Expired"]
PERSON_MUST_ACT = [
    "SecretNotFound",
    "SecretKeyMissing",
    "SecretForbidden",
    "CredentialsRejected",
    "PermissionDenied",
    "InvalidRequest",
    "ClockSkew",
    "AccountSuspended",
    "EndpointNotFound",
    "TaskNotVisible",
]
MAY_GO_BETTER = ["Throttled", "VendorUnavailable", "InvalidResponse"]
LOOKS = [*PERSON_MUST_ACT, *MAY_GO_BETTER, "Stale"]
DELETION = ["StopPending", "Stopping", "StopNotConfirmed", "StopsHeld"]
EVENTS_ALONE = ["StopAccepted", "AlreadyGone", "LeftRunning", "Orphaned"]

WARNINGS = {
    *LOOKS,
    "TaskFailed",
    "TaskNotFound",
    "UnknownVendorStatus",
    "PreloadFailed",
    "Expired",
    "LeftRunning",
    "StopNotConfirmed",
}


def test_the_list_of_reasons_is_closed() -> None:
    assert [reason.value for reason in Reason] == [*STATES, *PRELOAD_STATES, *LOOKS, *DELETION, *EVENTS_ALONE]


def test_conditions_know_all_reasons_but_those_of_events_alone() -> None:
    assert {*STATES, *LOOKS, *DELETION} == checker.RELAY_TASK.condition_reasons
    assert {"Pending", "TaskNotFound", "UnknownVendorStatus", "Suspended", *PRELOAD_STATES, *LOOKS} - {
        "TaskNotVisible"
    } == checker.PRELOAD_TASK.condition_reasons


def test_who_mends_what() -> None:
    assert set(PERSON_MUST_ACT) == NEEDS_PERSON == checker.PERSON_REASONS
    assert set(MAY_GO_BETTER) == MAY_PASS == checker.PASSING_REASONS


def test_only_what_often_comes_a_little_later_is_forgiven_to_the_young() -> None:
    assert {"SecretNotFound", "SecretKeyMissing", "TaskNotFound"} == FORGIVEN_WHILE_YOUNG == checker.FORGIVEN_REASONS


@pytest.mark.parametrize("reason", list(Reason))
def test_events_about_trouble_are_warnings_and_all_others_are_normal(reason: Reason) -> None:
    assert reason.is_warning is (reason.value in WARNINGS)


def test_each_state_has_a_reason_of_its_own() -> None:
    assert {state.value: REASON_OF_STATE[state].value for state in State} == {
        state: reason for reason, state in checker.RELAY_TASK.state_of_reason.items()
    }
    assert {state.value: REASON_OF_PRELOAD[state].value for state in PreloadState} == {
        state: reason for reason, state in checker.PRELOAD_TASK.state_of_reason.items()
    }


def _leaves(error: type[VendorError]) -> list[type[VendorError]]:
    below = error.__subclasses__()
    return [leaf for each in below for leaf in _leaves(each)] if below else [error]


def test_each_refusal_in_the_vendors_contract_is_a_reason_of_its_side_of_the_tree() -> None:
    for leaf in _leaves(contract.NeedsPerson):
        assert Reason(leaf.reason) in NEEDS_PERSON
    for leaf in _leaves(contract.MayPass):
        assert Reason(leaf.reason) in MAY_PASS
