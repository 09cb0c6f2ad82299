"""No failure of a vendor call tells a secret: not in its text, its repr, its traceback, its causes or its fields."""

from __future__ import annotations

import logging
import socket
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime

import aiohttp
import pytest

from livetask_operator.vendors.alibaba.relay import AlibabaRelay
from livetask_operator.vendors.alibaba.rpc import Edition
from livetask_operator.vendors.contract import Credential, VendorError
from livetask_operator.vendors.transport import Transport
from tests.vendors.peers import Behaviour, answers, drips, floods, hangs, hangs_up, peer, resets, says

KEY = Credential("LTAIplantedkeyid", "plantedkeysecret", "CAISplantedtoken==")
SECRETS = (KEY.key_id, KEY.secret, "CAISplantedtoken", "Signature=")


def secrets_in(error: BaseException) -> set[str]:
    """The secrets that an exception tells, however it is asked."""
    told = "\n".join(_told(error))
    return {secret for secret in SECRETS if secret in told}


def _told(error: BaseException) -> Iterator[str]:
    yield from traceback.format_exception(error)
    seen: list[BaseException | None] = [error]
    for each in seen:
        if each is None:
            continue
        yield f"{each} {each!r} {each.args!r} {vars(each)!r}"
        seen += [cause for cause in (each.__cause__, each.__context__) if cause not in seen]


ECHO = (
    b'{"Code": "SignatureDoesNotMatch", "RequestId": "r", "Message": "server string to sign is: '
    b'x-acs-accesskey-id:LTAIplantedkeyid x-acs-security-token:CAISplantedtoken== Signature=abc"}'
)

FAILURES: dict[str, Behaviour] = {
    "never answers": hangs,
    "drips": drips,
    "floods": floods,
    "resets": resets,
    "hangs up": hangs_up(),
    "breaks off": hangs_up(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"),
    "bad chunk": hangs_up(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "not HTTP": says(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"),
    "huge header": says(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n"),
    "redirects": answers(b"", "302 Found", "Location: http://LTAIplantedkeyid.example/"),
    "compresses": answers(b"", "200 OK", "Content-Encoding: CAISplantedtoken"),
    "echoes in an error": answers(ECHO, "400 Bad Request"),
    "echoes in garbage": answers(b"LTAIplantedkeyid CAISplantedtoken"),
    "echoes in a 500": answers(b"<html>Signature=abc CAISplantedtoken", "500 Oops"),
    "refuses the time": answers(
        b'{"Code": "InvalidTimeStamp.Expired", "Message": "CAISplantedtoken"}',
        "400 Bad Request",
        f"Date: {format_datetime(datetime(2020, 1, 1, tzinfo=UTC), usegmt=True)}",
    ),
}


def relay_at(url: str, transport: Transport) -> AlibabaRelay:
    return AlibabaRelay(
        transport,
        look_at=Edition(url, "2018-01-11"),
        stop_endpoint=url,
        clock=lambda: datetime.now(UTC),
        nonce=lambda: "nonce",
    )


async def failures_of(url: str) -> list[VendorError]:
    """What a look and a stop there fail with."""
    async with Transport("livetask-operator/0.1.0 (test)", timeout_s=0.3) as transport:
        relay = relay_at(url, transport)
        task = relay.task({"appId": "app", "taskId": "task"})
        look = (await relay.look(KEY, [task]))[task]
        assert isinstance(look, VendorError)
        with pytest.raises(VendorError) as stop:
            await relay.stop(KEY, task)
        return [look, stop.value]


@pytest.mark.parametrize("behave", FAILURES.values(), ids=FAILURES.keys())
async def test_no_failure_tells_a_secret(behave: Behaviour, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with peer(behave) as vendor:
        for error in await failures_of(vendor.url):
            assert secrets_in(error) == set()

    assert not any(secret in caplog.text for secret in SECRETS)


async def test_neither_does_a_refused_connection() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # not listening
        for error in await failures_of(f"http://127.0.0.1:{taken.getsockname()[1]}"):
            assert secrets_in(error) == set()


async def test_neither_does_a_host_that_does_not_exist() -> None:
    for error in await failures_of("https://name.invalid"):
        assert secrets_in(error) == set()


async def test_a_failure_of_the_library_itself_does_tell_one_and_is_found() -> None:
    headers = {"Authorization": "ACS3-HMAC-SHA256 Signature=abc", "x-acs-security-token": "CAISplantedtoken=="}
    async with peer(says(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")) as vendor, aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientResponseError) as caught:
            await session.post(vendor.url, headers=headers)

    assert secrets_in(caught.value) == {"Signature=", "CAISplantedtoken"}


@pytest.mark.parametrize("where", ["text", "cause", "context", "attribute"])
def test_a_planted_secret_is_found_wherever_it_is(where: str) -> None:
    planted = ValueError(KEY.secret)
    error = VendorError(KEY.secret if where == "text" else "nothing")
    if where == "cause":
        error.__cause__ = planted
    elif where == "context":
        error.__context__ = planted
        error.__suppress_context__ = True
    elif where == "attribute":
        error.request_id = KEY.secret

    assert secrets_in(error) == {KEY.secret}
