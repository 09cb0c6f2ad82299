"""The floor: a bare aiohttp loop that makes the operator's signed calls at a given rate, and does nothing else.

A process of its own, so that its CPU time is the kernel's to tell. It signs with the operator's signature code.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import aiohttp
import uvloop
import yarl

from livetask_operator.vendors.alibaba.signature import sign
from livetask_operator.vendors.catalogue import RTC_VERSION
from livetask_operator.vendors.contract import Credential

CONNECTIONS = 256
USER_AGENT = "livetask-bare-loop/1"


class BareLoop:
    """Asks after one task after the other, evenly spread over time."""

    def __init__(self, url: str, tasks: Iterator[tuple[Credential, str, str]], session: aiohttp.ClientSession) -> None:
        self._url = url
        self._host = yarl.URL(url).authority
        self._tasks = tasks
        self._session = session
        self._under_way: set[asyncio.Task[None]] = set()

    async def run(self, per_second: float) -> None:
        """Make so many calls a second, until cancelled."""
        loop = asyncio.get_running_loop()
        next_s = loop.time()
        try:
            while True:
                next_s += 1.0 / per_second
                await asyncio.sleep(next_s - loop.time())
                call = loop.create_task(self._call(*next(self._tasks)))
                self._under_way.add(call)
                call.add_done_callback(self._under_way.discard)
        finally:
            for call in self._under_way:
                call.cancel()

    async def _call(self, credential: Credential, app: str, task: str) -> None:
        signed = sign(
            method="POST",
            host=self._host,
            action="GetMPUTaskStatus",
            version=RTC_VERSION,
            params={"AppId": app, "TaskId": task},
            credential=credential,
            date=datetime.now(UTC),
            nonce=uuid4().hex,
        )
        url = yarl.URL(f"{self._url}/?{signed.query}", encoded=True)
        headers = {**signed.headers, "accept": "application/json"}
        async with self._session.post(url, headers=headers) as answer:
            document = json.loads(await answer.read())
        if document.get("Status") != 1:
            sys.exit(f"the simulated cloud answers {document} to the bare loop")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True, help="the simulated cloud's")
    parser.add_argument("--rate", type=float, required=True, help="calls a second")
    parser.add_argument("--tasks", type=Path, required=True, help="a JSON file: [[key id, secret, app, task], …]")
    options = parser.parse_args()
    tasks = [(Credential(*key), app, task) for *key, app, task in json.loads(options.tasks.read_text())]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(options.url, options.rate, tasks))


async def _run(url: str, rate: float, tasks: list[tuple[Credential, str, str]]) -> None:
    me = asyncio.current_task()
    assert me is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, me.cancel)
    connector = aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=75.0)
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), headers={"User-Agent": USER_AGENT}
    ) as session:
        try:
            await BareLoop(url, itertools.cycle(tasks), session).run(rate)
        except asyncio.CancelledError:
            print("ended", flush=True)


if __name__ == "__main__":
    main()
