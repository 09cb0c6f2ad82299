"""The API server goes away, in every way that it has: the operator stays, notices what happened meanwhile, and goes on.

One process lives through all of it.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.controlplane import ControlPlane
from tests.faults import outages
from tests.faults.behind_proxy import behind_proxy
from tests.faults.impatient import Impatient
from tests.faults.outages import Outage
from tests.faults.proxy import Proxy
from tests.stage.objects import Objects, wait_for
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import Relay, Tenant

NOTICED_WITHIN_S = 30.0
NAMESPACE = "api-server"
LABELS = {"operator": "own", "stage": NAMESPACE}
SELECTOR = ("--no-leader-elect", "--selector", f"stage={NAMESPACE}")
AWAY = [
    outages.Refused,
    outages.Reset,
    outages.Unavailable,
    outages.Broken,
    outages.Busy,
    outages.Forbidden,
]
ODD = [
    outages.GoneInTheStream,
    outages.GoneAtOnce,
    outages.ErrorInTheStream,
    outages.HalfALine,
    outages.NotServed,
    outages.BusyUntilADate,
    outages.SomebodyElsesList,
]


class Pulse:
    """Asks /healthz again and again, and keeps what was not 200."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self._stop = threading.Event()
        self.bad = 0
        self.asked = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(0.2):
            self.asked += 1
            self.bad += self._operator.answer("/healthz") is None

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


@dataclass
class Stage:
    """An operator behind a proxy, and its tenant."""

    proxy: Proxy
    operator: Operator
    tenant: Tenant
    pulse: Pulse

    def running(self, name: str, **spec: Any) -> Relay:
        self.tenant.starts(name)
        relay = self.tenant.relay(name, **spec)
        relay.reaches("Running")
        return relay

    def missed(self, name: str) -> bool:
        """Whether the operator has noticed that an object is not there any more, or not for it."""
        lines = [line["message"] for line in self.operator.lines() if line.get("name") == name]
        return any(line.startswith(("gone", "passed on")) for line in lines)


@pytest.fixture(scope="module")
def stage(
    installed: ControlPlane,
    objects: Objects,
    cloud: Cloud,
    kubeconfig: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("api-server")
    with behind_proxy(installed, kubeconfig, cloud, folder, NAMESPACE, SELECTOR) as (proxy, operator):
        pulse = Pulse(operator)
        yield Stage(proxy, operator, Tenant(NAMESPACE, objects, cloud.admin, LABELS), pulse)
        pulse.stop()


@pytest.mark.parametrize("kind", AWAY, ids=lambda kind: kind.__name__)
def test_what_happens_while_the_api_server_is_away_is_noticed_when_it_is_back(stage: Stage, kind: type[Outage]) -> None:
    name = kind.__name__.lower()
    deleted, forced = stage.running(f"{name}-deleted"), stage.running(f"{name}-forced")
    edited = stage.running(f"{name}-edited", pollIntervalSeconds=3600)

    with kind(stage.proxy, stage.operator) as outage:
        deleted.delete()
        edited.edit(pollIntervalSeconds=60)
        stage.tenant.objects.merge(forced.path, {"metadata": {"finalizers": None}})
        forced.delete()
        stage.tenant.starts(f"{name}-new")
        new = stage.tenant.relay(f"{name}-new")
        outage.happened()

    deleted.is_gone(NOTICED_WITHIN_S)
    generation = edited.body()["metadata"]["generation"]
    wait_for(lambda: edited.status()["observedGeneration"] == generation, "the edit is acted on", NOTICED_WITHIN_S)
    new.reaches("Running", within_s=NOTICED_WITHIN_S)
    wait_for(lambda: stage.missed(f"{name}-forced"), "what vanished is missed", NOTICED_WITHIN_S)
    assert [call.stopped_task for call in stage.tenant.stops(f"{name}-deleted")] == [True]
    assert stage.operator.process.returncode is None


def test_an_api_server_that_is_away_makes_nobody_unhealthy(stage: Stage) -> None:
    """After all of the above."""
    assert stage.pulse.asked > 10
    assert stage.pulse.bad == 0


@pytest.fixture(scope="module")
def odd(
    installed: ControlPlane,
    objects: Objects,
    cloud: Cloud,
    kubeconfig: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    """With an operator in a hurry: when kopf breaks off, it begins anew at once."""
    folder = tmp_path_factory.mktemp("odd")
    namespace = f"{NAMESPACE}-odd"
    labels = {"operator": "own", "stage": namespace}
    arguments = ("--no-leader-elect", "--selector", f"stage={namespace}")
    with behind_proxy(installed, kubeconfig, cloud, folder, namespace, arguments, Impatient) as (proxy, operator):
        pulse = Pulse(operator)
        yield Stage(proxy, operator, Tenant(namespace, objects, cloud.admin, labels), pulse)
        pulse.stop()


@pytest.mark.parametrize("kind", ODD, ids=lambda kind: kind.__name__)
def test_an_answer_that_ends_kopf_ends_neither_the_process_nor_its_hearing(odd: Stage, kind: type[Outage]) -> None:
    name = kind.__name__.lower()
    stopped, vanished = odd.running(f"{name}-stopped"), odd.running(f"{name}-vanished")
    odd.tenant.fault("delay", operation="StopLiveMPUTask", delay_seconds=2, times=1)
    stopped.delete()
    wait_for(lambda: odd.tenant.stops(f"{name}-stopped"), "a stop under way", 5)

    with kind(odd.proxy, odd.operator) as outage:
        odd.tenant.objects.merge(vanished.path, {"metadata": {"finalizers": None}})
        vanished.delete()
        outage.happened()

    odd.running(f"{name}-after")
    wait_for(lambda: odd.missed(f"{name}-vanished"), "what vanished is missed", NOTICED_WITHIN_S)
    stopped.is_gone(NOTICED_WITHIN_S)
    assert len(odd.tenant.stops(f"{name}-stopped")) == 1, "what was under way was not cut off"
    assert odd.operator.process.returncode is None


def test_what_was_before_an_end_of_kopf_is_not_there_besides_what_is_now(odd: Stage) -> None:
    """After all of the above: each kind is watched once."""

    def watches() -> list[str]:
        return sorted(each.path for each in odd.proxy.trace if each.is_watch and not odd.proxy.is_over(each))

    kinds = (
        "apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        *(f"apis/livetask.dev/v1alpha1/{kind}" for kind in ("preloadtasks", "relaytasks")),
    )
    wait_for(lambda: watches() == [f"/{kind}" for kind in kinds], lambda: f"each once; there are {watches()}", 10)


def test_a_signal_ends_it_in_time_while_the_api_server_says_nothing(odd: Stage) -> None:
    """After all of the above, as it ends the operator."""
    with odd.proxy.silence():
        odd.proxy.cut()
        began_s = time.monotonic()
        odd.operator.process.send(signal.SIGTERM)

        assert odd.operator.process.wait(25) == 0
        assert time.monotonic() - began_s < 15
    odd.operator.start()
