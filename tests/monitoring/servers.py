"""Prometheus and Alertmanager as processes: started with a configuration, asked through their APIs."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.controlplane.ports import free_ports
from tests.controlplane.process import ChildProcess

READY_WITHIN_S = 30.0


class Server:
    """One of them, at a port of its own."""

    def __init__(self, name: str, command: list[str], folder: Path) -> None:
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        self._process = ChildProcess(name, [*command, f"--web.listen-address=127.0.0.1:{port}"], folder / f"{name}.log")
        self._process.wait_until(self._is_ready, "ready", READY_WITHIN_S)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def ask(self, path: str, **query: str) -> Any:
        """What its API answers, parsed."""
        with urllib.request.urlopen(f"{self.url}{path}?{urllib.parse.urlencode(query)}", timeout=20) as answer:
            return json.load(answer)

    def stop(self) -> None:
        self._process.stop()


class Prometheus(Server):
    """`prometheus` with a configuration file."""

    def __init__(self, program: Path, config: Path, folder: Path) -> None:
        data = folder / "prometheus-data"
        options = [f"--config.file={config}", f"--storage.tsdb.path={data}"]
        super().__init__("prometheus", [str(program), *options, "--log.level=warn"], folder)

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The samples of an expression now: each with its labels (`metric`) and `value`."""
        found: list[dict[str, Any]] = self.ask("/api/v1/query", query=expression)["data"]["result"]
        return found

    def query_range(self, expression: str, start_s: float, end_s: float, step_s: float) -> list[dict[str, Any]]:
        """The series of an expression over a time: each with its labels (`metric`) and `values`."""
        times = {"start": str(start_s), "end": str(end_s), "step": str(step_s)}
        found: list[dict[str, Any]] = self.ask("/api/v1/query_range", query=expression, **times)["data"]["result"]
        return found

    def firing(self) -> list[Mapping[str, Any]]:
        """The alerts that fire now: each with its `labels`, `annotations` and `activeAt`."""
        alerts = self.ask("/api/v1/alerts")["data"]["alerts"]
        return [alert for alert in alerts if alert["state"] == "firing"]


class Alertmanager(Server):
    """`alertmanager` with a configuration file."""

    def __init__(self, program: Path, config: Path, folder: Path) -> None:
        options = [f"--config.file={config}", f"--storage.path={folder / 'alertmanager-data'}"]
        super().__init__("alertmanager", [str(program), *options, "--cluster.listen-address="], folder)

    def post(self, alerts: Iterable[Mapping[str, str]]) -> None:
        """These alerts fire, each given by its labels."""
        body = json.dumps([{"labels": dict(labels)} for labels in alerts]).encode()
        request = urllib.request.Request(
            f"{self.url}/api/v2/alerts", body, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            answer.read()

    def silenced(self) -> set[str]:
        """The alerts that another one silences, by their label `number`."""
        alerts = self.ask("/api/v2/alerts")
        return {alert["labels"]["number"] for alert in alerts if alert["status"]["inhibitedBy"]}

    def receivers(self) -> dict[str, str]:
        """Who gets each alert, by its label `number`."""
        alerts = self.ask("/api/v2/alerts")
        return {alert["labels"]["number"]: alert["receivers"][0]["name"] for alert in alerts}
