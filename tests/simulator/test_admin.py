"""The admin API and its client: orders, what they change, and how a bad one is refused."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest
from alibabacloud_tea_openapi.exceptions import ClientException, ThrottlingException

from livetask_simulator.client import AdminError, Raw, Simulator
from tests.simulator.alibaba_sdk import Sdk
from tests.simulator.conftest import Tenant


@pytest.fixture
def sdk(tenant: Tenant) -> Sdk:
    return Sdk.at(tenant.host, tenant.key_id, tenant.secret)


def test_a_task_is_started_changed_and_forgotten(tenant: Tenant) -> None:
    simulator, task = tenant.simulator, (tenant.account, tenant.app_id, "cup-final")

    started = simulator.start_task(*task, status=0, ignore_stops=1)
    changed = simulator.set_task(*task, status=6, stop_takes_seconds=2)
    simulator.forget_task(*task)

    assert (started.status, started.ignore_stops, started.ended_seconds_ago) == (0, 1, None)
    assert (changed.status, changed.ignore_stops, changed.stop_takes_seconds) == (6, 1, 2)
    assert changed.ended_seconds_ago is not None
    assert simulator.task(*task) is None
    assert simulator.tasks(tenant.account) == []


def test_a_life_given_later_counts_from_then(tenant: Tenant, sdk: Sdk) -> None:
    simulator, task = tenant.simulator, (tenant.account, tenant.app_id, "cup-final")
    simulator.start_task(*task, life=[(3600, 5)])

    simulator.set_task(*task, life=[(0, 4), (3600, 1)])

    assert sdk.status(tenant.app_id, "cup-final") == 4


def test_a_raw_status_is_told_as_it_is_until_the_usual_one_is_back(tenant: Tenant, sdk: Sdk) -> None:
    simulator, task = tenant.simulator, (tenant.account, tenant.app_id, "cup-final")
    simulator.start_task(*task)

    simulator.set_task(*task, raw_status=99)
    odd = sdk.status(tenant.app_id, "cup-final")
    simulator.set_task(*task, raw_status=Raw.USUAL)

    assert (odd, sdk.status(tenant.app_id, "cup-final")) == (99, 1)


def test_the_ledger_in_short_goes_on_from_where_its_reader_was(tenant: Tenant, sdk: Sdk) -> None:
    simulator = tenant.simulator
    simulator.start_task(tenant.account, tenant.app_id, "cup-final")
    sdk.status(tenant.app_id, "cup-final")
    before = simulator.tally()
    first = simulator.rows(account=tenant.account)

    sdk.stop(tenant.app_id, "cup-final")
    later = simulator.rows(account=tenant.account, since=first[-1].seq)

    assert [(row.operation, row.task_id, row.throttled) for row in later] == [("StopLiveMPUTask", "cup-final", False)]
    assert later[0].monotonic_s > first[-1].monotonic_s
    assert simulator.tally().calls > before.calls


def test_throttled_calls_are_tallied(tenant: Tenant, sdk: Sdk) -> None:
    simulator = tenant.simulator
    simulator.start_task(tenant.account, tenant.app_id, "cup-final")
    simulator.quota(tenant.account, "GetMPUTaskStatus", 1, window_seconds=60)
    before = simulator.tally()

    sdk.status(tenant.app_id, "cup-final")
    with pytest.raises((ClientException, ThrottlingException)):
        sdk.status(tenant.app_id, "cup-final")

    assert simulator.tally().throttled - before.throttled >= 1


@pytest.mark.parametrize("raw", [Raw.MISSING, None])
def test_a_raw_status_can_be_no_status(tenant: Tenant, sdk: Sdk, raw: object) -> None:
    simulator, task = tenant.simulator, (tenant.account, tenant.app_id, "cup-final")
    simulator.start_task(*task)

    simulator.set_task(*task, raw_status=raw)

    with pytest.raises(TypeError):  # the SDK hands out an answer without a status
        sdk.status(tenant.app_id, "cup-final")


def test_the_ledger_is_filtered_by_what_a_test_wants_to_know(tenant: Tenant, sdk: Sdk) -> None:
    simulator = tenant.simulator
    simulator.start_task(tenant.account, tenant.app_id, "cup-final")
    sdk.status(tenant.app_id, "cup-final")
    sdk.stop(tenant.app_id, "cup-final")
    sdk.status(tenant.app_id, "cup-final")

    everything = simulator.calls(account=tenant.account)
    stops = simulator.calls(account=tenant.account, task_id="cup-final", operation="StopLiveMPUTask")
    after = simulator.calls(key_id=tenant.key_id, since=stops[0].seq)

    assert [call.operation for call in everything] == ["GetMPUTaskStatus", "StopLiveMPUTask", "GetMPUTaskStatus"]
    assert [call.seq for call in everything] == sorted(call.seq for call in everything)
    assert (stops[0].stopped_task, stops[0].http_status, stops[0].app_id) == (True, 200, tenant.app_id)
    assert "AlibabaCloud" in stops[0].user_agent
    assert [call.operation for call in after] == ["GetMPUTaskStatus"]
    assert [call.seq for call in simulator.calls(account=tenant.account, limit=1)] == [everything[-1].seq]
    assert simulator.calls(account=tenant.account, throttled=True) == []
    assert simulator.counts(account=tenant.account) == {
        "GetMPUTaskStatus": {"total": 2, "outcome:OK": 2},
        "StopLiveMPUTask": {"total": 1, "outcome:OK": 1},
    }


def test_faults_are_counted_down_and_cleared(tenant: Tenant, sdk: Sdk) -> None:
    simulator = tenant.simulator
    simulator.start_task(tenant.account, tenant.app_id, "cup-final")
    simulator.fault("cookie", account=tenant.account, times=1)
    simulator.fault("cookie", account=tenant.account, task_id="another")

    sdk.status(tenant.app_id, "cup-final")
    left = simulator.faults(tenant.account)

    assert [fault["taskId"] for fault in left] == ["another"]
    assert (simulator.clear_faults(tenant.account), simulator.faults(tenant.account)) == (1, [])


def test_a_fault_lasts_as_long_as_its_block(tenant: Tenant) -> None:
    with tenant.simulator.faulty("hang", account=tenant.account):
        during = tenant.simulator.faults(tenant.account)

    assert ([fault["kind"] for fault in during], tenant.simulator.faults(tenant.account)) == (["hang"], [])


def test_a_reset_of_an_account_leaves_its_keys_and_the_others_alone(tenant: Tenant, sdk: Sdk) -> None:
    simulator, other = tenant.simulator, f"{tenant.account}-other"
    simulator.add_account(other)
    simulator.start_task(other, tenant.app_id, "stays")
    simulator.start_task(tenant.account, tenant.app_id, "cup-final")
    simulator.add_account(tenant.account, service="overdue")
    simulator.quota(tenant.account, "GetMPUTaskStatus", 0)
    simulator.fault("hang", account=tenant.account)

    simulator.reset(tenant.account)

    assert (simulator.tasks(tenant.account), len(simulator.tasks(other))) == ([], 1)
    simulator.start_task(tenant.account, tenant.app_id, "cup-final")
    assert sdk.status(tenant.app_id, "cup-final") == 1
    simulator.remove_account(other)


def test_an_account_is_shown_without_its_secrets(tenant: Tenant) -> None:
    tenant.simulator.revoke_key(tenant.account, tenant.key_id)

    with urllib.request.urlopen(f"{tenant.simulator.url}/_admin/alibaba/accounts/{tenant.account}") as answer:
        shown = answer.read().decode()

    assert tenant.secret not in shown
    assert json.loads(shown)["keys"] == [{"keyId": tenant.key_id, "active": True, "revoked": True, "temporary": False}]


def test_a_key_of_another_account_is_not_taken_over(tenant: Tenant) -> None:
    tenant.simulator.add_account(f"{tenant.account}-other")

    with pytest.raises(AdminError, match=f"belongs to account {tenant.account}") as refused:
        tenant.simulator.add_key(f"{tenant.account}-other", tenant.key_id, "another")

    assert refused.value.status == 409
    tenant.simulator.remove_account(f"{tenant.account}-other")


BAD_ORDERS: dict[str, Callable[[Simulator, str], object]] = {
    "kind must be one of error, throttle": lambda simulator, _: simulator.fault("explode"),
    "unknown fields: acount": lambda simulator, _: simulator.fault("hang", acount="sports"),
    "leave times out": lambda simulator, _: simulator.fault("hang", times=0),
    "times must be a whole number": lambda simulator, _: simulator.fault("hang", times="twice"),
    "service must be one of ok, overdue": lambda simulator, account: simulator.add_account(account, service="great"),
    "startLife must be a list of": lambda simulator, account: simulator.add_account(account, startLife=[["soon", 1]]),
    "no operation FlyToTheMoon": lambda simulator, account: simulator.quota(account, "FlyToTheMoon", 1),
    "no account nobody": lambda simulator, _: simulator.start_task("nobody", "a", "t"),
    "edition must be one of live, rtc": lambda simulator, account: simulator.start_task(account, "a", "t", edition="x"),
    "has no task t": lambda simulator, account: simulator.set_task(account, "a", "t", status=1),
    "denial must be one of": lambda simulator, account: simulator.add_key(account, "k", "s", denial="No"),
    "has no key unknown": lambda simulator, account: simulator.revoke_key(account, "unknown"),
    "cannot be filtered by colour": lambda simulator, _: simulator.calls(colour="red"),
}


@pytest.mark.parametrize("words", BAD_ORDERS)
def test_a_bad_order_is_refused_with_words_and_changes_nothing(tenant: Tenant, words: str) -> None:
    with pytest.raises(AdminError, match=words):
        BAD_ORDERS[words](tenant.simulator, tenant.account)

    assert tenant.simulator.tasks(tenant.account) == []
    assert tenant.simulator.faults(tenant.account) == []


def test_an_unknown_path_of_the_admin_api_is_no_cloud(simulator: Simulator) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{simulator.url}/_admin/nothing")

    with refused.value as answer:
        assert json.load(answer)["error"] == "The admin API has no GET /_admin/nothing."
