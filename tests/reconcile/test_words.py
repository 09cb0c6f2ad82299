"""What people read: the word, what it means, what to do next, with the command where there is one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from livetask_operator.reconcile import words
from livetask_operator.reconcile.reasons import MAY_PASS, NEEDS_PERSON, Reason
from livetask_operator.reconcile.trouble import Trouble
from livetask_operator.vendors.alibaba.relay import RELAY_STATES
from livetask_operator.vendors.contract import Observation, State
from tests.reconcile.given import ERRORS, HUAWEI, REQUEST_ID, relay_task, trouble

TASK = relay_task()
ORPHAN = 'kubectl -n sports patch rlt cup-final --type merge -p \'{"spec":{"deletionPolicy":"Orphan"}}\''

PUT_KEY = (
    "kubectl -n sports patch secret alibaba --type merge -p "
    """'{"stringData":{"accessKeyId":"…","accessKeySecret":"…"}}'"""
)


def test_a_push_url_in_trouble_reads_as_the_contract_says() -> None:
    state, meaning, advice = RELAY_STATES[6]

    assert words.observed(TASK, Observation(state, "6", meaning, advice)) == (
        "Alibaba Cloud says 6 (trouble with the push URL). "
        "Check the URL and start the task again with the same id; this object follows."
    )


def test_a_pending_stop_reads_as_the_contract_says_with_the_day() -> None:
    due = datetime(2026, 11, 21, 21, 4, 10, tzinfo=UTC)

    assert words.stop_pending(TASK, due) == (
        f"Will be stopped at Alibaba Cloud at 2026-11-21T21:04:10Z. To keep it on the air: {ORPHAN}"
    )


@pytest.mark.parametrize(
    ("observation", "said"),
    [
        (Observation(State.RUNNING, "1", "relaying"), "Alibaba Cloud says 1 (relaying)."),
        (Observation(State.RUNNING, "enable"), "Alibaba Cloud says enable."),
        (
            Observation(State.NOT_FOUND, "InvalidTask.NotFound", "it does not know the task"),
            "Alibaba Cloud does not know task relay-1 of arena. "
            "Start it there with this id, or delete this object; it is looked at again all the while.",
        ),
        (
            Observation(State.UNKNOWN, "7", "a status that its documentation does not have"),
            "Alibaba Cloud says 7, a word that this operator does not know. "
            "Look at the task in the vendor's console; a newer operator may know the word, "
            "or `statusWords` in the operator's configuration can name it.",
        ),
    ],
    ids=["with a meaning", "without one", "not found", "unknown"],
)
def test_a_look_is_told_in_our_words_with_what_to_do(observation: Observation, said: str) -> None:
    assert words.observed(TASK, observation) == said


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (
            Reason.CREDENTIALS_REJECTED,
            "Alibaba Cloud does not accept the key in Secret sports/alibaba (E.1: as said). Put a valid one there "
            f"({PUT_KEY}); it is used within 5 seconds.",
        ),
        (
            Reason.PERMISSION_DENIED,
            "Alibaba Cloud does not let the key in Secret sports/alibaba call GetMPUTaskStatus (E.1: as said). "
            "Grant it that right at the vendor; it is tried again every minute.",
        ),
        (
            Reason.INVALID_REQUEST,
            "Alibaba Cloud refuses GetMPUTaskStatus for task relay-1 of arena (E.1: as said). Check these ids: "
            "they cannot be changed, so where they are wrong make a new object with the right ones.",
        ),
        (
            Reason.CLOCK_SKEW,
            "Alibaba Cloud refuses the time of the request (E.1: as said). Set the clock of the operator's node.",
        ),
        (
            Reason.ACCOUNT_SUSPENDED,
            "Alibaba Cloud has suspended the account of Secret sports/alibaba, or the service is not enabled for it "
            "(E.1: as said). Settle the account's bill, or enable the service; it is tried again every minute.",
        ),
        (
            Reason.ENDPOINT_NOT_FOUND,
            "There is no Alibaba Cloud where it is asked (E.1: as said). "
            "Check `endpoints` in the operator's configuration.",
        ),
        (
            Reason.THROTTLED,
            "Alibaba Cloud says that the account asks too often (E.1: as said). "
            "It is asked less often, and goes on by itself.",
        ),
        (
            Reason.VENDOR_UNAVAILABLE,
            "Alibaba Cloud cannot be reached or does not answer (E.1: as said). It is asked again.",
        ),
        (
            Reason.INVALID_RESPONSE,
            "Alibaba Cloud answered GetMPUTaskStatus with something that it does not document (E.1: as said). "
            "It is asked again.",
        ),
    ],
    ids=lambda each: each if isinstance(each, Reason) else "",
)
def test_a_refusal_names_the_cause_the_vendors_code_and_who_mends_it(reason: Reason, said: str) -> None:
    assert trouble(reason, TASK, code="E.1", detail="as said").message == said


def test_a_refusal_without_a_code_or_details_has_no_brackets() -> None:
    assert trouble(Reason.THROTTLED, TASK).message.startswith("Alibaba Cloud says that the account asks too often. ")
    assert trouble(Reason.CLOCK_SKEW, TASK, code="E.1").message.startswith(
        "Alibaba Cloud refuses the time of the request (E.1). "
    )


def test_a_host_that_does_not_exist_may_be_the_regions() -> None:
    task = relay_task(vendor=HUAWEI, block={"region": "cn-north-99"})

    assert trouble(Reason.ENDPOINT_NOT_FOUND, task).message == (
        "There is no Huawei Cloud where it is asked. "
        "Check `endpoints` in the operator's configuration, and the region cn-north-99 of this object."
    )


def test_a_missing_secret_comes_with_the_command_that_creates_it() -> None:
    assert words.secret_not_found(TASK) == (
        "Secret sports/alibaba does not exist. Create it (kubectl -n sports create secret generic alibaba "
        "--from-literal=accessKeyId=… --from-literal=accessKeySecret=…); it is used within 5 seconds."
    )


def test_where_a_namespace_takes_the_secret_along_the_words_say_what_still_can_be_done() -> None:
    deleted = relay_task(deleted_after_s=60)

    assert words.secret_not_found(deleted).endswith(
        "In a namespace that is being deleted none can be created: stop the task in the vendor's console."
    )


def test_a_secret_without_a_key_is_told_by_the_names_of_its_keys() -> None:
    assert words.secret_unusable(TASK, "has no key accessKeySecret; add it (keys found: accessKeyId)") == (
        "Secret sports/alibaba has no key accessKeySecret; add it (keys found: accessKeyId) "
        f"({PUT_KEY}); it is used within 5 seconds."
    )


def test_a_secret_that_the_operator_may_not_read_is_its_installers_task() -> None:
    assert words.secret_forbidden(TASK) == (
        "The operator may not read Secret sports/alibaba. "
        "Give its ServiceAccount the right to get Secrets there, as the roles in manifests/ do."
    )


def test_a_task_that_only_another_key_sees_is_told_with_the_command() -> None:
    assert words.not_visible(TASK) == (
        "Alibaba Cloud does not know task relay-1 of arena for the key in Secret sports/alibaba, but another key saw "
        "it: this key may be another account's. Put a key of the right account there "
        f"({PUT_KEY}); it is used within 5 seconds."
    )


def test_a_suspended_object_tells_how_to_go_on() -> None:
    assert words.suspended(TASK) == (
        "spec.suspend is true: the task is not looked at. "
        'To go on: kubectl -n sports patch rlt cup-final --type merge -p \'{"spec":{"suspend":false}}\''
    )


def test_stale_tells_for_how_long_nobody_looked() -> None:
    assert words.stale(relay_task(pollIntervalSeconds=20)) == (
        "The task was not looked at for more than 60 s, so what is known of it is old. "
        "See the operator's log and its metrics for why."
    )


def test_a_stop_under_way_is_told_with_the_way_out() -> None:
    assert words.stopping(TASK) == f"Being stopped at Alibaba Cloud. To let it go without a stop: {ORPHAN}"
    assert words.stops_held(TASK) == (
        "The operator's configuration holds all stops (stops: Hold). It is stopped when that is Allow again; "
        f"to let it go without a stop: {ORPHAN}"
    )
    assert words.stop_not_confirmed(TASK) == (
        "Alibaba Cloud accepted the stop and still shows the task running. The stop is sent again; "
        f"look at the task in the vendor's console. To let it go as it is: {ORPHAN}"
    )
    assert words.stop_blocked(TASK, "The Secret is gone.") == (
        f"Not stopped yet. The Secret is gone. To let it go without a stop: {ORPHAN}"
    )


def test_the_end_is_told_in_a_sentence() -> None:
    assert words.stop_accepted(TASK, confirmed=True) == (
        "Alibaba Cloud accepted the stop of task relay-1 of arena and does not show it running any more."
    )
    assert words.stop_accepted(TASK, confirmed=False) == (
        "Alibaba Cloud accepted the stop of task relay-1 of arena; whether it ended could not be seen. "
        "Look at it in the vendor's console."
    )
    assert words.already_gone(TASK) == ("Task relay-1 of arena had already ended at Alibaba Cloud: nothing to stop.")


def test_a_task_left_running_names_its_other_owner_only_inside_the_namespace() -> None:
    assert words.left_running(TASK, "semi-final") == (
        "Task relay-1 of arena is left running: RelayTask semi-final follows it, and stops it when that is deleted."
    )
    assert words.left_running(TASK, None) == (
        "Task relay-1 of arena is left running: another RelayTask follows it, and stops it when that is deleted."
    )


def test_a_task_that_was_not_stopped_is_told_with_what_it_costs() -> None:
    assert words.orphaned(TASK, uninstall=False) == (
        "Task relay-1 of arena at Alibaba Cloud was not stopped, as deletionPolicy is Orphan. "
        "Where it still runs it costs money: stop it in the vendor's console when it is not needed."
    )
    assert "as the CRD is being deleted." in words.orphaned(TASK, uninstall=True)


@pytest.mark.parametrize("reason", sorted(NEEDS_PERSON | MAY_PASS))
def test_the_same_cause_always_reads_the_same(reason: Reason) -> None:
    if reason in ERRORS:
        first, second = (
            Trouble.of_vendor(TASK, ERRORS[reason]("as said", code="E.1", request_id=request), "GetMPUTaskStatus")
            for request in (REQUEST_ID, "another")
        )
        assert first == second
    assert REQUEST_ID not in trouble(reason, TASK).message
