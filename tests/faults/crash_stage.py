"""Plays scenes before an operator that is killed exactly where it is told to be, is started again, and is judged.

Several scenes are played before one operator, each held at a point of its own, and one kill strikes them all: an
operator's start is most of what a point costs. What one process does one after the other is held once in a process:
its Events. `make test-crash` gives each point a process of its own.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.controlplane import ControlPlane
from tests.faults.crash_scenes import SCENES, Bystander, Scene
from tests.faults.effects import Done, Effect, Phase, Point, Reads, at_api_server, at_vendor, done_in, past_the_proxy
from tests.faults.ledger import judge
from tests.faults.proxy import Exchange, Proxy, Rule, in_front_of_api_server
from tests.stage.objects import Objects, wait_for
from tests.stage.processes import Cloud, Operator
from tests.stage.vendors import Customer

HELD_WITHIN_S = 25.0
SETTLED_WITHIN_S = 20.0
LOOK_AGAIN_S = 0.3
QUIET_S = 1.5
"""After so long without an effect a recorded story is over: longer than `Stopping` waits, and an Event."""
EVENT_COMES_WITHIN_S = 5.0
"""An Event may come after all that a person waits for."""
WRITTEN_AFTER_S = 0.3
"""After a look: for a status that must not be written there is nothing to wait for."""
OPERATOR = "system:serviceaccount:livetask-system:livetask-operator"

_NUMBERS = itertools.count(1)


class Unhurried(Objects):
    """Many look at once, and keep only so much of the machine from what they look at."""

    def get(self, path: str) -> Any:
        time.sleep(LOOK_AGAIN_S)
        return super().get(path)


class Slipped(Exception):
    """A point was not met, or did not wait for the kill: the machine was too slow, or the story took another way."""


@dataclass(frozen=True)
class Stage:
    """What all plays share."""

    plane: ControlPlane
    objects: Unhurried
    cloud: Cloud
    kubeconfig: Path
    folder: Path


@dataclass
class Play:
    """Some scenes before one operator, in a namespace of its own."""

    stage: Stage
    scenes: Sequence[type[Scene]]
    failures: list[str] = field(default_factory=list)
    _killed_s: float = 0.0

    def __post_init__(self) -> None:
        self.namespace = f"crash-{next(_NUMBERS)}"
        self._folder = self.stage.folder / self.namespace
        self.stage.objects.create("/api/v1/namespaces", {"metadata": {"name": self.namespace}})
        sides = {scene.side for scene in self.scenes}
        objects, cloud = self.stage.objects, self.stage.cloud.admin
        at = {side: Customer(self.namespace, objects, cloud, side, labels={"operator": "own"}) for side in sides}
        self.cast = [scene(at[scene.side]) for scene in self.scenes]

    def record(self) -> Recording:
        """Play without a kill."""
        before: dict[str, set[Point]] = {}
        with self._opened() as (api, cloud, operator):
            for scene in self.cast:
                scene.on_begin = self._noting(scene, api, cloud, before)
            self._finish(self._begin())
            self._wait_until_quiet(api, cloud)
            operator.stop()
            everything = self.done(api, cloud)
            self._judge(everything, {})
        return Recording(self, [each for each in everything if self._counts(each, before)], everything, api.trace)

    def kill(self, points: Sequence[Point], usual: Mapping[Effect, int], again: Point | None = None) -> Sequence[Done]:
        """Play, kill the operator where all of these points are met, start it again and judge.

        Without points it is killed when all have played their part. `usual`: how often each effect takes place without
        a kill. `again`: where it is killed a second time, in what it does to recover. Returns what it did after the
        first kill. Raises Slipped.
        """
        with self._opened() as (api, cloud, operator):
            held = {point: _hold(point, api, cloud) for point in points}
            playing = self._begin()
            if points:
                self._wait_until_held(held, playing)
            else:
                self._finish(playing)
            _kill(operator, held)
            self._killed_s = time.monotonic()
            if again is not None:
                held = {again: _hold(again, api, cloud)}
                operator.start()
                self._wait_until_held(held, playing)
                _kill(operator, held)
            operator.start()
            self._finish(playing)
            self._wait_until_looked(cloud)
            done = self.done(api, cloud)
            self._judge(done, usual)
        return [each for each in done if each.exchange.arrived_s > self._killed_s]

    def done(self, api: Proxy, cloud: Proxy) -> list[Done]:
        return [*done_in(api.trace, at_api_server), *done_in(cloud.trace, at_vendor)]

    def scene_of(self, effect: Effect) -> Scene | None:
        return next((scene for scene in self.cast if scene.owns(effect)), None)

    # How it is done

    def _opened(self) -> _Opened:
        return _Opened(self.stage, self.namespace, self._folder)

    def _begin(self) -> list[threading.Thread]:
        threads = [
            threading.Thread(target=self._act, args=(scene,), name=scene.name, daemon=True) for scene in self.cast
        ]
        for thread in threads:
            thread.start()
        return threads

    def _act(self, scene: Scene) -> None:
        try:
            scene.play()
        except Exception as error:
            self.failures.append(f"{scene.name}: {type(error).__name__}: {error}")

    def _finish(self, playing: Iterable[threading.Thread]) -> None:
        for thread in playing:
            thread.join()

    def _wait_until_held(self, held: Mapping[Point, Rule], playing: Sequence[threading.Thread]) -> None:
        deadline = time.monotonic() + HELD_WITHIN_S
        while open_ := [point for point, rule in held.items() if not rule.caught]:
            if time.monotonic() > deadline or self.failures:
                raise Slipped(f"not met: {', '.join(map(str, open_))}; {self.failures}")
            if not any(thread.is_alive() for thread in playing):
                deadline = min(deadline, time.monotonic() + EVENT_COMES_WITHIN_S)
            time.sleep(0.02)

    def _noting(self, scene: Scene, api: Proxy, cloud: Proxy, before: dict[str, set[Point]]) -> Callable[[], None]:
        """Have a scene tell where it begins: when the Event of what went before is there, too."""

        def begins() -> None:
            for each in scene.objects:
                each.tells("Running", "Normal")
            before[scene.name] = {point for done in self.done(api, cloud) for point in done.points}

        return begins

    def _counts(self, done: Done, before: Mapping[str, set[Point]]) -> bool:
        scene = self.scene_of(done.effect)
        if scene is None:
            return True
        return done.effect.what not in scene.by_chance and not set(done.points) <= before[scene.name]

    def _wait_until_quiet(self, api: Proxy, cloud: Proxy) -> None:
        count, since_s = 0, time.monotonic()
        while time.monotonic() - since_s < QUIET_S:
            if (now := len(self.done(api, cloud))) != count:
                count, since_s = now, time.monotonic()
            time.sleep(0.05)

    def _wait_until_looked(self, cloud: Proxy) -> None:
        """Until each living object was looked at again: what a restart would write of it, it has written by then."""
        wanted = {task for scene in self.cast for task in scene.looked_at()}

        def looked() -> set[str]:
            there = (done for done in done_in(cloud.trace, at_vendor) if done.exchange.arrived_s > self._killed_s)
            return {done.effect.about for done in there if done.exchange.answered_s is not None}

        try:
            wait_for(lambda: wanted <= looked(), "", SETTLED_WITHIN_S)
        except AssertionError:
            self.failures.append(f"not looked at after the restart: {', '.join(sorted(wanted - looked()))}")
        time.sleep(WRITTEN_AFTER_S)

    def _judge(self, done: Iterable[Done], usual: Mapping[Effect, int]) -> None:
        """Note what is wrong now that all is over: in the objects, at the vendors, in what was written."""
        try:
            wait_for(lambda: not self._wrong(), "", SETTLED_WITHIN_S)
        except AssertionError:
            self.failures += self._wrong()
        for scene in self.cast:
            running = [task for task in scene.due if scene.customer.at.is_running(task)]
            calls = [
                call
                for call in self.stage.cloud.admin.calls(account=scene.customer.account)
                if call.task_id.startswith(scene.name)
            ]
            self.failures += judge(scene.due, running, calls).all
        arrived = Counter(each.effect for each in done if each.exchange.forwarded_s is not None)
        self.failures += [
            f"done {arrived[effect]} times instead of {count}: {effect}"
            for effect, count in usual.items()
            if effect.what.startswith(("status", "finalizer")) and arrived[effect] > count
        ]

    def _wrong(self) -> list[str]:
        return [each for scene in self.cast for each in scene.wrong()]


@dataclass(frozen=True)
class Recording:
    """What a play without a kill had done outside."""

    play: Play
    counted: Sequence[Done]
    """Of each scene, from its beginning on: around each of these the operator is killed."""
    everything: Sequence[Done]
    trace: Sequence[Exchange]
    """All that was sent to the API server."""

    @property
    def points(self) -> list[Point]:
        return [point for each in self.counted for point in each.points]

    @property
    def usual(self) -> Mapping[Effect, int]:
        """How often each effect takes place in a whole story."""
        return Counter(each.effect for each in self.everything)

    def past_the_proxy(self) -> list[str]:
        """What the API server's audit log has of this play's operator, and the trace has not."""
        namespace = self.play.namespace
        writes = [each for each in self.play.stage.plane.writes(OPERATOR) if each.namespace == namespace]
        return past_the_proxy(writes, self.trace)


class _Opened:
    """An operator behind a proxy to each side, for as long as the `with` lasts."""

    def __init__(self, stage: Stage, namespace: str, folder: Path) -> None:
        self._stage = stage
        self._namespace = namespace
        self._folder = folder
        self._stack = ExitStack()

    def __enter__(self) -> tuple[Proxy, Proxy, Operator]:
        api, kubeconfig = in_front_of_api_server(self._stage.kubeconfig, self._folder)
        self._stack.enter_context(api)
        cloud = self._stack.enter_context(Proxy(self._stage.cloud.url))
        arguments = ("--no-leader-elect", "--namespace", self._namespace)
        operator = Operator(kubeconfig, cloud.url, self._folder / "operator", arguments=arguments, waits=False)
        self._stack.callback(lambda: operator.process.stop())
        return api, cloud, operator

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def _kill(operator: Operator, held: Mapping[Point, Rule]) -> None:
    """Kill it while all of these points wait for that. Raises Slipped."""
    if gone := [str(point) for point, rule in held.items() if rule.is_over]:
        raise Slipped(f"did not wait for the kill: {', '.join(gone)}")
    operator.kill()
    for point, rule in held.items():
        wait_for(partial(getattr, rule, "is_over"), "the end of a dead process's request", 10)
        rule.let_go()
        was_done = rule.caught[0].status is not None
        assert was_done is (point.phase is Phase.AFTER), f"killed elsewhere than {point}"


def _hold(point: Point, api: Proxy, cloud: Proxy) -> Rule:
    proxy, reads = (api, at_api_server) if _is_at_api_server(point.effect) else (cloud, at_vendor)
    rule = proxy.hold_before if point.phase is Phase.BEFORE else proxy.hold_after
    return rule(lambda exchange: _is(exchange, point, proxy, reads))


def _is(exchange: Exchange, point: Point, proxy: Proxy, reads: Reads) -> bool:
    if reads(exchange) != point.effect:
        return False
    return next(done.nth for done in done_in(proxy.trace, reads) if done.exchange is exchange) == point.nth


def _is_at_api_server(effect: Effect) -> bool:
    return effect.what.startswith(("status", "finalizer", "Event ", "read who else"))


def one_of_a_kind(points: Iterable[Point]) -> list[Point]:
    """All points but those around an Event whose reason another scene has, too.

    Events are posted by one part, one after the other, so each takes a process of its own: half of all processes.
    """
    kept: dict[tuple[str, Phase], Point] = {}
    return [
        point
        for point in points
        if not _is_event(point) or kept.setdefault((point.effect.what, point.phase), point) is point
    ]


def batches(points: Iterable[Point], at_once: int) -> Iterator[list[Point]]:
    """Points that can be met in one process: one of each scene, one Event, and none that waits long for another.

    The answer to a held look after a stop is waited for 5 seconds, others 10.
    """
    of_scene: dict[type[Scene], list[Point]] = {}
    for point in points:
        of_scene.setdefault(next(scene for scene in SCENES if owns(scene, point.effect)), []).append(point)
    for slow in (False, True):
        lines = [line for scene, line in of_scene.items() if scene.slow is slow]
        while lines := sorted((line for line in lines if line), key=len, reverse=True):
            batch: list[Point] = []
            for line in lines[:at_once]:
                has_event = any(_is_event(point) for point in batch)
                index = next((i for i, point in enumerate(line) if not (has_event and _is_event(point))), None)
                if index is not None:
                    batch.append(line.pop(index))
            yield batch


def owns(scene: type[Scene], effect: Effect) -> bool:
    return effect.about.startswith(scene.name) or effect.what in scene.nameless


def _is_event(point: Point) -> bool:
    return point.effect.what.startswith("Event ")


def cast_for(points: Iterable[Point]) -> list[type[Scene]]:
    """The scenes whose points these are, and the bystander."""
    named = list(points)
    return [*(s for s in SCENES if any(owns(s, p.effect) for p in named) and s is not Bystander), Bystander]
