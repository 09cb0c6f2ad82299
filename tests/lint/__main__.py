"""Judges what each install and the samples come to. Prints a line for each, and what is wrong; ends with 1 then."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import yaml

from tests.lint.schemas import write_schemas
from tests.monitoring.kinds import prometheus_crds
from tests.programs import Kit, Program, ProgramUnavailable

ROOT = Path(__file__).parent.parent.parent
KIT = Kit(
    "linters",
    Path(__file__).parent,
    (
        Program("kustomize", "sigs.k8s.io/kustomize/kustomize/v5", 10),
        Program("kubeconform", "github.com/yannh/kubeconform/cmd/kubeconform", 5),
        Program("kube-score", "github.com/zegl/kube-score/cmd/kube-score", 25),
    ),
)
ASKED_FOR = ("container-seccomp-profile", "container-ports-check")
"""Tests of kube-score that are off by default."""
EXCEPTED = (
    # Throttled by a limit, the operator would be late for a stop. Its request says what it needs.
    "--ignore-container-cpu-limit",
    # The tag is a version: it never names another image, and a registry that is down must not hold a restart up.
    "--ignore-test=container-image-pull-policy",
    # topologySpreadConstraints spread the replicas over nodes and zones; anti-affinity would say it twice.
    "--ignore-test=deployment-has-host-podantiaffinity",
)


def main(folders: Sequence[str]) -> int:
    """Judge what these folders come to. Returns the exit code."""
    try:
        programs = {name: str(path) for name, path in KIT.obtain().items()}
        with tempfile.TemporaryDirectory() as scratch:
            crds = [*(ROOT / "crds").glob("*tasks.yaml"), *prometheus_crds()]
            location = write_schemas(Path(scratch), crds)
            # A CRD's own schema refers to itself, which kubeconform does not follow; the tests' API server judges it.
            conform = [programs["kubeconform"], "-strict", "-summary", "-skip", "CustomResourceDefinition"]
            conform += ["-schema-location", location, "-"]
            score = [programs["kube-score"], "score", "-o", "ci", "--exit-one-on-warning", *EXCEPTED]
            score += [*(f"--enable-optional-test={name}" for name in ASKED_FOR), "-"]
            verdicts = []
            for folder in folders:
                print(f"manifests: {folder}", flush=True)
                built = subprocess.run([programs["kustomize"], "build", folder], stdout=subprocess.PIPE, check=False)
                verdicts += [built.returncode == 0, _judge(conform, built.stdout), _judge(score, built.stdout)]
    except ProgramUnavailable as error:
        print(error, file=sys.stderr)
        return 1
    return 0 if all(verdicts) else 1


def _installs() -> list[str]:
    """Every kustomization that stands on its own: no other one is made of it."""
    found = [path.parent for part in ("crds", "manifests") for path in (ROOT / part).rglob("kustomization.yaml")]
    parts = set()
    for folder in found:
        for name in yaml.safe_load((folder / "kustomization.yaml").read_text()).get("resources", []):
            parts.add((folder / name).resolve())
    return [os.path.relpath(folder) for folder in sorted(found) if folder not in parts]


def _judge(command: list[str], objects: bytes) -> bool:
    """Whether a linter has nothing against the objects; what it has is printed."""
    run = subprocess.run(command, input=objects, capture_output=True, check=False)
    lines = [
        line for line in (run.stdout + run.stderr).decode().splitlines() if not line.startswith(("[OK]", "[SKIPPED]"))
    ]
    for line in filter(None, lines or ["nothing to say"]):
        print(f"  {Path(command[0]).name}: {line}")
    return run.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or _installs()))
