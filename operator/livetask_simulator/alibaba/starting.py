"""Starting a relay task: the rules of StartLiveMPUTask and of the older StartMPUTask.

Apart from the other operations, because nearly all of it is parameter rules (dossier 1.1 and 1.7).
"""

import json
import re
from collections.abc import Mapping

from livetask_simulator.alibaba.errors import ApiError
from livetask_simulator.alibaba.requests import (
    APP_ID,
    TASK_ID,
    Request,
    Result,
    check_app,
    live_app_id,
    live_required,
    live_task_id,
    rtc_required,
)
from livetask_simulator.alibaba.tasks import ENDED, Edition

STREAM_URL_COOL_DOWN_S = 10.0
STREAM_URL_LENGTH_MAX = 2048
MAX_IDLE_TIME_S = range(10, 86400 + 1)
REGIONS = frozenset({"CN-Shanghai", "AP-Singapore", "EMAA-Saudi"})  # sic
LAYOUT_IDS = range(1, 16 + 1)
COLORS = range(256**3)
MEDIA_ENCODES = frozenset({0, 1, 10, 20, *range(22, 29), 30, *range(31, 44), 52, 53, 54})
_INDEXED_LAYOUT = re.compile(r"LayoutIds\.\d+")


def start_live_task(request: Request) -> Result:
    """StartLiveMPUTask. A task of that id that has not ended: InvalidParam, as for a bad parameter."""
    app_id = live_app_id(request)
    channel_id = live_required(request, "ChannelId")
    if not APP_ID.fullmatch(channel_id):
        raise _invalid("ChannelId")
    task_id = live_task_id(request)
    details: dict[str, object] = {"AppId": app_id, "ChannelId": channel_id, "TaskId": task_id}
    details |= _live_mode(request) | _live_options(request)
    urls, shown = _live_urls(request)
    details |= shown

    existing = request.tasks.find(request.account, app_id, task_id)
    if existing is not None and existing.status(request.clock.monotonic()) not in ENDED:
        raise ApiError("InvalidParam", "Parameter verification failed: the task already exists.")
    if _url_is_taken(request, urls):
        raise ApiError("InvalidParam", "Parameter verification failed: StreamURL is in use or was until just now.")
    request.tasks.start(
        request.account, app_id, task_id, life=request.settings.start_life, details=details, stream_urls=urls
    )
    return Result(fields={})


def start_rtc_task(request: Request) -> Result:
    """StartMPUTask. A task of that id that has not ended: TaskExisted, inside an HTTP 200."""
    app_id = rtc_required(request, "AppId")
    channel_id = rtc_required(request, "ChannelId")
    task_id = rtc_required(request, "TaskId")
    stream_url = rtc_required(request, "StreamURL")
    check_app(request.settings, app_id)
    if not TASK_ID.fullmatch(task_id):
        raise ApiError("InvalidTask.IDError")
    if not _is_push_url(stream_url):
        raise ApiError("InvalidParameter", "The specified parameter StreamURL is not valid.")
    parameters = request.parameters
    for name in filter(_INDEXED_LAYOUT.fullmatch, parameters):
        if _number(parameters[name]) not in LAYOUT_IDS:
            raise ApiError("InvalidLayoutID.Malformed")
    if "MediaEncode" in parameters and _number(parameters["MediaEncode"]) not in MEDIA_ENCODES:
        raise ApiError("InvalidMediaEncode.Malformed")
    if "BackgroundColor" in parameters and _number(parameters["BackgroundColor"]) not in COLORS:
        raise ApiError("InvalidBackgroundColor.Malformed")

    existing = request.tasks.find(request.account, app_id, task_id)
    if existing is not None and existing.status(request.clock.monotonic()) not in ENDED:
        raise ApiError("TaskExisted")
    urls = frozenset({stream_url})
    if _url_is_taken(request, urls):
        raise ApiError("InvalidParameter", "The specified parameter StreamURL is in use or was until just now.")
    request.tasks.start(
        request.account,
        app_id,
        task_id,
        life=request.settings.start_life,
        edition=Edition.RTC,
        details={"AppId": app_id, "ChannelId": channel_id, "TaskId": task_id, "StreamURL": stream_url},
        stream_urls=urls,
    )
    return Result(fields={})


def _live_mode(request: Request) -> dict[str, object]:
    """MixMode 0 forwards one stream and needs SingleSubParams alone; 1 mixes and needs TranscodeParams alone."""
    mode = live_required(request, "MixMode")
    if mode not in ("0", "1"):
        raise _invalid("MixMode")
    needed, forbidden = (
        ("SingleSubParams", "TranscodeParams") if mode == "0" else ("TranscodeParams", "SingleSubParams")
    )
    if request.parameters.get(forbidden):
        raise _invalid(forbidden)
    live_required(request, needed)
    parameters = _json_object(request.parameters, needed)
    if mode == "0":
        _check_single(parameters)
    return {"MixMode": mode, needed: parameters}


def _check_single(parameters: Mapping[str, object]) -> None:
    stream_type = parameters.get("StreamType", "0")
    source_type = parameters.get("SourceType", "camera")
    if (
        not parameters.get("UserId")
        or stream_type not in ("0", "1", "2")
        or source_type not in ("camera", "shareScreen")
    ):
        raise _invalid("SingleSubParams")
    if source_type == "shareScreen" and stream_type != "2":
        raise _invalid("SingleSubParams.SourceType")


def _live_options(request: Request) -> dict[str, object]:
    options: dict[str, object] = {}
    if idle := request.parameters.get("MaxIdleTime"):
        if _number(idle) not in MAX_IDLE_TIME_S:
            raise _invalid("MaxIdleTime")
        options["MaxIdleTime"] = idle
    if region := request.parameters.get("Region"):
        if region not in REGIONS:
            raise _invalid("Region")
        options["Region"] = region
    if request.parameters.get("SeiParams"):
        options["SeiParams"] = _json_object(request.parameters, "SeiParams")
    return options


def _live_urls(request: Request) -> tuple[frozenset[str], dict[str, object]]:
    """The push URLs: one in StreamURL or several in MultiStreamURL, not both."""
    single = request.parameters.get("StreamURL", "")
    several = request.parameters.get("MultiStreamURL", "")
    if not single and not several:
        raise ApiError("MissingParam", "The parameter StreamURL is missing.")
    if single and several:
        raise _invalid("StreamURL and MultiStreamURL")
    if single:
        urls, shown = [single], {"StreamURL": single}
        return _checked(urls, "StreamURL"), dict[str, object](shown)
    items = _json(several, "MultiStreamURL")
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        raise _invalid("MultiStreamURL")
    return _checked([str(item.get("URL", "")) for item in items], "MultiStreamURL"), {"MultiStreamURL": items}


def _checked(urls: list[str], name: str) -> frozenset[str]:
    if not all(_is_push_url(url) for url in urls) or len(set(urls)) != len(urls):
        raise _invalid(name)
    return frozenset(urls)


def _url_is_taken(request: Request, urls: frozenset[str]) -> bool:
    """Whether a task pushes to one of these URLs, or did less than ten seconds ago."""
    now_s = request.clock.monotonic()
    for task in request.tasks.of_account(request.account):
        ended_s = task.ended_s(now_s)
        if urls & task.stream_urls and (ended_s is None or now_s - ended_s < STREAM_URL_COOL_DOWN_S):
            return True
    return False


def _is_push_url(url: str) -> bool:
    return re.match(r"rtmps?://[^/\s]+/\S+", url) is not None and len(url) <= STREAM_URL_LENGTH_MAX


def _json_object(parameters: Mapping[str, str], name: str) -> Mapping[str, object]:
    value = _json(parameters[name], name)
    if not isinstance(value, dict):
        raise _invalid(name)
    return value


def _json(text: str, name: str) -> object:
    try:
        value: object = json.loads(text)
    except ValueError:
        raise _invalid(name) from None
    return value


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else -1


def _invalid(name: str) -> ApiError:
    return ApiError("InvalidParam", f"Parameter verification failed: {name}.")
