"""The catalogue of vendors."""

from __future__ import annotations

import httpx

from livetask_operator.vendors.catalogue import relay_vendors
from livetask_operator.vendors.contract import Credential, Observation, State
from livetask_operator.vendors.transport import Transport
from tests.vendors.no_network import NoNetwork


async def test_every_vendor_is_found_under_its_own_name() -> None:
    async with Transport("livetask-operator/0.1.0 (test)") as transport:
        vendors = relay_vendors(transport)

    assert [vendor.name for vendor in vendors.values()] == list(vendors)
    assert set(vendors) == {"AlibabaCloud", "TencentCloud", "HuaweiCloud"}


async def test_a_vendor_asks_where_the_configuration_says_and_never_twice_with_one_nonce() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"RequestId": "r", "Status": 1})

    transport = Transport("livetask-operator/0.1.0 (test)", http=NoNetwork(answer))
    vendor = relay_vendors(
        transport,
        alibaba_status_endpoint="https://status.example",
        alibaba_status_version="2016-11-01",
        alibaba_live_endpoint="https://live.example",
    )["AlibabaCloud"]
    task = vendor.task({"appId": "app", "taskId": "task"})

    await vendor.look(Credential("id", "secret"), [task])
    await vendor.stop(Credential("id", "secret"), task)

    assert [(request.url.host, request.headers["x-acs-version"]) for request in asked] == [
        ("status.example", "2016-11-01"),
        ("live.example", "2016-11-01"),
    ]
    assert len({request.headers["x-acs-signature-nonce"] for request in asked}) == 2


async def test_each_vendor_says_how_many_tasks_one_call_shows() -> None:
    async with Transport("livetask-operator/0.1.0 (test)") as transport:
        vendors = relay_vendors(transport)

    assert {name: vendor.look_batch for name, vendor in vendors.items()} == {
        "AlibabaCloud": 1,
        "TencentCloud": 1,
        "HuaweiCloud": 100,
    }


async def test_a_region_is_a_part_of_the_host_and_the_configurations_words_are_the_vendors_own() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        row = {"task_id": "task", "status": "enable"}
        return httpx.Response(200, json={"request_id": "r", "total": 1, "task_infos": [row]})

    vendor = relay_vendors(
        Transport("livetask-operator/0.1.0 (test)", http=NoNetwork(answer)),
        huawei_endpoint="https://live.{region}.example",
        status_words={"HuaweiCloud": {"enable": State.RUNNING}, "TencentCloud": {"enable": State.FAILED}},
    )["HuaweiCloud"]
    task = vendor.task({"projectId": "p", "region": "ap-southeast-3", "taskId": "task"})

    found = (await vendor.look(Credential("id", "secret"), [task]))[task]

    assert asked[0].url.host == "live.ap-southeast-3.example"
    assert isinstance(found, Observation)
    assert found.state is State.RUNNING


async def test_the_administrators_words_of_alibaba_cloud_mean_what_they_say() -> None:
    """A number that the vendor adds one day can be named in the configuration before an operator knows it."""
    vendor = relay_vendors(
        Transport(
            "livetask-operator/0.1.0 (test)",
            http=NoNetwork(lambda _: httpx.Response(200, json={"RequestId": "R1", "Status": 7})),
        ),
        status_words={"AlibabaCloud": {"7": State.PAUSED}},
    )["AlibabaCloud"]
    task = vendor.task({"appId": "app", "taskId": "task"})

    found = (await vendor.look(Credential("id", "secret"), [task]))[task]

    assert isinstance(found, Observation)
    assert (found.state, found.vendor_status) == (State.PAUSED, "7")
