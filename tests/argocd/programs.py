"""Argo CD's own programs: built with Go from the module proxy, redis from Debian, once for a machine.

Apart because the build takes minutes, which only `make test-gitops` spends.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.lint.__main__ import KIT as LINTERS
from tests.programs import Kit, Program, ProgramUnavailable, Say, cache_root, locked, say_aloud

MODULE = "github.com/argoproj/argo-cd/v3"
KIT = Kit("Argo CD", Path(__file__).parent / "build", (Program("argocd", f"{MODULE}/cmd", 400),))
MANIFESTS = (
    "crds/application-crd.yaml",
    "crds/applicationset-crd.yaml",
    "crds/appproject-crd.yaml",
    "base/config/argocd-cm.yaml",  # the settings of a fresh install
)
REDIS = "redis-server"
REDIS_INSTEAD = "Install it: apt install redis-server (its service is not needed and may be disabled)."


@dataclass(frozen=True)
class Programs:
    """What a whole Argo CD is made of. Its controller and its repo server are one program under two names."""

    argocd: Path
    kustomize: Path
    """Its repo server calls it, for folders that have a kustomization."""
    redis: Path
    redis_libraries: Path | None
    """Where redis finds its libraries, when it was unpacked and not installed."""
    manifests: tuple[Path, ...]
    """Its CRDs, and the settings of a fresh install."""


def obtain(say: Say = say_aloud) -> Programs:
    """All of it, from the cache or made now. Raises ProgramUnavailable."""
    argocd = KIT.obtain(say)["argocd"]
    kustomize = LINTERS.obtain(say)["kustomize"]
    with locked(KIT.cache_folder) as cache:
        manifests = _manifests(cache)
        if not all(path.exists() for path in manifests):
            _copy_manifests(cache, say)
    redis, libraries = _obtain_redis(say)
    return Programs(argocd, kustomize, redis, libraries, manifests)


def is_cached() -> bool:
    """Whether `obtain` would have nothing to build and nothing to download."""
    kits = all(len(kit.cached(kit.cache_folder, say_aloud)) == len(kit.programs) for kit in (KIT, LINTERS))
    return kits and all(path.exists() for path in _manifests(KIT.cache_folder)) and _redis() is not None


def _manifests(cache: Path) -> tuple[Path, ...]:
    return tuple(cache / "manifests" / Path(path).name for path in MANIFESTS)


def _copy_manifests(cache: Path, say: Say) -> None:
    """What is applied before this Argo CD starts, out of its module."""
    say("Argo CD: taking its CRDs and its first settings from its module")
    folder = folder_of(KIT, MODULE) / "manifests"
    (cache / "manifests").mkdir(exist_ok=True)
    for source, target in zip(MANIFESTS, _manifests(cache), strict=True):
        target.write_bytes((folder / source).read_bytes())


def folder_of(kit: Kit, module: str) -> Path:
    """Where Go keeps a module: of the version that a kit pins, or of the one named. Raises ProgramUnavailable."""
    run = subprocess.run(
        ["go", "mod", "download", "-json", module],
        cwd=kit.module,
        env={**os.environ, "GOWORK": "off"},
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        raise ProgramUnavailable(f"{kit.title}: {module} cannot be had for its CRDs: {run.stderr or run.stdout}")
    return Path(json.loads(run.stdout)["Dir"])


def _unpacked() -> Path:
    return cache_root() / "redis" / "unpacked"


def _redis() -> tuple[Path, Path | None] | None:
    """redis that is installed, or unpacked already."""
    installed = shutil.which(REDIS)
    if installed is not None:
        return Path(installed), None
    root = _unpacked()
    if not (root / "usr" / "bin" / REDIS).exists():
        return None
    library = next(root.glob("usr/lib/*-linux-gnu"), root / "usr" / "lib")
    return root / "usr" / "bin" / REDIS, library


def _obtain_redis(say: Say) -> tuple[Path, Path | None]:
    found = _redis()
    if found is None:
        with locked(_unpacked().parent):
            if _redis() is None:
                _unpack_redis(say)
        found = _redis()
    if found is None:
        raise ProgramUnavailable(f"{REDIS} is not in the packages that apt names for it. {REDIS_INSTEAD}")
    return found


def _unpack_redis(say: Say) -> None:
    """redis and the libraries that this machine lacks, from the packages of its own Debian, installed nowhere."""
    say("redis: taking it from the packages of this Debian, into the cache")
    planned = _apt("apt-get", "install", "--simulate", "--no-install-recommends", REDIS)
    packages = [line.split()[1] for line in planned.splitlines() if line.startswith("Inst ")]
    with tempfile.TemporaryDirectory(dir=_unpacked().parent) as scratch:
        _apt("apt-get", "download", *packages, cwd=scratch)
        root = Path(scratch) / "root"
        root.mkdir()
        for package in Path(scratch).glob("*.deb"):
            _apt("dpkg", "-x", str(package), str(root))
        root.replace(_unpacked())


def _apt(*command: str, cwd: str | None = None) -> str:
    if shutil.which(command[0]) is None:
        raise ProgramUnavailable(
            f"{REDIS} is not on the PATH, and there is no {command[0]} to get it with. {REDIS_INSTEAD}"
        )
    run = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"}
    )
    if run.returncode != 0:
        raise ProgramUnavailable(
            f"{REDIS} is not on the PATH, and `{' '.join(command[:2])}` cannot get it:\n{run.stderr[-1000:]}\n"
            f"Where the lists of packages are missing: apt-get update. {REDIS_INSTEAD}"
        )
    return run.stdout
