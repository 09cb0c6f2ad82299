"""The vendor's own SDK clients against the simulator: every call, both signatures, the errors that matter."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from alibabacloud_live20161101 import models as live_models
from alibabacloud_tea_openapi.exceptions import ClientException, ServerException, ThrottlingException
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.simulator.alibaba_sdk import PUSH_URL, SIGNATURES, Sdk
from tests.simulator.conftest import Tenant


@pytest.fixture(params=SIGNATURES)
def sdk(tenant: Tenant, request: pytest.FixtureRequest) -> Sdk:
    return Sdk.at(tenant.host, tenant.key_id, tenant.secret, signature=SIGNATURES[request.param])


def test_a_task_lives_from_its_start_to_its_stop(tenant: Tenant, sdk: Sdk) -> None:
    assert sdk.start(tenant.app_id, "cup-final")
    assert sdk.status(tenant.app_id, "cup-final") == 1
    assert sdk.live_status(tenant.app_id, "cup-final") == 1
    assert [task.task_id for task in sdk.tasks(tenant.app_id, task_id="cup-final")] == ["cup-final"]

    assert sdk.stop(tenant.app_id, "cup-final")

    assert sdk.status(tenant.app_id, "cup-final") == 3
    stops = tenant.simulator.calls(account=tenant.account, operation="StopLiveMPUTask")
    assert [(call.outcome, call.stopped_task) for call in stops] == [("OK", True)]


def test_an_old_style_task_is_seen_by_the_rtc_edition_alone(tenant: Tenant, sdk: Sdk) -> None:
    sdk.start_old(tenant.app_id, "old", layout_ids=[1, 2], media_encode=30, background_color=255)

    assert sdk.status(tenant.app_id, "old") == 1
    with pytest.raises(ClientException, match=r"no such task"):
        sdk.live_status(tenant.app_id, "old")
    assert sdk.tasks(tenant.app_id, page_no=1, page_size=10) == []


def test_starting_an_old_style_task_again_is_an_error_inside_an_http_200(tenant: Tenant, sdk: Sdk) -> None:
    sdk.start_old(tenant.app_id, "old")

    sdk.start_old(tenant.app_id, "old")

    again = tenant.simulator.calls(account=tenant.account)[-1]
    assert (again.http_status, again.outcome) == (200, "TaskExisted")


def test_starting_a_running_task_again_is_an_invalid_param(tenant: Tenant, sdk: Sdk) -> None:
    sdk.start(tenant.app_id, "cup-final")

    with pytest.raises(ClientException) as refused:
        sdk.start(tenant.app_id, "cup-final")

    assert (refused.value.code, refused.value.status_code) == ("InvalidParam", 400)


def test_a_list_shows_what_a_task_was_started_with_the_newest_first(tenant: Tenant, sdk: Sdk) -> None:
    urls = [live_models.StartLiveMPUTaskRequestMultiStreamURL(url=PUSH_URL, is_ali_cdn=True)]
    sdk.start(tenant.app_id, "first", max_idle_time="60", region="CN-Shanghai", stream_url=None, multi_stream_url=urls)
    sdk.start(tenant.app_id, "second", stream_url=f"{PUSH_URL}-2")

    pages = [sdk.tasks(tenant.app_id, page_no=number, page_size=1) for number in (1, 2, 3)]

    assert [[task.task_id for task in page] for page in pages] == [["second"], ["first"], []]
    first = pages[1][0]
    assert (first.mix_mode, first.max_idle_time, first.region) == ("0", "60", "CN-Shanghai")
    assert (first.multi_stream_url[0].url, first.single_sub_params.user_id) == (PUSH_URL, "u 1*~/+流")


@pytest.mark.parametrize("ask", [Sdk.status, Sdk.live_status])
def test_an_unknown_task_is_not_found(tenant: Tenant, sdk: Sdk, ask: Callable[[Sdk, str, str], int]) -> None:
    with pytest.raises(ClientException) as refused:
        ask(sdk, tenant.app_id, "nobody-knows-it")

    assert (refused.value.code, refused.value.status_code) == ("InvalidTask.NotFound", 404)


def test_a_task_of_another_account_is_not_found(tenant: Tenant, sdk: Sdk) -> None:
    simulator = tenant.simulator
    simulator.add_account(f"{tenant.account}-other")
    simulator.start_task(f"{tenant.account}-other", tenant.app_id, "cup-final")

    with pytest.raises(ClientException) as refused:
        sdk.status(tenant.app_id, "cup-final")

    assert refused.value.code == "InvalidTask.NotFound"
    simulator.remove_account(f"{tenant.account}-other")


def test_a_malformed_task_id_is_told_by_each_edition_in_its_own_words(tenant: Tenant, sdk: Sdk) -> None:
    with pytest.raises(ClientException) as by_rtc:
        sdk.status(tenant.app_id, "not/an/id")
    with pytest.raises(ClientException) as by_live:
        sdk.stop(tenant.app_id, "not/an/id")

    assert (by_rtc.value.code, by_live.value.code) == ("InvalidTask.IDError", "InvalidParam")


def test_stopping_an_unknown_task_is_an_invalid_param_unless_ordered_otherwise(tenant: Tenant, sdk: Sdk) -> None:
    with pytest.raises(ClientException) as by_default:
        sdk.stop(tenant.app_id, "gone")
    tenant.simulator.add_account(tenant.account, stopOfUnknown="InvalidTask.NotFound")
    with pytest.raises(ClientException) as as_not_found:
        sdk.stop(tenant.app_id, "gone")
    tenant.simulator.add_account(tenant.account, stopOfUnknown="accept")

    assert sdk.stop(tenant.app_id, "gone")
    assert (by_default.value.code, as_not_found.value.code) == ("InvalidParam", "InvalidTask.NotFound")
    assert not any(call.stopped_task for call in tenant.simulator.calls(account=tenant.account))


@pytest.mark.parametrize("signature", SIGNATURES)
def test_a_wrong_secret_is_refused_and_the_answer_echoes_what_was_signed(tenant: Tenant, signature: str) -> None:
    sdk = Sdk.at(tenant.host, tenant.key_id, "wrong", signature=SIGNATURES[signature])

    with pytest.raises(ClientException) as refused:
        sdk.status(tenant.app_id, "cup-final")

    assert (refused.value.code, refused.value.status_code) == ("SignatureDoesNotMatch", 403)
    assert "cup-final" in str(refused.value)


@pytest.mark.parametrize("signature", SIGNATURES)
def test_an_unknown_key_is_refused(tenant: Tenant, signature: str) -> None:
    sdk = Sdk.at(tenant.host, "LTAI-nobody", tenant.secret, signature=SIGNATURES[signature])

    with pytest.raises(ClientException) as refused:
        sdk.stop(tenant.app_id, "cup-final")

    assert refused.value.code == "InvalidAccessKeyId.NotFound"


def test_a_revoked_key_is_unknown_at_once(tenant: Tenant, sdk: Sdk) -> None:
    tenant.simulator.start_task(tenant.account, tenant.app_id, "cup-final")
    assert sdk.status(tenant.app_id, "cup-final") == 1

    tenant.simulator.revoke_key(tenant.account, tenant.key_id)

    with pytest.raises(ClientException) as refused:
        sdk.status(tenant.app_id, "cup-final")
    assert refused.value.code == "InvalidAccessKeyId.NotFound"


@pytest.mark.parametrize("signature", SIGNATURES)
def test_a_temporary_key_works_with_its_token_alone(tenant: Tenant, signature: str) -> None:
    simulator, key_id = tenant.simulator, f"STS.{tenant.key_id}"
    simulator.start_task(tenant.account, tenant.app_id, "cup-final")
    simulator.add_key(tenant.account, key_id, "temporary", token="CAIS+tok/en==")

    def code_with(token: str | None) -> str:
        sdk = Sdk.at(tenant.host, key_id, "temporary", token=token, signature=SIGNATURES[signature])
        try:
            return str(sdk.status(tenant.app_id, "cup-final"))
        except ClientException as refused:
            return str(refused.code)

    assert code_with("CAIS+tok/en==") == "1"
    assert code_with(None) == "InvalidAccessKeyId.NotFound"
    assert code_with("another") == "InvalidSecurityToken.Malformed"
    simulator.add_key(tenant.account, key_id, "temporary", token="CAIS+tok/en==", token_expired=True)
    assert code_with("CAIS+tok/en==") == "InvalidSecurityToken.Expired"


def test_a_key_without_the_permission_is_forbidden(tenant: Tenant, sdk: Sdk) -> None:
    simulator = tenant.simulator
    simulator.start_task(tenant.account, tenant.app_id, "cup-final")
    simulator.add_key(tenant.account, tenant.key_id, tenant.secret, allow=["GetMPUTaskStatus"], denial="NoPermission")

    assert sdk.status(tenant.app_id, "cup-final") == 1
    with pytest.raises(ClientException) as refused:
        sdk.stop(tenant.app_id, "cup-final")

    assert (refused.value.code, refused.value.status_code) == ("NoPermission", 403)
    assert sdk.status(tenant.app_id, "cup-final") == 1


def test_over_the_quota_the_account_is_throttled_and_told_when_to_come_back(tenant: Tenant, sdk: Sdk) -> None:
    simulator = tenant.simulator
    simulator.start_task(tenant.account, tenant.app_id, "cup-final")
    simulator.quota(tenant.account, "GetMPUTaskStatus", 2, window_seconds=600, retry_after_ms=1500, edition="rtc")

    statuses = [sdk.status(tenant.app_id, "cup-final") for _ in range(2)]
    with pytest.raises(ThrottlingException) as throttled:
        sdk.status(tenant.app_id, "cup-final")

    assert statuses == [1, 1]
    assert (throttled.value.code, throttled.value.status_code) == ("Throttling.User", 400)
    assert throttled.value.retry_after == 1500
    assert simulator.counts(account=tenant.account)["GetMPUTaskStatus"]["throttled"] == 1
    assert sdk.live_status(tenant.app_id, "cup-final") == 1, "the other edition counts by itself"


def test_an_account_that_owes_money_is_told_so_by_live_in_an_error(tenant: Tenant, sdk: Sdk) -> None:
    tenant.simulator.start_task(tenant.account, tenant.app_id, "cup-final")
    tenant.simulator.add_account(tenant.account, service="overdue")

    with pytest.raises(ClientException) as refused:
        sdk.stop(tenant.app_id, "cup-final")

    assert (refused.value.code, refused.value.status_code) == ("OperationDenied", 403)
    task = tenant.simulator.task(tenant.account, tenant.app_id, "cup-final")
    assert task is not None
    assert task.status == 1


def test_an_account_that_owes_money_is_told_so_by_rtc_inside_an_http_200(tenant: Tenant) -> None:
    sdk = Sdk.at(tenant.host, tenant.key_id, tenant.secret)
    tenant.simulator.add_account(tenant.account, service="overdue")

    with pytest.raises(TypeError):  # the SDK hands out an answer without a status, as if all were well
        sdk.status(tenant.app_id, "cup-final")

    call = tenant.simulator.calls(account=tenant.account)[-1]
    assert (call.http_status, call.outcome) == (200, "App.ChargeOverDue")


def test_an_internal_error_made_to_order_is_a_server_error(tenant: Tenant, sdk: Sdk) -> None:
    tenant.simulator.start_task(tenant.account, tenant.app_id, "cup-final")
    tenant.simulator.fault("error", account=tenant.account, operation="GetMPUTaskStatus", times=1)

    with pytest.raises(ServerException) as failed:
        sdk.status(tenant.app_id, "cup-final")

    assert (failed.value.code, failed.value.status_code) == ("InternalError", 500)
    assert sdk.status(tenant.app_id, "cup-final") == 1


async def test_the_async_client_is_served_like_the_blocking_one(tenant: Tenant, sdk: Sdk) -> None:
    tenant.simulator.start_task(tenant.account, tenant.app_id, "cup-final", status=0)

    assert await sdk.status_async(tenant.app_id, "cup-final") == 0


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(task_id=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20))
@pytest.mark.parametrize("signature", SIGNATURES)
def test_whatever_is_asked_the_sdks_signature_is_understood(tenant: Tenant, signature: str, task_id: str) -> None:
    sdk = Sdk.at(tenant.host, tenant.key_id, tenant.secret, signature=SIGNATURES[signature])

    with pytest.raises(ClientException) as refused:
        sdk.status(tenant.app_id, task_id)

    assert refused.value.code in ("InvalidTask.NotFound", "InvalidTask.IDError")
