"""One HTTP GET of a port inside a Pod, through the API server and the kubelet, as `kubectl port-forward` goes.

Not by the API server's proxy to Pods: that comes from outside the Pod, and the operator's NetworkPolicy lets in nobody
but the monitoring. This ends inside the Pod. It needs `pods/portforward`, which Kubernetes' own role `edit` has.
"""

from __future__ import annotations

import asyncio
import io
import socket
from http.client import HTTPException, HTTPResponse
from typing import cast

import aiohttp
from kubernetes.aio import client
from yarl import URL

from livetask_operator.kube.api import ObjectGone, Refused, Unavailable

PROTOCOL = "v4.channel.k8s.io"
DATA, ERROR = 0, 1
"""The channels of the one port that is asked for; each begins with its number, in two bytes."""
MAX_ANSWER_BYTES = 64 * 1024
TIMEOUT_S = 10.0


async def get(api: client.ApiClient, namespace: str, pod: str, port: int, path: str) -> tuple[int, bytes]:
    """What the port answers: the HTTP status and the body. Raises Refused, ObjectGone, Unavailable."""
    what = f"port-forward to Pod {namespace}/{pod}"
    url = URL(api.configuration.host) / f"api/v1/namespaces/{namespace}/pods/{pod}/portforward" % {"ports": str(port)}
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return _parsed(what, await _exchange(api, what, url, port, path))
    except aiohttp.WSServerHandshakeError as error:
        of_us = {403: Refused, 404: ObjectGone}.get(error.status, Unavailable)
        raise of_us(f"{what}: {error.status} {error.message}") from None
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise Unavailable(f"{what}: {type(error).__name__}") from None


async def _exchange(api: client.ApiClient, what: str, url: URL, port: int, path: str) -> bytes:
    configuration, tls = api.configuration, api.rest_client.ssl_context
    settings = (await configuration.auth_settings()).values()
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls), proxy=configuration.proxy or None) as session,
        session.ws_connect(
            url, protocols=[PROTOCOL], headers={each["key"]: each["value"] for each in settings}
        ) as forwarded,
    ):
        request = f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"
        await forwarded.send_bytes(bytes([DATA]) + request.encode("ascii"))
        begun: set[int] = set()
        answer = bytearray()
        async for message in forwarded:
            if message.type is not aiohttp.WSMsgType.BINARY or not message.data:
                continue
            channel, content = message.data[0], message.data[1:]
            if channel not in begun:
                begun.add(channel)
                content = content[2:]
            if channel == ERROR and content:
                raise Unavailable(f"{what}: the kubelet says {content.decode(errors='replace').strip()[:200]}")
            answer += content if channel == DATA else b""
            if len(answer) > MAX_ANSWER_BYTES:
                raise Unavailable(f"{what}: the answer is too long")
            if _is_whole(answer):
                break
        return bytes(answer)


def _is_whole(answer: bytes | bytearray) -> bool:
    """Whether all that the head announces is there: a kubelet may keep the line open after the other end was closed."""
    head, blank, body = bytes(answer).partition(b"\r\n\r\n")
    lengths = [line.partition(b":")[2] for line in head.lower().splitlines() if line.startswith(b"content-length:")]
    return bool(blank and lengths) and lengths[0].strip().isdigit() and len(body) >= int(lengths[0])


class _Read:
    """What was read, for who expects a socket."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def makefile(self, *_: object) -> io.BytesIO:
        return io.BytesIO(self._answer)


def _parsed(what: str, answer: bytes) -> tuple[int, bytes]:
    response = HTTPResponse(cast(socket.socket, _Read(answer)))
    try:
        response.begin()
        return response.status, response.read()
    except (HTTPException, ValueError) as error:
        raise Unavailable(f"{what}: what answers there speaks no HTTP ({type(error).__name__})") from None
