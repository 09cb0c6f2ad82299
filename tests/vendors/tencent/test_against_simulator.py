"""Our client against the simulated Tencent Cloud, which checks what the vendor checks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from livetask_operator.vendors.catalogue import relay_vendors
from livetask_operator.vendors.contract import (
    MAX_ANSWER_BYTES,
    ClockSkew,
    Credential,
    CredentialsRejected,
    InvalidRequest,
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
from livetask_operator.vendors.tencent.relay import TencentRelay
from livetask_operator.vendors.transport import Transport
from livetask_simulator.client import Simulator
from livetask_simulator.process import simulator_process

KEY = Credential("AKIDgood", "good-secret")
TEMPORARY = Credential("AKIDtemporary", "temporary-secret", "CAIS+tok/en==")
TASK = TaskRef("TencentCloud", "1400000001", "CR6Lqv-x+y/z.%2B", region="ap-singapore")
ACCOUNT = "sports"


@pytest.fixture(scope="module")
def process() -> Iterator[Simulator]:
    with simulator_process() as simulator:
        yield simulator


@pytest.fixture
def cloud(process: Simulator) -> Simulator:
    """A cloud with an account and its keys, and nothing else."""
    process.reset()
    process.tencent.add_account(ACCOUNT)
    process.tencent.add_key(ACCOUNT, KEY.key_id, KEY.secret)
    process.tencent.add_key(ACCOUNT, TEMPORARY.key_id, TEMPORARY.secret, token=TEMPORARY.token)
    return process


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    async with Transport("livetask-operator/0.1.0 (test)", timeout_s=3.0) as transport:
        yield transport


@pytest.fixture
def vendor(cloud: Simulator, transport: Transport) -> RelayVendor:
    return relay_vendors(transport, tencent_endpoint=cloud.url)["TencentCloud"]


def has_task(cloud: Simulator) -> None:
    cloud.tencent.start_task(ACCOUNT, TASK.application, TASK.task)


async def look(vendor: RelayVendor, credential: Credential = KEY, task: TaskRef = TASK) -> Look:
    return (await vendor.look(credential, [task]))[task]


async def seen(vendor: RelayVendor, credential: Credential = KEY) -> State:
    found = await look(vendor, credential)
    assert isinstance(found, Observation), found
    return found.state


@pytest.mark.parametrize("credential", [KEY, TEMPORARY], ids=["key", "temporary key"])
async def test_a_running_task_is_seen_stopped_and_not_seen_any_more(
    cloud: Simulator, vendor: RelayVendor, credential: Credential
) -> None:
    has_task(cloud)

    before = await seen(vendor, credential)
    answer = await vendor.stop(credential, TASK)
    after = await seen(vendor, credential)

    assert (before, answer.outcome, after) == (State.RUNNING, StopOutcome.ACCEPTED, State.NOT_FOUND)
    assert [call.stopped_task for call in cloud.calls(operation="StopStreamIngest")] == [True]


async def test_a_stop_that_comes_too_late_is_unsettled_and_the_look_says_gone(
    cloud: Simulator, vendor: RelayVendor
) -> None:
    unknown = await vendor.stop(KEY, TASK)
    cloud.tencent.start_task(ACCOUNT, TASK.application, TASK.task, status="NotExist")

    ended = await vendor.stop(KEY, TASK)

    assert (unknown.outcome, unknown.code) == (StopOutcome.UNSETTLED, "FailedOperation.TaskNotExist")
    assert (ended.outcome, ended.code) == (StopOutcome.UNSETTLED, "FailedOperation.TaskFinished")
    assert await seen(vendor) is State.NOT_FOUND


@pytest.mark.parametrize(
    "credential",
    [
        Credential("AKIDnobody", "good-secret"),
        Credential("AKIDgood", "wrong-secret"),
        Credential("AKIDtemporary", "temporary-secret", "CAISwrong"),
        Credential("AKIDtemporary", "temporary-secret"),
        Credential("AKIDgood", "good-secret", "a token that is not needed"),
    ],
    ids=["unknown key", "wrong secret", "wrong token", "no token", "token of nothing"],
)
async def test_a_key_that_is_not_good_is_rejected(vendor: RelayVendor, credential: Credential) -> None:
    assert isinstance(await look(vendor, credential), CredentialsRejected)


async def test_a_key_without_the_right_to_stop_can_look(cloud: Simulator, vendor: RelayVendor) -> None:
    cloud.tencent.add_key(ACCOUNT, KEY.key_id, KEY.secret, allow=["DescribeStreamIngest"])
    has_task(cloud)

    with pytest.raises(PermissionDenied):
        await vendor.stop(KEY, TASK)

    assert await seen(vendor) is State.RUNNING


async def test_a_key_of_another_account_is_told_that_the_application_is_not_its_own(
    cloud: Simulator, vendor: RelayVendor
) -> None:
    cloud.tencent.add_account(ACCOUNT, apps=["1400000002"])

    error = await look(vendor)

    assert isinstance(error, InvalidRequest)
    assert error.detail == "the sdkAppId is not this account's"


async def test_a_region_that_the_call_does_not_have_is_refused(cloud: Simulator, vendor: RelayVendor) -> None:
    elsewhere = TaskRef(TASK.vendor, TASK.application, TASK.task, region="ap-tokyo")

    error = await look(vendor, task=elsewhere)

    assert isinstance(error, InvalidRequest)
    assert error.code == "UnsupportedRegion"


async def test_what_exceeds_the_quota_is_throttled(cloud: Simulator, vendor: RelayVendor) -> None:
    has_task(cloud)
    cloud.tencent.quota(ACCOUNT, "DescribeStreamIngest", 1, window_seconds=60)

    first, second = await look(vendor), await look(vendor)

    assert isinstance(first, Observation)
    assert isinstance(second, Throttled)


@pytest.mark.parametrize("off", [timedelta(minutes=-20), timedelta(hours=8)], ids=["behind", "ahead"])
async def test_a_wrong_clock_is_clock_skew_and_says_by_how_much(
    cloud: Simulator, transport: Transport, off: timedelta
) -> None:
    vendor = TencentRelay(transport, endpoint=cloud.url, clock=lambda: datetime.now(UTC) + off)

    error = await look(vendor)

    assert isinstance(error, ClockSkew)
    words = "about 8 hours ahead of" if off > timedelta() else "about 20 minutes behind"
    assert error.detail == f"the clock of this machine is {words} the vendor's"
    assert len(cloud.calls(operation="DescribeStreamIngest")) == 2


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
    has_task(cloud)
    size = {"size_bytes": 4 * MAX_ANSWER_BYTES} if fault in ("huge", "gzip-bomb") else {}
    with cloud.faulty(fault, account=ACCOUNT, **size):
        found = await look(vendor)

    assert type(found) is kind, found
    assert await seen(vendor) is State.RUNNING
    assert len(cloud.calls()) == 2  # nothing was sent twice, and no redirect followed


async def test_a_stop_that_is_carried_out_and_whose_answer_is_lost_is_no_accepted_stop(
    cloud: Simulator, vendor: RelayVendor
) -> None:
    has_task(cloud)
    lost = cloud.faulty("reset", operation="StopStreamIngest", after_effect=True)

    with lost, pytest.raises(VendorUnavailable):
        await vendor.stop(KEY, TASK)

    assert await seen(vendor) is State.NOT_FOUND


async def test_cookies_and_content_types_change_nothing(cloud: Simulator, vendor: RelayVendor) -> None:
    has_task(cloud)
    with cloud.faulty("cookie", account=ACCOUNT), cloud.faulty("content-type", account=ACCOUNT):
        assert [await seen(vendor), await seen(vendor)] == [State.RUNNING, State.RUNNING]


async def test_many_looks_at_once_are_all_answered(cloud: Simulator, vendor: RelayVendor) -> None:
    cloud.tencent.quota(ACCOUNT, "DescribeStreamIngest", 1000)
    has_task(cloud)

    states = await asyncio.gather(*(seen(vendor) for _ in range(100)))

    assert set(states) == {State.RUNNING}
    assert {call.user_agent for call in cloud.calls()} == {"livetask-operator/0.1.0 (test)"}
