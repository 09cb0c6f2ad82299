"""The one HTTP client of all vendors: bounded in time and size, and what can go wrong on the way as vendor errors.

It is apart from the vendors because none of this differs between them, and because here alone signed headers meet
libraries whose exceptions quote what was sent. No exception of theirs leaves this file, not even as a cause.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import TracebackType
from typing import Self
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx
import yarl
from aiohttp.abc import AbstractStreamWriter
from aiohttp.connector import Connection

from livetask_operator.vendors.contract import (
    CALL_TIMEOUT_S,
    MAX_ANSWER_BYTES,
    EndpointNotFound,
    InvalidResponse,
    NotSent,
    VendorError,
    VendorUnavailable,
    check_guard,
    weigh,
)

MAX_CONNECTIONS_PER_HOST = 192
"""More than one account may have under way at a time, as accounts share a vendor's host."""

MAX_CONNECTIONS = 768
"""All hosts together: each vendor's can hang without using up the others'. Below the 1,024 files that a process may
open by the usual limit."""

KEEPALIVE_S = 75.0
"""Longer than the usual poll interval (30 and 60 s), so that a lone object does not shake hands at every poll."""

NO_SUCH_HOST = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
"""What DNS says of a name that does not exist. All else, EAI_AGAIN first, may pass."""


class NoTrust(Exception):
    """The authorities that SSL_CERT_FILE names cannot be had. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Request:
    """A signed request. Its repr shows neither headers nor body."""

    method: str
    url: str
    """Goes over the wire byte for byte: it is what was signed."""
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, whatever its status but a redirect. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """Sends requests. One for the whole process; closed by `aclose` or by leaving its context.

    user_agent: `livetask-operator/<version> (<clusterName>)`.
    timeout_s, max_answer_bytes: what one call may take, all included.
    http: stands in for the network, for tests; what a request asks for is in its extension `target`, as httpx calls it.
    Raises NoTrust.
    """

    def __init__(
        self,
        user_agent: str,
        *,
        timeout_s: float = CALL_TIMEOUT_S,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        http: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._timeout_s = timeout_s
        self._max_answer_bytes = max_answer_bytes
        # A client's own headers go only with requests that it builds; ours come signed and ready.
        self._headers = {"User-Agent": user_agent, "Accept-Encoding": "identity"}
        # No client before it: that parses each URL, keeps cookies and reads headers over, for half of a call's CPU.
        self._http = http or _SignedUrlTransport()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes all connections."""
        await self._http.aclose()

    def deadline(self) -> float:
        """The event loop's time by which a call that starts now has ended: for a vendor who must ask twice."""
        return asyncio.get_running_loop().time() + self._timeout_s

    async def send(self, request: Request, deadline: float | None = None) -> Answer:
        """Sends one request, once, and reads the whole answer.

        Raises EndpointNotFound, VendorUnavailable or InvalidResponse. None of them says that nothing was sent: aiohttp
        reports a connection that broke after the request just as one that was never made. NotSent does say so: the
        guard that the contract has was against it.
        """
        try:
            async with asyncio.timeout_at(self.deadline() if deadline is None else deadline):
                return await self._exchange(request)
        except NotSent:
            raise
        except VendorError as error:
            # Errors are kept, and in cycles: their frames would keep a megabyte of an answer that was too long.
            fault = error.with_traceback(None)
        except TimeoutError:
            fault = VendorUnavailable(f"{_host(request)} did not answer within {self._timeout_s:g} seconds")
        except Exception as error:
            fault = _fault(error, _host(request))
        # Raised out here, where no exception is being handled: so it has no context that quotes headers.
        raise fault

    async def _exchange(self, request: Request) -> Answer:
        server, target = _split(request.url)
        sent = httpx.Request(
            request.method,
            server_at(server),
            headers={**self._headers, **request.headers},
            stream=httpx.ByteStream(request.body),  # with `content` all headers were read over twice
            extensions={"target": target.encode("ascii")},
        )
        check_guard()
        response = await self._http.handle_async_request(sent)
        try:
            headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers.raw}
            if 300 <= response.status_code < 400:
                raise InvalidResponse(f"{_host(request)} answered with a redirect, which is never followed")
            if headers.get("content-encoding", "identity").lower() != "identity":
                raise InvalidResponse(f"{_host(request)} sent a compressed answer, which was not asked for")
            body = bytearray()
            assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - for the type checker
            try:
                async for chunk in response.stream:
                    body += chunk
                    if len(body) > self._max_answer_bytes:
                        raise InvalidResponse(
                            f"{_host(request)} sent an answer larger than {self._max_answer_bytes} bytes"
                        )
            finally:
                weigh(len(body))
            return Answer(response.status_code, headers, bytes(body))
        finally:
            await response.aclose()


def _split(url: str) -> tuple[str, str]:
    """A URL's `scheme://host[:port]`, and all that follows."""
    at = url.find("/", url.index("://") + 3)
    return (url, "/") if at < 0 else (url[:at], url[at:])


@lru_cache(maxsize=64)
def server_at(server: str) -> httpx.URL:
    """A `scheme://host[:port]`, parsed once: a vendor has few, and what else is asked need not be parsed to be sent."""
    return httpx.URL(server)


def _host(request: Request) -> str:
    """The host for people, with its port where it is not the scheme's own."""
    return server_at(_split(request.url)[0]).netloc.decode()


def _fault(error: BaseException, host: str) -> VendorError:
    """What a failed exchange is to the operator, in our words: the libraries' own may quote headers."""
    causes = list(_causes(error))
    for cause in causes:
        match cause:
            case aiohttp.ClientConnectorDNSError():
                return _name_fault(cause, host)
            case ssl.SSLCertVerificationError() | aiohttp.ClientConnectorCertificateError():
                return VendorUnavailable(
                    f"the TLS certificate of {host} is not trusted (SSL_CERT_FILE names other authorities)"
                )
            case aiohttp.ClientProxyConnectionError() | aiohttp.ClientHttpProxyError():
                return VendorUnavailable(f"the proxy to {host}, from HTTPS_PROXY, refuses or cannot be reached")
            case aiohttp.ClientSSLError() | ssl.SSLError():
                return VendorUnavailable(f"TLS with {host} failed")
            case aiohttp.ClientPayloadError():
                return InvalidResponse(f"the answer of {host} broke off before its end")
            case aiohttp.ClientResponseError():
                return InvalidResponse(f"{host} answered with something that is not HTTP")
    if any(isinstance(cause, OSError | httpx.TransportError | aiohttp.ClientConnectionError) for cause in causes):
        return VendorUnavailable(f"the connection to {host} was refused or broke")
    return InvalidResponse(f"the answer of {host} cannot be read ({type(error).__name__})")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and what caused it, outermost first."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _name_fault(error: aiohttp.ClientConnectorDNSError, host: str) -> VendorError:
    name = error.host
    if error.os_error.errno not in NO_SUCH_HOST:
        return VendorUnavailable(f"DNS did not resolve {name}")
    if name == httpx.URL(f"//{host}").host:
        return EndpointNotFound(f"DNS knows no {name}")
    return EndpointNotFound(f"DNS knows no {name}, the proxy that HTTPS_PROXY names")


def _trust() -> ssl.SSLContext:
    """Everything is verified, by the usual authorities or those of SSL_CERT_FILE or SSL_CERT_DIR. Raises NoTrust."""
    try:
        return httpx.create_ssl_context(trust_env=True)
    except OSError as error:  # an ssl.SSLError, too
        words = (error.strerror or str(error)).lower()
        raise NoTrust(
            f"SSL_CERT_FILE names {os.environ.get('SSL_CERT_FILE')}, which cannot be used ({words}); "
            "put the authorities' certificates there, in PEM, or unset it"
        ) from None


class _AnswerLost(aiohttp.ClientConnectionError):
    """A connection broke after it was made, whatever had been sent by then."""


async def _once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Sends a request once.

    Left alone, aiohttp sends a GET or a DELETE again when its connection broke: a call that nobody counted, or a stop
    that nobody decided on. It does so for two of its own errors alone.
    """
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        raise  # never connected, which aiohttp does not try again
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _AnswerLost from error


class _CleanConnections(aiohttp.TCPConnector):
    """Connections on which nothing is left from before.

    aiohttp takes what came on a connection while it lay idle for the answer to the next request: another task's, or
    another account's. All that come after it on that connection would be shifted by one.
    """

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[aiohttp.tracing.Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - as aiohttp calls it
    ) -> aiohttp.connector.Connection:
        while True:
            connection = await super().connect(req, traces, timeout)
            if connection.protocol is None or not connection.protocol.should_close:
                return connection
            connection.close()


class _Guarded(aiohttp.ClientRequest):
    """A request that passes the contract's guard when its connection is there, in the step that writes it out.

    aiohttp writes a request without a body in `send`, and one with a body in `write_bytes`, which may run later.
    """

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        check_guard()
        return await super().send(conn)

    async def write_bytes(
        self, writer: AbstractStreamWriter, conn: Connection, content_length: int | None = None
    ) -> None:
        try:
            check_guard()
        except NotSent as not_sent:  # nobody waits for this: it is told to who waits for the answer
            if conn.protocol is not None:
                conn.protocol.set_exception(not_sent)
            conn.close()
        else:
            await super().write_bytes(writer, conn, content_length)


class _SignedUrlTransport(httpx.AsyncBaseTransport):
    """httpx's transport on aiohttp's connections, which cost a seventh of those of its own.

    A URL goes out as it was signed: left alone, yarl turns `%2A` into `*` and `%2F` into `/`. The session does not
    trust the environment: aiohttp would read `.netrc` in a thread for each request, and refuse a signed request to a
    host that is named there. The one thing wanted of the environment, the proxy, is found here.
    """

    def __init__(self) -> None:
        self._tls = _trust()
        self._proxy = getproxies().get("https")
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._session is None:
            self._session = self._opened()
        assert isinstance(request.stream, httpx.AsyncByteStream)  # noqa: S101 - for the type checker
        body = b"".join([chunk async for chunk in request.stream])
        url, target = request.url, request.extensions["target"].decode("ascii")
        answer = await self._session.request(
            request.method,
            yarl.URL(f"{url.scheme}://{url.netloc.decode()}{target}", encoded=True),
            headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw],
            data=body or None,
            allow_redirects=False,
            auto_decompress=False,
            proxy=self._proxy_to(url),
        )
        return httpx.Response(answer.status, headers=list(answer.raw_headers), stream=_Body(answer))

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        """The session, opened at the first request, as it needs a running loop."""
        return aiohttp.ClientSession(
            connector=_CleanConnections(
                ssl=self._tls,
                limit=MAX_CONNECTIONS,
                limit_per_host=MAX_CONNECTIONS_PER_HOST,
                keepalive_timeout=KEEPALIVE_S,
            ),
            # One account's cookies must not go with the next account's request.
            cookie_jar=aiohttp.DummyCookieJar(),
            # A type for a body that is not there was not signed.
            skip_auto_headers=("Content-Type", "Accept"),
            middlewares=(_once,),
            request_class=_Guarded,
            timeout=aiohttp.ClientTimeout(),  # none: send() has one over the whole call
        )

    def _proxy_to(self, url: httpx.URL) -> str | None:
        """HTTPS_PROXY, unless NO_PROXY names the host. Plain http is for loopback alone and takes no proxy."""
        if self._proxy is None or url.scheme != "https" or proxy_bypass(url.host):
            return None
        return self._proxy


class _Body(httpx.AsyncByteStream):
    """The rest of an answer, as it comes."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._answer.content.iter_any():
            yield chunk

    async def aclose(self) -> None:
        self._answer.release()
