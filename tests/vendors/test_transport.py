"""The one HTTP client against real sockets that behave badly, and what it makes of them."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
import ssl
import traceback
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvloop

from livetask_operator.vendors.contract import (
    EndpointNotFound,
    InvalidResponse,
    VendorError,
    VendorUnavailable,
    weighed,
)
from livetask_operator.vendors.transport import Request, Transport
from tests.controlplane.certificates import Authority
from tests.vendors.peers import (
    Behaviour,
    answers,
    drips,
    floods,
    hangs,
    hangs_up,
    peer,
    resets,
    says,
)

USER_AGENT = "livetask-operator/0.1.0 (test)"
SHORT_S = 0.2


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    async with Transport(USER_AGENT) as transport:
        yield transport


def request_to(url: str) -> Request:
    return Request("POST", f"{url}/?AppId=app", {"authorization": "signed"})


async def fault_of(behave: Behaviour, timeout_s: float = 5.0) -> VendorError:
    async with peer(behave) as vendor, Transport(USER_AGENT, timeout_s=timeout_s) as transport:
        with pytest.raises(VendorError) as caught:
            await transport.send(request_to(vendor.url))
    return caught.value


async def test_a_request_goes_out_byte_for_byte_as_it_was_signed(transport: Transport) -> None:
    query = "a=%20b%2A~%2B%2F%E6%B5%81&%C3%A9=1&x=~&q=%27%28%29%3A%40%3F%21%24&c=a%2Cb%3B%3D%26&empty="
    async with peer(answers(b"{}")) as vendor:
        await transport.send(Request("POST", f"{vendor.url}/?{query}", {"host": f"127.0.0.1:{vendor.port}"}))

        assert vendor.target == f"/?{query}"
        assert vendor.header("Host") == f"127.0.0.1:{vendor.port}"


async def test_nothing_is_added_that_could_have_had_to_be_signed(transport: Transport) -> None:
    async with peer(answers(b"{}")) as vendor:
        await transport.send(request_to(vendor.url))

        sent = {line.split(":")[0].lower() for line in vendor.heads[0].decode().split("\r\n")[1:] if line}
        assert sent == {"host", "content-length", "user-agent", "accept-encoding", "authorization"}
        assert vendor.header("Content-Length") == "0"
        assert vendor.header("User-Agent") == USER_AGENT
        assert vendor.header("Accept-Encoding") == "identity"


async def test_a_body_is_sent_as_it_is(transport: Transport) -> None:
    received = bytearray()

    async def reads(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.extend(await reader.readexactly(9))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with peer(reads) as vendor:
        sent = Request("POST", f"{vendor.url}/", {"content-type": "application/json"}, b'{"a": 1}\n')
        await transport.send(sent)

        assert received == b'{"a": 1}\n'
        assert vendor.header("Content-Type") == "application/json"


async def test_an_answer_is_handed_over_whatever_its_status(transport: Transport) -> None:
    async with peer(answers(b"no such task", "404 Not Found", "X-Acs-Request-Id: r1")) as vendor:
        answer = await transport.send(request_to(vendor.url))

        assert (answer.status, answer.body, answer.headers["x-acs-request-id"]) == (404, b"no such task", "r1")


async def test_connections_are_used_again(transport: Transport) -> None:
    async with peer(answers(b"{}")) as vendor:
        for _ in range(3):
            await transport.send(request_to(vendor.url))

        assert (len(vendor.heads), vendor.connections) == (3, 1)


async def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next_ones(transport: Transport) -> None:
    writers: list[asyncio.StreamWriter] = []

    async def counts(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await answers(f"answer {len(writers)}".encode())(reader, writer)

    async def meanwhile(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers[-1].write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray")
        await answers(b"{}")(reader, writer)

    async with peer(counts) as vendor, peer(meanwhile) as another:
        said = []
        for _ in range(3):
            said.append((await transport.send(request_to(vendor.url))).body)
            await transport.send(request_to(another.url))  # the vendor's connection lies idle

    assert said == [b"answer 1", b"answer 2", b"answer 3"]


async def test_a_cookie_of_one_account_does_not_go_with_the_next_request(transport: Transport) -> None:
    async with peer(answers(b"{}", "200 OK", "Set-Cookie: session=one; Path=/")) as vendor:
        await transport.send(request_to(vendor.url))
        await transport.send(request_to(vendor.url))

        assert vendor.header("Cookie") is None


async def test_a_redirect_is_not_followed(transport: Transport) -> None:
    async with peer(answers(b"{}")) as elsewhere:
        async with peer(answers(b"", "307 Temporary Redirect", f"Location: {elsewhere.url}/")) as vendor:
            with pytest.raises(InvalidResponse, match="redirect"):
                await transport.send(request_to(vendor.url))

        assert elsewhere.heads == []


async def test_a_compressed_answer_is_refused_unread() -> None:
    bomb = gzip.compress(b" " * 10_000_000)

    fault = await fault_of(answers(bomb, "200 OK", "Content-Encoding: gzip"))

    assert isinstance(fault, InvalidResponse)
    assert "compressed" in fault.detail


async def test_a_huge_answer_is_cut_off_at_the_limit() -> None:
    fault = await fault_of(floods)

    assert isinstance(fault, InvalidResponse)
    assert "larger than 1048576 bytes" in fault.detail


async def test_an_error_that_is_kept_keeps_nothing_of_the_answer() -> None:
    fault = await fault_of(floods)

    kept = [value for frame, _ in traceback.walk_tb(fault.__traceback__) for value in frame.f_locals.values()]

    assert not [value for value in kept if isinstance(value, bytes | bytearray) and len(value) > 10_000]


async def test_an_answer_of_the_largest_size_is_taken() -> None:
    async with peer(answers(b" " * 64)) as vendor, Transport(USER_AGENT, max_answer_bytes=64) as transport:
        answer = await transport.send(request_to(vendor.url))

        assert len(answer.body) == 64


async def test_the_size_of_each_answer_is_told_also_of_one_that_is_too_large() -> None:
    sizes: list[float] = []
    async with peer(answers(b" " * 64)) as vendor, Transport(USER_AGENT) as transport:
        with weighed(sizes.append):
            await transport.send(request_to(vendor.url))
        await transport.send(request_to(vendor.url))
    with weighed(sizes.append):
        await fault_of(floods)

    assert sizes[0] == 64
    assert sizes[1] > 2**20
    assert len(sizes) == 2, "one that nobody weighs is none"


@pytest.mark.parametrize("behave", [hangs, drips], ids=["never answers", "drips"])
async def test_a_call_ends_in_time_however_slow_the_vendor(behave: Behaviour) -> None:
    started = asyncio.get_running_loop().time()

    fault = await fault_of(behave, timeout_s=SHORT_S)

    assert isinstance(fault, VendorUnavailable)
    assert "did not answer within 0.2 seconds" in fault.detail
    assert asyncio.get_running_loop().time() - started < 2.0


async def test_a_second_request_of_one_call_has_what_the_first_left_of_its_time() -> None:
    async with peer(hangs) as vendor, Transport(USER_AGENT, timeout_s=60.0) as transport:
        with pytest.raises(VendorUnavailable):
            await transport.send(request_to(vendor.url), asyncio.get_running_loop().time() + SHORT_S)


async def test_a_cancelled_call_is_cancelled_and_not_a_fault(transport: Transport) -> None:
    asked = asyncio.Event()

    async def is_asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await hangs(reader, writer)

    async with peer(is_asked) as vendor:
        call = asyncio.create_task(transport.send(request_to(vendor.url)))
        await asked.wait()

        call.cancel()

        with pytest.raises(asyncio.CancelledError):
            await call


@pytest.mark.parametrize(
    ("behave", "kind"),
    [
        (resets, VendorUnavailable),
        (hangs_up(), VendorUnavailable),
        (hangs_up(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"), InvalidResponse),
        (hangs_up(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"), InvalidResponse),
        (hangs_up(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{"), InvalidResponse),
        (says(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"), InvalidResponse),
        (says(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n"), InvalidResponse),
        (says(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), InvalidResponse),
    ],
    ids=["reset", "hang up", "cut body", "cut chunk", "bad chunk", "not HTTP", "huge header", "bad length"],
)
async def test_a_broken_exchange_may_pass(behave: Behaviour, kind: type[VendorError]) -> None:
    fault = await fault_of(behave)

    assert type(fault) is kind


async def test_a_refused_connection_may_pass(transport: Transport) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # not listening
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"

        with pytest.raises(VendorUnavailable, match=r"the connection to 127\.0\.0\.1:\d+ was refused or broke"):
            await transport.send(request_to(url))


@pytest.mark.parametrize(
    ("errno", "kind"),
    [
        (socket.EAI_NONAME, EndpointNotFound),
        (socket.EAI_NODATA, EndpointNotFound),
        (socket.EAI_AGAIN, VendorUnavailable),
        (socket.EAI_FAIL, VendorUnavailable),
    ],
)
async def test_only_a_name_that_does_not_exist_needs_a_person(
    transport: Transport, monkeypatch: pytest.MonkeyPatch, errno: int, kind: type[VendorError]
) -> None:
    dns_answers(monkeypatch, errno)

    with pytest.raises(VendorError) as caught:
        await transport.send(request_to("https://live.nowhere.example"))

    assert type(caught.value) is kind
    assert "live.nowhere.example" in caught.value.detail


def dns_answers(monkeypatch: pytest.MonkeyPatch, errno: int) -> None:
    async def fails(*_: object, **__: object) -> None:
        raise socket.gaierror(errno, "from the resolver")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", fails)


async def test_a_certificate_of_an_unknown_authority_is_refused(transport: Transport, tmp_path: Path) -> None:
    async with peer(answers(b"{}"), tls=_serving(Authority(tmp_path))) as vendor:
        with pytest.raises(VendorUnavailable, match=r"certificate of 127\.0\.0\.1:\d+ is not trusted"):
            await transport.send(request_to(f"https://127.0.0.1:{vendor.port}"))

        assert vendor.heads == []


async def test_an_authority_of_ones_own_is_named_by_ssl_cert_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    async with peer(answers(b"{}"), tls=_serving(authority)) as vendor, Transport(USER_AGENT) as transport:
        answer = await transport.send(request_to(f"https://127.0.0.1:{vendor.port}"))

        assert answer.status == 200


async def test_something_that_does_not_speak_tls_may_pass(transport: Transport) -> None:
    async def greets(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            writer.write(b"220 mail.example\r\n")
            writer.close()
            await writer.wait_closed()

    async with await asyncio.start_server(greets, "127.0.0.1", 0) as mail:
        port = mail.sockets[0].getsockname()[1]

        with pytest.raises(VendorUnavailable, match="TLS with"):
            await transport.send(request_to(f"https://127.0.0.1:{port}"))


def _serving(authority: Authority) -> ssl.SSLContext:
    certificate, key = authority.server("vendor", ("127.0.0.1",))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    return tls


async def test_the_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with peer(answers(b"", "407 Proxy Authentication Required")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//user:word@"))
        monkeypatch.setenv("NO_PROXY", "elsewhere.example")
        async with Transport(USER_AGENT) as transport:
            with pytest.raises(VendorUnavailable, match="HTTPS_PROXY"):
                await transport.send(request_to("https://rtc.example"))

        assert proxy.target == "rtc.example:443"
        assert proxy.header("Proxy-Authorization") == "Basic dXNlcjp3b3Jk"
        assert proxy.header("Authorization") is None


async def test_a_host_in_no_proxy_is_asked_directly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    async with peer(answers(b"{}")) as proxy, peer(answers(b"{}"), tls=_serving(authority)) as vendor:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        async with Transport(USER_AGENT) as transport:
            await transport.send(request_to(f"https://127.0.0.1:{vendor.port}"))

        assert (proxy.connections, vendor.connections) == (0, 1)


async def test_a_proxy_whose_name_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.nowhere.example:3128")
    monkeypatch.delenv("NO_PROXY", raising=False)
    dns_answers(monkeypatch, socket.EAI_NONAME)
    async with Transport(USER_AGENT) as transport:
        with pytest.raises(EndpointNotFound, match=r"DNS knows no proxy\.nowhere\.example, the proxy"):
            await transport.send(request_to("https://rtc.example"))


async def test_an_entry_in_netrc_does_not_break_a_signed_request(
    transport: Transport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    async with peer(answers(b"{}")) as vendor:
        await transport.send(request_to(vendor.url))

        assert vendor.header("Authorization") == "signed"


def test_it_works_on_uvloop() -> None:
    async def exchange() -> tuple[int, str]:
        async with peer(answers(b"{}")) as vendor, Transport(USER_AGENT) as transport:
            answer = await transport.send(Request("POST", f"{vendor.url}/?a=%2A", {}))
            return answer.status, vendor.target

    async def unknown_host() -> None:
        async with Transport(USER_AGENT) as transport:
            await transport.send(request_to("https://name.invalid"))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(exchange()) == (200, "/?a=%2A")
        with pytest.raises((EndpointNotFound, VendorUnavailable), match=r"name\.invalid"):
            runner.run(unknown_host())


async def test_leaving_its_context_closes_the_connections() -> None:
    closed = asyncio.Event()

    async def sees_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await reader.read()
        closed.set()

    async with peer(sees_the_end) as vendor:
        async with Transport(USER_AGENT) as transport:
            await transport.send(request_to(vendor.url))

        await asyncio.wait_for(closed.wait(), timeout=2.0)
