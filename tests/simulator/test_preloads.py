"""How preloads go on at the simulated cloud: set, listed, filtered, paged, forgotten."""

from __future__ import annotations

from typing import Any

import pytest

from livetask_simulator.alibaba.preload_orders import put_preload
from livetask_simulator.fields import Fields
from tests.simulator.clouds import ACCOUNT, Answer, Cloud

DOMAIN = "live.example.com"
URL = f"rtmp://{DOMAIN}/app/final"
DAY_S = 24 * 3600


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


def set_preload(cloud: Cloud, *urls: str, **changes: str) -> Answer:
    query = {"DomainName": DOMAIN, "PlayUrl": ",".join(urls or [URL]), "AppId": "", "TaskId": ""}
    return cloud.ask("SetLiveStreamPreloadTasks", **(query | changes))


def listed(cloud: Cloud, **changes: str) -> Answer:
    return cloud.ask("DescribeLiveStreamPreloadTasks", **({"DomainName": DOMAIN, "AppId": "", "TaskId": ""} | changes))


def rows(answer: Answer) -> list[dict[str, Any]]:
    assert answer.code == "OK", answer.body
    return list(answer.body["PreloadTasks"]["PreloadTask"])


def has_preload(cloud: Cloud, task_id: str, **changes: object) -> None:
    order = {"domainName": DOMAIN, "playUrl": URL, "taskId": task_id}
    put_preload(cloud.alibaba, ACCOUNT, Fields(order | changes, "the order"))


def ids(answer: Answer) -> list[str]:
    return [row["TaskId"] for row in rows(answer)]


def test_a_preload_that_was_set_goes_on_by_itself(cloud: Cloud) -> None:
    task_id = set_preload(cloud).body["PreloadTasksMessages"]["PreloadTasksMessage"][0]["TaskId"]

    seen = []
    for seconds in (0.0, 2.0, 2.0):
        cloud.clock.passes(seconds)
        (row,) = rows(listed(cloud))
        seen.append((row["TaskId"], row["Process"], row["Status"]))

    assert seen == [(task_id, process, "Success") for process in ("0%", "50%", "100%")]


def test_a_row_tells_all_that_the_page_documents(cloud: Cloud) -> None:
    set_preload(
        cloud, PreloadedStartTime="2026-11-20T19:00:00Z", PreloadedEndTime="2026-11-20T23:00:00Z", Area="global"
    )

    (row,) = rows(listed(cloud))

    assert row == {
        "TaskId": row["TaskId"],
        "DomainName": DOMAIN,
        "PlayUrl": URL,
        "Area": "global",
        "CreateTime": "2026-11-20T18:00:00Z",
        "PreloadedStartTime": "2026-11-20T19:00:00Z",
        "PreloadedEndTime": "2026-11-20T23:00:00Z",
        "Process": "0%",
        "Status": "Success",
        "Description": "Successfully",
    }


def test_urls_that_cannot_be_preloaded_fail_inside_the_http_200(cloud: Cloud) -> None:
    answer = set_preload(cloud, URL, f"{URL}.m3u8", "rtmp://elsewhere.example.com/app/final", "nonsense")

    counts = [answer.body[name] for name in ("Status", "TotalURL", "SuccessURL", "FailedURL")]
    messages = answer.body["PreloadTasksMessages"]["PreloadTasksMessage"]
    assert (answer.reply.status, counts) == (200, ["Failed", 4, 1, 3])
    assert [bool(message["TaskId"]) for message in messages] == [True, False, False, False]
    assert [message["Description"] for message in messages] == ["Successfully"] + ["InternalError"] * 3
    assert len(rows(listed(cloud))) == 1


def test_each_url_has_a_task_of_its_own_and_a_url_set_again_another(cloud: Cloud) -> None:
    set_preload(cloud, URL, f"{URL}-2")
    cloud.clock.passes(1.0)
    set_preload(cloud, URL)

    answer = listed(cloud)

    assert rows(answer)[0]["PlayUrl"] == URL
    assert (len(set(ids(answer))), answer.body["TotalNum"]) == (3, 3)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"DomainName": ""}, "MissingParam"),
        ({"PlayUrl": ""}, "MissingParam"),
        ({"PlayUrl": ",".join(f"{URL}-{number}" for number in range(101))}, "InvalidParam"),
        ({"PlayUrl": f"{URL},,{URL}"}, "InvalidParam"),
        ({"Area": "moon"}, "InvalidParam"),
        ({"PreloadedStartTime": "soon"}, "InvalidParam"),
        ({"PreloadedStartTime": "2026-11-20T19:00:00Z", "PreloadedEndTime": "2026-11-20T19:00:00Z"}, "InvalidParam"),
        ({"PreloadedStartTime": "2026-11-20T19:00:00Z", "PreloadedEndTime": "2026-11-21T01:00:01Z"}, "InvalidParam"),
    ],
)
def test_a_preload_that_breaks_a_rule_is_refused(cloud: Cloud, changes: dict[str, str], code: str) -> None:
    assert set_preload(cloud, **changes).code == code
    assert rows(listed(cloud)) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"DomainName": ""}, "MissingParam"),
        ({"PageSize": "101"}, "InvalidParam"),
        ({"PageSize": "0"}, "InvalidParam"),
        ({"PageNum": "0"}, "InvalidParam"),
        ({"PlayUrl": ",".join([URL] * 101)}, "InvalidParam"),
        ({"Status": "Success"}, "InvalidParam"),
        ({"StartTime": "2026-11-17T17:59:59Z"}, "InvalidParam"),
        ({"StartTime": "yesterday"}, "InvalidParam"),
        ({"StartTime": "2026-11-18T00:00:00Z", "EndTime": "2026-11-21T00:00:01Z"}, "InvalidParam"),
        ({"StartTime": "2026-11-18T00:00:01Z", "EndTime": "2026-11-18T00:00:00Z"}, "InvalidParam"),
    ],
)
def test_a_query_that_breaks_a_rule_is_refused(cloud: Cloud, changes: dict[str, str], code: str) -> None:
    assert listed(cloud, **changes).code == code


def test_three_days_to_the_second_can_be_asked_for_by_the_clouds_own_clock(cloud: Cloud) -> None:
    cloud.settings(clockSkewSeconds=60)

    inside = listed(cloud, StartTime="2026-11-17T18:01:00Z", EndTime="2026-11-20T18:01:00Z")
    outside = listed(cloud, StartTime="2026-11-17T18:00:59Z")

    assert (inside.code, outside.code) == ("OK", "InvalidParam")


def test_a_domain_of_somebody_else_is_not_found(cloud: Cloud) -> None:
    cloud.settings(domains=["mine.example.com"])

    refused = [listed(cloud), set_preload(cloud)]

    assert [(answer.code, answer.reply.status) for answer in refused] == [("InvalidDomain.NotFound", 404)] * 2
    assert listed(cloud, DomainName="mine.example.com").code == "OK"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["done", "under-way", "waiting", "broken"]),
        ({"TaskId": "waiting"}, ["waiting"]),
        ({"TaskId": "elsewhere"}, []),
        ({"PlayUrl": f"{URL}-2,{URL}-3"}, ["under-way"]),
        ({"PlayUrl": URL, "TaskId": "under-way"}, []),
        ({"Status": "complete"}, ["done"]),
        ({"Status": "preloading"}, ["under-way"]),
        ({"Status": "pending"}, ["waiting"]),
        ({"Status": "failed"}, ["broken"]),
        ({"StartTime": "2026-11-20T17:58:00Z"}, ["done", "under-way"]),
        ({"EndTime": "2026-11-20T17:58:00Z"}, ["under-way", "waiting", "broken"]),
        ({"StartTime": "2026-11-20T17:57:30Z", "EndTime": "2026-11-20T17:58:30Z"}, ["under-way"]),
    ],
)
def test_the_list_is_filtered_by_id_url_phase_and_time(cloud: Cloud, query: dict[str, str], found: list[str]) -> None:
    has_preload(cloud, "done", createdSecondsAgo=60)
    has_preload(cloud, "under-way", process="62%", playUrl=f"{URL}-2", createdSecondsAgo=120)
    has_preload(cloud, "waiting", process="0%", createdSecondsAgo=180)
    has_preload(cloud, "broken", status="Failed", createdSecondsAgo=DAY_S)
    has_preload(cloud, "elsewhere", domainName="other.example.com")

    assert ids(listed(cloud, **query)) == found


def test_the_list_comes_in_pages(cloud: Cloud) -> None:
    for number in range(5):
        has_preload(cloud, f"p-{number}", createdSecondsAgo=number)

    pages = [listed(cloud, PageSize="2", PageNum=str(number)) for number in (1, 2, 3, 4)]

    assert [ids(page) for page in pages] == [["p-0", "p-1"], ["p-2", "p-3"], ["p-4"], []]
    sizes = {tuple(page.body[name] for name in ("PageSize", "TotalNum", "TotalPage")) for page in pages}
    assert (sizes, [page.body["PageNum"] for page in pages]) == ({(2, 5, 3)}, [1, 2, 3, 4])


def test_the_list_comes_in_either_shape_that_is_documented(cloud: Cloud) -> None:
    has_preload(cloud, "p-1")

    nested = listed(cloud).body["PreloadTasks"]
    cloud.settings(preloadListShape="plain")
    plain = listed(cloud).body["PreloadTasks"]

    assert nested == {"PreloadTask": plain}
    assert [row["TaskId"] for row in plain] == ["p-1"]


def test_a_preload_is_forgotten_three_days_after_its_creation(cloud: Cloud) -> None:
    has_preload(cloud, "old", createdSecondsAgo=3 * DAY_S - 1)

    before = ids(listed(cloud))
    cloud.clock.passes(1.0)

    assert (before, ids(listed(cloud))) == (["old"], [])


def test_when_a_preload_is_forgotten_can_be_set(cloud: Cloud) -> None:
    cloud.settings(forgetPreloadsAfterSeconds=10)
    has_preload(cloud, "old", createdSecondsAgo=10)
    has_preload(cloud, "new", createdSecondsAgo=9)

    assert ids(listed(cloud)) == ["new"]


def test_what_exceeds_ten_queries_a_second_is_throttled(cloud: Cloud) -> None:
    codes = [listed(cloud).code for _ in range(11)]

    assert codes == ["OK"] * 10 + ["Throttling.User"]


def test_a_reset_forgets_preloads_and_their_settings(cloud: Cloud) -> None:
    cloud.settings(domains=["mine.example.com"])
    has_preload(cloud, "p-1")

    cloud.world.reset(ACCOUNT)

    assert rows(listed(cloud)) == []
