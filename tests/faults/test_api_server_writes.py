"""A write that the API server refuses is told, tried again without haste, and costs no object its place in the rounds.

kopf would end a handler for ever at such a refusal, most of them without a word: here it writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from tests.controlplane import ControlPlane
from tests.faults.behind_proxy import behind_proxy
from tests.faults.proxy import Exchange, Matches, Proxy, Rule
from tests.stage.objects import Objects, live_tasks, wait_for
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import Relay, Tenant

NAMESPACE = "refused-writes"
REFUSALS = {
    409: "Conflict",
    413: "RequestEntityTooLarge",
    422: "Invalid",
    403: "Forbidden",
}
TRIED_AGAIN_WITHIN_S = 30.0


class Stage:
    """An operator behind a proxy that refuses what it is told to."""

    def __init__(self, proxy: Proxy, operator: Operator, tenant: Tenant) -> None:
        self.proxy = proxy
        self.operator = operator
        self.tenant = tenant

    def running(self, name: str) -> dict[int, Relay]:
        """An object for each refusal, whose task runs."""
        relays = {}
        for code in REFUSALS:
            self.tenant.starts(f"{name}-{code}")
            relays[code] = self.tenant.relay(f"{name}-{code}")
        for relay in relays.values():
            relay.reaches("Running")
        return relays

    def refuses(self, code: int, matches: Matches) -> Rule:
        return self.proxy.refuse_as_kubernetes(matches, code, REFUSALS[code])

    def tells(self, relay: Relay, code: int) -> bool:
        """Whether a warning of the log names the object and the refusal."""
        label = f"{relay.tenant.namespace}/{relay.name}: {code}"
        return any(label in line["message"] and line["level"] == "warning" for line in self.operator.lines())

    def looks(self, relay: Relay) -> int:
        return len(self.tenant.looks(relay.name))

    def has_more_looks(self, relay: Relay, than: int) -> bool:
        return self.looks(relay) > than


@pytest.fixture(scope="module")
def stage(
    installed: ControlPlane,
    objects: Objects,
    cloud: Cloud,
    kubeconfig: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("writes")
    arguments = ("--no-leader-elect", "--namespace", NAMESPACE)
    with behind_proxy(installed, kubeconfig, cloud, folder, NAMESPACE, arguments) as (proxy, operator):
        yield Stage(proxy, operator, Tenant(NAMESPACE, objects, cloud.admin, labels={"operator": "own"}))


def patches(path: str) -> Matches:
    def matches(exchange: Exchange) -> bool:
        return exchange.method == "PATCH" and exchange.path == path

    return matches


def test_a_refused_status_is_told_and_written_when_it_is_taken(stage: Stage) -> None:
    relays = stage.running("status")
    with ExitStack() as refusals:
        for code, relay in relays.items():
            refusals.enter_context(stage.refuses(code, patches(f"{relay.path}/status")))
            stage.tenant.becomes(relay.name, 2)
        for code, relay in relays.items():
            wait_for(partial(stage.tells, relay, code), f"{code} is told", 15)
        looks = {code: stage.looks(relay) for code, relay in relays.items()}
        for code, relay in relays.items():
            wait_for(partial(stage.has_more_looks, relay, looks[code]), f"it is looked at after {code}", 20)
            assert relay.status()["state"] == "Running"

    for relay in relays.values():
        relay.reaches("Stopped", within_s=TRIED_AGAIN_WITHIN_S)


def test_a_refused_finalizer_is_told_and_put_on_before_the_first_look(stage: Stage) -> None:
    paths = {code: live_tasks("RelayTask", NAMESPACE, f"on-{code}") for code in REFUSALS}
    with ExitStack() as refusals:
        for code, path in paths.items():
            refusals.enter_context(stage.refuses(code, patches(path)))
            stage.tenant.starts(f"on-{code}")
        relays = {code: stage.tenant.relay(f"on-{code}") for code in REFUSALS}
        for code, relay in relays.items():
            wait_for(partial(stage.tells, relay, code), f"{code} is told", 15)
            assert stage.looks(relay) == 0

    for relay in relays.values():
        relay.reaches("Running", within_s=TRIED_AGAIN_WITHIN_S)
        assert relay.body()["metadata"]["finalizers"] == ["livetask.dev/stop"]


def test_a_finalizer_that_may_not_go_is_told_and_the_task_is_stopped_once(stage: Stage) -> None:
    relays = stage.running("off")
    with ExitStack() as refusals:
        for code, relay in relays.items():
            refusals.enter_context(stage.refuses(code, patches(relay.path)))
            relay.delete()
        for code, relay in relays.items():
            wait_for(partial(stage.tells, relay, code), f"{code} is told", 15)
            assert relay.body() is not None

    for relay in relays.values():
        relay.is_gone(within_s=TRIED_AGAIN_WITHIN_S)
        assert [call.stopped_task for call in stage.tenant.stops(relay.name)] == [True]


def test_refusals_are_tried_again_without_haste(stage: Stage) -> None:
    """After all of the above: none of its objects made a storm."""
    refused = [each for each in stage.proxy.trace if each.status in REFUSALS and each.forwarded_s is None]
    by_path = {path: sum(each.path == path for each in refused) for path in {each.path for each in refused}}

    assert len(by_path) >= 3 * len(REFUSALS)
    assert max(by_path.values()) < 20


def test_an_event_that_is_refused_is_told_and_costs_nothing_else(stage: Stage) -> None:
    stage.tenant.starts("quiet")
    with stage.refuses(403, lambda exchange: exchange.method == "POST" and exchange.path.endswith("/events")) as rule:
        relay = stage.tenant.relay("quiet")
        relay.reaches("Running")
        rule.wait()
        told = "an Event was not posted: post the Event Running"
        wait_for(lambda: any(told in line["message"] for line in stage.operator.lines()), "it is told", 5)
        relay.delete()
        relay.is_gone()
