"""The vendor's own SDK client against the simulator: every call, the errors that matter."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException, ServerResponseException
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livetask_simulator.client import Simulator
from tests.simulator.huawei_sdk import DESTINATION_URL, SOURCE_URL, Sdk

_NUMBERS = itertools.count(1)
PROJECT = "0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Tenant:
    """An account on a shared simulator, with one key."""

    simulator: Simulator
    account: str
    key_id: str
    secret: str = "s3cret"

    def sdk(self, key_id: str = "", secret: str = "", *, token: str | None = None, project: str = PROJECT) -> Sdk:
        return Sdk.at(self.simulator.url, key_id or self.key_id, secret or self.secret, project=project, token=token)

    def starts(self, task_id: str, status: str = "running", *, region: str = "cn-north-4") -> None:
        self.simulator.huawei.start_task(self.account, PROJECT, task_id, status, region=region)


@pytest.fixture
def tenant(simulator: Simulator) -> Iterator[Tenant]:
    number = next(_NUMBERS)
    tenant = Tenant(simulator, f"huawei-{number}", f"AK-{number}")
    simulator.huawei.add_account(tenant.account)
    simulator.huawei.add_key(tenant.account, tenant.key_id, tenant.secret)
    yield tenant
    simulator.huawei.remove_account(tenant.account)


@pytest.fixture
def sdk(tenant: Tenant) -> Sdk:
    return tenant.sdk()


def in_days(days: int) -> str:
    """A time as the vendor writes it."""
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def said(error: pytest.ExceptionInfo[ClientRequestException]) -> tuple[int, str]:
    """The status and the code that the SDK read."""
    assert error.value.request_id
    return int(error.value.status_code), str(error.value.error_code)


def test_a_task_lives_from_its_creation_to_its_deletion(tenant: Tenant, sdk: Sdk) -> None:
    task_id = sdk.create()
    assert sdk.status(task_id) == "running"

    assert sdk.delete(task_id)

    assert sdk.page() == (0, [])
    with pytest.raises(ClientRequestException) as gone:
        sdk.status(task_id)
    assert said(gone) == (404, "LIVE.100011001")
    deletes = tenant.simulator.calls(account=tenant.account, operation="DeletePullTask")
    assert [(call.vendor, call.outcome, call.stopped_task, call.app_id) for call in deletes] == [
        ("huawei", "OK", True, PROJECT)
    ]


def test_a_list_shows_what_a_task_was_created_with(sdk: Sdk) -> None:
    times = {"start_time": in_days(1), "end_time": in_days(2)}
    task_id = sdk.create(region="cn-east-3", callback_events=["TaskStart", "TaskExit"], **times)

    total, (row,) = sdk.page(region="cn-east-3")

    assert (total, row.task_id, row.region, row.source_type) == (1, task_id, "cn-east-3", "PullLivePushLive")
    assert (row.source_urls, row.destination_url) == ([SOURCE_URL], DESTINATION_URL)
    assert row.callback_events == ["TaskStart", "TaskExit"]
    assert {"start_time": row.start_time, "end_time": row.end_time} == times


def test_a_list_comes_in_pages_the_newest_first(tenant: Tenant, sdk: Sdk) -> None:
    for number in range(25):
        tenant.starts(f"t-{number:02}")

    pages = [sdk.page(offset=offset, limit=10) for offset in (0, 10, 20, 30)]
    unasked = sdk.page()

    assert [total for total, _ in pages] == [25] * 4
    listed = [row.task_id for _, rows in pages for row in rows]
    assert listed == [f"t-{number:02}" for number in reversed(range(25))]
    assert len(unasked[1]) == 10


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 101}, {"offset": -1}, {"offset": 2**31}, {"limit": "ten"}])
def test_a_page_that_cannot_be_is_an_illegal_request(sdk: Sdk, query: dict[str, object]) -> None:
    with pytest.raises(ClientRequestException) as refused:
        sdk.page(**query)

    assert said(refused) == (400, "LIVE.100011001")


def test_regions_share_an_address_and_no_task(tenant: Tenant, sdk: Sdk) -> None:
    tenant.starts("north")
    tenant.starts("east", region="cn-east-3")

    by_region = {region: [row.task_id for row in sdk.page(region=region)[1]] for region in ("cn-north-4", "cn-east-3")}

    assert by_region == {"cn-north-4": ["north"], "cn-east-3": ["east"]}
    with pytest.raises(ClientRequestException) as elsewhere:
        sdk.delete("east", "cn-north-4")
    assert said(elsewhere) == (404, "LIVE.100011001")


def test_projects_share_an_account_and_no_task(tenant: Tenant, sdk: Sdk) -> None:
    tenant.starts("mine")

    assert tenant.sdk(project="another").page() == (0, [])
    assert sdk.page()[0] == 1


@pytest.mark.parametrize(
    ("key_id", "secret", "token"),
    [("AK-nobody", "", None), ("", "wrong", None), ("", "", "a token that is not needed")],
    ids=["unknown key", "wrong secret", "token"],
)
def test_who_asks_wrongly_is_refused(tenant: Tenant, key_id: str, secret: str, token: str | None) -> None:
    with pytest.raises(ClientRequestException) as refused:
        tenant.sdk(key_id, secret, token=token).page()

    assert said(refused) == (401, "APIGW.0301")


def test_a_wrong_signature_is_answered_with_an_echo_of_what_was_signed(tenant: Tenant) -> None:
    with pytest.raises(ClientRequestException) as refused:
        tenant.sdk(secret="wrong").page()

    assert f"canonicalRequest:GET|/v1/{PROJECT}/pull/stream/task/|" in str(refused.value.error_msg)


def test_a_temporary_key_works_with_its_token_alone(tenant: Tenant) -> None:
    tenant.simulator.huawei.add_key(tenant.account, f"STS-{tenant.key_id}", "temporary", token="STS+tok/en==")

    def answer(token: str | None) -> str:
        try:
            return str(tenant.sdk(f"STS-{tenant.key_id}", "temporary", token=token).page()[0])
        except ClientRequestException as refused:
            return str(refused.error_code)

    assert [answer(token) for token in ("STS+tok/en==", "another", None)] == ["0", "APIGW.0301", "APIGW.0301"]


def test_a_revoked_key_is_unknown_at_once(tenant: Tenant, sdk: Sdk) -> None:
    assert sdk.page() == (0, [])

    tenant.simulator.huawei.revoke_key(tenant.account, tenant.key_id)

    with pytest.raises(ClientRequestException) as refused:
        sdk.page()
    assert said(refused) == (401, "APIGW.0301")


@pytest.mark.parametrize("denial", ["APIGW.0302", "APIGW.0306"])
def test_a_key_without_the_permission_may_not_delete(tenant: Tenant, sdk: Sdk, denial: str) -> None:
    tenant.starts("cup-final")
    tenant.simulator.huawei.add_key(
        tenant.account, tenant.key_id, tenant.secret, allow=["ListPullTasks"], denial=denial
    )

    with pytest.raises(ClientRequestException) as refused:
        sdk.delete("cup-final")

    assert said(refused) == (403, denial)
    assert sdk.status("cup-final") == "running"


def test_over_the_quota_the_account_is_throttled(tenant: Tenant, sdk: Sdk) -> None:
    tenant.simulator.huawei.quota(tenant.account, "ListPullTasks", 2, window_seconds=600)

    sdk.page()
    sdk.page()
    with pytest.raises(ClientRequestException) as throttled:
        sdk.page()

    assert throttled.value.status_code == 429  # all that the SDK tells, once it has tried again by itself
    calls = tenant.simulator.calls(account=tenant.account, throttled=True)
    assert {(call.http_status, call.outcome) for call in calls} == {(429, "APIGW.0308")}


@pytest.mark.parametrize(
    ("setting", "said_to_look", "said_to_stop"),
    [("404", "404", "404"), ("400", "400", "400"), ("empty", "0", "accepted")],
)
def test_what_is_said_of_a_task_that_is_not_there_can_be_ordered(
    tenant: Tenant, sdk: Sdk, setting: str, said_to_look: str, said_to_stop: str
) -> None:
    tenant.simulator.huawei.add_account(tenant.account, lookForUnknown=setting, stopOfUnknown=setting)

    try:
        look = str(sdk.page(task_id="gone")[0])
    except ClientRequestException as refused:
        look = str(refused.status_code)
    try:
        stop = "accepted" if sdk.delete("gone") else ""
    except ClientRequestException as refused:
        stop = str(refused.status_code)

    assert (look, stop) == (said_to_look, said_to_stop)
    assert not any(call.stopped_task for call in tenant.simulator.calls(account=tenant.account))


def test_a_total_that_lies_and_tasks_that_come_and_go_between_pages(tenant: Tenant, sdk: Sdk) -> None:
    for number in range(4):
        tenant.starts(f"t-{number}")
    tenant.simulator.huawei.add_account(tenant.account, total=7, afterPages=[["forget", "t-3"], ["start", "new"]])

    pages = [sdk.page(offset=offset, limit=2, region="cn-north-4") for offset in (0, 2, 0)]

    assert [total for total, _ in pages] == [7, 7, 7]
    assert [[row.task_id for row in rows] for _, rows in pages] == [["t-3", "t-2"], ["t-0"], ["new", "t-2"]]


def test_an_account_that_owes_money_is_told_what_a_wrong_key_is_told(tenant: Tenant, sdk: Sdk) -> None:
    tenant.simulator.huawei.add_account(tenant.account, service="overdue")

    with pytest.raises(ClientRequestException) as refused:
        sdk.page()

    assert said(refused) == (401, "APIGW.0301")


def test_a_region_that_does_not_have_the_api_and_a_project_of_somebody_else(tenant: Tenant, sdk: Sdk) -> None:
    tenant.simulator.huawei.add_account(tenant.account, regions=["cn-east-3"], projects=[PROJECT])

    with pytest.raises(ClientRequestException) as no_api:
        sdk.page(region="cn-north-4")
    with pytest.raises(ClientRequestException) as not_ours:
        tenant.sdk(project="another").page(region="cn-east-3")

    assert said(no_api) == (404, "APIG.0101")
    assert said(not_ours) == (403, "APIGW.0302")


def test_an_internal_error_made_to_order_is_a_server_error(tenant: Tenant, sdk: Sdk) -> None:
    tenant.simulator.fault("error", account=tenant.account, operation="ListPullTasks", times=1)

    with pytest.raises(ServerResponseException) as failed:
        sdk.page()

    assert (failed.value.status_code, failed.value.error_code) == (500, "InternalError")
    assert sdk.page() == (0, [])


@pytest.mark.parametrize(
    "changes",
    [
        {"source_type": "PullEverything"},
        {"source_urls": []},
        {"source_urls": [SOURCE_URL, SOURCE_URL]},
        {"source_type": "PullVodPushLive", "source_urls": [SOURCE_URL] * 31},
        {"source_urls": ["no url"]},
        {"destination_url": ""},
        {"destination_url": "", "domain": "push.example.com", "app_name": "live"},
        {"domain": "push.example.com", "app_name": "live", "stream_name": "s"},
        {"end_time": "2020-01-01T00:00:00Z"},
        {"end_time": in_days(8)},
        {"start_time": "tomorrow"},
        {"vod_loop_time": "for ever"},
        {"vod_start_video_index": 8193},
        {"callback_events": ["TaskMoved"]},
        {"backup_source_type": "PullVodPushLive"},
        {"region": "r" * 65},
    ],
)
def test_a_task_that_cannot_be_is_an_illegal_request(sdk: Sdk, changes: dict[str, object]) -> None:
    with pytest.raises(ClientRequestException) as refused:
        sdk.create(**changes)

    assert said(refused) == (400, "LIVE.100011001")
    assert sdk.page() == (0, [])


def test_the_same_task_twice_is_two_tasks(sdk: Sdk) -> None:
    assert sdk.create() != sdk.create()
    assert sdk.page()[0] == 2


def test_a_destination_may_come_in_parts_and_a_file_source_with_many_urls(sdk: Sdk) -> None:
    task_id = sdk.create(
        source_type="PullVodPushLive",
        source_urls=[f"https://files.example.com/{number}.mp4" for number in range(30)],
        destination_url=None,
        domain="push.example.com",
        app_name="live",
        stream_name="s",
        vod_loop_time="-1",
    )

    assert sdk.status(task_id) == "running"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(task_id=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20))
def test_whatever_is_asked_the_sdks_signature_is_understood(sdk: Sdk, task_id: str) -> None:
    with pytest.raises(ClientRequestException) as refused:
        sdk.status(task_id)

    assert said(refused) == (404, "LIVE.100011001")
