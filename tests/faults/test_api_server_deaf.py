"""A watch that stays open and silent is noticed, and a process that hears nothing any more calls itself unhealthy.

Only such a process: one whose API server does not answer anybody is not deaf, and to start it again would not help.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from livetask_operator.kube.api import ObjectApi, Unavailable
from livetask_operator.kube.hearing import DEAF_AFTER_S, Hearing, path_of
from livetask_operator.observability.health import Health
from livetask_operator.reconcile.resource import RELAY_TASKS
from tests.controlplane import ControlPlane
from tests.faults.impatient import DEAF_AFTER_S as DEAF_SOON_S
from tests.faults.impatient import Impatient
from tests.faults.outages import is_first_list_of_relays
from tests.faults.proxy import Exchange, Proxy, in_front_of_api_server
from tests.kube.small_world import run, within, world
from tests.polling.fake_time import now_s
from tests.stage.objects import Objects, wait_for
from tests.stage.processes import Cloud
from tests.stage.tenant import Followed, Tenant

NAMESPACE = "silent"
PLACES = ("sports", "news")


class Kind:
    """As much of a kind as has to be known to listen to it."""

    places = PLACES

    def __init__(self, plural: str) -> None:
        self.plural = plural


def hearing(health: Health, unwell_s: float = float("-inf")) -> Hearing:
    kinds = [cast("ObjectApi", Kind(plural)) for plural in ("relaytasks", "preloadtasks")]
    return Hearing(kinds, health, lambda _: unwell_s)


async def listens(ear: Hearing, words: list[str], for_s: float) -> None:
    """These watches have a word a minute, as a quiet API server's have."""
    running = asyncio.create_task(ear.run())
    await asyncio.sleep(0)
    until_s = now_s() + for_s
    while now_s() < until_s:
        for path in words:
            ear.heard(path)
        await asyncio.sleep(60)
    running.cancel()


ALL = [path_of(plural, place) for plural in ("relaytasks", "preloadtasks") for place in PLACES]


def test_a_bookmark_a_minute_is_word_enough() -> None:
    async def story() -> bool:
        health = Health(now_s)
        await listens(hearing(health), ALL, for_s=1200)
        return health.report(now_s())[0]

    assert run(story())


@pytest.mark.parametrize("silent", ALL)
def test_one_silent_watch_of_many_is_enough_to_be_deaf(silent: str) -> None:
    async def story() -> tuple[bool, list[str]]:
        health = Health(now_s)
        await listens(hearing(health), [path for path in ALL if path != silent], for_s=DEAF_AFTER_S + 60)
        return health.report(now_s())

    healthy, (line,) = run(story())

    assert not healthy
    assert line.startswith("watches: LATE")


def test_an_api_server_that_answers_nobody_makes_nobody_deaf_however_long() -> None:
    async def story() -> bool:
        health = Health(now_s)
        ear = hearing(health)
        ear._excuse = lambda _: now_s() - 5  # asked every 5 seconds, in vain
        await listens(ear, [], for_s=3600)
        return health.report(now_s())[0]

    assert run(story())


def test_a_search_for_what_vanished_that_fails_is_made_again_soon() -> None:
    async def story() -> None:
        async with world(watch=False) as stage:
            vanished, there = (
                stage.server.create(name, uid=name, pollIntervalSeconds=3600) for name in ("vanished", "there")
            )
            for uid in (vanished, there):
                stage.follow.changed(RELAY_TASKS, stage.server.copy(uid))
            await within(8, lambda: {*map(stage.server.ready, (vanished, there))} == {"True/Running"}, "Running")
            stage.server.drop(vanished)
            stage.server.refuses["list"] = Unavailable("503")
            stage.follow.changed(RELAY_TASKS, stage.server.copy(there), listed=True)
            await asyncio.sleep(10)
            assert vanished in stage.follow._records, "it cannot be known yet"

            stage.server.refuses.clear()

            await within(20, lambda: vanished not in stage.follow._records, "missed")
            assert there in stage.follow._records

    run(story())


def is_watch(exchange: Exchange) -> bool:
    return exchange.is_watch


class Words:
    """Somebody changes both kinds of objects all the time: else a watch is silent for a minute, in good order."""

    def __init__(self, *objects: Followed) -> None:
        self._objects = objects
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        for number in itertools.count():
            if self._stop.wait(1.0):
                return
            for each in self._objects:
                each.tenant.objects.merge(each.path, {"metadata": {"labels": {"word": str(number)}}})

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


@pytest.fixture
def tenant(installed: ControlPlane, objects: Objects, cloud: Cloud) -> Iterator[Tenant]:
    installed.kubectl("create", "namespace", NAMESPACE)
    tenant = Tenant(NAMESPACE, objects, cloud.admin, labels={"operator": "own"})
    tenant.starts("talkative")
    words = Words(tenant.relay("talkative"), tenant.preload("talkative", streams=["talkative"]))
    yield tenant
    words.stop()


@pytest.fixture
def proxy(kubeconfig: Path, tmp_path: Path) -> Iterator[tuple[Proxy, Path]]:
    proxy, through = in_front_of_api_server(kubeconfig, tmp_path / "proxy")
    with proxy:
        yield proxy, through


def listed(api: Proxy) -> int:
    """How often all RelayTasks were listed, to the end."""
    return sum(is_first_list_of_relays(each) and each.status == 200 for each in api.trace)


def health(operator: Impatient) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{operator.port}/healthz", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_silent_watch_is_made_anew_and_silence_without_an_end_is_told(
    tenant: Tenant, proxy: tuple[Proxy, Path], cloud: Cloud, tmp_path: Path
) -> None:
    api, through = proxy
    operator = Impatient(
        through, cloud.url, tmp_path / "operator", arguments=("--no-leader-elect", "--namespace", NAMESPACE)
    )
    try:
        for name in ("once", "long"):
            tenant.starts(name)
            tenant.relay(name, pollIntervalSeconds=3600).reaches("Running")
        once, long = (tenant.relay(f"{name}-more", name, pollIntervalSeconds=3600) for name in ("once", "long"))
        once.reaches("Running")
        long.reaches("Running")
        wait_for(lambda: listed(api) > 1, "the search for gaps after the start, which would find it, too", 10)
        before = len(api.trace)

        with api.silence(lambda exchange: exchange.is_watch and exchange.number < before):
            once.delete()
            once.is_gone(within_s=15)
        assert health(operator)[0] == 200

        with api.silence(is_watch) as silence:
            silence.wait()
            wait_for(lambda: health(operator)[0] == 503, "it is not healthy", DEAF_SOON_S + 10)
            assert "watches: LATE" in health(operator)[1]
            long.delete()
        long.is_gone(within_s=15)
        wait_for(lambda: health(operator)[0] == 200, "it is healthy again", 5)
    finally:
        assert operator.stop() == 0
