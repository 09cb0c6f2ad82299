"""No failure of a preload call tells a secret either."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest

from livetask_operator.vendors.alibaba.preload import AlibabaPreload
from livetask_operator.vendors.contract import VendorError
from livetask_operator.vendors.transport import Transport
from tests.vendors.alibaba.preload_list import names
from tests.vendors.peers import Behaviour, peer
from tests.vendors.test_secrets import FAILURES, KEY, SECRETS, secrets_in


@pytest.mark.parametrize("behave", FAILURES.values(), ids=FAILURES.keys())
@pytest.mark.parametrize("asked", ["tasks", "urls"])
async def test_no_failure_tells_a_secret(behave: Behaviour, asked: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    task_ids = [f"p-{number}" for number in range(5)] if asked == "tasks" else []
    play_urls = ["rtmp://live.example.com/app/stream"] if asked == "urls" else []

    async with peer(behave) as there, Transport("livetask-operator/0.1.0 (test)", timeout_s=0.3) as transport:
        now = datetime.now(UTC)
        vendor = AlibabaPreload(transport, endpoint=there.url, clock=lambda: now, nonce=lambda: "nonce")
        with pytest.raises(VendorError) as caught:
            await vendor.rows(KEY, "a.example", [names(task_ids, play_urls, now)])

    assert secrets_in(caught.value) == set()
    assert not any(secret in caplog.text for secret in SECRETS)
