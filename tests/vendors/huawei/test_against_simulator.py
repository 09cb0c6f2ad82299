"""Our client against the simulated Huawei Cloud, which checks what the vendor checks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from livetask_operator.vendors.catalogue import relay_vendors
from livetask_operator.vendors.contract import (
    ClockSkew,
    Credential,
    CredentialsRejected,
    EndpointNotFound,
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
from livetask_operator.vendors.huawei.credential import credential_in
from livetask_operator.vendors.transport import Transport
from livetask_simulator.client import Raw, Simulator
from livetask_simulator.process import simulator_process
from tests.vendors.huawei.conversation import PROJECT, task

KEY = Credential("AKgood", "good-secret")
TEMPORARY = Credential("AKtemporary", "sts-secret", "STS+tok/en==")
TOKEN = credential_in({"authToken": "MIIE+auth/token=="})
TASK = task("7864b3dc")
ACCOUNT = "sports"


@pytest.fixture(scope="module")
def process() -> Iterator[Simulator]:
    with simulator_process() as simulator:
        yield simulator


@pytest.fixture
def cloud(process: Simulator) -> Simulator:
    """A cloud with an account and its keys, and nothing else."""
    process.reset()
    process.huawei.add_account(ACCOUNT)
    process.huawei.add_key(ACCOUNT, KEY.key_id, KEY.secret)
    process.huawei.add_key(ACCOUNT, TEMPORARY.key_id, TEMPORARY.secret, token=TEMPORARY.token)
    process.huawei.add_key(ACCOUNT, "token", auth_token=TOKEN.token)
    return process


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    async with Transport("livetask-operator/0.1.0 (test)", timeout_s=3.0) as transport:
        yield transport


@pytest.fixture
def vendor(cloud: Simulator, transport: Transport) -> RelayVendor:
    return relay_vendors(transport, huawei_endpoint=cloud.url)["HuaweiCloud"]


async def look(vendor: RelayVendor, credential: Credential = KEY, wanted: TaskRef = TASK) -> Look:
    return (await vendor.look(credential, [wanted]))[wanted]


async def seen(vendor: RelayVendor, credential: Credential = KEY, wanted: TaskRef = TASK) -> State:
    found = await look(vendor, credential, wanted)
    assert isinstance(found, Observation), found
    return found.state


def start(cloud: Simulator, count: int) -> list[TaskRef]:
    """So many tasks of the project, the oldest first."""
    names = [f"t-{number:04}" for number in range(count)]
    for name in names:
        cloud.huawei.start_task(ACCOUNT, PROJECT, name)
    return [task(name) for name in names]


def states(looks: Mapping[TaskRef, Look]) -> set[str]:
    return {look.state if isinstance(look, Observation) else look.reason for look in looks.values()}


@pytest.mark.parametrize("credential", [KEY, TEMPORARY, TOKEN], ids=["key", "temporary key", "token"])
async def test_a_running_task_is_seen_stopped_and_seen_no_more(
    cloud: Simulator, vendor: RelayVendor, credential: Credential
) -> None:
    cloud.huawei.start_task(ACCOUNT, PROJECT, TASK.task)

    before = await seen(vendor, credential)
    answer = await vendor.stop(credential, TASK)
    after = await seen(vendor, credential)

    assert (before, answer.outcome, after) == (State.RUNNING, StopOutcome.ACCEPTED, State.NOT_FOUND)
    assert [call.stopped_task for call in cloud.calls(operation="DeletePullTask")] == [True]
    assert {call.app_id for call in cloud.calls()} == {PROJECT}


async def test_250_tasks_of_a_project_are_looked_at_with_3_calls(cloud: Simulator, vendor: RelayVendor) -> None:
    tasks = start(cloud, 250)

    looks = await vendor.look(KEY, tasks)

    assert set(looks) == set(tasks)
    assert states(looks) == {"Running"}
    assert len(cloud.calls(account=ACCOUNT)) == 3


@pytest.mark.parametrize("what", ["forget", "start"])
async def test_tasks_that_come_and_go_between_pages_hide_no_other(
    cloud: Simulator, vendor: RelayVendor, what: str
) -> None:
    tasks = start(cloud, 250)
    cloud.huawei.start_task(ACCOUNT, PROJECT, "passing")
    cloud.huawei.add_account(ACCOUNT, afterPages=[[what, "passing"], [what, "t-0249"]])

    looks = await vendor.look(KEY, tasks)

    assert states({each: look for each, look in looks.items() if each.task != "t-0249"}) == {"Running"}
    assert len(cloud.calls(account=ACCOUNT)) <= 6


@pytest.mark.parametrize("total", [0, 1, 120, 9999])
async def test_a_total_that_lies_hides_no_task(cloud: Simulator, vendor: RelayVendor, total: int) -> None:
    tasks = start(cloud, 150)
    cloud.huawei.add_account(ACCOUNT, total=total)

    assert states(await vendor.look(KEY, tasks)) == {"Running"}


async def test_regions_of_one_project_are_told_apart(cloud: Simulator, vendor: RelayVendor) -> None:
    cloud.huawei.start_task(ACCOUNT, PROJECT, TASK.task, region="cn-east-3")

    assert await seen(vendor) is State.NOT_FOUND
    assert await seen(vendor, wanted=task(TASK.task, region="cn-east-3")) is State.RUNNING


async def test_a_region_without_the_api_is_no_endpoint_and_nothing_there_is_gone(
    cloud: Simulator, vendor: RelayVendor
) -> None:
    cloud.huawei.add_account(ACCOUNT, regions=["cn-east-3"])

    assert isinstance(await look(vendor), EndpointNotFound)
    with pytest.raises(EndpointNotFound):
        await vendor.stop(KEY, TASK)


@pytest.mark.parametrize("said", ["404", "empty"])
async def test_a_task_that_the_cloud_does_not_know_is_not_found(
    cloud: Simulator, vendor: RelayVendor, said: str
) -> None:
    cloud.huawei.add_account(ACCOUNT, lookForUnknown=said)

    assert await seen(vendor) is State.NOT_FOUND


async def test_a_400_for_a_task_says_nothing_of_it(cloud: Simulator, vendor: RelayVendor) -> None:
    cloud.huawei.add_account(ACCOUNT, lookForUnknown="400")

    assert isinstance(await look(vendor), InvalidRequest)


@pytest.mark.parametrize(
    ("said", "outcome"),
    [("404", StopOutcome.GONE), ("400", StopOutcome.UNSETTLED), ("empty", StopOutcome.ACCEPTED)],
)
async def test_a_stop_of_a_task_that_is_not_there_is_what_the_answer_allows(
    cloud: Simulator, vendor: RelayVendor, said: str, outcome: StopOutcome
) -> None:
    cloud.huawei.add_account(ACCOUNT, stopOfUnknown=said)

    assert (await vendor.stop(KEY, TASK)).outcome is outcome


async def test_the_times_of_a_task_are_told(cloud: Simulator, vendor: RelayVendor) -> None:
    cloud.huawei.start_task(
        ACCOUNT, PROJECT, TASK.task, "pending", start_time="2026-11-21T20:00:00Z", end_time="next week"
    )

    found = await look(vendor)

    assert isinstance(found, Observation)
    assert (found.state, found.scheduled_end) == (State.PENDING, None)
    assert found.scheduled_start == datetime(2026, 11, 21, 20, tzinfo=UTC)


@pytest.mark.parametrize("raw", [Raw.MISSING, None, 1, True, {}, ""])
async def test_a_row_without_a_word_is_no_status(cloud: Simulator, vendor: RelayVendor, raw: object) -> None:
    cloud.huawei.start_task(ACCOUNT, PROJECT, TASK.task)
    cloud.huawei.set_task(ACCOUNT, PROJECT, TASK.task, raw_status=raw)

    assert isinstance(await look(vendor), InvalidResponse)


@pytest.mark.parametrize(
    "credential",
    [
        Credential("AKnobody", "good-secret"),
        Credential("AKgood", "wrong-secret"),
        Credential("AKtemporary", "sts-secret", "wrong"),
        Credential("AKtemporary", "sts-secret"),
        credential_in({"authToken": "MIIEother"}),
    ],
    ids=["unknown key", "wrong secret", "wrong token", "no token", "unknown token"],
)
async def test_a_key_that_is_not_good_is_rejected(vendor: RelayVendor, credential: Credential) -> None:
    assert isinstance(await look(vendor, credential), CredentialsRejected)


@pytest.mark.parametrize("credential", [TEMPORARY, TOKEN], ids=["temporary key", "token"])
async def test_a_token_that_has_expired_is_rejected(
    cloud: Simulator, vendor: RelayVendor, credential: Credential
) -> None:
    cloud.huawei.add_key(ACCOUNT, TEMPORARY.key_id, TEMPORARY.secret, token=TEMPORARY.token, token_expired=True)
    cloud.huawei.add_key(ACCOUNT, "token", auth_token=TOKEN.token, token_expired=True)

    assert isinstance(await look(vendor, credential), CredentialsRejected)


async def test_a_key_without_the_right_to_stop_can_look(cloud: Simulator, vendor: RelayVendor) -> None:
    cloud.huawei.add_key(ACCOUNT, KEY.key_id, KEY.secret, allow=["ListPullTasks"])
    cloud.huawei.start_task(ACCOUNT, PROJECT, TASK.task)

    with pytest.raises(PermissionDenied):
        await vendor.stop(KEY, TASK)

    assert await seen(vendor) is State.RUNNING


async def test_what_exceeds_the_quota_is_throttled_with_the_wait_that_the_vendor_says(
    cloud: Simulator, vendor: RelayVendor
) -> None:
    cloud.huawei.start_task(ACCOUNT, PROJECT, TASK.task)
    cloud.huawei.quota(ACCOUNT, "ListPullTasks", 1, window_seconds=60, retry_after_ms=1500)

    first, second = await look(vendor), await look(vendor)

    assert isinstance(first, Observation)
    assert isinstance(second, Throttled)
    assert second.retry_after_s == 1.5


@pytest.mark.parametrize("off", [timedelta(minutes=-20), timedelta(hours=8)], ids=["behind", "ahead"])
async def test_a_wrong_clock_is_clock_skew_and_says_by_how_much(
    cloud: Simulator, transport: Transport, off: timedelta
) -> None:
    vendors = relay_vendors(transport, huawei_endpoint=cloud.url, clock=lambda: datetime.now(UTC) + off)

    error = await look(vendors["HuaweiCloud"])

    assert isinstance(error, ClockSkew)
    words = "about 8 hours ahead of" if off > timedelta() else "about 20 minutes behind"
    assert error.detail == f"the clock of this machine is {words} the vendor's"


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
    cloud.huawei.start_task(ACCOUNT, PROJECT, TASK.task)
    details: dict[str, dict[str, object]] = {
        "error": {"status": 500, "code": "APIG.0201"},
        "gzip-bomb": {"size_bytes": 2 * 1024 * 1024},  # soon made, and large enough
    }
    with cloud.faulty(fault, account=ACCOUNT, **details.get(fault, {})):
        found = await look(vendor)

    assert type(found) is kind, found
    assert await seen(vendor) is State.RUNNING
    assert len(cloud.calls()) == 2  # nothing was sent twice, and no redirect followed


@pytest.mark.parametrize("fault", ["reset", "truncated", "hang"])
async def test_a_stop_whose_answer_is_lost_was_sent_once_and_is_no_accepted_stop(
    cloud: Simulator, vendor: RelayVendor, fault: str
) -> None:
    cloud.huawei.start_task(ACCOUNT, PROJECT, TASK.task)
    await seen(vendor)  # so that the connection is a kept one
    lost = cloud.faulty(fault, operation="DeletePullTask", after_effect=True)

    with lost, pytest.raises(VendorError):
        await vendor.stop(KEY, TASK)

    assert [call.stopped_task for call in cloud.calls(operation="DeletePullTask")] == [True]
    assert await seen(vendor) is State.NOT_FOUND


async def test_cookies_and_content_types_change_nothing(cloud: Simulator, vendor: RelayVendor) -> None:
    cloud.huawei.start_task(ACCOUNT, PROJECT, TASK.task)
    with cloud.faulty("cookie", account=ACCOUNT), cloud.faulty("content-type", account=ACCOUNT):
        assert [await seen(vendor), await seen(vendor)] == [State.RUNNING, State.RUNNING]


async def test_many_looks_at_once_are_all_answered(cloud: Simulator, vendor: RelayVendor) -> None:
    cloud.huawei.start_task(ACCOUNT, PROJECT, TASK.task)

    found = await asyncio.gather(*(seen(vendor) for _ in range(100)))

    assert set(found) == {State.RUNNING}
    assert {call.user_agent for call in cloud.calls()} == {"livetask-operator/0.1.0 (test)"}
