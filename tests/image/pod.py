"""The operator as the Deployment runs it, out of the image's root file system: its user, its account, its arguments."""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import ROOT
from tests.controlplane import ControlPlane
from tests.controlplane.process import ChildProcess
from tests.image.contain import BECOMES, in_line_s
from tests.stage.processes import READY_TIMEOUT_S, Operator

CONTAIN = Path(__file__).parent / "contain.py"
ACCOUNT_MOUNT = "/run/secrets/kubernetes.io/serviceaccount"  # /var/run, as Kubernetes has it, is a link to /run
NAMESPACE = "livetask-system"


def deployment() -> dict[str, Any]:
    """The Pod's spec in manifests/."""
    document = yaml.safe_load((ROOT / "manifests" / "base" / "deployment.yaml").read_text())
    return dict(document["spec"]["template"]["spec"])


class Pod(Operator):
    """One container of the Deployment. `ready_after_s`: from exec to the first /readyz that is 200.

    What it stood in line for a processor meanwhile is not counted, as that says how busy the machine is.
    """

    def __init__(
        self,
        root: Path,
        image: Mapping[str, Any],
        cluster: ControlPlane,
        cloud_url: str,
        folder: Path,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """`image`: its configuration; `env`: more of the environment."""
        self._root = root
        self._image = image
        self._more_env = dict(env or {})
        self._api_port = cluster.port
        self._account = folder / "account"
        write_account(cluster, self._account)
        self.ready_after_s = 0.0
        super().__init__(cluster.kubeconfig, cloud_url, folder)

    def start(self) -> None:
        settings = self._config.parent / "settings"
        settings.mkdir(exist_ok=True)
        shutil.copy(self._config, settings)
        spec = deployment()
        user = "{runAsUser}:{runAsGroup}".format_map(spec["securityContext"])
        (container,) = spec["containers"]
        (settings_mount,) = container["volumeMounts"]
        mounts = {settings: settings_mount["mountPath"], self._account: ACCOUNT_MOUNT}
        command = [*self._image["Entrypoint"], *container["args"], "--listen", f"127.0.0.1:{self.port}"]
        command = contained(self._root, user, mounts, self._environment(), command)
        self.process = ChildProcess("livetask-operator", command, self.log)
        self.process.wait_until(lambda: self.answer("/readyz") is not None, "ready", READY_TIMEOUT_S)
        now, in_line = time.monotonic(), in_line_s(self.process.pid)
        said = re.findall(rf"^{BECOMES} ([0-9.]+) ([0-9.e-]+)$", self.log.read_text(), re.MULTILINE)
        began, in_line_before = map(float, said[-1])
        self.ready_after_s = now - began - (in_line - in_line_before)

    def _environment(self) -> list[str]:
        """The image's, and what Kubernetes adds. HOME is what it is for a user without an entry in /etc/passwd."""
        from_kubernetes = {
            "HOME": "/",
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": str(self._api_port),
            "POD_NAMESPACE": NAMESPACE,
            "POD_NAME": "livetask-operator-0",
            **self._more_env,
        }
        return [*self._image["Env"], *(f"{name}={value}" for name, value in from_kubernetes.items())]


def contained(
    root: Path, user: str, mounts: Mapping[Path, str], environment: Sequence[str], command: Sequence[str]
) -> list[str]:
    """The command that runs a command in a root file system, with nothing to write to and no rights."""
    options = [f"--mount={folder}={where}" for folder, where in mounts.items()]
    options += [f"--env={each}" for each in environment]
    inside = [sys.executable, str(CONTAIN), *options, "--user", user, str(root), "--", *command]
    return ["unshare", "--mount", "--propagation", "private", *inside]


def write_account(cluster: ControlPlane, folder: Path) -> None:
    """The files that Kubernetes mounts for the operator's ServiceAccount."""
    folder.mkdir(parents=True)
    token = cluster.kubectl("-n", NAMESPACE, "create", "token", "livetask-operator", "--duration=24h").stdout.strip()
    (folder / "token").write_text(token)
    (folder / "namespace").write_text(NAMESPACE)
    kubeconfig = yaml.safe_load(cluster.kubeconfig.read_text())
    shutil.copy(kubeconfig["clusters"][0]["cluster"]["certificate-authority"], folder / "ca.crt")
