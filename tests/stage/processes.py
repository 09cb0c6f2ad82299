"""The simulated cloud and the operator, each as its own process."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from livetask_simulator.client import Simulator
from tests.controlplane.ports import free_ports
from tests.controlplane.process import ChildProcess

BIN = Path(sys.executable).parent
READY_TIMEOUT_S = 30.0
LISTENS = re.compile(r"listens on (http://\S+)")


class Cloud:
    """The simulated vendor cloud. `admin` gives it orders and reads its ledger."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.log = folder / "cloud.log"
        command = [str(BIN / "livetask-simulator"), "--listen", "127.0.0.1:0", *arguments]
        self.process = ChildProcess("livetask-simulator", command, self.log)
        self.process.wait_until(lambda: LISTENS.search(self.log.read_text()) is not None, "ready", READY_TIMEOUT_S)
        found = LISTENS.search(self.log.read_text())
        assert found is not None
        self.url = found[1]
        self.admin = Simulator(self.url)

    def stop(self) -> None:
        self.process.stop()


class Operator:
    """`livetask-operator run` against a kubeconfig, with all vendors' endpoints on a simulated cloud."""

    def __init__(
        self,
        kubeconfig: Path,
        cloud_url: str,
        folder: Path,
        *,
        config: Mapping[str, Any] | None = None,
        arguments: Sequence[str] = ("--no-leader-elect",),
        log_format: str = "json",
        log_level: str = "info",
        waits: bool = True,
        program: Sequence[str] = (str(BIN / "livetask-operator"),),
    ) -> None:
        """`waits`: until it is ready; `program`: another operator with the same options."""
        self._waits = waits
        folder.mkdir(parents=True, exist_ok=True)
        self._config = folder / "config.yaml"
        endpoints = dict.fromkeys(("alibabaRtc", "alibabaLive", "tencentTrtc", "huaweiLive"), cloud_url)
        self._config.write_text(yaml.safe_dump({"endpoints": endpoints, **(config or {})}))
        self.log = folder / "operator.log"
        (self.port,) = free_ports(1)
        self._command = [
            *program,
            "run",
            "--config",
            str(self._config),
            "--listen",
            f"127.0.0.1:{self.port}",
            "--log-format",
            log_format,
            "--log-level",
            log_level,
            *arguments,
        ]
        self._env = {**os.environ, "KUBECONFIG": str(kubeconfig), "TZ": "Asia/Shanghai"}
        self.start()

    def start(self) -> None:
        """Start the process, and wait until it follows; a restart appends to the same log."""
        self.process = ChildProcess("livetask-operator", self._command, self.log, self._env)
        if not self._waits:
            return
        self.process.wait_until(lambda: self.answer("/readyz") is not None, "ready", READY_TIMEOUT_S)

    def answer(self, path: str) -> str | None:
        """What its HTTP port says; None where it is not 200."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return str(answer.read().decode())
        except (OSError, urllib.error.HTTPError):
            return None

    def stop(self) -> int:
        """SIGTERM, as Kubernetes ends a pod. Returns the exit code."""
        self.process.send(signal.SIGTERM)
        try:
            return self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def kill(self) -> None:
        """SIGKILL: what a crash is."""
        self.process.kill()

    def lines(self) -> list[dict[str, Any]]:
        """The log so far, a record a line."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def audit(self, **wanted: str) -> list[dict[str, Any]]:
        """The audit lines with these fields."""
        found = [line for line in self.lines() if line.get("logger") == "livetask.audit"]
        return [line for line in found if all(line.get(name) == value for name, value in wanted.items())]
