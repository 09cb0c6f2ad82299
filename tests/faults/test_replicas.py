"""Two replicas, for real: one acts, the other follows in time, and who is not the leader any more stops nothing."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.controlplane import ControlPlane
from tests.faults.proxy import Proxy
from tests.faults.replicas import Company, asks_for_other_owners, is_renewal
from tests.stage.objects import Objects, wait_for
from tests.stage.processes import Cloud

DURATION_S, DEADLINE_S = 15.0, 10.0
"""Of the Lease."""
STALE_AFTER_S = 15
"""Three of the shortest intervals."""
ALL_SCENES_S = 120.0


@dataclass
class HandOvers:
    """What became of three replicas, of which the first was ended in order, and the next was killed."""

    handed_over_in_s: float = 0.0
    in_line_s: float = 0.0
    """Of the first, for how long processes stood in line for a processor."""
    taken_over_in_s: float = 0.0
    exit_code: int | None = None
    calls: list[tuple[float, float]] = field(default_factory=list)
    """The first and the last vendor call of each that led."""
    stops: int = 0


@dataclass
class Loss:
    """What became of a leader that lost its Lease while it was about to stop a task."""

    exit_code: int = 0
    ended_after_s: float = 0.0
    """After its own deadline."""
    stops: int = 0
    taken_over_in_s: float = 0.0
    stops_of_the_next: int = 0
    stops_at_the_vendor: int = 0
    audit: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Awakening:
    """What became of a leader that was stopped for longer than its Lease, and then went on."""

    exit_code: int
    is_as_it_was: bool
    """The object that both followed, of which nothing had changed."""


def hands_over(company: Company) -> HandOvers:
    found, tenant = HandOvers(), company.tenant
    first = company.starts("first")
    tenant.starts("on-air")
    relay = tenant.relay("on-air")
    first.comes_to_lead()
    relay.reaches("Running")
    others = [company.starts("second"), company.starts("third")]
    with tenant.cloud.faulty("hang", account=tenant.account, operation="GetMPUTaskStatus"):
        looks = len(tenant.looks())
        relay.ask("now")
        wait_for(lambda: len(tenant.looks()) > looks, "a look that hangs", 8)
        asked_s, in_line_s = time.monotonic(), first.in_line_s + sum(each.in_line_s for each in others)
        first.operator.process.send(signal.SIGTERM)
        second = wait_for(lambda: next((each for each in others if each.leads), None), "another leads", 8)
        found.handed_over_in_s = time.monotonic() - asked_s
        found.in_line_s = first.in_line_s + sum(each.in_line_s for each in others) - in_line_s
    found.exit_code = first.operator.process.wait(5)
    third = next(each for each in others if each is not second)
    looks = len(second.cloud.trace)
    wait_for(lambda: len(second.cloud.trace) > looks, "it follows", 10)

    killed_s = time.monotonic()
    second.operator.kill()
    relay.delete()
    found.taken_over_in_s = third.comes_to_lead(25) - killed_s
    relay.is_gone(within_s=10)
    found.calls = [(each.cloud.trace[0].arrived_s, each.cloud.trace[-1].arrived_s) for each in (first, second, third)]
    found.stops = sum(call.stopped_task is True for call in tenant.stops())
    return found


def loses(company: Company, breaks: Callable[[Proxy], Any], *, is_stopped: bool, asks: bool = True) -> Loss:
    """The leader is about to stop a task when its time is over.

    is_stopped: by SIGSTOP. asks: the API server still tells it who else follows the task, but too late.
    """
    found, tenant = Loss(), company.tenant
    first = company.starts("first", breakable=True)
    assert first.api is not None
    tenant.starts("on-air")
    relay = tenant.relay("on-air", pollIntervalSeconds=3600)
    first.comes_to_lead()
    relay.reaches("Running")
    second = company.starts("second")
    breaks(first.api)
    over_s = first.lease_is_over_at()
    late = first.api.hold_after(asks_for_other_owners, times=None)
    time.sleep(max(0.0, over_s - 6 - time.monotonic()))  # so late that no request of its own is given up before
    relay.delete()
    if asks:
        late.wait()
    if is_stopped:
        first.operator.process.send(signal.SIGSTOP)
    time.sleep(max(0.0, over_s + 1 - time.monotonic()))  # its time is over
    late.let_go()
    first.operator.process.send(signal.SIGCONT)

    found.exit_code = first.operator.process.wait(15)
    found.ended_after_s = time.monotonic() - over_s
    found.taken_over_in_s = second.comes_to_lead(25) - (over_s - DEADLINE_S)
    relay.is_gone(within_s=10)
    found.stops, found.stops_of_the_next = len(first.stops), len(second.stops)
    found.stops_at_the_vendor = len(tenant.stops())
    found.audit = [line["outcome"] for line in first.operator.audit()]
    return found


def renewals_hang(api: Proxy) -> None:
    """From now on: the next one has come, and none before it is under way."""
    api.hold_before(is_renewal, times=None).wait()


def wakes_up(company: Company) -> Awakening:
    """The leader is stopped until another has looked, and until its own looks are old; then it goes on."""
    tenant = company.tenant
    first = company.starts("first")
    tenant.starts("on-air")
    relay = tenant.relay("on-air", pollIntervalSeconds=STALE_AFTER_S // 3)
    first.comes_to_lead()
    relay.reaches("Running")
    second = company.starts("second")
    written = relay.body()["metadata"]["resourceVersion"]
    first.operator.process.send(signal.SIGSTOP)
    old_s = time.monotonic() + STALE_AFTER_S
    second.comes_to_lead(25)
    wait_for(
        lambda: second.cloud.trace and time.monotonic() > old_s, "another has looked, and its own looks are old", 20
    )

    first.operator.process.send(signal.SIGCONT)
    exit_code = first.operator.process.wait(15)
    return Awakening(exit_code, relay.body()["metadata"]["resourceVersion"] == written)


SCENES: Mapping[str, Callable[[Company], Any]] = {
    "replicas-hand-over": hands_over,
    "replicas-paused": lambda company: loses(company, renewals_hang, is_stopped=True),
    "replicas-hanging": lambda company: loses(company, renewals_hang, is_stopped=False),
    "replicas-awake": wakes_up,
    "replicas-cut-off": lambda company: loses(company, lambda api: api.refuse(), is_stopped=False, asks=False),
}


@pytest.fixture(scope="module")
def scenes(
    installed: ControlPlane,
    objects: Objects,
    cloud: Cloud,
    kubeconfig: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Mapping[str, Future[Any]]]:
    """All of them at once, as each of them waits for a Lease."""
    folder = tmp_path_factory.mktemp("replicas")

    def play(name: str) -> Any:
        with Company(name, installed, objects, cloud, kubeconfig, folder) as company:
            return SCENES[name](company)

    with ThreadPoolExecutor(len(SCENES)) as pool:
        yield {name: pool.submit(play, name) for name in SCENES}


@pytest.fixture
def hand_overs(scenes: Mapping[str, Future[HandOvers]]) -> HandOvers:
    return scenes["replicas-hand-over"].result(ALL_SCENES_S)


@pytest.fixture(params=["replicas-paused", "replicas-hanging", "replicas-cut-off"])
def loss(request: pytest.FixtureRequest, scenes: Mapping[str, Future[Loss]]) -> Loss:
    return scenes[request.param].result(ALL_SCENES_S)


def test_a_leader_that_is_asked_to_end_hands_over_within_three_seconds(hand_overs: HandOvers) -> None:
    assert hand_overs.exit_code == 0
    assert hand_overs.handed_over_in_s - hand_overs.in_line_s < 3


def test_a_leader_that_is_killed_is_replaced_within_its_lease_and_two_seconds(hand_overs: HandOvers) -> None:
    assert DEADLINE_S < hand_overs.taken_over_in_s < DURATION_S + 2


def test_never_do_two_replicas_act(hand_overs: HandOvers) -> None:
    (_, first_ended), (second_began, second_ended), (third_began, _) = hand_overs.calls

    assert first_ended < second_began <= second_ended < third_began
    assert hand_overs.stops == 1


def test_a_leader_whose_time_is_over_stops_nothing_and_ends(loss: Loss) -> None:
    assert loss.stops == 0
    assert loss.exit_code == 1
    assert "stop_accepted" not in loss.audit


def test_what_a_lost_leader_was_about_to_stop_the_next_stops_once(loss: Loss) -> None:
    assert (loss.stops_of_the_next, loss.stops_at_the_vendor) == (1, 1)
    assert DEADLINE_S < loss.taken_over_in_s < DURATION_S + 3


def test_a_stop_that_was_not_sent_is_told_in_the_audit_trail(scenes: Mapping[str, Future[Loss]]) -> None:
    found = scenes["replicas-hanging"].result(ALL_SCENES_S)

    assert found.audit == ["stop_sent", "stop_not_sent"]


def test_a_leader_that_slept_does_not_call_old_what_the_next_one_watches(
    scenes: Mapping[str, Future[Awakening]],
) -> None:
    found = scenes["replicas-awake"].result(ALL_SCENES_S)

    assert found.is_as_it_was
    assert found.exit_code == 1
