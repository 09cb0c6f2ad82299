"""The settings as the rest of the operator sees them, their defaults, and how they are shown to a person. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Self

from livetask_operator.polling.quota import Limit
from livetask_operator.vendors.contract import State

BLOCKS: Mapping[str, str] = MappingProxyType(
    {"alibabaCloud": "AlibabaCloud", "tencentCloud": "TencentCloud", "huaweiCloud": "HuaweiCloud"}
)
"""A vendor's key in the file, and its name as in `status.vendor`."""

STATUS_CALL_VERSIONS: Mapping[str, str] = MappingProxyType({"alibabaRtc": "2018-01-11", "alibabaLive": "2016-11-01"})
"""The edition that each of Alibaba Cloud's endpoints speaks. Source: vendor-apis.md, sections 1.0 and 1.6."""

LIVE_STATUS_CALLS = Limit(per_second=8)
"""GetMPUTaskStatus of the Live edition, which documents 10 a second; the RTC edition has 4,000 a minute."""

UNDOCUMENTED_CALLS = Limit(per_second=5)
"""Of a call whose limit nobody documents: of Huawei Cloud's, and of a vendor that this file has never heard of."""

# 80 % of the documented limits; Huawei Cloud documents none. Source: vendor-apis.md, section 7.
DEFAULT_QUOTAS: Mapping[str, Mapping[str, Limit]] = MappingProxyType(
    {
        "AlibabaCloud": MappingProxyType(
            {
                "GetMPUTaskStatus": Limit(per_minute=3200),
                "DescribeLiveStreamPreloadTasks": Limit(per_second=8),
                "StopLiveMPUTask": Limit(per_second=400),
            }
        ),
        "TencentCloud": MappingProxyType(
            dict.fromkeys(("DescribeStreamIngest", "StopStreamIngest"), Limit(per_second=16))
        ),
        "HuaweiCloud": MappingProxyType(dict.fromkeys(("ListPullTasks", "DeletePullTask"), UNDOCUMENTED_CALLS)),
    }
)


class Stops(StrEnum):
    """Whether the operator may stop tasks at all."""

    ALLOW = "Allow"
    HOLD = "Hold"
    """No stop call is made; deleted objects wait with `StopsHeld`."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the vendors are asked: `https://host[:port]`, in Huawei Cloud's with or without `{region}`."""

    alibaba_rtc: str = "https://rtc.aliyuncs.com"
    alibaba_live: str = "https://live.aliyuncs.com"
    tencent_trtc: str = "https://trtc.tencentcloudapi.com"
    huawei_live: str = "https://live.{region}.myhuaweicloud.com"


@dataclass(frozen=True, slots=True)
class StatusCall:
    """Which edition of Alibaba Cloud's API is asked for a task's status."""

    endpoint: str = "alibabaRtc"
    """The endpoint's key in the file: alibabaRtc or alibabaLive."""
    version: str = STATUS_CALL_VERSIONS["alibabaRtc"]


@dataclass(frozen=True, slots=True)
class AccountGroup:
    """Keys that the vendor counts together, and the quotas of their account where these are not the usual."""

    name: str
    vendor: str
    """As in `status.vendor`."""
    key_ids: tuple[str, ...]
    """Access key ids; project ids at Huawei Cloud, which counts per project."""
    quotas: Mapping[str, Limit] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of one operator."""

    endpoints: Endpoints = Endpoints()
    alibaba_status_call: StatusCall = StatusCall()
    quotas: Mapping[str, Mapping[str, Limit]] = field(default_factory=lambda: DEFAULT_QUOTAS)
    """By vendor, as in `status.vendor`, and by call; complete."""
    accounts: tuple[AccountGroup, ...] = ()
    status_words: Mapping[str, Mapping[str, State]] = field(default_factory=dict)
    """More words of a vendor, by the vendor as in `status.vendor`, and what they mean."""
    stop_delay_s: int = 0
    stops: Stops = Stops.ALLOW
    cluster_name: str = ""
    object_metrics: bool = True
    """Whether metrics have series of each object and Secret."""

    @classmethod
    def default(cls) -> Self:
        """What holds where there is no file."""
        return cls()

    @property
    def alibaba_status_endpoint(self) -> str:
        """The URL at which Alibaba Cloud is asked for a task's status."""
        by_key = {"alibabaRtc": self.endpoints.alibaba_rtc, "alibabaLive": self.endpoints.alibaba_live}
        return by_key[self.alibaba_status_call.endpoint]

    def account_of(self, vendor: str, key_id: str) -> str:
        """What the vendor counts this key's calls by: the name of its group, or the key id itself."""
        group = self._group(vendor, key_id)
        return key_id if group is None else group.name

    def account_label(self, vendor: str, account: str) -> str:
        """An account as metrics name it: by its group's name, or by a short hash of its key's or project's id."""
        if any(group.vendor == vendor and group.name == account for group in self.accounts):
            return account
        return f"key-{hashlib.sha256(account.encode()).hexdigest()[:12]}"

    def limit(self, vendor: str, account: str, call: str) -> Limit:
        """How often this may be called; `account` is a key id, a project id or what `account_of` said."""
        usual = self.quotas.get(vendor, {}).get(call, UNDOCUMENTED_CALLS)
        group = self._group(vendor, account)
        return usual if group is None else group.quotas.get(call, usual)

    def _group(self, vendor: str, account: str) -> AccountGroup | None:
        for group in self.accounts:
            if group.vendor == vendor and (account in group.key_ids or account == group.name):
                return group
        return None


def describe(config: Config) -> list[str]:
    """The effective settings for a person, a line each; key ids are shortened."""
    return list(_lines(config))


def _lines(config: Config) -> Iterator[str]:
    blocks = {vendor: block for block, vendor in BLOCKS.items()}
    yield f"endpoints.alibabaRtc: {config.endpoints.alibaba_rtc}"
    yield f"endpoints.alibabaLive: {config.endpoints.alibaba_live}"
    yield f"endpoints.tencentTrtc: {config.endpoints.tencent_trtc}"
    yield f"endpoints.huaweiLive: {config.endpoints.huawei_live}"
    call = config.alibaba_status_call
    yield f"alibabaCloud.statusCall: {call.endpoint} ({config.alibaba_status_endpoint}), version {call.version}"
    for vendor, quotas in config.quotas.items():
        for name, limit in quotas.items():
            yield f"quotas.{blocks[vendor]}.{name}: {_in_words(limit)}"
    for group in config.accounts:
        keys = ", ".join(map(_shortened, group.key_ids))
        own = ", ".join(f"{name} {_in_words(limit)}" for name, limit in group.quotas.items())
        yield f"accounts.{group.name}: {blocks[group.vendor]}, keys {keys}; {own or 'the usual quotas'}"
    for vendor, words in config.status_words.items():
        for word, state in words.items():
            yield f"statusWords.{blocks[vendor]}.{word}: {state}"
    yield f"stopDelaySeconds: {config.stop_delay_s}"
    yield f"stops: {config.stops}" + (" (no stop call is made)" if config.stops is Stops.HOLD else "")
    yield f"clusterName: {config.cluster_name or '(none)'}"
    yield f"objectMetrics: {str(config.object_metrics).lower()}"


def _in_words(limit: Limit) -> str:
    a_second = None if limit.per_second is None else f"{limit.per_second:g} a second"
    a_minute = None if limit.per_minute is None else f"{limit.per_minute} a minute"
    return " and ".join(filter(None, (a_second, a_minute)))


def _shortened(key_id: str) -> str:
    """Enough of a key id to tell one's own keys apart."""
    return f"{key_id[:4]}...{key_id[-2:]}" if len(key_id) >= 12 else f"{key_id[:2]}..."
