"""The vendor's own SDK client against the simulator: every call, the errors that matter."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livetask_simulator.client import Simulator
from tests.simulator.tencent_sdk import APP, Sdk, TencentCloudSDKException

_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Tenant:
    """An account on a shared simulator, with one key."""

    simulator: Simulator
    account: str
    key_id: str
    secret: str = "s3cret"

    @property
    def host(self) -> str:
        return self.simulator.url.removeprefix("http://")

    def sdk(self, **changes: str) -> Sdk:
        parts = {"key_id": self.key_id, "secret": self.secret} | changes
        return Sdk.at(
            self.host,
            parts["key_id"],
            parts["secret"],
            token=parts.get("token"),
            region=parts.get("region", "ap-singapore"),
        )


@pytest.fixture
def tenant(simulator: Simulator) -> Iterator[Tenant]:
    number = next(_NUMBERS)
    tenant = Tenant(simulator, f"tencent-{number}", f"AKID-{number}")
    simulator.tencent.add_account(tenant.account)
    simulator.tencent.add_key(tenant.account, tenant.key_id, tenant.secret)
    yield tenant
    simulator.tencent.remove_account(tenant.account)


@pytest.fixture
def sdk(tenant: Tenant) -> Sdk:
    return tenant.sdk()


def test_a_task_lives_from_its_start_to_its_stop(tenant: Tenant, sdk: Sdk) -> None:
    task_id = sdk.start()
    assert sdk.status(task_id) == "InProgress"

    assert sdk.stop(task_id)

    assert sdk.status(task_id) == "NotExist"
    stops = tenant.simulator.calls(account=tenant.account, operation="StopStreamIngest")
    assert [(call.vendor, call.outcome, call.stopped_task, call.app_id) for call in stops] == [
        ("tencent", "OK", True, str(APP))
    ]


def test_the_cloud_makes_ids_that_are_no_names_of_anything_else(tenant: Tenant, sdk: Sdk) -> None:
    ids = {sdk.start(UserId=f"bot-{number}") for number in range(3)}

    assert len(ids) == 3
    assert all(len(task_id) > 100 and set("+-.") <= set(task_id) for task_id in ids)
    assert {task.task_id for task in tenant.simulator.tencent.tasks(tenant.account)} == ids


def test_a_task_of_a_chosen_id_is_seen_and_stopped(tenant: Tenant, sdk: Sdk) -> None:
    tenant.simulator.tencent.start_task(tenant.account, APP, "chosen/by+me.")

    before = sdk.status("chosen/by+me.")
    sdk.stop("chosen/by+me.")

    assert (before, sdk.status("chosen/by+me.")) == ("InProgress", "NotExist")


def test_a_task_that_never_was_does_not_exist(sdk: Sdk) -> None:
    assert sdk.status("nobody-knows-it") == "NotExist"


def code_of(error: pytest.ExceptionInfo[Any]) -> str:
    return str(error.value.get_code())


def test_stopping_what_has_finished_or_never_was_is_an_error(sdk: Sdk) -> None:
    task_id = sdk.start()
    sdk.stop(task_id)

    with pytest.raises(TencentCloudSDKException) as finished:
        sdk.stop(task_id)
    with pytest.raises(TencentCloudSDKException) as unknown:
        sdk.stop("nobody-knows-it")

    assert code_of(finished) == "FailedOperation.TaskFinished"
    assert code_of(unknown) == "FailedOperation.TaskNotExist"


def test_the_same_robot_in_the_same_room_is_a_task_that_exists(sdk: Sdk) -> None:
    task_id = sdk.start()

    with pytest.raises(TencentCloudSDKException) as again:
        sdk.start()
    sdk.stop(task_id)

    assert code_of(again) == "FailedOperation.TaskExist"
    assert sdk.start() != task_id


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"key_id": "AKID-nobody"}, "AuthFailure.SecretIdNotFound"),
        ({"secret": "wrong"}, "AuthFailure.SignatureFailure"),
        ({"token": "not needed"}, "AuthFailure.TokenFailure"),
        ({"region": "ap-tokyo"}, "UnsupportedRegion"),
        ({"region": ""}, "MissingParameter"),
    ],
)
def test_who_asks_wrongly_is_refused(tenant: Tenant, changes: dict[str, str], code: str) -> None:
    with pytest.raises(TencentCloudSDKException) as refused:
        tenant.sdk(**changes).status("task")

    assert code_of(refused) == code
    assert refused.value.get_request_id()


def test_a_revoked_key_is_unknown_at_once(tenant: Tenant, sdk: Sdk) -> None:
    assert sdk.status("task") == "NotExist"

    tenant.simulator.tencent.revoke_key(tenant.account, tenant.key_id)

    with pytest.raises(TencentCloudSDKException) as refused:
        sdk.status("task")
    assert code_of(refused) == "AuthFailure.SecretIdNotFound"


def test_a_temporary_key_works_with_its_token_alone(tenant: Tenant) -> None:
    tencent, key_id = tenant.simulator.tencent, f"{tenant.key_id}-temporary"
    tencent.add_key(tenant.account, key_id, "temporary", token="CAIS+tok/en==")

    def said_with(**token: str) -> str:
        try:
            return tenant.sdk(key_id=key_id, secret="temporary", **token).status("task")
        except TencentCloudSDKException as refused:
            return str(refused.get_code())

    assert said_with(token="CAIS+tok/en==") == "NotExist"
    assert said_with() == "AuthFailure.SecretIdNotFound"
    assert said_with(token="another") == "AuthFailure.TokenFailure"
    tencent.add_key(tenant.account, key_id, "temporary", token="CAIS+tok/en==", token_expired=True)
    assert said_with(token="CAIS+tok/en==") == "AuthFailure.TokenFailure"


@pytest.mark.parametrize("denial", ["UnauthorizedOperation", "UnauthorizedOperation.SdkAppId"])
def test_a_key_without_the_permission_is_refused(tenant: Tenant, sdk: Sdk, denial: str) -> None:
    tencent = tenant.simulator.tencent
    tencent.add_key(tenant.account, tenant.key_id, tenant.secret, allow=["DescribeStreamIngest"], denial=denial)
    tencent.start_task(tenant.account, APP, "task")

    with pytest.raises(TencentCloudSDKException) as refused:
        sdk.stop("task")

    assert code_of(refused) == denial
    assert sdk.status("task") == "InProgress"


def test_over_the_quota_the_account_is_throttled_inside_an_http_200(tenant: Tenant, sdk: Sdk) -> None:
    tenant.simulator.tencent.quota(tenant.account, "DescribeStreamIngest", 2, window_seconds=600)

    said = [sdk.status("task") for _ in range(2)]
    with pytest.raises(TencentCloudSDKException) as throttled:
        sdk.status("task")

    assert said == ["NotExist", "NotExist"]
    assert code_of(throttled) == "RequestLimitExceeded"
    call = tenant.simulator.calls(account=tenant.account)[-1]
    assert (call.http_status, call.throttled) == (200, True)


@pytest.mark.parametrize(
    ("kind", "code"), [("error", "InternalError"), ("throttle", "RequestLimitExceeded")], ids=["error", "throttle"]
)
def test_an_error_made_to_order_has_the_vendors_shape(tenant: Tenant, sdk: Sdk, kind: str, code: str) -> None:
    tenant.simulator.fault(kind, account=tenant.account, operation="DescribeStreamIngest", times=1)

    with pytest.raises(TencentCloudSDKException) as failed:
        sdk.status("task")

    assert code_of(failed) == code
    assert sdk.status("task") == "NotExist"


def test_an_error_outside_of_the_api_is_a_network_error_to_the_sdk(tenant: Tenant, sdk: Sdk) -> None:
    tenant.simulator.fault("error", account=tenant.account, status=502, times=1)

    with pytest.raises(TencentCloudSDKException) as failed:
        sdk.status("task")

    assert code_of(failed) == "ServerNetworkError"


def test_a_body_may_stay_unsigned_where_the_client_says_so(tenant: Tenant) -> None:
    sdk = Sdk.at(tenant.host, tenant.key_id, tenant.secret, unsigned_payload=True)

    assert sdk.status("task") == "NotExist"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(task_id=st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable()))
def test_whatever_is_asked_the_sdks_signature_is_understood(tenant: Tenant, task_id: str) -> None:
    tenant.simulator.tencent.quota(tenant.account, "DescribeStreamIngest", 10_000)

    try:
        said = tenant.sdk().status(task_id)
    except TencentCloudSDKException as refused:
        said = str(refused.get_code())

    assert said in ("NotExist", "InvalidParameter.TaskId")
