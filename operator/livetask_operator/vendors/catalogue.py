"""The vendors there are. A new one is a folder beside this file and an entry here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from uuid import uuid4

from livetask_operator.vendors.alibaba.preload import AlibabaPreload
from livetask_operator.vendors.alibaba.relay import AlibabaRelay
from livetask_operator.vendors.alibaba.rpc import Edition
from livetask_operator.vendors.contract import PreloadVendor, RelayVendor, State
from livetask_operator.vendors.huawei.relay import HuaweiRelay
from livetask_operator.vendors.tencent.relay import TencentRelay
from livetask_operator.vendors.transport import Transport

RTC_ENDPOINT = "https://rtc.aliyuncs.com"
LIVE_ENDPOINT = "https://live.aliyuncs.com"
TRTC_ENDPOINT = "https://trtc.tencentcloudapi.com"
HUAWEI_LIVE_ENDPOINT = "https://live.{region}.myhuaweicloud.com"
RTC_VERSION = "2018-01-11"


def _now() -> datetime:
    return datetime.now(UTC)


def _nonce() -> str:
    return uuid4().hex


def relay_vendors(
    transport: Transport,
    *,
    alibaba_status_endpoint: str = RTC_ENDPOINT,
    alibaba_status_version: str = RTC_VERSION,
    alibaba_live_endpoint: str = LIVE_ENDPOINT,
    tencent_endpoint: str = TRTC_ENDPOINT,
    huawei_endpoint: str = HUAWEI_LIVE_ENDPOINT,
    status_words: Mapping[str, Mapping[str, State]] | None = None,
    clock: Callable[[], datetime] = _now,
    nonce: Callable[[], str] = _nonce,
) -> Mapping[str, RelayVendor]:
    """Every vendor by its name in `status.vendor`.

    Endpoints are `https://host[:port]`, Huawei Cloud's with or without `{region}`; `status_words` are more words of a
    vendor, by its name, and what they mean; `clock` gives aware times, `nonce` a word never used before.
    """
    words = status_words or {}
    status_call = Edition(alibaba_status_endpoint, alibaba_status_version)
    vendors: list[RelayVendor] = [
        AlibabaRelay(
            transport,
            look_at=status_call,
            stop_endpoint=alibaba_live_endpoint,
            clock=clock,
            nonce=nonce,
            status_words=words.get(AlibabaRelay.name),
        ),
        TencentRelay(transport, endpoint=tencent_endpoint, clock=clock, status_words=words.get(TencentRelay.name)),
        HuaweiRelay(transport, endpoint=huawei_endpoint, clock=clock, status_words=words.get(HuaweiRelay.name)),
    ]
    return {vendor.name: vendor for vendor in vendors}


def preload_vendors(
    transport: Transport,
    *,
    alibaba_live_endpoint: str = LIVE_ENDPOINT,
    clock: Callable[[], datetime] = _now,
    nonce: Callable[[], str] = _nonce,
) -> Mapping[str, PreloadVendor]:
    """Every vendor that preloads, by its name. Endpoint, clock and nonce as for `relay_vendors`."""
    vendors: list[PreloadVendor] = [
        AlibabaPreload(transport, endpoint=alibaba_live_endpoint, clock=clock, nonce=nonce),
    ]
    return {vendor.name: vendor for vendor in vendors}
