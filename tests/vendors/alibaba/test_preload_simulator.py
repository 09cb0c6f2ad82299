"""Our preload client against the simulated Alibaba Cloud, which checks what the vendor checks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from livetask_operator.vendors.alibaba.preload import AlibabaPreload
from livetask_operator.vendors.catalogue import preload_vendors
from livetask_operator.vendors.contract import (
    ClockSkew,
    Credential,
    CredentialsRejected,
    InvalidRequest,
    InvalidResponse,
    PermissionDenied,
    PreloadRows,
    PreloadVendor,
    RowState,
    Throttled,
    VendorError,
    VendorUnavailable,
)
from livetask_operator.vendors.transport import Transport
from livetask_simulator.client import Simulator
from livetask_simulator.process import simulator_process
from tests.vendors.alibaba.preload_list import names

KEY = Credential("LTAIgood", "good-secret")
TEMPORARY = Credential("STS.good", "sts-secret", "CAIS+tok/en==")
ACCOUNT = "sports"
DOMAIN = "live.example.com"
URL = f"rtmp://{DOMAIN}/app/a b*~"
LIST = "DescribeLiveStreamPreloadTasks"


@pytest.fixture(scope="module")
def process() -> Iterator[Simulator]:
    with simulator_process() as simulator:
        yield simulator


@pytest.fixture
def cloud(process: Simulator) -> Simulator:
    """A cloud with an account and its keys, and quota enough."""
    process.reset()
    process.add_account(ACCOUNT)
    process.add_key(ACCOUNT, KEY.key_id, KEY.secret)
    process.add_key(ACCOUNT, TEMPORARY.key_id, TEMPORARY.secret, token=TEMPORARY.token)
    process.quota(ACCOUNT, LIST, 1000)
    return process


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    async with Transport("livetask-operator/0.1.0 (test)", timeout_s=1.0) as transport:
        yield transport


@pytest.fixture
def vendor(cloud: Simulator, transport: Transport) -> PreloadVendor:
    return preload_vendors(transport, alibaba_live_endpoint=cloud.url)["AlibabaCloud"]


async def read(
    vendor: PreloadVendor,
    *,
    task_ids: list[str] | None = None,
    play_urls: list[str] | None = None,
    credential: Credential = KEY,
) -> PreloadRows:
    asked = names(task_ids or [], play_urls or [], datetime.now(UTC) - timedelta(hours=6))
    return (await vendor.rows(credential, DOMAIN, [asked]))[asked]


async def state_of(vendor: PreloadVendor, url: str = URL) -> tuple[RowState, int | None]:
    (found,) = (await read(vendor, play_urls=[url])).rows
    return found.state, found.progress


@pytest.mark.parametrize("credential", [KEY, TEMPORARY], ids=["key", "temporary key"])
@pytest.mark.parametrize("shape", ["nested", "plain"])
async def test_a_preload_is_seen_whatever_the_shape_of_the_list(
    cloud: Simulator, vendor: PreloadVendor, credential: Credential, shape: str
) -> None:
    cloud.add_account(ACCOUNT, preloadListShape=shape)
    cloud.add_preload(ACCOUNT, DOMAIN, URL, task_id="p-1", process=62, area="overseas")

    found = await read(vendor, play_urls=[URL], credential=credential)

    (row,) = found.rows
    assert found.complete
    assert (row.task_id, row.play_url, row.area) == ("p-1", URL, "overseas")
    assert (row.state, row.progress, row.vendor_status) == (RowState.PRELOADING, 62, "Success")
    assert row.create_time is not None
    assert abs(datetime.now(UTC) - row.create_time) < timedelta(seconds=30)


async def test_a_preload_is_followed_from_pending_to_its_end(cloud: Simulator, vendor: PreloadVendor) -> None:
    cloud.add_preload(ACCOUNT, DOMAIN, URL, task_id="p-1", process=0, starts_in_seconds=600)
    pending = await state_of(vendor)
    cloud.set_preload(ACCOUNT, "p-1", process=40)
    preloading = await state_of(vendor)
    cloud.set_preload(ACCOUNT, "p-1", process=100)
    succeeded = await state_of(vendor)
    cloud.set_preload(ACCOUNT, "p-1", status="Failed")
    failed = await state_of(vendor)

    assert [pending, preloading] == [(RowState.PENDING, 0), (RowState.PRELOADING, 40)]
    assert [succeeded, failed] == [(RowState.SUCCEEDED, 100), (RowState.FAILED, 100)]


async def test_all_rows_of_a_url_are_told_the_rehearsal_too(cloud: Simulator, vendor: PreloadVendor) -> None:
    cloud.add_preload(ACCOUNT, DOMAIN, URL, task_id="rehearsal", created_seconds_ago=86400)
    cloud.add_preload(ACCOUNT, DOMAIN, URL, task_id="final", process=5)
    cloud.add_preload(ACCOUNT, DOMAIN, f"{URL}-2", task_id="another")

    found = await read(vendor, play_urls=[URL])

    assert sorted((row.task_id, row.state) for row in found.rows) == [
        ("final", RowState.PRELOADING),
        ("rehearsal", RowState.SUCCEEDED),
    ]


async def test_a_preload_that_the_cloud_has_forgotten_is_absent_from_a_complete_reading(
    cloud: Simulator, vendor: PreloadVendor
) -> None:
    cloud.add_preload(ACCOUNT, DOMAIN, URL, task_id="p-1", created_seconds_ago=3 * 86400)

    assert await read(vendor, play_urls=[URL], task_ids=["p-1"]) == PreloadRows((), complete=True)


async def test_a_hundred_urls_and_a_hundred_tasks_are_read_in_few_calls(
    cloud: Simulator, vendor: PreloadVendor
) -> None:
    urls = [f"rtmp://{DOMAIN}/app/stream-{number}" for number in range(100)]
    for number, url in enumerate(urls):
        cloud.add_preload(ACCOUNT, DOMAIN, url, task_id=f"p-{number}")
        cloud.add_preload(ACCOUNT, DOMAIN, f"{url}-named", task_id=f"named-{number}")

    found = await read(vendor, play_urls=urls, task_ids=[f"named-{number}" for number in range(100)])

    assert (found.complete, len(found.rows)) == (True, 200)
    assert len(cloud.calls(operation=LIST)) <= 3


async def test_a_long_history_is_cut_to_what_is_asked_for_and_the_cloud_takes_the_window(
    cloud: Simulator, vendor: PreloadVendor
) -> None:
    cloud.add_account(ACCOUNT, clockSkewSeconds=840)
    for number in range(301):
        cloud.add_preload(ACCOUNT, DOMAIN, URL, task_id=f"old-{number}", created_seconds_ago=86400)
    cloud.add_preload(ACCOUNT, DOMAIN, URL, task_id="new")

    found = await read(vendor, play_urls=[URL])

    assert (found.complete, [row.task_id for row in found.rows]) == (True, ["new"])
    assert [call.outcome for call in cloud.calls(operation=LIST)] == ["OK", "OK"]


async def test_preloads_that_come_while_a_domain_is_walked_hide_no_task(
    cloud: Simulator, vendor: PreloadVendor
) -> None:
    ids = [f"p-{number}" for number in range(150)]
    for name in ids:
        cloud.add_preload(ACCOUNT, DOMAIN, URL, task_id=name, created_seconds_ago=60)
    added = 0

    async def turn() -> None:
        nonlocal added
        added += 1
        await asyncio.to_thread(cloud.add_preload, ACCOUNT, DOMAIN, URL, task_id=f"new-{added}")

    (found,) = (await vendor.rows(KEY, DOMAIN, [names(ids)], turn)).values()

    assert (found.complete, sorted(row.task_id for row in found.rows)) == (True, sorted(ids))


async def test_a_domain_of_another_account_is_an_invalid_request(cloud: Simulator, vendor: PreloadVendor) -> None:
    cloud.add_account(ACCOUNT, domains=["mine.example.com"])

    with pytest.raises(InvalidRequest, match="does not know this domain"):
        await read(vendor, play_urls=[URL])


async def test_a_key_that_is_not_good_is_rejected(cloud: Simulator, vendor: PreloadVendor) -> None:
    with pytest.raises(CredentialsRejected):
        await read(vendor, play_urls=[URL], credential=Credential("LTAIgood", "wrong-secret"))


async def test_a_key_without_the_right_to_list_is_denied(cloud: Simulator, vendor: PreloadVendor) -> None:
    cloud.add_key(ACCOUNT, KEY.key_id, KEY.secret, allow=["StopLiveMPUTask"])

    with pytest.raises(PermissionDenied):
        await read(vendor, play_urls=[URL])


async def test_a_wrong_clock_is_clock_skew_after_two_requests(cloud: Simulator, transport: Transport) -> None:
    vendor = AlibabaPreload(
        transport,
        endpoint=cloud.url,
        clock=lambda: datetime.now(UTC) + timedelta(hours=8),
        nonce=lambda: uuid4().hex,
    )

    with pytest.raises(ClockSkew, match="about 8 hours ahead of the vendor's"):
        await read(vendor, play_urls=[URL])

    assert len(cloud.calls(operation=LIST)) == 2


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("reset", VendorUnavailable),
        ("hang", VendorUnavailable),
        ("error", VendorUnavailable),
        ("throttle", Throttled),
        ("garbage", InvalidResponse),
        ("huge", InvalidResponse),
        ("redirect", InvalidResponse),
        ("gzip-bomb", InvalidResponse),
        ("truncated", InvalidResponse),
    ],
)
async def test_every_misbehaviour_is_an_error_that_may_pass_and_never_an_absence(
    cloud: Simulator, vendor: PreloadVendor, fault: str, kind: type[VendorError]
) -> None:
    cloud.add_preload(ACCOUNT, DOMAIN, URL, task_id="p-1")
    with cloud.faulty(fault, account=ACCOUNT), pytest.raises(VendorError) as caught:
        await read(vendor, play_urls=[URL])

    assert type(caught.value) is kind, caught.value
    assert await state_of(vendor) == (RowState.SUCCEEDED, 100)
    assert len(cloud.calls()) == 2  # nothing was sent twice, and no redirect followed
