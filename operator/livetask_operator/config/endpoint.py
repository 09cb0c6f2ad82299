"""What may be a vendor's endpoint: the one place that decides where signed requests can go."""

from __future__ import annotations

import ipaddress
import re

from livetask_operator.config.strict_yaml import Fault

URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.{}-]{1,253})(?::(?P<port>[0-9]{1,5}))?"
)
LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
REGION = "{region}"
ANY_REGION = "cn-north-4"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def endpoint(value: object, path: str, *, may_have_region: bool) -> str:
    """The URL as it was given. Raises Fault, which does not show it: somebody may have put a password in.

    http is for a loopback host alone. `{region}` comes from a resource, so it must not choose whose host is asked:
    two labels at least follow the one that it is in.
    """
    match = URL.fullmatch(value) if isinstance(value, str) else None
    if match is None or not isinstance(value, str):
        raise Fault(path, "is not an endpoint; write https://host or https://host:port, without user, path or query")
    host = match["host"]
    if REGION in host:
        if not may_have_region:
            raise Fault(path, "has a {region}, which only huaweiLive may have; write the host itself")
        if host.count(REGION) > 1 or host.partition(REGION)[2].count(".") < 2:
            raise Fault(path, "lets a region choose the domain; write it as in https://live.{region}.example.com")
        host = host.replace(REGION, ANY_REGION)
    address = _address(host)
    if address is None and not _is_name(host):
        raise Fault(path, "has no valid host name or address; write it as in https://live.example.com")
    if match["port"] is not None and not 1 <= int(match["port"]) <= 65535:
        raise Fault(path, "has no valid port; write one from 1 to 65535, or none")
    if match["scheme"] == "http" and not _is_loopback(host, address):
        raise Fault(path, "is http, which is for 127.0.0.1, [::1] and localhost alone; write https")
    return value


def _address(host: str) -> Address | None:
    try:
        return ipaddress.IPv6Address(host[1:-1]) if host.startswith("[") else ipaddress.IPv4Address(host)
    except ValueError:
        return None


def _is_name(host: str) -> bool:
    labels = host.split(".")
    return len(host) <= 253 and all(map(LABEL.fullmatch, labels)) and not labels[-1].isdigit()


def _is_loopback(host: str, address: Address | None) -> bool:
    match address:
        case ipaddress.IPv4Address():
            return address.is_loopback
        case ipaddress.IPv6Address():
            return address == ipaddress.IPv6Address("::1")
    return host.lower() == "localhost"
