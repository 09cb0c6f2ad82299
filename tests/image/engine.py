"""The image built without a daemon and without a registry: by buildah, on a base that is made from Debian's packages.

The base stands in for the official Python image of the Dockerfile: the same distribution and Python, pip in the same
role, no byte code, as there. What it cannot tell is what the real one weighs and which patch release it brings.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tarfile
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BASE = "docker.io/library/python:3.13-slim"
DEBIAN, DEBIAN_MIRROR = "trixie", "http://deb.debian.org/debian"
"""Debian 13 has Python 3.13, and is what the official image is made of."""
PROGRAMS = ("buildah", "mmdebstrap")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
BUILD_TIMEOUT_S = 900


class CannotBuild(RuntimeError):
    """Something that a build needs is missing. The message says what, and how to get it."""


@dataclass(frozen=True)
class Layer:
    """One layer as it is stored: an uncompressed tar."""

    digest: str
    size: int


class Engine:
    """Images in a folder of their own, which `close` empties."""

    def __init__(self, folder: Path) -> None:
        _install_what_is_missing()
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._driver = "overlay"
        try:
            self._buildah("rm", self._buildah("from", "scratch"))
        except CannotBuild:
            self._driver = "vfs"  # slow, and works everywhere: also where this folder itself lies on an overlay

    def make_base(self) -> None:
        """Make what the Dockerfile starts from. Takes a minute."""
        tree = self._folder / "base.tar"
        packages = "ca-certificates,python3,python3-pip,python3-venv"
        _run("mmdebstrap", "--quiet", "--variant=minbase", f"--include={packages}", DEBIAN, str(tree), DEBIAN_MIRROR)
        container = self._buildah("from", "scratch")
        self._buildah("add", "--quiet", container, str(tree), "/")
        tree.unlink()
        root = Path(self._buildah("mount", container))
        # What this machine trusts and where it gets packages from, for pip in the build.
        shutil.copy(CERTIFICATES, root / CERTIFICATES.relative_to("/"))
        index = os.environ.get("PIP_INDEX_URL")
        settings = [f"cert = {CERTIFICATES}", *([f"index-url = {index}"] if index else [])]
        (root / "etc/pip.conf").write_text("\n".join(["[global]", *settings, ""]))
        (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
        next(root.glob("usr/lib/python3.*/EXTERNALLY-MANAGED")).unlink()
        pip = ("python", "-m", "pip", "install", "--quiet", "--root-user-action=ignore", "--ignore-installed", "pip")
        self._buildah("run", "--isolation", "chroot", container, "--", *pip)
        self._buildah("run", "--isolation", "chroot", container, "--", "dpkg", "--purge", "python3-pip")
        for each in root.glob("usr/**/*.pyc"):
            each.unlink()
        self._buildah("umount", container)
        self._buildah("commit", "--quiet", "--rm", container, BASE)

    def build(self, checkout: Path, tag: str) -> None:
        """Run `make image`, every step of the Dockerfile anew."""
        options = "ARGS=--isolation chroot --pull-never --no-cache --quiet"
        _run("make", "-C", str(checkout), "image", f"ENGINE={' '.join(self._engine)}", f"IMAGE={tag}", options)

    def config(self, tag: str) -> dict[str, Any]:
        """What the image says of itself: User, Entrypoint, Labels and so on."""
        return dict(self._inspected(tag)["OCIv1"]["config"])

    def layers(self, tag: str) -> list[Layer]:
        """The image's layers above the base, from the lowest to the highest."""
        digests = self._inspected(tag)["OCIv1"]["rootfs"]["diff_ids"]
        (listed,) = (self._folder / "storage").glob("*-layers/layers.json")
        sizes = {each.get("diff-digest"): int(each.get("diff-size", 0)) for each in json.loads(listed.read_text())}
        below = len(self._inspected(BASE)["OCIv1"]["rootfs"]["diff_ids"])
        return [Layer(digest, sizes[digest]) for digest in digests[below:]]

    def root(self, tag: str) -> Path:
        """The root file system of a new container of this image, until `close`."""
        container = self._buildah("from", "--pull-never", f"localhost/{tag}")
        return Path(self._buildah("mount", container))

    def compressed_size(self, tag: str) -> int:
        """What a node pulls beyond the base, in bytes: the layers compressed with gzip."""
        target = self._folder / "pushed"
        self._buildah("push", "--quiet", "--format", "oci", f"localhost/{tag}", f"oci-archive:{target}:{tag}")
        with tarfile.open(target) as archive:
            blobs = {member.name: member.size for member in archive}
            manifest = _manifest(archive)
        target.unlink()
        ours = [each["digest"] for each in manifest["layers"]][-len(self.layers(tag)) :]
        return sum(blobs[f"blobs/{digest.replace(':', '/')}"] for digest in ours)

    def close(self) -> None:
        """Leave nothing behind: no mount, no file."""
        self._buildah("umount", "--all")
        self._buildah("rm", "--all")
        shutil.rmtree(self._folder)

    def _inspected(self, tag: str) -> dict[str, Any]:
        return dict(json.loads(self._buildah("inspect", "--type", "image", tag)))

    def _buildah(self, *arguments: str) -> str:
        return _run(*self._engine, *arguments)

    @property
    def _engine(self) -> Sequence[str]:
        folders = ("--root", str(self._folder / "storage"), "--runroot", str(self._folder / "run"))
        return ("buildah", *folders, "--storage-driver", self._driver)


def _manifest(archive: tarfile.TarFile) -> dict[str, Any]:
    def read(name: str) -> dict[str, Any]:
        file = archive.extractfile(name)
        assert file is not None
        return dict(json.load(file))

    digest = read("index.json")["manifests"][0]["digest"]
    return read(f"blobs/{digest.replace(':', '/')}")


def _install_what_is_missing() -> None:
    if os.geteuid() != 0:
        raise CannotBuild("Building an image without a daemon needs root here (mounts, chroot); run this as root.")
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if not missing:
        return
    if shutil.which("apt-get") is None:
        raise CannotBuild(f"{' and '.join(missing)} is not installed, and there is no apt-get to install it with.")
    _run("apt-get", "update", "--quiet")
    _run("apt-get", "install", "--quiet", "--yes", "--no-install-recommends", *missing)


def _run(*command: str) -> str:
    """What a command says on stdout. Raises CannotBuild with its last words."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=BUILD_TIMEOUT_S, env=environment)
    if run.returncode != 0:
        words = textwrap.indent(f"{run.stdout}{run.stderr}"[-4000:], "  ")
        raise CannotBuild(f"{' '.join(command)} ended with {run.returncode}:\n{words}")
    return run.stdout.strip()


def stages(dockerfile: str) -> Sequence[str]:
    """The text of each stage of a Dockerfile, continued lines joined, comments left out."""
    text = re.sub(r"\\\n\s*", "", re.sub(r"^\s*#.*\n", "", dockerfile, flags=re.MULTILINE))
    return re.split(r"^(?=FROM )", text, flags=re.MULTILINE)[1:]
