"""etcd, kube-apiserver and kube-controller-manager on loopback: TLS, RBAC, service-account tokens, an audit log."""

from __future__ import annotations

import base64
import json
import shutil
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.controlplane import binaries
from tests.controlplane.certificates import Authority
from tests.controlplane.ports import free_ports
from tests.controlplane.process import ChildProcess

READY_TIMEOUT_S = 60
ESTABLISHED_WITHIN_S = 30
CONTROLLERS = (
    "namespace-controller",
    "garbage-collector-controller",
    "serviceaccount-controller",
    "clusterrole-aggregation-controller",
    "deployment-controller",
    "replicaset-controller",
)
WRITES = ("create", "update", "patch", "delete")
LISTS = ("list", "watch")
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "Metadata", "verbs": list(WRITES)},
        {"level": "Metadata", "verbs": list(LISTS), "resources": [{"group": "livetask.dev"}]},
        {"level": "None"},
    ],
}


@dataclass(frozen=True)
class AuditedWrite:
    """One write that somebody made through the API server."""

    user: str
    verb: str
    resource: str
    subresource: str
    namespace: str
    name: str
    code: int

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> AuditedWrite:
        """One entry of the audit log."""
        target = entry.get("objectRef", {})
        return cls(
            user=entry["user"].get("username", ""),
            verb=entry["verb"],
            resource=target.get("resource", ""),
            subresource=target.get("subresource", ""),
            namespace=target.get("namespace", ""),
            name=target.get("name", ""),
            code=entry.get("responseStatus", {}).get("code", 0),
        )

    @property
    def object(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class AuditedList:
    """One list or watch of our kinds that somebody asked the API server for, with the query as it was sent."""

    verb: str
    resource: str
    namespace: str
    query: Mapping[str, str]


class ControlPlane:
    """A control plane for as long as the `with` lasts. Raises ControlPlaneUnavailable where it cannot be had."""

    def __init__(
        self,
        say: binaries.Say | None = None,
        folder: Path | None = None,
        controllers: Sequence[str] = CONTROLLERS,
    ) -> None:
        self._controllers = controllers
        self._programs = binaries.obtain() if say is None else binaries.obtain(say)
        self._own_folder = folder is None
        self.folder = Path(tempfile.mkdtemp(prefix="livetask-controlplane-")) if folder is None else folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self._processes: list[ChildProcess] = []
        self._authority = Authority(self.folder)
        self._audit_log = self.folder / "audit.log"
        self._etcd_port, peer_port, self.port = free_ports(3)
        self._peer_url = f"http://127.0.0.1:{peer_port}"
        self.url = f"https://127.0.0.1:{self.port}"
        certificate, key = self._authority.client("livetask-test-admin", "system:masters")
        self.kubeconfig = self._write_kubeconfig(
            "admin", {"client-certificate": str(certificate), "client-key": str(key)}
        )

    def __enter__(self) -> ControlPlane:
        try:
            self._start_etcd()
            self._start_apiserver()
            self._start_controllers()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End all programs, in the order that spares each of them time-outs, and remove what they wrote."""
        for process in reversed(self._processes):
            process.stop(grace_s=2)
        self._processes.clear()
        if self._own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def kubectl(
        self, *args: str, stdin: str | None = None, check: bool = True, kubeconfig: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl as the administrator, or as whom a kubeconfig says."""
        command = [self.kubectl_path, "--kubeconfig", str(kubeconfig or self.kubeconfig), *args]
        run = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=60)
        if check and run.returncode != 0:
            raise RuntimeError(f"kubectl {' '.join(args)} ended with {run.returncode}: {run.stderr}{run.stdout}")
        return run

    def wait_until_established(self, *crds: str) -> None:
        """Wait until CRDs (`crd/NAME`, or `crd --all`) are. Raises RuntimeError where they are not in 30 seconds.

        Asked again, as `kubectl wait` fails at once for one that was made in this moment and has no conditions yet.
        """
        deadline_s = time.monotonic() + ESTABLISHED_WITHIN_S
        wait = ("wait", "--for=condition=Established", "--timeout=10s", *crds)
        while self.kubectl(*wait, check=time.monotonic() > deadline_s).returncode != 0:
            time.sleep(0.2)

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes]

    @property
    def kubectl_path(self) -> str:
        return str(self._programs["kubectl"])

    def get(self, *args: str) -> Any:
        """An object or a list, as kubectl gets it."""
        return json.loads(self.kubectl("get", *args, "-o", "json").stdout)

    def kubeconfig_of(self, namespace: str, service_account: str, duration: str = "24h") -> Path:
        """A kubeconfig that acts as a service account, with the rights that its RBAC gives it and no more."""
        token = self.kubectl(
            "-n", namespace, "create", "token", service_account, f"--duration={duration}"
        ).stdout.strip()
        return self._write_kubeconfig(f"{namespace}-{service_account}", {"token": token}, namespace)

    def writes(self, user: str = "") -> list[AuditedWrite]:
        """All writes so far whose user name has this text in it, Events and Leases included."""
        found = []
        for entry in self._audited(WRITES):
            write = AuditedWrite.of(entry)
            if user in write.user:
                found.append(write)
        return found

    def lists(self, user: str = "", agent: str = "") -> list[AuditedList]:
        """All lists and watches of our kinds so far, by users whose name has this text in it; a watch as it began.

        `agent`: how the name begins that the program gives itself.
        """
        found = []
        for entry in self._audited(LISTS):
            if user not in entry["user"].get("username", "") or not entry.get("userAgent", "").startswith(agent):
                continue
            if (entry["verb"], entry["stage"]) == ("watch", "ResponseComplete"):
                continue
            query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(entry["requestURI"]).query))
            target = entry.get("objectRef", {})
            found.append(AuditedList(entry["verb"], target.get("resource", ""), target.get("namespace", ""), query))
        return found

    def _audited(self, verbs: Collection[str]) -> Iterator[Any]:
        for line in self._audit_log.read_text().splitlines():
            entry = json.loads(line)
            if entry["verb"] in verbs:
                yield entry

    def _start_etcd(self) -> None:
        url = f"http://127.0.0.1:{self._etcd_port}"
        etcd = self._start(
            "etcd",
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={url}",
            f"--advertise-client-urls={url}",
            f"--listen-peer-urls={self._peer_url}",
            f"--initial-advertise-peer-urls={self._peer_url}",
            f"--initial-cluster=default={self._peer_url}",
            "--unsafe-no-fsync",
            "--log-level=warn",
        )
        etcd.wait_until(lambda: _answers(f"{url}/health", None), "ready", READY_TIMEOUT_S)

    def _start_apiserver(self) -> None:
        hosts = ("127.0.0.1", "localhost", "kubernetes.default.svc")
        certificate, key = self._authority.server("kube-apiserver", hosts)
        self._account_key = self._authority.key("service-accounts")
        policy = self.folder / "audit-policy.yaml"
        policy.write_text(yaml.safe_dump(AUDIT_POLICY))
        self._apiserver_flags = (
            f"--etcd-servers=http://127.0.0.1:{self._etcd_port}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self.port}",
            f"--tls-cert-file={certificate}",
            f"--tls-private-key-file={key}",
            f"--client-ca-file={self._authority.certificate}",
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self._account_key}",
            f"--service-account-signing-key-file={self._account_key}",
            "--service-cluster-ip-range=10.0.0.0/24",
            f"--audit-policy-file={policy}",
            f"--audit-log-path={self._audit_log}",
        )
        self.start_apiserver()

    def start_apiserver(self) -> None:
        """Start the API server, or start it again after it was killed: the same address, and all that etcd has."""
        self._apiserver = self._start("kube-apiserver", *self._apiserver_flags)
        trust = ssl.create_default_context(cafile=str(self._authority.certificate))
        self._apiserver.wait_until(lambda: _answers(f"{self.url}/readyz", trust), "ready", READY_TIMEOUT_S)

    def kill_apiserver(self) -> None:
        self._apiserver.kill()

    def compact(self) -> None:
        """Have etcd forget how everything was before now."""
        newest = self._ask_etcd("range", key=base64.b64encode(b"/").decode())["header"]["revision"]
        self._ask_etcd("compaction", revision=newest, physical=True)

    def _ask_etcd(self, what: str, **body: object) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._etcd_port}/v3/kv/{what}", json.dumps(body).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def _start_controllers(self) -> None:
        name = "system:kube-controller-manager"
        certificate, key = self._authority.client(name)
        kubeconfig = self._write_kubeconfig(
            "controllers", {"client-certificate": str(certificate), "client-key": str(key)}
        )
        self._start(
            "kube-controller-manager",
            f"--kubeconfig={kubeconfig}",
            f"--controllers={','.join(self._controllers)}",
            "--use-service-account-credentials=true",
            "--leader-elect=false",
            "--secure-port=0",
            f"--service-account-private-key-file={self._account_key}",
            f"--root-ca-file={self._authority.certificate}",
            # A quota that was made before its controller knew the kind is counted only at the next round: 5 min apart.
            "--resource-quota-sync-period=5s",
        )

    def _start(self, name: str, *flags: str) -> ChildProcess:
        process = ChildProcess(name, [str(self._programs[name]), *flags], self.folder / f"{name}.log")
        self._processes.append(process)
        return process

    def _write_kubeconfig(self, name: str, user: dict[str, str], namespace: str = "default") -> Path:
        path = self.folder / f"{name}.kubeconfig"
        cluster = {"server": self.url, "certificate-authority": str(self._authority.certificate)}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "livetask-test", "cluster": cluster}],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": name, "context": {"cluster": "livetask-test", "user": name, "namespace": namespace}}],
            "current-context": name,
        }
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(config))
        return path


def _answers(url: str, trust: ssl.SSLContext | None) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2, context=trust) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
