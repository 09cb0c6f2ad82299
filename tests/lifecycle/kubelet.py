"""Runs the operator's Pods as processes, and tells the API server of them, as a node would.

It is apart because here the Pods are the API server's own: what a page does to the Deployment (an apply, a scale, a
rollout, a rollback, an uninstall) is carried out by the real controllers, and this does what they leave to a node. An
image is not pulled: its tag tells which version the process says that it is.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import yaml

from tests.controlplane import ControlPlane
from tests.controlplane.ports import free_ports
from tests.controlplane.process import ChildProcess
from tests.stage.objects import Objects

NAMESPACE = "livetask-system"
NODE = "stage"
LOOK_AGAIN_S = 0.2
RESTART_AFTER_S = 1.0
PROGRAM = str(Path(sys.executable).parent / "livetask-operator")
ENDPOINTS = ("alibabaRtc", "alibabaLive", "tencentTrtc", "huaweiLive")
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"


@dataclass
class _Run:
    """A Pod that was taken on."""

    folder: Path
    port: int
    process: ChildProcess
    ready: bool | None = None
    ended_s: float | None = None
    was_asked_to_end: bool = False
    earlier: list[ChildProcess] = field(default_factory=list)


class Kubelet:
    """A node with room for the operator's Pods alone, for as long as the `with` lasts.

    cloud_url: what stands in for all vendors' endpoints; without it the configuration's own hold.
    """

    def __init__(self, cluster: ControlPlane, folder: Path, cloud_url: str = "") -> None:
        self._cluster = cluster
        self._folder = folder
        self._cloud_url = cloud_url
        self._runs: dict[str, _Run] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="kubelet", daemon=True)
        self.faults: list[Exception] = []

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        for run in self._runs.values():
            run.process.stop()
        if kind is None:
            assert self.faults == []

    def running(self) -> list[str]:
        """The names of the Pods that run now."""
        return [run.folder.name for run in self._runs.values() if run.process.returncode is None]

    def logs(self, pods: str = "") -> str:
        """What all Pods, or those whose names begin so, have said so far."""
        return "".join(path.read_text() for path in sorted(self._folder.glob(f"{pods}*/log")))

    def _work(self) -> None:
        with Objects(self._cluster) as objects:
            while not self._stop.wait(LOOK_AGAIN_S):
                try:
                    self._look(objects)
                except httpx.TransportError:
                    continue  # the control plane ends before its node
                except Exception as error:
                    self.faults.append(error)

    def _look(self, objects: Objects) -> None:
        there = {pod["metadata"]["uid"]: pod for pod in objects.get(PODS)["items"]}
        for uid, run in self._runs.items():
            if uid not in there:
                run.process.stop()
        for uid, pod in there.items():
            if uid not in self._runs:
                if "deletionTimestamp" not in pod["metadata"]:
                    self._take_on(objects, uid, pod)
                continue
            run = self._runs[uid]
            if "deletionTimestamp" in pod["metadata"]:
                self._end(objects, run, pod)
            else:
                self._tend(objects, run, pod)

    def _take_on(self, objects: Objects, uid: str, pod: Mapping[str, Any]) -> None:
        name = pod["metadata"]["name"]
        if not pod["spec"].get("nodeName"):
            target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
            objects.create(
                f"{PODS}/{name}/binding",
                {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": target},
            )
        folder = self._folder / name
        self._mount(objects, pod, folder)
        (port,) = free_ports(1)
        self._runs[uid] = _Run(folder, port, self._start(pod, folder, port))

    def _mount(self, objects: Objects, pod: Mapping[str, Any], folder: Path) -> None:
        """Write the ConfigMaps of a Pod where its process finds them, with the vendors' addresses."""
        for volume in pod["spec"]["volumes"]:
            if "configMap" not in volume:
                continue
            config_map = objects.get(f"/api/v1/namespaces/{NAMESPACE}/configmaps/{volume['configMap']['name']}")
            (folder / volume["name"]).mkdir(parents=True)
            for file, text in config_map["data"].items():
                (folder / volume["name"] / file).write_text(self._pointed(file, text))

    def _pointed(self, file: str, text: str) -> str:
        if file != "config.yaml" or not self._cloud_url:
            return text
        return yaml.safe_dump({**yaml.safe_load(text), "endpoints": dict.fromkeys(ENDPOINTS, self._cloud_url)})

    def _start(self, pod: Mapping[str, Any], folder: Path, port: int) -> ChildProcess:
        (container,) = pod["spec"]["containers"]
        mounts = {each["mountPath"]: folder / each["name"] for each in container.get("volumeMounts", [])}

        def here(text: str) -> str:
            for path, there in mounts.items():
                text = text.replace(f"{path}/", f"{there}/")
            return text

        kubeconfig = self._cluster.kubeconfig_of(NAMESPACE, pod["spec"]["serviceAccountName"])
        env = {name: value for name, value in os.environ.items() if not name.startswith("KUBE")}
        env |= {each["name"]: here(_value(each, pod)) for each in container.get("env", [])}
        env |= {"KUBECONFIG": str(kubeconfig), "PYTHONPATH": self._version_of(container["image"])}
        command = [PROGRAM, *map(here, container["args"]), "--listen", f"127.0.0.1:{port}"]
        folder.mkdir(exist_ok=True)
        return ChildProcess(pod["metadata"]["name"], command, folder / "log", env)

    def _version_of(self, image: str) -> str:
        """A folder that makes the process say the image's tag for its version."""
        tag = image.rpartition(":")[2]
        paths = [os.environ.get("PYTHONPATH", "")]
        if tag != version("livetask-operator"):
            told = self._folder / "versions" / tag / f"livetask_operator-{tag}.dist-info"
            told.mkdir(parents=True, exist_ok=True)
            (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: livetask-operator\nVersion: {tag}\n")
            paths.insert(0, str(told.parent))
        return os.pathsep.join(filter(None, paths))

    def _tend(self, objects: Objects, run: _Run, pod: Mapping[str, Any]) -> None:
        """Tell whether it is ready, and start again what ended by itself."""
        now_s = time.monotonic()
        if run.process.returncode is not None:
            run.ended_s = now_s if run.ended_s is None else run.ended_s
            if now_s - run.ended_s > RESTART_AFTER_S:
                run.process, run.ended_s = self._start(pod, run.folder, run.port), None
        ready = run.process.returncode is None and _answers(f"http://127.0.0.1:{run.port}/readyz")
        if ready != run.ready:
            run.ready = ready
            condition = {
                "type": "Ready",
                "status": str(ready),
                "lastTransitionTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
            objects.merge(
                f"{PODS}/{pod['metadata']['name']}/status", {"status": {"phase": "Running", "conditions": [condition]}}
            )

    def _end(self, objects: Objects, run: _Run, pod: Mapping[str, Any]) -> None:
        """SIGTERM, and the object goes when the process has ended."""
        if run.process.returncode is None:
            if not run.was_asked_to_end:
                run.was_asked_to_end = True
                run.process.send(signal.SIGTERM)
            return
        objects.delete(f"{PODS}/{pod['metadata']['name']}?gracePeriodSeconds=0")


def _value(variable: Mapping[str, Any], pod: Mapping[str, Any]) -> str:
    if "value" in variable:
        return str(variable["value"])
    at: Any = pod
    for part in variable["valueFrom"]["fieldRef"]["fieldPath"].split("."):
        at = at[part]
    return str(at)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
