"""How tasks live at the simulated cloud: started, looked at, stopped, forgotten, and lied about."""

from __future__ import annotations

import json

import pytest

from livetask_simulator.alibaba.tasks import MISSING, Edition
from tests.simulator.clouds import APP, LIVE, RTC, TASK, Answer, Cloud

URL = "rtmp://push.example.com/app/stream"
FORWARDED = {
    "ChannelId": "channel-1",
    "MixMode": "0",
    "StreamURL": URL,
    "SingleSubParams": json.dumps({"UserId": "u1"}),
}
MIXED = {
    "ChannelId": "channel-1",
    "MixMode": "1",
    "StreamURL": URL,
    "TranscodeParams": json.dumps({"UserInfos": []}),
}


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


def start(cloud: Cloud, parameters: dict[str, str] = FORWARDED, /, **changes: str) -> Answer:
    return cloud.ask("StartLiveMPUTask", LIVE, **(parameters | changes))


def start_old(cloud: Cloud, **changes: str) -> Answer:
    return cloud.ask("StartMPUTask", RTC, **({"ChannelId": "channel-1", "StreamURL": URL} | changes))


def test_a_scripted_life_goes_on_by_itself(cloud: Cloud) -> None:
    cloud.has_task(life=((0.0, 0), (2.0, 1), (10.0, 2)))

    seen = []
    for seconds in (0.0, 1.9, 0.1, 7.9, 0.1):
        cloud.clock.passes(seconds)
        seen.append(cloud.status().status)

    assert seen == [0, 0, 1, 1, 2]


def test_a_stop_ends_a_life_whatever_was_scripted(cloud: Cloud) -> None:
    cloud.has_task(life=((0.0, 0), (2.0, 1)))

    stopped = cloud.stop()
    cloud.clock.passes(5.0)

    assert (stopped.code, stopped.reply.stopped_task) == ("OK", True)
    assert cloud.status().status == 3


def test_a_stop_that_is_ignored_is_accepted_all_the_same(cloud: Cloud) -> None:
    cloud.has_task().ignore_stops = 2

    answers = [cloud.stop() for _ in range(3)]

    assert [answer.code for answer in answers] == ["OK", "OK", "OK"]
    assert [answer.reply.stopped_task for answer in answers] == [False, False, True]


def test_a_stop_can_take_its_time(cloud: Cloud) -> None:
    cloud.has_task().stop_takes_s = 4.0

    first = cloud.stop()
    cloud.clock.passes(3.0)
    meanwhile = cloud.status().status
    second = cloud.stop()
    cloud.clock.passes(1.0)

    assert (first.reply.stopped_task, second.reply.stopped_task, second.code) == (True, False, "OK")
    assert (meanwhile, cloud.status().status) == (1, 3)


@pytest.mark.parametrize("status", [2, 3, 4, 5, 6])
def test_a_stop_of_an_ended_task_is_refused(cloud: Cloud, status: int) -> None:
    cloud.has_task(life=((0.0, status),))

    stopped = cloud.stop()

    assert (stopped.code, stopped.reply.stopped_task) == ("InvalidParam", False)
    assert cloud.status().status == status


def test_an_ended_task_is_forgotten_after_the_set_time(cloud: Cloud) -> None:
    cloud.settings(forgetEndedAfterSeconds=60)
    cloud.has_task()
    cloud.clock.passes(100.0)
    cloud.stop()

    cloud.clock.passes(59.0)
    before = cloud.status()
    cloud.clock.passes(1.0)
    after = cloud.status()

    assert before.status == 3
    assert (after.code, after.reply.status) == ("InvalidTask.NotFound", 404)


def test_the_rtc_edition_can_be_blind_to_live_tasks(cloud: Cloud) -> None:
    cloud.has_task()
    cloud.settings(rtcSeesLiveTasks=False)

    assert cloud.status().code == "InvalidTask.NotFound"
    assert cloud.ask("GetMPUTaskStatus", LIVE).status == 1


def test_a_task_of_the_rtc_edition_cannot_be_stopped_by_the_live_one(cloud: Cloud) -> None:
    cloud.has_task(edition=Edition.RTC)

    assert cloud.stop().code == "InvalidParam"
    assert cloud.status().status == 1


@pytest.mark.parametrize("raw", [99, "1", None, True, 1.5, []])
def test_the_status_can_be_anything_at_all(cloud: Cloud, raw: object) -> None:
    task = cloud.has_task()

    task.has_raw_status, task.raw_status = True, raw

    assert cloud.status().status == raw


def test_the_status_can_be_missing(cloud: Cloud) -> None:
    task = cloud.has_task()

    task.has_raw_status, task.raw_status = True, MISSING

    assert cloud.status().status == "absent"


@pytest.mark.parametrize("parameter", ["AppId", "TaskId"])
def test_a_missing_parameter_is_told_by_each_edition_in_its_own_words(cloud: Cloud, parameter: str) -> None:
    rtc = cloud.ask("GetMPUTaskStatus", RTC, **{parameter: ""})
    live = cloud.ask("StopLiveMPUTask", LIVE, **{parameter: ""})

    assert (rtc.code, live.code) == ("MissingParameter", "MissingParam")


@pytest.mark.parametrize("app_id", ["a" * 65, "an app", "ä"])
def test_a_malformed_app_id_is_refused(cloud: Cloud, app_id: str) -> None:
    codes = [cloud.ask("GetMPUTaskStatus", RTC, AppId=app_id).code, cloud.ask("StopLiveMPUTask", AppId=app_id).code]

    assert codes == ["InvalidAppId", "InvalidAppId"]


@pytest.mark.parametrize("task_id", ["t" * 56, "a task", "ä"])
def test_a_malformed_task_id_is_refused(cloud: Cloud, task_id: str) -> None:
    assert cloud.ask("GetMPUTaskStatus", RTC, TaskId=task_id).code == "InvalidTask.IDError"
    assert cloud.ask("StopLiveMPUTask", TaskId=task_id).code == "InvalidParam"


def test_an_app_of_somebody_else_is_refused_where_the_apps_are_listed(cloud: Cloud) -> None:
    cloud.has_task()
    cloud.settings(apps=["another"])

    assert cloud.stop().code == "InvalidAppId"
    cloud.settings(apps=[APP])
    assert cloud.stop().code == "OK"


@pytest.mark.parametrize("parameters", [FORWARDED, MIXED], ids=["one stream forwarded", "mixed"])
def test_a_task_is_started_in_either_mode(cloud: Cloud, parameters: dict[str, str]) -> None:
    assert start(cloud, parameters).code == "OK"
    assert cloud.status().status == 1


def test_a_started_task_lives_as_the_account_is_set(cloud: Cloud) -> None:
    cloud.settings(startLife=[[0, 0], [3, 1]])
    start(cloud)

    at_first = cloud.status().status
    cloud.clock.passes(3.0)

    assert (at_first, cloud.status().status) == (0, 1)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ChannelId": ""}, "MissingParam"),
        ({"ChannelId": "a channel"}, "InvalidParam"),
        ({"MixMode": ""}, "MissingParam"),
        ({"MixMode": "2"}, "InvalidParam"),
        ({"StreamURL": ""}, "MissingParam"),
        ({"StreamURL": "https://push.example.com/app/stream"}, "InvalidParam"),
        ({"StreamURL": URL + "a" * 2048}, "InvalidParam"),
        ({"MultiStreamURL": json.dumps([{"URL": URL}])}, "InvalidParam"),
        ({"StreamURL": "", "MultiStreamURL": "[]"}, "InvalidParam"),
        ({"StreamURL": "", "MultiStreamURL": json.dumps([{"URL": URL}, {"URL": URL}])}, "InvalidParam"),
        ({"SingleSubParams": ""}, "MissingParam"),
        ({"SingleSubParams": "{"}, "InvalidParam"),
        ({"SingleSubParams": "[]"}, "InvalidParam"),
        ({"SingleSubParams": json.dumps({"UserId": "u", "StreamType": "3"})}, "InvalidParam"),
        ({"SingleSubParams": json.dumps({"UserId": "u", "SourceType": "shareScreen"})}, "InvalidParam"),
        ({"TranscodeParams": "{}"}, "InvalidParam"),
        ({"MaxIdleTime": "9"}, "InvalidParam"),
        ({"MaxIdleTime": "86401"}, "InvalidParam"),
        ({"Region": "cn-shanghai"}, "InvalidParam"),
        ({"SeiParams": "no json"}, "InvalidParam"),
    ],
)
def test_a_start_that_breaks_a_rule_is_refused(cloud: Cloud, changes: dict[str, str], code: str) -> None:
    assert start(cloud, **changes).code == code
    assert cloud.status().code == "InvalidTask.NotFound"


def test_a_task_that_has_ended_is_started_again_by_the_same_id(cloud: Cloud) -> None:
    start(cloud)
    again = start(cloud)
    cloud.stop()
    cloud.clock.passes(10.0)

    assert again.code == "InvalidParam"
    assert start(cloud).code == "OK"
    assert cloud.status().status == 1


def test_a_push_url_is_free_ten_seconds_after_its_task_ended(cloud: Cloud) -> None:
    start(cloud)
    while_running = start(cloud, TaskId="another")
    cloud.stop()
    cloud.clock.passes(9.9)
    too_early = start(cloud, TaskId="another")
    cloud.clock.passes(0.1)

    assert [while_running.code, too_early.code] == ["InvalidParam", "InvalidParam"]
    assert start(cloud, TaskId="another").code == "OK"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ChannelId": ""}, "MissingParameter"),
        ({"StreamURL": "push.example.com"}, "InvalidParameter"),
        ({"TaskId": "a task"}, "InvalidTask.IDError"),
        ({"LayoutIds.1": "17"}, "InvalidLayoutID.Malformed"),
        ({"MediaEncode": "2"}, "InvalidMediaEncode.Malformed"),
        ({"BackgroundColor": "-1"}, "InvalidBackgroundColor.Malformed"),
    ],
)
def test_an_old_style_start_that_breaks_a_rule_is_refused(cloud: Cloud, changes: dict[str, str], code: str) -> None:
    assert start_old(cloud, **changes).code == code


def test_an_old_style_start_of_a_running_task_is_an_error_inside_an_http_200(cloud: Cloud) -> None:
    start_old(cloud)

    again = start_old(cloud)

    assert (again.code, again.reply.status) == ("TaskExisted", 200)


@pytest.mark.parametrize("page", [{"PageSize": "0"}, {"PageSize": "101"}, {"PageNo": "x"}])
def test_a_list_wants_a_proper_page(cloud: Cloud, page: dict[str, str]) -> None:
    query = {"TaskId": "", "PageSize": "10", "PageNo": "1"} | page

    assert cloud.ask("ListRtcMPUTaskDetail", LIVE, **query).code == "InvalidParam"


def test_a_list_needs_a_page_or_a_task(cloud: Cloud) -> None:
    cloud.has_task()

    assert cloud.ask("ListRtcMPUTaskDetail", LIVE, TaskId="").code == "MissingParam"
    assert [task["TaskId"] for task in cloud.ask("ListRtcMPUTaskDetail", LIVE).body["MPUTasks"]] == [TASK]
