"""The body of CreatePullTask: what it must and may not have.

Apart from the operations, because it has more rules than all of them. Source: dossier section 4.1.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from livetask_simulator.huawei.errors import ILLEGAL, ApiError
from livetask_simulator.huawei.tasks import TIME

LIVE, VOD = "PullLivePushLive", "PullVodPushLive"
SOURCE_URLS_MAX = 30
RUN_MAX = timedelta(days=7)
EVENTS = frozenset(
    {"TaskStart", "TaskExit", "TaskAlarm", "VodSourceFileStart", "VodSourceFileFinish", "ResetTaskConfig"}
)
REFRESHES = frozenset({"immediate_new_source", "continue_from_file_start", "continue_from_break_point"})
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s]+/\S+")
_PARTS = ("domain", "app_name", "stream_name")

Check = Callable[[object], bool]


def task_details(body: bytes, now: datetime) -> Mapping[str, object]:
    """The fields of a new task; raises LIVE.100011001 where one is wrong."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise ApiError(ILLEGAL, "Request Illegal: the body is not a JSON object")
    for name, value in fields.items():
        if name not in _CHECKS or not _CHECKS[name](value):
            raise ApiError(ILLEGAL, f"Request Illegal: {name}")
    _check_source(fields)
    _check_target(fields)
    _check_times(fields, now)
    return fields


def _check_source(fields: Mapping[str, object]) -> None:
    urls = fields.get("source_urls")
    if "source_type" not in fields or not isinstance(urls, list):
        raise ApiError(ILLEGAL, "Request Illegal: source_type and source_urls are mandatory")
    if fields["source_type"] == LIVE and len(urls) != 1:
        raise ApiError(ILLEGAL, "Request Illegal: a live source has one URL")


def _check_target(fields: Mapping[str, object]) -> None:
    """Either the whole destination or its parts."""
    parts = [name for name in _PARTS if fields.get(name)]
    needed = 0 if fields.get("destination_url") else len(_PARTS)
    if len(parts) != needed:
        raise ApiError(ILLEGAL, "Request Illegal: give destination_url, or domain, app_name and stream_name")


def _check_times(fields: Mapping[str, object], now: datetime) -> None:
    start = _time(fields["start_time"]) if fields.get("start_time") else now
    end = _time(fields["end_time"]) if fields.get("end_time") else None
    if end is not None and not max(start, now) < end <= start + RUN_MAX:
        raise ApiError(ILLEGAL, "Request Illegal: end_time")


def _time(text: object) -> datetime:
    return datetime.strptime(str(text), TIME).replace(tzinfo=UTC)


def _is_time(value: object) -> bool:
    try:
        _time(value)
    except ValueError:
        return value == ""
    return isinstance(value, str)


def _is_urls(value: object) -> bool:
    return isinstance(value, list) and 1 <= len(value) <= SOURCE_URLS_MAX and all(map(_is_url, value))


def _is_url(value: object) -> bool:
    return isinstance(value, str) and _URL.fullmatch(value) is not None


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_loops(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"-1|[0-9]{1,9}", value) is not None


def _is_events(value: object) -> bool:
    return isinstance(value, list) and EVENTS.issuperset(value)


def _up_to(most: int) -> Check:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


_CHECKS: Mapping[str, Check] = {
    "region": lambda value: isinstance(value, str) and 1 <= len(value) <= 64,
    "source_type": lambda value: value in (LIVE, VOD),
    "source_urls": _is_urls,
    "domain": _is_text,
    "app_name": _is_text,
    "stream_name": _is_text,
    "push_args": _is_text,
    "destination_url": lambda value: value == "" or _is_url(value),
    "start_time": _is_time,
    "end_time": _is_time,
    "vod_loop_time": _is_loops,
    "vod_refresh_type": lambda value: value in REFRESHES,
    "vod_start_video_index": _up_to(8192),
    "vod_start_video_time": _up_to(2_100_000_000),
    "backup_source_type": lambda value: value == LIVE,
    "backup_source_urls": _is_urls,
    "callback_events": _is_events,
    "callback_url": _is_text,
}
