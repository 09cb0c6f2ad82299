"""Our client against the simulated Alibaba Cloud, which checks what the vendor checks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from livetask_operator.vendors.alibaba.relay import AlibabaRelay
from livetask_operator.vendors.alibaba.rpc import Edition
from livetask_operator.vendors.catalogue import relay_vendors
from livetask_operator.vendors.contract import (
    ClockSkew,
    Credential,
    CredentialsRejected,
    InvalidResponse,
    Look,
    Observation,
    PermissionDenied,
    RelayVendor,
    State,
    StopOutcome,
    TaskRef,
    Throttled,
    VendorError,
    VendorUnavailable,
)
from livetask_operator.vendors.transport import Transport
from livetask_simulator.client import Simulator
from livetask_simulator.process import simulator_process

KEY = Credential("LTAIgood", "good-secret")
TEMPORARY = Credential("STS.good", "sts-secret", "CAIS+tok/en==")
TASK = TaskRef("AlibabaCloud", "app-1", "task_1")
ACCOUNT = "sports"


@pytest.fixture(scope="module")
def process() -> Iterator[Simulator]:
    with simulator_process() as simulator:
        yield simulator


@pytest.fixture
def cloud(process: Simulator) -> Simulator:
    """A cloud with an account and its keys, and nothing else."""
    process.reset()
    process.add_account(ACCOUNT)
    process.add_key(ACCOUNT, KEY.key_id, KEY.secret)
    process.add_key(ACCOUNT, TEMPORARY.key_id, TEMPORARY.secret, token=TEMPORARY.token)
    return process


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    async with Transport("livetask-operator/0.1.0 (test)", timeout_s=3.0) as transport:
        yield transport


@pytest.fixture
def vendor(cloud: Simulator, transport: Transport) -> RelayVendor:
    vendors = relay_vendors(transport, alibaba_status_endpoint=cloud.url, alibaba_live_endpoint=cloud.url)
    return vendors["AlibabaCloud"]


async def look(vendor: RelayVendor, credential: Credential = KEY) -> Look:
    return (await vendor.look(credential, [TASK]))[TASK]


async def seen(vendor: RelayVendor, credential: Credential = KEY) -> State:
    found = await look(vendor, credential)
    assert isinstance(found, Observation), found
    return found.state


@pytest.mark.parametrize("credential", [KEY, TEMPORARY], ids=["key", "temporary key"])
async def test_a_running_task_is_seen_stopped_and_seen_stopped(
    cloud: Simulator, vendor: RelayVendor, credential: Credential
) -> None:
    cloud.start_task(ACCOUNT, TASK.application, TASK.task, status=1)

    before = await seen(vendor, credential)
    answer = await vendor.stop(credential, TASK)
    after = await seen(vendor, credential)

    assert (before, answer.outcome, after) == (State.RUNNING, StopOutcome.ACCEPTED, State.STOPPED)
    assert [call.stopped_task for call in cloud.calls(operation="StopLiveMPUTask")] == [True]


async def test_the_status_is_asked_at_the_live_edition_where_the_configuration_says_so(
    cloud: Simulator, transport: Transport
) -> None:
    cloud.start_task(ACCOUNT, TASK.application, TASK.task, status=0)
    vendor = relay_vendors(transport, alibaba_status_endpoint=cloud.url, alibaba_status_version="2016-11-01")

    assert await seen(vendor["AlibabaCloud"]) is State.PENDING


async def test_a_task_that_the_cloud_does_not_know_is_not_found_and_its_stop_is_unsettled(vendor: RelayVendor) -> None:
    assert await seen(vendor) is State.NOT_FOUND
    assert (await vendor.stop(KEY, TASK)).outcome is StopOutcome.UNSETTLED


@pytest.mark.parametrize(
    "credential",
    [
        Credential("LTAInobody", "good-secret"),
        Credential("LTAIgood", "wrong-secret"),
        Credential("STS.good", "sts-secret", "CAISwrong"),
        Credential("STS.good", "sts-secret"),
    ],
    ids=["unknown key", "wrong secret", "wrong token", "no token"],
)
async def test_a_key_that_is_not_good_is_rejected(vendor: RelayVendor, credential: Credential) -> None:
    assert isinstance(await look(vendor, credential), CredentialsRejected)


async def test_a_key_without_the_right_to_stop_can_look(cloud: Simulator, vendor: RelayVendor) -> None:
    cloud.add_key(ACCOUNT, KEY.key_id, KEY.secret, allow=["GetMPUTaskStatus"])
    cloud.start_task(ACCOUNT, TASK.application, TASK.task)

    with pytest.raises(PermissionDenied):
        await vendor.stop(KEY, TASK)

    assert await seen(vendor) is State.RUNNING


async def test_what_exceeds_the_quota_is_throttled_with_the_wait_that_the_vendor_says(
    cloud: Simulator, vendor: RelayVendor
) -> None:
    cloud.start_task(ACCOUNT, TASK.application, TASK.task)
    cloud.quota(ACCOUNT, "GetMPUTaskStatus", 1, window_seconds=60, retry_after_ms=1500)

    first, second = await look(vendor), await look(vendor)

    assert isinstance(first, Observation)
    assert isinstance(second, Throttled)
    assert second.retry_after_s == 1.5


@pytest.mark.parametrize("off", [timedelta(minutes=-20), timedelta(hours=8)], ids=["behind", "ahead"])
async def test_a_wrong_clock_is_clock_skew_and_says_by_how_much(
    cloud: Simulator, transport: Transport, off: timedelta
) -> None:
    vendor = AlibabaRelay(
        transport,
        look_at=Edition(cloud.url, "2018-01-11"),
        stop_endpoint=cloud.url,
        clock=lambda: datetime.now(UTC) + off,
        nonce=lambda: uuid4().hex,
    )

    error = await look(vendor)

    assert isinstance(error, ClockSkew)
    words = "about 8 hours ahead of" if off > timedelta() else "about 20 minutes behind"
    assert error.detail == f"the clock of this machine is {words} the vendor's"
    assert len(cloud.calls(operation="GetMPUTaskStatus")) == 2


async def test_a_nonce_that_was_used_is_replaced(cloud: Simulator, transport: Transport) -> None:
    cloud.start_task(ACCOUNT, TASK.application, TASK.task)
    nonces = iter(["once", "once", "twice"])
    vendor = AlibabaRelay(
        transport,
        look_at=Edition(cloud.url, "2018-01-11"),
        stop_endpoint=cloud.url,
        clock=lambda: datetime.now(UTC),
        nonce=lambda: next(nonces),
    )

    assert [await seen(vendor), await seen(vendor)] == [State.RUNNING, State.RUNNING]
    outcomes = [call.outcome for call in cloud.calls(operation="GetMPUTaskStatus")]
    assert outcomes == ["OK", "SignatureNonceUsed", "OK"]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("reset", VendorUnavailable),
        ("hang", VendorUnavailable),
        ("drip", VendorUnavailable),
        ("error", VendorUnavailable),
        ("throttle", Throttled),
        ("garbage", InvalidResponse),
        ("huge", InvalidResponse),
        ("redirect", InvalidResponse),
        ("gzip-bomb", InvalidResponse),
        ("truncated", InvalidResponse),
    ],
)
async def test_every_misbehaviour_is_an_error_that_may_pass(
    cloud: Simulator, vendor: RelayVendor, fault: str, kind: type[VendorError]
) -> None:
    cloud.start_task(ACCOUNT, TASK.application, TASK.task)
    detail = {"error": {"status": 500, "code": "InternalError"}}.get(fault, {})
    with cloud.faulty(fault, account=ACCOUNT, **detail):
        found = await look(vendor)

    assert type(found) is kind, found
    assert await seen(vendor) is State.RUNNING
    assert len(cloud.calls()) == 2  # nothing was sent twice, and no redirect followed


async def test_a_stop_that_is_carried_out_and_whose_answer_is_lost_is_no_accepted_stop(
    cloud: Simulator, vendor: RelayVendor
) -> None:
    cloud.start_task(ACCOUNT, TASK.application, TASK.task)
    lost = cloud.faulty("reset", operation="StopLiveMPUTask", after_effect=True)

    with lost, pytest.raises(VendorUnavailable):
        await vendor.stop(KEY, TASK)

    assert await seen(vendor) is State.STOPPED


async def test_cookies_and_content_types_change_nothing(cloud: Simulator, vendor: RelayVendor) -> None:
    cloud.start_task(ACCOUNT, TASK.application, TASK.task)
    with cloud.faulty("cookie", account=ACCOUNT), cloud.faulty("content-type", account=ACCOUNT):
        assert [await seen(vendor), await seen(vendor)] == [State.RUNNING, State.RUNNING]


async def test_many_looks_at_once_are_all_answered(cloud: Simulator, vendor: RelayVendor) -> None:
    cloud.quota(ACCOUNT, "GetMPUTaskStatus", 1000)
    cloud.start_task(ACCOUNT, TASK.application, TASK.task)

    states = await asyncio.gather(*(seen(vendor) for _ in range(100)))

    assert set(states) == {State.RUNNING}
    assert {call.user_agent for call in cloud.calls()} == {"livetask-operator/0.1.0 (test)"}
