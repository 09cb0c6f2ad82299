"""From the YAML file to the settings: what may be written in it, and what is said of what may not.

Every fault is one line that names the file, the key and what to do. Endpoints are never shown: one may hold a password.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from livetask_operator.config.endpoint import endpoint
from livetask_operator.config.settings import (
    BLOCKS,
    DEFAULT_QUOTAS,
    LIVE_STATUS_CALLS,
    STATUS_CALL_VERSIONS,
    AccountGroup,
    Config,
    Endpoints,
    StatusCall,
    Stops,
)
from livetask_operator.config.strict_yaml import Fault, below, read, shown
from livetask_operator.polling.quota import Limit
from livetask_operator.vendors.contract import State

MAX_STOP_DELAY_S = 3600
QUOTA_MIN_PER_SECOND = 0.01
QUOTA_MAX_PER_SECOND = 10_000
QUOTA_MAX_PER_MINUTE = 60 * QUOTA_MAX_PER_SECOND

VERSION = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
ACCOUNT_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
WORD = re.compile(r"[!-~]{1,128}")
CLUSTER_NAME = re.compile(r"[A-Za-z0-9._:/@-]{0,128}")  # part of a User-Agent; an EKS cluster's ARN fits

WORD_STATES = (State.PENDING, State.RUNNING, State.PAUSED, State.STOPPED, State.FAILED)
DOCUMENTED_WORDS: Mapping[str, frozenset[str]] = {
    # With another meaning, a broadcast that runs could be taken for one that has ended. Huawei Cloud documents none.
    "alibabaCloud": frozenset("0123456"),
    "tencentCloud": frozenset({"InProgress", "NotExist"}),
    "huaweiCloud": frozenset(),
}


class ConfigError(ValueError):
    """A configuration that cannot be used. One line: the file, the key, what to do."""


def load(path: Path) -> Config:
    """The settings in a file. Raises ConfigError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{shown(path, 300)}: is not UTF-8; save it as UTF-8") from None
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        problem = (getattr(error, "strerror", None) or "not a path").lower()
        raise ConfigError(f"{shown(path, 300)}: cannot be read ({problem}); check --config") from None
    return parse(text, str(path))


def parse(text: str, name: str) -> Config:
    """The settings in a text; `name` is the file's, for the error. Raises ConfigError."""
    try:
        return _config(read(text))
    except Fault as fault:
        raise ConfigError(f"{shown(name, 300)}: {fault}") from None


def _config(document: object) -> Config:
    keys = (
        "endpoints",
        "alibabaCloud",
        "quotas",
        "accounts",
        "statusWords",
        "stopDelaySeconds",
        "stops",
        "clusterName",
        "objectMetrics",
    )
    top = _section(document, "", keys)
    status_call = _status_call(top.get("alibabaCloud"))
    return Config(
        endpoints=_endpoints(top.get("endpoints")),
        alibaba_status_call=status_call,
        quotas=_quotas(top.get("quotas"), status_call),
        accounts=_accounts(top.get("accounts")),
        status_words=_status_words(top.get("statusWords")),
        stop_delay_s=_stop_delay(top),
        stops=Stops(_choice(top.get("stops", Stops.ALLOW.value), "stops", [stops.value for stops in Stops])),
        cluster_name=_text(
            top.get("clusterName", ""), "clusterName", CLUSTER_NAME, "letters, digits and ._:/@- (128 at most)"
        ),
        object_metrics=_flag(top, "objectMetrics", usual=True),
    )


def _endpoints(value: object) -> Endpoints:
    fields = {
        "alibabaRtc": "alibaba_rtc",
        "alibabaLive": "alibaba_live",
        "tencentTrtc": "tencent_trtc",
        "huaweiLive": "huawei_live",
    }
    given = _section(value, "endpoints", fields)
    return Endpoints(
        **{
            fields[key]: endpoint(url, below("endpoints", key), may_have_region=key == "huaweiLive")
            for key, url in given.items()
        }
    )


def _status_call(value: object) -> StatusCall:
    path = "alibabaCloud.statusCall"
    block = _section(value, "alibabaCloud", ("statusCall",))
    call = _section(block.get("statusCall"), path, ("endpoint", "version"))
    where = _choice(call.get("endpoint", StatusCall().endpoint), f"{path}.endpoint", STATUS_CALL_VERSIONS)
    version = call.get("version", STATUS_CALL_VERSIONS[where])
    return StatusCall(where, _text(version, f"{path}.version", VERSION, "a date such as 2018-01-11"))


def _quotas(value: object, status_call: StatusCall) -> Mapping[str, Mapping[str, Limit]]:
    given = _section(value, "quotas", BLOCKS)
    quotas = {vendor: dict(calls) for vendor, calls in DEFAULT_QUOTAS.items()}
    if status_call.endpoint == "alibabaLive":
        quotas["AlibabaCloud"]["GetMPUTaskStatus"] = LIVE_STATUS_CALLS
    for block, vendor in BLOCKS.items():
        quotas[vendor] |= _calls(given.get(block), below("quotas", block), vendor)
    return quotas


def _calls(value: object, path: str, vendor: str) -> dict[str, Limit]:
    given = _section(value, path, DEFAULT_QUOTAS[vendor])
    return {call: _limit(limit, below(path, call)) for call, limit in given.items()}


def _limit(value: object, path: str) -> Limit:
    """A number is one of requests a second; a vendor that counts by the minute needs the other form."""
    if not isinstance(value, dict):
        return Limit(per_second=_per_second(value, path, " or {perSecond: ..., perMinute: ...}"))
    given = _section(value, path, ("perSecond", "perMinute"))
    if not given:
        raise Fault(path, "is empty; write {perSecond: ...}, {perMinute: ...} or both")
    return Limit(
        per_second=_per_second(given["perSecond"], f"{path}.perSecond") if "perSecond" in given else None,
        per_minute=_per_minute(given["perMinute"], f"{path}.perMinute") if "perMinute" in given else None,
    )


def _accounts(value: object) -> tuple[AccountGroup, ...]:
    groups = []
    names: dict[str, str] = {}
    owners: dict[tuple[str, str], str] = {}
    for path, item in _items(value, "accounts"):
        group = _account(item, path)
        if group.name in names:
            raise Fault(f"{path}.name", f"is {group.name}, as {names[group.name]} is; give each account its own")
        names[group.name] = path
        for place, key_id in zip(
            (f"{path}.keyIds[{index}]" for index in range(len(group.key_ids))), group.key_ids, strict=True
        ):
            owner = owners.setdefault((group.vendor, key_id), place)
            if owner != place:
                raise Fault(place, f"is the key id of {owner} too; a key belongs to one account, remove one of them")
        groups.append(group)
    return tuple(groups)


def _account(value: object, path: str) -> AccountGroup:
    given = _section(value, path, ("name", "vendor", "keyIds", "quotas"))
    for key in ("name", "vendor", "keyIds"):
        if key not in given:
            raise Fault(below(path, key), "is missing; an account has a name, a vendor and keyIds")
    vendor = BLOCKS[_choice(given["vendor"], f"{path}.vendor", BLOCKS)]
    key_ids = tuple(
        _text(key_id, place, KEY_ID, "letters, digits and ._- (128 at most)")
        for place, key_id in _items(given["keyIds"], f"{path}.keyIds")
    )
    if not key_ids:
        raise Fault(f"{path}.keyIds", "is empty; list the key ids, or remove the account")
    return AccountGroup(
        name=_text(given["name"], f"{path}.name", ACCOUNT_NAME, "letters, digits and ._- (63 at most)"),
        vendor=vendor,
        key_ids=key_ids,
        quotas=_calls(given.get("quotas"), f"{path}.quotas", vendor),
    )


def _status_words(value: object) -> Mapping[str, Mapping[str, State]]:
    given = _section(value, "statusWords", BLOCKS)
    words = {BLOCKS[block]: _words(given[block], block) for block in BLOCKS if block in given}
    return {vendor: table for vendor, table in words.items() if table}


def _words(value: object, block: str) -> Mapping[str, State]:
    path = below("statusWords", block)
    words: dict[str, State] = {}
    for key, state in _mapping(value, path).items():
        # Alibaba Cloud's words are numbers; yes, no, on, off and null are not text in YAML either.
        if isinstance(key, bool) or not isinstance(key, str | int):
            raise Fault(path, f"has a word that YAML takes for {_kind(key)}; put it in quotes")
        word = _text(
            _digits(key) if isinstance(key, int) else key, path, WORD, "words of printable characters without spaces"
        )
        if word in words:
            raise Fault(f"{path}.{word}", "is given twice; keep one")
        if word in DOCUMENTED_WORDS[block]:
            raise Fault(f"{path}.{word}", "is a documented word, whose meaning is fixed; remove it")
        words[word] = State(_choice(state, f"{path}.{word}", [each.value for each in WORD_STATES]))
    return words


def _stop_delay(top: Mapping[str, object]) -> int:
    value = top.get("stopDelaySeconds", 0)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_STOP_DELAY_S:
        raise Fault("stopDelaySeconds", f"is {_kind(value)}; write whole seconds from 0 to {MAX_STOP_DELAY_S}")
    return value


def _flag(top: Mapping[str, object], key: str, *, usual: bool) -> bool:
    value = top.get(key, usual)
    if not isinstance(value, bool):
        raise Fault(key, f"is {_kind(value)}; write true or false")
    return value


def _per_second(value: object, path: str, or_else: str = "") -> float:
    advice = f"write requests per second, from {QUOTA_MIN_PER_SECOND:g} to {QUOTA_MAX_PER_SECOND}{or_else}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Fault(path, f"is {_kind(value)}; {advice}")
    if not QUOTA_MIN_PER_SECOND <= value <= QUOTA_MAX_PER_SECOND:  # false for a NaN too
        raise Fault(path, f"is {_kind(value)}; {advice}")
    return float(value)


def _per_minute(value: object, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= QUOTA_MAX_PER_MINUTE:
        raise Fault(path, f"is {_kind(value)}; write requests per minute, whole, from 1 to {QUOTA_MAX_PER_MINUTE}")
    return value


def _section(value: object, path: str, known: Collection[str]) -> Mapping[str, object]:
    """A mapping of known keys. Empty is as good as absent: what is under it may have been commented out."""
    given: dict[str, object] = {}
    for key, item in _mapping(value, path).items():
        if key not in known:
            raise Fault(
                below(path, str(key) if isinstance(key, str) else _kind(key)), f"is not a setting; {_guess(key, known)}"
            )
        given[str(key)] = item
    return given


def _mapping(value: object, path: str) -> Mapping[object, object]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Fault(path, f"is {_kind(value)}; write keys with values, as in `key: value`")
    return value


def _items(value: object, path: str) -> Iterator[tuple[str, object]]:
    if value is None:
        return
    if not isinstance(value, list):
        raise Fault(path, f"is {_kind(value)}; write a list, as in `- item`")
    for index, item in enumerate(value):
        yield below(path, index), item


def _choice(value: object, path: str, known: Collection[str]) -> str:
    if not isinstance(value, str) or value not in known:
        raise Fault(path, f"is {_kind(value)}; {_guess(value, known)}")
    return value


def _text(value: object, path: str, pattern: re.Pattern[str], what: str) -> str:
    if not isinstance(value, str):
        raise Fault(path, f"is {_kind(value)}; write {what}, in quotes")
    if not pattern.fullmatch(value):
        raise Fault(path, f"is {_kind(value)}; write {what}")
    return value


def _guess(given: object, known: Collection[str]) -> str:
    by_lower = {each.lower(): each for each in known}
    near = difflib.get_close_matches(given.lower(), by_lower, n=1) if isinstance(given, str) else []
    return f"did you mean {by_lower[near[0]]}?" if near else f"choose of {', '.join(known)}"


def _kind(value: object) -> str:
    """What a value is, for people."""
    match value:
        case None:
            return "empty"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return _digits(value)
        case str():
            return f"'{shown(value)}'"
        case list():
            return "a list"
        case dict():
            return "a mapping"
    return f"a {type(value).__name__}"


def _digits(number: float) -> str:
    """A number in digits, unless there are too many for a person."""
    if isinstance(number, float) and math.isnan(number):
        return "not a number"
    return str(number) if abs(number) < 10**15 else "a very large number"
