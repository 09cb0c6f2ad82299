"""Flux's real kustomize-controller on a control plane, and the artifacts that its source-controller would give it.

A Git server is what source-controller needs and a test has not; so the artifacts are made and served here, and the
GitRepository's status says where: all that kustomize-controller ever sees of a source.
"""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import os
import tarfile
import threading
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import yaml

from tests.argocd.programs import folder_of
from tests.conftest import ROOT
from tests.controlplane import ControlPlane
from tests.controlplane.ports import free_ports
from tests.controlplane.process import ChildProcess
from tests.programs import Kit, Program, locked
from tests.stage.objects import Objects, wait_for

NAMESPACE = "flux-system"
SAMPLE = ROOT / "manifests" / "samples" / "gitops" / "flux.yaml"
CONTROLLER = "github.com/fluxcd/kustomize-controller"
KIT = Kit("Flux", Path(__file__).parent / "build" / "flux", (Program("kustomize-controller", CONTROLLER, 280),))
CRDS = {
    f"{CONTROLLER}@v1.9.5": ("kustomizations",),
    "github.com/fluxcd/source-controller@v1.9.0": ("gitrepositories", "ocirepositories", "buckets"),
}
"""Modules and the kinds whose CRDs they have; source-controller's is the one whose API kustomize-controller has."""
READY_TIMEOUT_S = 60
RECONCILES_S = 90.0


class Flux:
    """kustomize-controller, for as long as the `with` lasts, and a server of artifacts."""

    def __init__(self, cluster: ControlPlane, folder: Path) -> None:
        self._cluster = cluster
        self._program = KIT.obtain()["kustomize-controller"]
        self._crds = crds()
        self._folder = folder
        self.artifacts = folder / "artifacts"
        self.artifacts.mkdir(parents=True)
        handler = functools.partial(_Quiet, directory=str(self.artifacts))
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="artifacts", daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Flux:
        kubectl = self._cluster.kubectl
        kubectl("create", "namespace", NAMESPACE)
        for crd in self._crds:
            kubectl("apply", "--server-side", "-f", str(crd))
        names = ",".join(str(yaml.safe_load(crd.read_text())["metadata"]["name"]) for crd in self._crds)
        wait_for(lambda: kubectl("get", "-A", names, check=False).returncode == 0, "Flux's kinds are served", 30)
        self._thread.start()
        metrics, health = free_ports(2)
        command = [str(self._program), f"--metrics-addr=127.0.0.1:{metrics}", f"--health-addr=127.0.0.1:{health}"]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("KUBE")}
        env = {**kept, "KUBECONFIG": str(self._cluster.kubeconfig), "RUNTIME_NAMESPACE": NAMESPACE}
        self._process = ChildProcess(
            "kustomize-controller", command, self._folder / "flux.log", {**env, "TMPDIR": str(self._folder)}
        )
        try:
            self._process.wait_until(lambda: "Starting workers" in self._process.tail(), "ready", READY_TIMEOUT_S)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Kustomization:
    """The sample's Kustomization, named after the namespace of the test's own team, and the source that it names."""

    def __init__(self, flux: Flux, objects: Objects, name: str) -> None:
        self._flux = flux
        self._objects = objects
        self.name = name
        self._source = _path("source.toolkit.fluxcd.io/v1", "gitrepositories")
        self._path = _path("kustomize.toolkit.fluxcd.io/v1", "kustomizations")

    def commits(self, *bodies: Mapping[str, Any]) -> str:
        """Have the source hold these objects and no others. Returns the revision."""
        made = BytesIO()
        with tarfile.open(fileobj=made, mode="w:gz") as tar:
            text = yaml.safe_dump_all([self._at_home(each) for each in bodies]).encode()
            entry = tarfile.TarInfo("tasks.yaml")
            entry.size, entry.mode = len(text), 0o644
            tar.addfile(entry, BytesIO(text))
        digest = hashlib.sha256(made.getvalue()).hexdigest()
        (self._flux.artifacts / f"{digest}.tar.gz").write_bytes(made.getvalue())
        revision = f"main@sha1:{digest[:40]}"
        artifact = {
            "digest": f"sha256:{digest}",
            "lastUpdateTime": "2026-11-21T18:00:00Z",
            "path": f"{digest}.tar.gz",
            "revision": revision,
            "url": f"{self._flux.url}/{digest}.tar.gz",
        }
        if self._objects.get(f"{self._source}/{self.name}") is None:
            spec = {"interval": "10m", "url": "https://git.example.com/live/tasks.git"}
            body = {"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository"}
            self._objects.create(self._source, {**body, "metadata": {"name": self.name}, "spec": spec})
        self._objects.merge(f"{self._source}/{self.name}/status", {"status": {"artifact": artifact}})
        return revision

    def _at_home(self, body: Mapping[str, Any]) -> dict[str, Any]:
        return {**body, "metadata": {**body["metadata"], "namespace": self.name}}

    def begins(self, **spec: object) -> None:
        """Apply the sample, for this team; `spec`: what is changed in it, None takes a field away."""
        body = yaml.safe_load(SAMPLE.read_text())
        body["metadata"]["name"] = body["spec"]["sourceRef"]["name"] = self.name
        changed = {**body["spec"], **spec}
        body["spec"] = {field: value for field, value in changed.items() if value is not None}
        self._objects.create(self._path, body)

    @property
    def status(self) -> dict[str, Any]:
        return dict((self._objects.get(f"{self._path}/{self.name}") or {}).get("status", {}))

    def becomes(self, status: str, reason: str, revision: str, within_s: float = RECONCILES_S) -> str:
        """Wait until its Ready says so of a revision. Returns the words."""

        def there() -> dict[str, Any]:
            told = self.status
            ready: dict[str, Any] = next((each for each in told.get("conditions", []) if each["type"] == "Ready"), {})
            right = (ready.get("status"), ready.get("reason")) == (status, reason)
            return ready if right and told.get("lastAttemptedRevision") == revision else {}

        found = wait_for(there, lambda: f"{self.name} {status}/{reason}; {json.dumps(self.status, indent=1)}", within_s)
        return str(found["message"])


def crds() -> list[Path]:
    """The CRDs of Flux that are needed, from the cache or out of their modules."""
    with locked(KIT.cache_folder) as cache:
        found = []
        for module, kinds in CRDS.items():
            wanted = [cache / f"{kind}.yaml" for kind in kinds]
            if not all(path.exists() for path in wanted):
                bases = folder_of(KIT, module) / "config" / "crd" / "bases"
                for kind, path in zip(kinds, wanted, strict=True):
                    (source,) = bases.glob(f"*_{kind}.yaml")
                    path.write_bytes(source.read_bytes())
            found += wanted
    return found


def is_cached() -> bool:
    """Whether nothing is to be built or downloaded."""
    there = KIT.cached(KIT.cache_folder, lambda _: None)
    kinds = [kind for kinds in CRDS.values() for kind in kinds]
    return len(there) == len(KIT.programs) and all((KIT.cache_folder / f"{kind}.yaml").exists() for kind in kinds)


def _path(api: str, plural: str) -> str:
    return f"/apis/{api}/namespaces/{NAMESPACE}/{plural}"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nobody reads it."""
