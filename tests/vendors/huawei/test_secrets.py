"""No failure of a call to Huawei Cloud tells a secret, however the vendor or the network fails."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from livetask_operator.vendors.contract import Credential, VendorError
from livetask_operator.vendors.huawei.credential import credential_in
from livetask_operator.vendors.huawei.relay import HuaweiRelay
from livetask_operator.vendors.transport import Transport
from tests.vendors.peers import Behaviour, answers, peer
from tests.vendors.test_secrets import FAILURES, KEY, SECRETS, secrets_in

ECHO = (
    b'{"error_code": "APIGW.0301", "request_id": "r", "error_msg": "verify aksk signature fail, canonicalRequest:'
    b'LTAIplantedkeyid|x-security-token:CAISplantedtoken==|Signature=abc"}'
)
OWN_FAILURES: dict[str, Behaviour] = {
    "echoes in an error": answers(ECHO, "401 Unauthorized"),
    "echoes in a status": answers(b'{"task_infos": [{"task_id": "task", "status": ["CAISplantedtoken"]}]}'),
    "refuses the time": answers(
        b'{"error_code": "APIGW.0301", "error_msg": "signature expired LTAIplantedkeyid CAISplantedtoken"}',
        "401 Unauthorized",
        f"Date: {format_datetime(datetime(2020, 1, 1, tzinfo=UTC), usegmt=True)}",
    ),
}
TOKEN = credential_in({"authToken": "CAISplantedtoken=="})


async def failures_of(url: str, credential: Credential) -> list[VendorError]:
    """What looks at one task, at two, and a stop there fail with."""
    async with Transport("livetask-operator/0.1.0 (test)", timeout_s=0.2) as transport:
        relay = HuaweiRelay(transport, endpoint=url, clock=lambda: datetime.now(UTC))
        tasks = [relay.task({"projectId": "p", "region": "cn-north-4", "taskId": each}) for each in ("task", "other")]
        looks = [*(await relay.look(credential, tasks[:1])).values(), *(await relay.look(credential, tasks)).values()]
        with pytest.raises(VendorError) as stop:
            await relay.stop(credential, tasks[0])
        return [stop.value, *(look for look in looks if isinstance(look, VendorError))]


@pytest.mark.parametrize("credential", [KEY, TOKEN], ids=["access key", "token"])
@pytest.mark.parametrize("failure", sorted(FAILURES | OWN_FAILURES))
async def test_no_failure_tells_a_secret(
    failure: str, credential: Credential, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with peer((FAILURES | OWN_FAILURES)[failure]) as vendor:
        errors = await failures_of(vendor.url, credential)

    assert len(errors) == 4
    for error in errors:
        assert secrets_in(error) == set()
    assert not any(secret in caplog.text for secret in SECRETS)
