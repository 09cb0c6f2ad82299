"""Promise 7: a crash costs nothing. The operator is killed around every single effect of everything that it does.

The effects are those that a recorded run shows, so that nobody has to think of them: what it had done at the API server
and at the vendors, each by a request that went through a proxy.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.controlplane import ControlPlane
from tests.controlplane.cluster import AuditedWrite
from tests.faults.crash_scenes import SCENES
from tests.faults.crash_stage import Play, Recording, Slipped, Stage, Unhurried, batches, cast_for, one_of_a_kind, owns
from tests.faults.effects import Done, Effect, Phase, Point, at_api_server, done_in, past_the_proxy, without_point
from tests.faults.proxy import Exchange
from tests.stage.processes import Cloud

EVERY_POINT = "CRASH_EVERY_POINT" in os.environ
"""As `make test-crash` sets it: a process for each point, and those that are like another, too."""
PROCESSES_AT_ONCE = 4
TRIES = 3
"""A point that was not met on a busy machine is tried again, by itself."""


@pytest.fixture(scope="module")
def stage(
    installed: ControlPlane, cloud: Cloud, kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    with Unhurried(installed) as objects:
        yield Stage(installed, objects, cloud, kubeconfig, tmp_path_factory.mktemp("crash"))


@pytest.fixture(scope="module")
def recording(stage: Stage) -> Recording:
    play = Play(stage, SCENES)
    recording = play.record()
    assert play.failures == []
    return recording


@pytest.fixture(scope="module")
def kills(stage: Stage, recording: Recording) -> list[Kill]:
    """All processes that were killed, and what became of their objects. One was killed while nothing was under way."""
    wanted = recording.points if EVERY_POINT else one_of_a_kind(recording.points)
    processes = [(), *batches(wanted, at_once=1 if EVERY_POINT else len(SCENES))]
    return kill_all(stage, recording, [(points, None) for points in processes])


def test_killed_around_any_effect_the_operator_ends_in_the_same_state(kills: list[Kill], recording: Recording) -> None:
    struck = [point for each in kills for point in each.points]
    left_out = set(recording.points) - set(one_of_a_kind(recording.points))

    assert [failure for each in kills for failure in each.failures] == []
    assert set(without_point(recording.counted, struck)) <= (set() if EVERY_POINT else left_out)


def test_killed_again_around_what_only_a_recovery_does_it_ends_in_the_same_state(
    stage: Stage, kills: list[Kill], recording: Recording
) -> None:
    usual = {each.effect.what for each in recording.everything}
    unusual = [(each, done.effect) for each in kills for done in each.recovery if done.effect.what not in usual]
    found = {effect.what: (cause(each, effect), effect) for each, effect in unusual}

    again = [([first], Point(effect, 1, phase)) for first, effect in found.values() for phase in Phase]
    kills_again = kill_all(stage, recording, again)

    assert "Event AlreadyGone" in found, "a stop that was sent and not answered is found out"
    assert [failure for each in kills_again for failure in each.failures] == []


def test_what_it_is_killed_around_is_all_that_it_does(recording: Recording) -> None:
    kinds = {each.effect.what for each in recording.counted}

    assert {"finalizer on", "finalizer off", "read who else follows it"} <= kinds
    assert {"status Running", "status StopPending", "status Suspended", "status Succeeded"} <= kinds
    assert {"Event Running", "Event StopAccepted", "Event LeftRunning", "Event Orphaned"} <= kinds
    assert {"GetMPUTaskStatus", "StopLiveMPUTask", "DescribeLiveStreamPreloadTasks"} <= kinds
    assert {"DescribeStreamIngest", "StopStreamIngest", "ListPullTasks", "DeletePullTask"} <= kinds
    assert recording.past_the_proxy() == []


def test_an_effect_that_nobody_is_killed_around_is_found(recording: Recording) -> None:
    planted = Exchange(0, "DELETE", "/apis/livetask.dev/v1alpha1/namespaces/sports/relaytasks/a", {}, b"", 0.0)
    struck = [point for each in recording.everything for point in each.points]

    found = without_point(done_in([*recording.trace, planted], at_api_server), struck)

    effect = Effect("DELETE /apis/livetask.dev/v1alpha1/namespaces/sports/relaytasks/a")
    assert found == [Point(effect, 1, Phase.BEFORE), Point(effect, 1, Phase.AFTER)]


def test_a_write_past_the_proxy_is_found() -> None:
    write = AuditedWrite("operator", "patch", "relaytasks", "status", "sports", "cup-final", 200)
    path = "/apis/livetask.dev/v1alpha1/namespaces/sports/relaytasks/cup-final/status"
    seen = Exchange(0, "PATCH", path, {}, b"", 0.0, forwarded_s=0.0)

    assert past_the_proxy([write], [seen]) == []
    assert past_the_proxy([write, write], [seen]) == [f"patch {path}"]
    assert past_the_proxy([write], [replace(seen, forwarded_s=None)]) == [f"patch {path}"]


@dataclass(frozen=True)
class Kill:
    """One process that was killed at some points, and what came of it."""

    points: Sequence[Point]
    failures: Sequence[str]
    recovery: Sequence[Done] = ()
    """What was done after it."""


def cause(kill: Kill, effect: Effect) -> Point:
    """The point of the scene that an effect belongs to."""
    scenes = [scene for scene in SCENES if owns(scene, effect)]
    points = [point for point in kill.points if any(owns(scene, point.effect) for scene in scenes)]
    assert points, f"{effect} was done for a scene that was not struck"
    return points[0]


def kill_all(
    stage: Stage, recording: Recording, processes: Sequence[tuple[Sequence[Point], Point | None]]
) -> list[Kill]:
    """Kill some processes at a time."""
    with ThreadPoolExecutor(PROCESSES_AT_ONCE) as pool:
        kills = pool.map(lambda each: kill(stage, recording, *each), processes)
        return [each for of_one in kills for each in of_one]


def kill(
    stage: Stage, recording: Recording, points: Sequence[Point], again: Point | None = None, tries: int = TRIES
) -> list[Kill]:
    """Kill a process at these points. Where one was not met, all are tried again, each by itself."""
    play = Play(stage, cast_for(points) if points else SCENES)
    try:
        recovery = play.kill(points, recording.usual, again)
    except Slipped as slipped:
        if tries == 1:
            return [Kill((), [str(slipped)])]
        return [each for point in points for each in kill(stage, recording, [point], again, tries - 1)]
    where = (", ".join(map(str, points)) or "when all was done") + (f", and {again}" if again else "")
    return [Kill(points, [f"killed {where}: {failure}" for failure in play.failures], recovery)]
