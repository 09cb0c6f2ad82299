"""`make soak MINUTES=10 SEED=7`: breaks everything at random for so long, mends it, and judges what is left.

In the first half operators are killed, too. In the second they live on, so that what the one that leads holds in memory
can be compared: at its begin, after all vendors have answered without end for some seconds, and when all is quiet in
the end. What a process needed once the allocator keeps; what it needs more and more is a leak.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.conftest import ROOT
from tests.controlplane import ControlPlane
from tests.faults.proxy import Proxy, in_front_of_api_server
from tests.soak.breakage import REHEARSED_S, Breakage
from tests.soak.operators import Replicas
from tests.soak.people import People
from tests.soak.verdict import Verdict, leaked, status_is_wrong, stopped_wrongly
from tests.stage.objects import Objects, wait_for
from tests.stage.processes import Cloud

OBJECTS = 500
ACTS_PER_S = 4.0
FAULTS_PER_S = 0.35
TICK_S = 0.05
TELL_EVERY_S = 30.0
LOOK_ROUND_EVERY_S = 10.0
SETTLED_FIRST_WITHIN_S = 120.0
CONVERGES_WITHIN_S = 240.0
"""After the last fault: what a vendor refused is asked again every minute at least, a Lease takes 17 s to change."""
LAST_WORDS_S = 10.0
"""What was answered in the last moment of a fault may still be written, and put right."""
QUIET_FOR_S = 15.0
TELLS_MEMORY_FROM_MIN = 8.0


class Soak:
    """One run."""

    def __init__(self, minutes: float, seed: int, folder: Path, objects: Objects, proxy: Proxy) -> None:
        self._minutes = minutes
        self._dice = random.Random(seed)
        self._objects = objects
        self._proxy = proxy
        self._cloud = Cloud(folder)
        self._people = People(OBJECTS, objects, self._cloud.admin, self._dice)
        self._began_s = time.monotonic()
        self._folder = folder

    def run(self, kubeconfig: Path) -> Verdict:
        replicas = Replicas(kubeconfig, self._cloud.url, self._folder)
        try:
            return self._run(replicas)
        finally:
            replicas.stop()
            self._cloud.stop()

    def _run(self, replicas: Replicas) -> Verdict:
        people = self._people
        people.settle_in()
        self._say(f"{OBJECTS} objects are made; waiting until all of them are right")
        wait_for(lambda: not self._wrong(), self._what_is_wrong, SETTLED_FIRST_WITHIN_S)
        breakage = Breakage(self._dice, self._proxy, self._cloud.admin, people, replicas)
        self._break(breakage, replicas)
        breakage.mend_all()
        people.end_all()
        for company in people.companies:
            company.customer.at.accept_key()
            company.customer.put_secret()
        self._say("everything is mended; waiting until all is right")
        try:
            wait_for(lambda: not self._wrong(), "", CONVERGES_WITHIN_S)
        except AssertionError:
            self._say(f"it did not become right in time: {self._what_is_wrong()}")
        else:
            self._say("all is right")
        time.sleep(LAST_WORDS_S)
        quiet = self._writes_when_quiet()
        people.look_round()
        growth, told = replicas.growth()
        self._say(f"the leader's memory: {told}; operators ended {replicas.ends} times")
        self._say(f"people: {dict(people.done)}")
        self._say(f"broken: {dict(breakage.done)}")
        return Verdict(
            leaked=leaked(people.owed.values(), people.running()),
            stopped_wrongly=stopped_wrongly(people.owed, people.stops),
            wrong_statuses=self._wrong(),
            unplanned_exits=replicas.unplanned,
            writes_when_quiet=quiet,
            memory_growth=growth,
            must_tell_memory=self._minutes >= TELLS_MEMORY_FROM_MIN,
        )

    def _break(self, breakage: Breakage, replicas: Replicas) -> None:
        began_s = now_s = time.monotonic()
        half_s, end_s = began_s + self._minutes * 30, began_s + self._minutes * 60
        act_at_s = fault_at_s = look_at_s = now_s
        tell_at_s = now_s + TELL_EVERY_S
        while (now_s := time.monotonic()) < end_s:
            if breakage.kills and now_s >= half_s:
                breakage.kills, replicas.measure_from_s = False, now_s + REHEARSED_S
                breakage.rehearse()
            breakage.go_on()
            if now_s >= fault_at_s:
                fault_at_s = now_s + self._dice.expovariate(FAULTS_PER_S)
                breakage.begin()
            if now_s >= act_at_s:
                act_at_s = now_s + self._dice.expovariate(ACTS_PER_S)
                self._people.act()
            if now_s >= look_at_s:
                look_at_s = now_s + LOOK_ROUND_EVERY_S
                self._people.look_round()
                self._proxy.forget()
            if now_s >= tell_at_s:
                tell_at_s = now_s + TELL_EVERY_S
                acts, faults = sum(self._people.done.values()), sum(breakage.done.values())
                self._say(f"{acts} acts, {faults} faults, {len(self._people.stops)} stops, {replicas.ends} ends")
            time.sleep(TICK_S)

    def _wrong(self) -> list[str]:
        """What is not as it should be, in objects and at the vendors."""
        states = self._people.states()
        found, there = [], set()
        for body in self._people.bodies():
            key = (body["kind"], body["metadata"]["name"])
            there.add(key)
            if key in states:
                found += status_is_wrong(body, states[key])
            else:
                found.append(f"{key[1]} was deleted and is still there: {body['status'].get('conditions')}")
        return found + [f"{name} is not there" for _, name in states.keys() - there]

    def _what_is_wrong(self) -> str:
        wrong = self._wrong()
        return f"{len(wrong)} are not right: {wrong[:5]}"

    def _writes_when_quiet(self) -> list[str]:
        """What the operators write of objects while nothing happens. Events may still wait: one a second is posted."""
        self._proxy.forget()
        time.sleep(QUIET_FOR_S)
        return [f"{each.method} {each.path}" for each in self._proxy.trace if each.method == "PATCH"]

    def _say(self, words: str) -> None:
        print(f"{time.monotonic() - self._began_s:6.0f} s  {words}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="Break everything at random, and judge.")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}: make soak MINUTES={arguments.minutes:g} SEED={arguments.seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="livetask-soak-"))
    with ControlPlane() as plane, Objects(plane) as objects:
        plane.kubectl("apply", "-k", str(ROOT / "crds"))
        crds = ("crd/relaytasks.livetask.dev", "crd/preloadtasks.livetask.dev")
        plane.wait_until_established(*crds)
        plane.kubectl("apply", "-k", str(ROOT / "manifests"))
        proxy, kubeconfig = in_front_of_api_server(
            plane.kubeconfig_of("livetask-system", "livetask-operator"), folder / "proxy"
        )
        with proxy:
            verdict = Soak(arguments.minutes, arguments.seed, folder, objects, proxy).run(kubeconfig)
    print("\n".join(["", verdict.table(), *verdict.details]), flush=True)
    if verdict.holds:
        shutil.rmtree(folder, ignore_errors=True)
        return 0
    print(f"The logs are in {folder}. Again: make soak MINUTES={arguments.minutes:g} SEED={arguments.seed}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
