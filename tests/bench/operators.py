"""The processes that are measured: the operator, plain kopf, and the bare loop."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.measure import cpu_s, resident_mib
from tests.conftest import ROOT
from tests.controlplane.process import ChildProcess
from tests.stage.processes import BIN, Operator

PLAIN = Path(__file__).parent / "plain_kopf.py"
PROFILED = Path(__file__).parent / "profiled.py"
READY_WITHIN_S = 60.0
LOOK_AGAIN_S = 0.05
END_WITHIN_S = 30.0


class Measured:
    """A process, and what the kernel says of it."""

    process: ChildProcess

    @property
    def cpu_s(self) -> float:
        return cpu_s(self.process.pid)

    @property
    def resident_mib(self) -> float:
        return resident_mib(self.process.pid)

    def check(self) -> None:
        """Raise RuntimeError, with its last words, where it has ended."""
        if self.process.returncode is not None:
            raise RuntimeError(f"{self.process.name} ended with {self.process.returncode}:\n{self.process.tail()}")


class Ours(Operator, Measured):
    """`livetask-operator run` as users run it: its own ServiceAccount, its Lease, its log in JSON at level info."""

    def __init__(
        self,
        kubeconfig: Path,
        cloud_url: str,
        folder: Path,
        *,
        config: Mapping[str, Any],
        namespaces: Sequence[str],
        lease: bool = True,
        profile: bool = False,
    ) -> None:
        self._profile = profile
        arguments = [word for namespace in namespaces for word in ("--namespace", namespace)]
        arguments += [] if lease else ["--no-leader-elect"]
        super().__init__(kubeconfig, cloud_url, folder, config=config, arguments=arguments)

    def start(self) -> None:
        """Start the process, and do not wait for it: what it does from its first moment on is measured."""
        command = [sys.executable, str(PROFILED), *self._command[1:]] if self._profile else self._command
        self.began_s = time.monotonic()
        self.process = ChildProcess("livetask-operator", command, self.log, self._env)

    async def ready(self) -> None:
        """Wait until it follows. Raises RuntimeError where it ends, TimeoutError where it takes too long."""
        await until(lambda: self.answer("/readyz") is not None, self.check, READY_WITHIN_S, "the operator is ready")

    async def end(self) -> None:
        """SIGTERM, and wait for its end."""
        self.process.stop(END_WITHIN_S)


class PlainKopf(Measured):
    """plain_kopf.py under `kopf run`, over one namespace; `connections`: its httpx pool's cap, None as it comes."""

    def __init__(self, kubeconfig: Path, cloud_url: str, folder: Path, namespace: str, connections: int | None) -> None:
        self.log = folder / f"plain-kopf-{connections or 'as-it-comes'}.log"
        env = {**os.environ, "KUBECONFIG": str(kubeconfig), "VENDOR_URL": cloud_url}
        if connections is not None:
            env["CONNECTIONS"] = str(connections)
        command = [str(BIN / "kopf"), "run", "--standalone", "--namespace", namespace, str(PLAIN)]
        self.began_s = time.monotonic()
        self.process = ChildProcess("plain kopf", command, self.log, env)

    async def end(self) -> None:
        self.process.stop(END_WITHIN_S)


class Bare(Measured):
    """bare_loop.py at a rate, over tasks of [key id, secret, app, task]."""

    def __init__(self, cloud_url: str, folder: Path, tasks: Sequence[Sequence[str]], per_second: float) -> None:
        file = folder / "bare-loop.json"
        file.write_text(json.dumps(tasks))
        command = [sys.executable, "-m", "tests.bench.bare_loop", "--url", cloud_url]
        command += ["--rate", f"{per_second:g}", "--tasks", str(file)]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
        self.process = ChildProcess("bare loop", command, folder / "bare-loop.log", env)

    def end(self) -> None:
        self.process.stop()


async def until(
    condition: Callable[[], bool], check: Callable[[], None], within_s: float, what: str, every_s: float = LOOK_AGAIN_S
) -> None:
    """Wait for a condition; `check` raises where there is no hope. Raises TimeoutError."""
    deadline_s = time.monotonic() + within_s
    while not condition():
        check()
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"not within {within_s:g} s: {what}")
        await asyncio.sleep(every_s)
