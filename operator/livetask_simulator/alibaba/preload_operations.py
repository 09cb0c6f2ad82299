"""The two operations on preloads: setting them, and listing what became of them. The vendor has none that cancels.

Apart from the operations on relay tasks, which have other parameters and other rules. Source: the pages of
SetLiveStreamPreloadTasks and DescribeLiveStreamPreloadTasks (2016-11-01).
"""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from livetask_simulator.alibaba.errors import ApiError
from livetask_simulator.alibaba.preloads import LASTS_S, REMEMBERED_S, ListShape, Phase, Preload
from livetask_simulator.alibaba.requests import Request, Result, live_required

URLS_MAX = 100
PAGE_SIZE_MAX = 100
PAGE_SIZE_DEFAULT = 20
LASTS_MAX_S = 6 * 3600.0
AREAS = frozenset({"domestic", "overseas", "global"})
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def set_preloads(request: Request) -> Result:
    """SetLiveStreamPreloadTasks: a task for each URL that can be preloaded; the others fail inside the HTTP 200."""
    domain = _domain(request)
    urls = _urls(live_required(request, "PlayUrl"))
    area = request.parameters.get("Area", "domestic")
    if area not in AREAS:
        raise _invalid("Area")
    starts_in_s, lasts_s = _schedule(request)
    settings, now_s = request.preloads.settings(request.account), request.clock.monotonic()

    messages: list[dict[str, str]] = []
    for url in urls:
        if not _can_be_preloaded(url, domain):
            messages.append({"PlayUrl": url, "TaskId": "", "Description": "InternalError"})
            continue
        preload = Preload(
            task_id=uuid.uuid4().hex,
            domain=domain,
            play_url=url,
            area=area,
            created_s=now_s,
            starts_s=now_s + starts_in_s,
            ends_s=now_s + starts_in_s + lasts_s,
            life=settings.life,
        )
        request.preloads.add(request.account, preload)
        messages.append({"PlayUrl": url, "TaskId": preload.task_id, "Description": "Successfully"})
    succeeded = sum(bool(message["TaskId"]) for message in messages)
    fields = {
        "Status": "Success" if succeeded == len(urls) else "Failed",
        "TotalURL": len(urls),
        "SuccessURL": succeeded,
        "FailedURL": len(urls) - succeeded,
        "PreloadTasksMessages": {"PreloadTasksMessage": messages},
    }
    return Result(fields=fields)


def list_preloads(request: Request) -> Result:
    """DescribeLiveStreamPreloadTasks: a page of a domain's preloads, the newest first, by id, URLs, phase and time."""
    parameters, now_s = request.parameters, request.clock.monotonic()
    domain = _domain(request)
    size = _page_number(parameters, "PageSize", PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
    number = _page_number(parameters, "PageNum", 1, None)
    urls = _urls(parameters["PlayUrl"]) if parameters.get("PlayUrl") else None
    phase = _phase(parameters)
    earliest, latest = _window(request)
    task_id = parameters.get("TaskId")

    found = [
        preload
        for preload in request.preloads.of_account(request.account)
        if preload.domain == domain
        and (not task_id or preload.task_id == task_id)
        and (urls is None or preload.play_url in urls)
        and (phase is None or preload.phase(now_s) is phase)
        and earliest <= _at(request, preload.created_s) <= latest
    ]
    page: list[dict[str, object]] = [_row(request, each) for each in found[(number - 1) * size : number * size]]
    shape = request.preloads.settings(request.account).shape
    fields = {
        "PageNum": number,
        "PageSize": size,
        "TotalNum": len(found),
        "TotalPage": -(-len(found) // size),
        "PreloadTasks": {"PreloadTask": page} if shape is ListShape.NESTED else page,
    }
    return Result(fields=fields)


def _row(request: Request, preload: Preload) -> dict[str, object]:
    now_s = request.clock.monotonic()
    stage = preload.stage(now_s)
    return {
        "TaskId": preload.task_id,
        "DomainName": preload.domain,
        "PlayUrl": preload.play_url,
        "Area": preload.area,
        "CreateTime": _at(request, preload.created_s).strftime(TIME_FORMAT),
        "PreloadedStartTime": _at(request, preload.starts_s).strftime(TIME_FORMAT),
        "PreloadedEndTime": _at(request, preload.ends_s).strftime(TIME_FORMAT),
        "Process": stage.process,
        "Status": stage.status,
        "Description": preload.describe(now_s),
    }


def _domain(request: Request) -> str:
    domain = live_required(request, "DomainName")
    domains = request.preloads.settings(request.account).domains
    if domains is not None and domain not in domains:
        raise ApiError("InvalidDomain.NotFound")
    return domain


def _urls(text: str) -> list[str]:
    urls = text.split(",")
    if len(urls) > URLS_MAX or not all(urls):
        raise _invalid("PlayUrl")
    return urls


def _can_be_preloaded(url: str, domain: str) -> bool:
    """A live URL of the domain that is not HLS."""
    parts = urlsplit(url)
    return bool(parts.scheme and parts.path) and parts.hostname == domain and not parts.path.endswith(".m3u8")


def _schedule(request: Request) -> tuple[float, float]:
    """In how many seconds the preload starts, and how long it lasts."""
    now = _now(request)
    start = _time(request.parameters, "PreloadedStartTime") or now
    end = _time(request.parameters, "PreloadedEndTime") or start + timedelta(seconds=LASTS_S)
    lasts_s = (end - start).total_seconds()
    if not 0 < lasts_s <= LASTS_MAX_S:
        raise _invalid("PreloadedEndTime")
    return (start - now).total_seconds(), lasts_s


def _window(request: Request) -> tuple[datetime, datetime]:
    """Between which times of creation to look: the last 3 days, or the part of them that is asked for."""
    now, remembered = _now(request), timedelta(seconds=REMEMBERED_S)
    start, end = _time(request.parameters, "StartTime"), _time(request.parameters, "EndTime")
    if start is not None and start < now - remembered:
        raise _invalid("StartTime")
    if start is not None and end is not None and not timedelta() <= end - start <= remembered:
        raise _invalid("EndTime")
    return start or datetime.min.replace(tzinfo=UTC), end or datetime.max.replace(tzinfo=UTC)


def _time(parameters: Mapping[str, str], name: str) -> datetime | None:
    if not parameters.get(name):
        return None
    try:
        return datetime.strptime(parameters[name], TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise _invalid(name) from None


def _phase(parameters: Mapping[str, str]) -> Phase | None:
    word = parameters.get("Status")
    if not word:
        return None
    try:
        return Phase(word)
    except ValueError:
        raise _invalid("Status") from None


def _page_number(parameters: Mapping[str, str], name: str, default: int, most: int | None) -> int:
    text = parameters.get(name) or str(default)
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1 or (most is not None and number > most):
        raise _invalid(name)
    return number


def _now(request: Request) -> datetime:
    """The cloud's time of day for this account."""
    return request.clock.now() + timedelta(seconds=request.settings.clock_skew_s)


def _at(request: Request, monotonic_s: float) -> datetime:
    """A moment in the cloud's time of day."""
    return _now(request) + timedelta(seconds=monotonic_s - request.clock.monotonic())


def _invalid(name: str) -> ApiError:
    return ApiError("InvalidParam", f"Parameter verification failed: {name}.")
