"""A whole Argo CD on a control plane: its application controller, its repo server and redis, each as a process."""

from __future__ import annotations

import json
import os
import re
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.argocd.programs import Programs
from tests.conftest import ROOT
from tests.controlplane import ControlPlane
from tests.controlplane.ports import free_ports
from tests.controlplane.process import ChildProcess
from tests.stage.objects import wait_for

NAMESPACE = "argocd"
PART_OF = {"app.kubernetes.io/part-of": "argocd"}
CUSTOMIZATIONS = ROOT / "manifests" / "argocd" / "argocd-cm.yaml"
READY_TIMEOUT_S = 120


class ArgoCD:
    """An Argo CD that works, for as long as the `with` lasts, with our customizations in its settings.

    It looks for new commits when it is told to, as by a Git server's webhook (`Application.refresh`), and by itself
    every two minutes: what happens sooner was caused by something.
    """

    def __init__(self, cluster: ControlPlane, programs: Programs, folder: Path) -> None:
        self.cluster = cluster
        self._programs = programs
        self._folder = folder
        self._processes: list[ChildProcess] = []
        folder.mkdir(parents=True, exist_ok=True)
        ports = free_ports(4)
        self._redis_port, self._repo_port, self._repo_metrics_port, self._metrics_port = ports
        self.log = folder / "controller.log"

    def __enter__(self) -> ArgoCD:
        try:
            self._apply()
            self._start_redis()
            self._start_repo_server()
            self._start_controller()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.stop(grace_s=2)
        self._processes.clear()

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the controller's series of this name that have these labels."""
        return sum(value for found, those, value in self._series() if found == name and labels.items() <= those.items())

    def said(self, **fields: str) -> list[dict[str, Any]]:
        """The controller's log records that have these fields, oldest first."""
        records = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [each for each in records if all(each.get(name) == value for name, value in fields.items())]

    def configure(self, **data: str | None) -> None:
        """Change settings in argocd-cm; None takes a key away. The controller takes them over by itself."""
        patch = json.dumps({"data": data})
        self.cluster.kubectl("-n", NAMESPACE, "patch", "configmap", "argocd-cm", "--type=merge", "-p", patch)

    def _series(self) -> Iterator[tuple[str, Mapping[str, str], float]]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._metrics_port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        for name, labels, value in re.findall(r"^(\w+)(?:\{(.*)\})? (\S+)$", text, re.MULTILINE):
            yield name, dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels)), float(value)

    def _apply(self) -> None:
        """What `kubectl apply` of a fresh install brings, as far as its programs need it, and our customizations."""
        kubectl = self.cluster.kubectl
        kubectl("create", "namespace", NAMESPACE)
        for manifest in self._programs.manifests:
            kubectl("-n", NAMESPACE, "apply", "--server-side", "-f", str(manifest))
        served = ("-n", NAMESPACE, "get", "applications.argoproj.io,appprojects.argoproj.io")
        wait_for(lambda: kubectl(*served, check=False).returncode == 0, "Argo CD's kinds are served", 30)
        for body in _settings():
            kubectl("create", "-f", "-", stdin=json.dumps(body))
        patch = f"--patch-file={CUSTOMIZATIONS}"
        kubectl("-n", NAMESPACE, "patch", "configmap", "argocd-cm", patch)

    def _env(self, role: str) -> dict[str, str]:
        home = self._folder / role
        for name in ("tls", "ssh", "gnupg", "plugins", "bin", ".kube"):
            (home / name).mkdir(parents=True, exist_ok=True)
        (home / "ssh" / "ssh_known_hosts").touch()
        (home / ".kube" / "config").write_text(self.cluster.kubeconfig.read_text())
        # It is called for each commit, also where signatures are not looked at.
        verify = home / "bin" / "git-verify-wrapper.sh"
        verify.write_text("#!/bin/sh\nexit 0\n")
        verify.chmod(0o755)
        if not (home / "bin" / "kustomize").exists():
            (home / "bin" / "kustomize").symlink_to(self._programs.kustomize)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("KUBE", "ARGOCD", "GIT"))}
        return {
            **kept,
            "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(home),
            "TMPDIR": str(home),
            "ARGOCD_BINARY_NAME": f"argocd-{role}",
            "ARGOCD_FAKE_IN_CLUSTER": "true",
            "ARGOCD_GPG_ENABLED": "false",
            "ARGOCD_TLS_DATA_PATH": str(home / "tls"),
            "ARGOCD_SSH_DATA_PATH": str(home / "ssh"),
            "ARGOCD_GNUPGHOME": str(home / "gnupg"),
            "ARGOCD_PLUGINSOCKFILEPATH": str(home / "plugins"),
        }

    def _start_redis(self) -> None:
        libraries = self._programs.redis_libraries
        env = {**os.environ, **({"LD_LIBRARY_PATH": str(libraries)} if libraries else {})}
        command = [str(self._programs.redis), "--port", str(self._redis_port), "--bind", "127.0.0.1"]
        redis = self._start("redis", [*command, "--save", "", "--appendonly", "no", "--dir", str(self._folder)], env)
        redis.wait_until(lambda: "Ready to accept connections" in redis.tail(), "ready", READY_TIMEOUT_S)

    def _start_repo_server(self) -> None:
        repo_server = self._start(
            "repo-server",
            [
                str(self._programs.argocd),
                f"--redis=127.0.0.1:{self._redis_port}",
                "--address=127.0.0.1",
                f"--port={self._repo_port}",
                f"--metrics-port={self._repo_metrics_port}",
                "--disable-tls",
                "--client-ca-path=",
                "--logformat=json",
            ],
            self._env("repo-server"),
        )
        health = f"http://127.0.0.1:{self._repo_metrics_port}/healthz?full=true"
        repo_server.wait_until(lambda: _answers(health), "ready", READY_TIMEOUT_S)

    def _start_controller(self) -> None:
        controller = self._start(
            "controller",
            [
                str(self._programs.argocd),
                f"--namespace={NAMESPACE}",
                f"--redis=127.0.0.1:{self._redis_port}",
                f"--repo-server=127.0.0.1:{self._repo_port}",
                "--repo-server-plaintext",
                f"--metrics-port={self._metrics_port}",
                f"--kubeconfig={self.cluster.kubeconfig}",
                "--status-processors=4",
                "--operation-processors=4",
                "--persist-resource-health",  # in the Application's status, where a test can read it
                "--logformat=json",
            ],
            self._env("application-controller"),
        )
        health = f"http://127.0.0.1:{self._metrics_port}/healthz"
        controller.wait_until(lambda: _answers(health), "ready", READY_TIMEOUT_S)

    def _start(self, name: str, command: list[str], env: Mapping[str, str]) -> ChildProcess:
        process = ChildProcess(name, command, self._folder / f"{name}.log", env)
        self._processes.append(process)
        return process


def _settings() -> Iterator[dict[str, Any]]:
    def named(kind: str, name: str) -> dict[str, Any]:
        metadata = {"name": name, "namespace": NAMESPACE, "labels": PART_OF}
        return {"apiVersion": "v1", "kind": kind, "metadata": metadata}

    yield named("ConfigMap", "argocd-rbac-cm")
    yield {**named("Secret", "argocd-secret"), "stringData": {"server.secretkey": "of this test alone"}}
    yield {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": "default", "namespace": NAMESPACE},
        "spec": {
            "sourceRepos": ["*"],
            "destinations": [{"namespace": "*", "server": "*"}],
            "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
        },
    }


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
