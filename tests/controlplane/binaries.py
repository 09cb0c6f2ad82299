"""Where the control plane's programs come from: four sources in order, and a line for each that was not taken.

Apart from `cluster.py` because this part can take minutes and writes to a cache that outlives the checkout.
"""

from __future__ import annotations

import os
import platform
import shutil
import tarfile
import tempfile
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from tests.programs import Kit, Program, ProgramUnavailable, cache_root, digest, locked, put, say_aloud
from tests.programs import Say as Say

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

PROGRAMS = (
    Program("etcd", "go.etcd.io/etcd/server/v3", 45),
    Program("kubectl", "k8s.io/kubernetes/cmd/kubectl", 70),
    Program("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver", 125),
    Program("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager", 60),
)


KIT = Kit(
    "control plane",
    MODULE,
    PROGRAMS,
    link_flags=f"-s -w -X k8s.io/component-base/version.gitVersion={KUBERNETES_VERSION}",
    instead="set KUBEBUILDER_ASSETS to a folder that has them",
)


class ControlPlaneUnavailable(RuntimeError):
    """No source has a program that the control plane needs. The message says what to do."""


def cache_folder() -> Path:
    """Where the programs of this version are kept."""
    return cache_root() / f"controlplane-{KUBERNETES_VERSION}"


def obtain(say: Say = say_aloud) -> dict[str, Path]:
    """The path of each program, by its name. Takes seconds, or some minutes where they must be built.

    Raises ControlPlaneUnavailable.
    """
    found = _from_assets(say)
    if len(found) == len(PROGRAMS):
        return found
    with locked(cache_folder()) as cache:
        found = KIT.cached(cache, say) | found
        missing = [program for program in PROGRAMS if program.name not in found]
        if any(program.name != "kube-controller-manager" for program in missing):
            _fill_from_archive(cache, missing, say)
            found = KIT.cached(cache, say) | found
            missing = [program for program in PROGRAMS if program.name not in found]
        if missing:
            _fill_by_building(cache, missing, say)
            found = KIT.cached(cache, say) | found
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
        if digest(archive, "sha512") != checksum:
            say("control plane: the published archive does not have the pinned checksum, so it is not used; building")
            return
        say(f"control plane: taking the published archive for envtest {ARCHIVE_VERSION}")
        with tarfile.open(archive) as tar:
            for member in tar:
                name = Path(member.name).name
                if member.isfile() and any(program.name == name for program in missing):
                    member.name = name
                    tar.extract(member, scratch, filter="data")
                    put(cache, name, Path(scratch) / name)


def _fill_by_building(cache: Path, missing: Sequence[Program], say: Say) -> None:
    try:
        KIT.build(cache, missing, say)
    except ProgramUnavailable as error:
        raise ControlPlaneUnavailable(str(error)) from None


if __name__ == "__main__":
    for name, path in obtain().items():
        print(f"{name}: {path}")
