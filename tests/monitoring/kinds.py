"""The Prometheus operator's CRDs, of one pinned version: what a PodMonitor and a PrometheusRule may say."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.conftest import ROOT
from tests.programs import GO, ProgramUnavailable

MODULE = "github.com/prometheus-operator/prometheus-operator@v0.80.1"
SUM = "h1:jeqy9C8ku5coMThZh/cVrB5FwJHlV98jvnSeVnQKCQw="
FILES = ("monitoring.coreos.com_podmonitors.yaml", "monitoring.coreos.com_prometheusrules.yaml")


def prometheus_crds() -> list[Path]:
    """Their files, in Go's module cache; downloaded (4 MB) where they are not there yet. Raises ProgramUnavailable."""
    command = ["go", "mod", "download", "-json", MODULE]
    try:
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ProgramUnavailable(f"{MODULE} cannot be downloaded: {error}. Install {GO}.") from None
    found = json.loads(run.stdout or "{}")
    if run.returncode != 0:
        raise ProgramUnavailable(f"{MODULE} cannot be downloaded: {found.get('Error', run.stderr)}")
    if found["Sum"] != SUM:
        raise ProgramUnavailable(f"{MODULE} has the checksum {found['Sum']}, pinned is {SUM}; it is not used")
    return [Path(found["Dir"]) / "example" / "prometheus-operator-crd" / name for name in FILES]
