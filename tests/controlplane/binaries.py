"""Where the control plane's programs come from: four sources in order, and a line for each that was not taken.

Apart from `cluster.py` because this part can take minutes and writes to a cache that outlives the checkout.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

KUBERNETES_VERSION = "v1.36.3"
MODULE = Path(__file__).parent / "build"

ARCHIVE_VERSION = "v1.36.2"  # the newest that is published for envtest; it has no kube-controller-manager
ARCHIVE_URL = (
    "https://github.com/kubernetes-sigs/controller-tools/releases/download/"
    "envtest-{version}/envtest-{version}-{system}-{machine}.tar.gz"
)
ARCHIVE_SHA512 = {
    ("linux", "amd64"): (
        "ea743186c8a799f5cf8faf16969f86189d003cb7d130e0ac4b58789f1e5748dc"
        "f30ebe91c837a10d5ac415383da3e10b9e64d65785c938c23e739781cfb76f08"
    ),
    ("linux", "arm64"): (
        "2d72ee985a8e262a3c57dc9f7f0fd891f6a8c7bf7ebaa2db6dc6d8eac8ae2818"
        "1afe51c1f368b67756cdb40b10de9b205609e1726e5f27f7c6d824dd9c6649ac"
    ),
}
ARCHIVE_CONNECT_TIMEOUT_S = 5

Say = Callable[[str], None]


@dataclass(frozen=True)
class Program:
    """One program of the control plane, and how long its build took on 2 cores."""

    name: str
    package: str
    build_s: int


PROGRAMS = (
    Program("etcd", "go.etcd.io/etcd/server/v3", 45),
    Program("kubectl", "k8s.io/kubernetes/cmd/kubectl", 70),
    Program("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver", 125),
    Program("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager", 60),
)


class ControlPlaneUnavailable(RuntimeError):
    """No source has a program that the control plane needs. The message says what to do."""


def cache_folder() -> Path:
    """Outside the checkout, so that a second clone needs no second build."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "livetask-operator" / f"controlplane-{KUBERNETES_VERSION}"


def obtain(say: Say = lambda line: print(line, file=sys.stderr, flush=True)) -> dict[str, Path]:
    """The path of each program, by its name. Takes seconds, or some minutes where they must be built.

    Raises ControlPlaneUnavailable.
    """
    found = _from_assets(say)
    if len(found) == len(PROGRAMS):
        return found
    with _lock(cache_folder()) as cache:
        found = _from_cache(cache, say) | found
        missing = [program for program in PROGRAMS if program.name not in found]
        if any(program.name != "kube-controller-manager" for program in missing):
            _fill_from_archive(cache, missing, say)
            found = _from_cache(cache, say) | found
            missing = [program for program in PROGRAMS if program.name not in found]
        if missing:
            _fill_by_building(cache, missing, say)
            found = _from_cache(cache, say) | found
    return found


def _from_assets(say: Say) -> dict[str, Path]:
    folder = os.environ.get("KUBEBUILDER_ASSETS")
    if not folder:
        return {}
    found = {p.name: path for p in PROGRAMS if os.access(path := Path(folder) / p.name, os.X_OK)}
    missing = [p.name for p in PROGRAMS if p.name not in found]
    if missing:
        say(f"control plane: KUBEBUILDER_ASSETS ({folder}) has no {', '.join(missing)}; looking further for those")
    return found


def _from_cache(cache: Path, say: Say) -> dict[str, Path]:
    found = {}
    for program in PROGRAMS:
        path, seal = cache / program.name, cache / f"{program.name}.sha256"
        if not path.exists():
            continue
        if seal.exists() and seal.read_text().strip() == _digest(path, "sha256"):
            found[program.name] = path
        else:
            say(f"control plane: {path} is broken or half-finished; it is made again")
            path.unlink()
            seal.unlink(missing_ok=True)
    return found


def _put(cache: Path, name: str, made: Path) -> None:
    """Move a finished program into the cache. The seal is written last: without it the program does not count."""
    seal = cache / f"{name}.sha256"
    seal.unlink(missing_ok=True)
    made.chmod(0o755)
    digest = _digest(made, "sha256")
    made.replace(cache / name)
    seal.write_text(digest + "\n")


def _fill_from_archive(cache: Path, missing: list[Program], say: Say) -> None:
    system, machine = platform.system().lower(), {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), "")
    checksum = ARCHIVE_SHA512.get((system, machine))
    if checksum is None:
        say(f"control plane: no published archive for {system}/{platform.machine()}")
        return
    url = ARCHIVE_URL.format(version=ARCHIVE_VERSION, system=system, machine=machine)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        archive = Path(scratch) / "archive.tar.gz"
        try:
            with urllib.request.urlopen(url, timeout=ARCHIVE_CONNECT_TIMEOUT_S) as answer, archive.open("wb") as file:
                shutil.copyfileobj(answer, file)
        except OSError as error:
            say(f"control plane: the cache has no build and the published archive cannot be had ({error}); building")
            return
        if _digest(archive, "sha512") != checksum:
            say("control plane: the published archive does not have the pinned checksum, so it is not used; building")
            return
        say(f"control plane: taking the published archive for envtest {ARCHIVE_VERSION}")
        with tarfile.open(archive) as tar:
            for member in tar:
                name = Path(member.name).name
                if member.isfile() and any(program.name == name for program in missing):
                    member.name = name
                    tar.extract(member, scratch, filter="data")
                    _put(cache, name, Path(scratch) / name)


def _fill_by_building(cache: Path, missing: list[Program], say: Say) -> None:
    go = shutil.which("go")
    if go is None:
        raise ControlPlaneUnavailable(
            f"The control plane needs {', '.join(p.name for p in missing)}, and there is no Go toolchain to build them "
            "with. Install Go 1.26 or newer, or set KUBEBUILDER_ASSETS to a folder that has them."
        )
    total_s = sum(program.build_s for program in missing)
    say(
        f"control plane: building Kubernetes {KUBERNETES_VERSION} from the Go module proxy, once for this machine "
        f"(about {max(1, round(total_s / 60))} min on 2 cores) into {cache}"
    )
    for number, program in enumerate(missing, start=1):
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            made = Path(scratch) / program.name
            flags = f"-s -w -X k8s.io/component-base/version.gitVersion={KUBERNETES_VERSION}"
            command = [go, "build", "-mod=readonly", "-trimpath", "-ldflags", flags, "-o", str(made), program.package]
            title = f"control plane: {number} of {len(missing)}: {program.name} (about {program.build_s} s)"
            with _progress(title, say):
                run = subprocess.run(
                    command,
                    cwd=MODULE,
                    env={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"},
                    capture_output=True,
                    text=True,
                    check=False,
                )
            if run.returncode != 0:
                raise ControlPlaneUnavailable(
                    f"{program.name} could not be built (go build ended with {run.returncode}). Its last words:\n"
                    f"{run.stderr[-2000:]}\nMend that, or set KUBEBUILDER_ASSETS to a folder that has the programs."
                )
            _put(cache, program.name, made)


@contextmanager
def _progress(title: str, say: Say, every_s: float = 15) -> Iterator[None]:
    """Say that something goes on, how long already, and that it is done."""
    began, done = time.monotonic(), threading.Event()

    def tell() -> None:
        while not done.wait(every_s):
            say(f"{title} … {time.monotonic() - began:.0f} s")

    say(title)
    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()
    say(f"{title} took {time.monotonic() - began:.0f} s")


@contextmanager
def _lock(cache: Path) -> Iterator[Path]:
    """One builder at a time: a second one waits and then finds the first one's programs."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield cache


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


if __name__ == "__main__":
    for name, path in obtain().items():
        print(f"{name}: {path}")
