"""No failure of a call to Tencent Cloud tells a secret, however the vendor or the network fails."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from livetask_operator.vendors.contract import VendorError
from livetask_operator.vendors.tencent.relay import TencentRelay
from livetask_operator.vendors.transport import Transport
from tests.vendors.peers import Behaviour, answers, peer
from tests.vendors.test_secrets import FAILURES, KEY, SECRETS, secrets_in

ECHO = (
    b'{"Response": {"Error": {"Code": "AuthFailure.SignatureFailure", "Message": "LTAIplantedkeyid sent Signature=abc '
    b'with CAISplantedtoken=="}, "RequestId": "r"}}'
)
OWN_FAILURES: dict[str, Behaviour] = {
    "echoes in an error": answers(ECHO),
    "echoes in a status": answers(b'{"Response": {"Status": ["CAISplantedtoken"], "Error": "LTAIplantedkeyid"}}'),
    "refuses the time": answers(
        b'{"Response": {"Error": {"Code": "AuthFailure.SignatureExpire", "Message": "CAISplantedtoken"}}}',
        "200 OK",
        f"Date: {format_datetime(datetime(2020, 1, 1, tzinfo=UTC), usegmt=True)}",
    ),
}


async def failures_of(url: str) -> list[VendorError]:
    """What a look and a stop there fail with."""
    async with Transport("livetask-operator/0.1.0 (test)", timeout_s=0.3) as transport:
        relay = TencentRelay(transport, endpoint=url, clock=lambda: datetime.now(UTC))
        task = relay.task({"sdkAppId": 1400000001, "region": "ap-singapore", "taskId": "task"})
        look = (await relay.look(KEY, [task]))[task]
        assert isinstance(look, VendorError)
        with pytest.raises(VendorError) as stop:
            await relay.stop(KEY, task)
        return [look, stop.value]


@pytest.mark.parametrize("failure", sorted(FAILURES | OWN_FAILURES))
async def test_no_failure_tells_a_secret(failure: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with peer((FAILURES | OWN_FAILURES)[failure]) as vendor:
        for error in await failures_of(vendor.url):
            assert secrets_in(error) == set()

    assert not any(secret in caplog.text for secret in SECRETS)
