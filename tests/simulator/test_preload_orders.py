"""Preloads by the vendor's own SDK client, and by the admin API's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from alibabacloud_live20161101 import models
from alibabacloud_tea_openapi.exceptions import ClientException, ThrottlingException

from livetask_simulator.client import AdminError, Simulator
from tests.simulator.alibaba_sdk import SIGNATURES, Sdk
from tests.simulator.conftest import Tenant

DOMAIN = "live.example.com"
URL = f"rtmp://{DOMAIN}/app/a b*~"


@pytest.fixture(params=SIGNATURES)
def sdk(tenant: Tenant, request: pytest.FixtureRequest) -> Sdk:
    return Sdk.at(tenant.host, tenant.key_id, tenant.secret, signature=SIGNATURES[request.param])


def set_preloads(sdk: Sdk, *urls: str) -> Any:
    request = models.SetLiveStreamPreloadTasksRequest(domain_name=DOMAIN, play_url=",".join(urls))
    return sdk.live.set_live_stream_preload_tasks(request).body


def listed(sdk: Sdk, **query: Any) -> Any:
    request = models.DescribeLiveStreamPreloadTasksRequest(domain_name=DOMAIN, **query)
    return sdk.live.describe_live_stream_preload_tasks(request).body


def test_the_sdk_sets_preloads_and_lists_them(tenant: Tenant, sdk: Sdk) -> None:
    tenant.simulator.add_account(tenant.account, preloadLife=[[0, "100%", "Success"]])

    answer = set_preloads(sdk, URL, f"{URL}.m3u8")
    found = listed(sdk, play_url=URL, page_size=100, page_num=1)

    assert (answer.status, answer.total_url, answer.success_url, answer.failed_url) == ("Failed", 2, 1, 1)
    (row,) = found.preload_tasks.preload_task
    created = answer.preload_tasks_messages.preload_tasks_message[0]
    assert (row.task_id, row.play_url) == (created.task_id, URL)
    assert (row.process, row.status, row.description) == ("100%", "Success", "Successfully")
    assert (found.total_num, found.total_page, found.page_num, found.page_size) == (1, 1, 1, 100)


def test_the_sdk_understands_the_refusals(tenant: Tenant, sdk: Sdk) -> None:
    tenant.simulator.add_account(tenant.account, domains=["mine.example.com"])
    with pytest.raises(ClientException) as unknown:
        listed(sdk)
    tenant.simulator.add_account(tenant.account, domains=None)
    tenant.simulator.quota(tenant.account, "DescribeLiveStreamPreloadTasks", 0, retry_after_ms=1)
    with pytest.raises((ClientException, ThrottlingException)) as throttled:
        listed(sdk)

    assert (unknown.value.code, unknown.value.status_code) == ("InvalidDomain.NotFound", 404)
    assert throttled.value.code == "Throttling.User"


def test_a_preload_is_added_changed_and_forgotten(tenant: Tenant) -> None:
    simulator, account = tenant.simulator, tenant.account

    added = simulator.add_preload(account, DOMAIN, URL, task_id="p-1", process=62, created_seconds_ago=100)
    older = simulator.set_preload(account, "p-1", created_seconds_ago=1000)
    failed = simulator.set_preload(account, "p-1", status="Failed", process="n/a", description="InternalError")
    known = [preload.task_id for preload in simulator.preloads(account)]
    simulator.forget_preload(account, "p-1")

    assert (added.task_id, added.process, added.status, added.description) == ("p-1", "62%", "Success", "Successfully")
    assert [added.age_seconds // 100, older.age_seconds // 100] == [1, 10]
    assert (older.process, older.status) == ("62%", "Success")
    assert (failed.process, failed.status, failed.description) == ("n/a", "Failed", "InternalError")
    assert (known, simulator.preloads(account)) == (["p-1"], [])


def test_a_life_given_later_counts_from_then(tenant: Tenant) -> None:
    simulator, account = tenant.simulator, tenant.account
    simulator.add_preload(account, DOMAIN, URL, task_id="p-1", process=0, life=[(3600, 100, "Success")])

    changed = simulator.set_preload(account, "p-1", life=[(0, 50, "Success"), (3600, 100, "Success")])

    assert changed.process == "50%"


BAD_ORDERS: dict[str, Callable[[Simulator, str], object]] = {
    "no field domainName": lambda simulator, account: simulator._send(
        "POST", f"/_admin/alibaba/accounts/{account}/preloads", {"playUrl": URL}
    ),
    "no account nobody": lambda simulator, _: simulator.add_preload("nobody", DOMAIN, URL),
    "has no preload p-9": lambda simulator, account: simulator.set_preload(account, "p-9", process=1),
    r"life must be a list of \[seconds, process, status\]": lambda simulator, account: simulator.add_preload(
        account, DOMAIN, URL, life=[(-1, 1, "Success")]
    ),
    "preloadListShape must be one of": lambda simulator, account: simulator.add_account(account, preloadListShape="x"),
}


@pytest.mark.parametrize("words", BAD_ORDERS)
def test_a_bad_order_is_refused_with_words_and_changes_nothing(tenant: Tenant, words: str) -> None:
    with pytest.raises(AdminError, match=words):
        BAD_ORDERS[words](tenant.simulator, tenant.account)

    assert tenant.simulator.preloads(tenant.account) == []
