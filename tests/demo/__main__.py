"""Plays the demo: what a person would type, what they would see, and what reached the vendor."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from livetask_simulator.client import Simulator
from tests.controlplane import ControlPlane
from tests.controlplane.binaries import ControlPlaneUnavailable
from tests.stage.processes import Cloud, Operator

ROOT = Path(__file__).parent.parent.parent
APP, ACCOUNT, NAMESPACE = "yourAppId", "demo", "live"
PROJECT = "0123456789abcdef0123456789abcdef"
URLS = ("rtmp://play.example.com/live/cup-final", "rtmp://play.example.com/live/cup-final-commentary")
STOP_CALLS = ("StopLiveMPUTask", "StopStreamIngest", "DeletePullTask")
OPERATOR_NAMESPACE = "livetask-system"
STEP_TIMEOUT_S = 60.0
LOOK_AGAIN_S = 0.3


class Demo:
    """The stage, and how it talks."""

    def __init__(self, cluster: ControlPlane, cloud: Cloud, folder: Path) -> None:
        self.cluster = cluster
        self.cloud = cloud
        self.folder = folder
        self.operator: Operator | None = None

    def title(self, words: str) -> None:
        print(f"\n\033[1m== {words}\033[0m" if sys.stdout.isatty() else f"\n== {words}", flush=True)

    def say(self, words: str) -> None:
        print(words, flush=True)

    def kubectl(self, *arguments: str) -> str:
        """Run kubectl as a person would, and show both the command and what it says."""
        self.say("$ kubectl " + " ".join(f"'{each}'" if " " in each else each for each in arguments))
        output = self.cluster.kubectl(*arguments).stdout
        self.say(output.rstrip())
        return output

    def table(self, kind: str) -> str:
        return self.cluster.kubectl("-n", NAMESPACE, "get", kind).stdout

    def show_until(self, what: str, condition: Callable[[dict[str, str]], bool], kind: str = "rlt") -> None:
        """Show the table each time a state moves, until the states are as they should be."""
        self.say(f"$ kubectl -n {NAMESPACE} get {kind}        ({what})")
        shown: dict[str, str] | None = None
        deadline = time.monotonic() + STEP_TIMEOUT_S
        while True:
            table = self.table(kind)
            now = states(table)
            if now != shown:
                self.say(table.rstrip() + "\n")
                shown = now
            if condition(now):
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"after {STEP_TIMEOUT_S:.0f} s not: {what}")
            time.sleep(LOOK_AGAIN_S)


def states(table: str) -> dict[str, str]:
    """STATE by NAME, as `kubectl get rlt` shows them; empty where nothing is known yet."""
    header, *rows = table.splitlines()
    at = header.index("STATE")
    return {row.split()[0]: (row[at:].split() or [""])[0] if row[at : at + 1].strip() else "" for row in rows}


def set_the_vendors_up(cloud: Simulator) -> None:
    """What has happened at the vendors before anybody applies anything."""
    cloud.add_account(ACCOUNT)
    cloud.add_key(ACCOUNT, "yourAccessKeyId", "yourAccessKeySecret")
    cloud.start_task(ACCOUNT, APP, "cup-final", 0, life=[(4.0, 1)])
    cloud.start_task(ACCOUNT, APP, "press-conference", 1)
    cloud.start_task(ACCOUNT, APP, "concert", 1)
    cloud.start_task(ACCOUNT, APP, "rehearsal", 1)
    for url in URLS:
        life = [(8.0, 60, "Success"), (16.0, 100, "Success")]
        cloud.add_preload(ACCOUNT, "play.example.com", url, process=0, starts_in_seconds=4.0, life=life)
    cloud.tencent.add_account(ACCOUNT)
    cloud.tencent.add_key(ACCOUNT, "yourSecretId", "yourSecretKey")
    cloud.tencent.start_task(ACCOUNT, 1400000001, "CR6Lqv-x+y.")
    cloud.huawei.add_account(ACCOUNT)
    cloud.huawei.add_key(ACCOUNT, "yourHuaweiAccessKeyId", "yourSecretAccessKey")
    cloud.huawei.start_task(ACCOUNT, PROJECT, "7864b3dc-e92f-42db-a754-08e627b6d8dd")


def play(demo: Demo, kubeconfig: Path) -> list[str]:
    """The whole piece. Returns what was seen, for the summary."""
    cloud = demo.cloud.admin
    seen = []

    demo.title("The vendors: simulated Alibaba, Tencent and Huawei Cloud, where tasks were started")
    set_the_vendors_up(cloud)
    demo.say(f"They check signatures and quotas as the real ones do, at {demo.cloud.url}")

    demo.title("The operator, as its own process, with the rights that manifests/ gives its ServiceAccount")
    arguments = ("--lease-namespace", OPERATOR_NAMESPACE)
    demo.operator = Operator(kubeconfig, demo.cloud.url, demo.folder, arguments=arguments, log_format="text")
    demo.say(f"Its log: {demo.operator.log} (as long as the demo runs)")

    demo.title("Tasks are declared")
    demo.kubectl("apply", "-k", str((ROOT / "manifests" / "samples").relative_to(Path.cwd())))
    running = {"cup-final", "press-conference", "concert", "rehearsal", "interview", "stadium-feed"}
    demo.show_until(
        "until the operator has followed all of them",
        lambda now: all(now.get(name) == "Running" for name in running) and now.get("charity-gala") == "NotFound",
    )
    seen.append("7 tasks at 3 vendors were applied; states moved as the vendors said: 6 run, 1 is not known there yet")

    demo.title("URLs are warmed up at the edge: a PreloadTask, until its result is final")
    demo.show_until("until the preload is done", lambda now: now.get("cup-final-edge") == "Succeeded", kind="plt")
    seen.append("a preload of two URLs moved to Succeeded, and is polled no more")

    demo.title("A running task ends at the vendor, and another has trouble with its push URL")
    cloud.set_task(ACCOUNT, APP, "press-conference", status=2)
    cloud.set_task(ACCOUNT, APP, "concert", status=6)
    demo.show_until(
        "until the status has followed",
        lambda now: now.get("press-conference") == "Stopped" and now.get("concert") == "Failed",
    )
    demo.kubectl("-n", NAMESPACE, "get", "events", "--field-selector", "reason=TaskFailed")
    seen.append(
        "a task that ended at the vendor became Stopped, one in trouble Failed, with a Warning that says what to do"
    )

    demo.title("RelayTasks are deleted: their tasks are stopped at the vendors, then the objects go")
    began = time.monotonic()
    demo.kubectl("-n", NAMESPACE, "delete", "rlt", "rehearsal", "interview", "stadium-feed")
    took_s = time.monotonic() - began
    stops = [call for operation in STOP_CALLS for call in cloud.calls(account=ACCOUNT, operation=operation)]
    for call in stops:
        demo.say(f"The vendor received {call.operation} of task {call.task_id}: {call.outcome}")
    if sorted(call.operation for call in stops if call.stopped_task) != sorted(STOP_CALLS) or len(stops) != 3:
        raise RuntimeError(f"the vendors should have stopped these three and nothing else; they received {stops}")
    demo.kubectl("-n", NAMESPACE, "get", "events", "--field-selector", "reason=StopAccepted")
    seen.append(
        f"kubectl delete of three returned after {took_s:.1f} s, when each vendor had accepted its stop "
        f"({', '.join(STOP_CALLS)}); nothing else was stopped"
    )
    return seen


def keep(demo: Demo) -> None:
    """Leave everything running until Ctrl-C or SIGTERM, and say how to play with it."""
    end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: end.set())
    signal.signal(signal.SIGINT, lambda *_: end.set())
    demo.title("All of it keeps running")
    if shutil.which("kubectl") is None:
        demo.say(f"export PATH=$PATH:{Path(demo.cluster.kubectl_path).parent}")
    demo.say(f"export KUBECONFIG={demo.cluster.kubeconfig}")
    demo.say(f"kubectl -n {NAMESPACE} get rlt -w                    # then, in another shell:")
    task = f"{demo.cloud.url}/_admin/alibaba/accounts/{ACCOUNT}/tasks/{APP}/cup-final"
    demo.say(f"curl -X PATCH -d '{{\"status\": 4}}' {task}   # its channel stops")
    demo.say(f"\nTo end it: Ctrl-C here, or kill {os.getpid()}")
    end.wait()
    demo.say("\nending …")


def main() -> int:
    os.chdir(ROOT)
    folder = Path(tempfile.mkdtemp(prefix="livetask-demo-"))
    cloud: Cloud | None = None
    try:
        print("== A Kubernetes control plane of its own: etcd, kube-apiserver and kube-controller-manager", flush=True)
        with ControlPlane(say=lambda line: print(line, flush=True)) as cluster:
            cloud = Cloud(folder)
            demo = Demo(cluster, cloud, folder)
            demo.kubectl("version")
            demo.kubectl("apply", "-k", "crds/")
            demo.kubectl("apply", "-k", "manifests/")
            demo.say("(There is no node, so the Deployment's Pod stays Pending; the operator runs beside it.)")
            crds = ("crd/relaytasks.livetask.dev", "crd/preloadtasks.livetask.dev")
            cluster.wait_until_established(*crds)
            try:
                seen = play(demo, cluster.kubeconfig_of(OPERATOR_NAMESPACE, "livetask-operator"))
                demo.title("Seen")
                for line in seen:
                    demo.say(f"- {line}")
                if os.environ.get("KEEP", "") not in ("", "0"):
                    keep(demo)
                else:
                    demo.say("\nmake demo KEEP=1 leaves all of it running, to play with.")
            finally:
                if demo.operator is not None:
                    demo.operator.stop()
    except (ControlPlaneUnavailable, TimeoutError, RuntimeError, subprocess.SubprocessError) as error:
        print(f"\nThe demo failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        if cloud is not None:
            cloud.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
