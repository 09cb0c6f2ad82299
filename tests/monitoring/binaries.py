"""Where Prometheus, Alertmanager and their tools come from: four sources in order, and a line for each not taken.

PATH, the project's cache, the published archives (pinned), Debian's packages (unpacked, not installed: no root needed).
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import tarfile
import tempfile
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.programs import ProgramUnavailable, Say, cache_root, digest, locked, put, say_aloud

CONNECT_TIMEOUT_S = 5
APT_TIMEOUT_S = 180
OLDEST_PROMETHEUS = (2, 42)
"""Since then a rule may say `keep_firing_for`."""
TEMPLATES = b"/usr/share/prometheus/alertmanager"
VERSION = re.compile(r"version v?(\d+)\.(\d+)")


@dataclass(frozen=True)
class Source:
    """Programs that are published together. `names_in_package`: where Debian calls one otherwise."""

    title: str
    programs: tuple[str, ...]
    version: str
    sha256: Mapping[str, str]
    """Of the archive, by machine."""
    package: str
    names_in_package: Mapping[str, str]
    oldest: tuple[int, int] = (0, 0)

    def url(self, machine: str) -> str:
        name = f"{self.title}-{self.version}.linux-{machine}.tar.gz"
        return f"https://github.com/prometheus/{self.title}/releases/download/v{self.version}/{name}"


SOURCES = (
    Source(
        "prometheus",
        ("prometheus", "promtool"),
        "3.5.0",
        {
            "amd64": "e811827af26d822afb09a4f28314f61b618b12cff5369835a67f674d8b46f39a",
            "arm64": "173389cc42bf09c4e6e54cb53fa07a5a835d7c261e14775d2183181d6e385d1c",
        },
        "prometheus",
        {},
        OLDEST_PROMETHEUS,
    ),
    Source(
        "alertmanager",
        ("alertmanager", "amtool"),
        "0.28.1",
        {
            "amd64": "5ac7ab5e4b8ee5ce4d8fb0988f9cb275efcc3f181b4b408179fafee121693311",
            "arm64": "d8832540e5b9f613d2fd759e31d603173b9c61cc7bb5e3bc7ae2f12038b1ce4f",
        },
        "prometheus-alertmanager",
        {"alertmanager": "prometheus-alertmanager"},
    ),
)


def obtain(say: Say = say_aloud, sources: Iterable[Source] = SOURCES) -> dict[str, Path]:
    """The path of each program, by its name. Takes seconds. Raises ProgramUnavailable."""
    return {name: path for source in sources for name, path in _obtain(source, say).items()}


def _obtain(source: Source, say: Say) -> dict[str, Path]:
    found = _on_path(source, say)
    if len(found) == len(source.programs):
        return found
    with locked(cache_root() / f"{source.title}-{source.version}") as cache:
        told: list[str] = []
        for fill in (_nothing, _from_archive, _from_package):
            try:
                fill(source, cache)
            except (OSError, ProgramUnavailable, subprocess.SubprocessError) as error:
                told.append(str(error))
                say(f"{source.title}: {error}")
            found = _cached(source, cache) | found
            if len(found) == len(source.programs):
                return found
    raise ProgramUnavailable(
        f"{' and '.join(name for name in source.programs if name not in found)} cannot be had: {'; '.join(told)}. "
        f"Install {source.title} {'.'.join(map(str, source.oldest))} or newer, so that it is on PATH "
        f"(on Debian: apt install {source.package})."
    )


def _on_path(source: Source, say: Say) -> dict[str, Path]:
    found = {}
    for name in source.programs:
        path = shutil.which(name) or shutil.which(source.names_in_package.get(name, name))
        if path is None:
            continue
        run = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, timeout=20)
        version = VERSION.search(run.stdout + run.stderr)
        if version and (int(version[1]), int(version[2])) >= source.oldest:
            found[name] = Path(path)
        else:
            say(f"{source.title}: {path} is older than {'.'.join(map(str, source.oldest))}; looking further")
    return found


def _cached(source: Source, cache: Path) -> dict[str, Path]:
    """What the cache has whole."""
    found = {}
    for name in source.programs:
        path, seal = cache / name, cache / f"{name}.sha256"
        if path.exists() and seal.exists() and seal.read_text().strip() == digest(path, "sha256"):
            found[name] = path
    return found


def _nothing(source: Source, cache: Path) -> None:
    """The cache may have all of them already."""


def _from_archive(source: Source, cache: Path) -> None:
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), "")
    if platform.system() != "Linux" or machine not in source.sha256:
        raise ProgramUnavailable(f"no archive is pinned for {platform.system()}/{platform.machine()}")
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        archive = Path(scratch) / "archive.tar.gz"
        try:
            with (
                urllib.request.urlopen(source.url(machine), timeout=CONNECT_TIMEOUT_S) as answer,
                archive.open("wb") as file,
            ):
                shutil.copyfileobj(answer, file)
        except OSError as error:
            raise ProgramUnavailable(f"the published archive cannot be had ({error})") from None
        if digest(archive, "sha256") != source.sha256[machine]:
            raise ProgramUnavailable("the published archive does not have the pinned checksum, so it is not used")
        with tarfile.open(archive) as tar:
            for member in tar:
                name = Path(member.name).name
                if member.isfile() and name in source.programs:
                    member.name = name
                    tar.extract(member, scratch, filter="data")
                    put(cache, name, Path(scratch) / name)


def _from_package(source: Source, cache: Path) -> None:
    """Debian's package: apt checks its signature. With lists of our own, as an ordinary user has none to write to."""
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise ProgramUnavailable("there is no apt-get to have its Debian package by")
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        folder = Path(scratch)
        if not _downloaded(source, folder, []):
            lists = folder / "lists"
            lists.mkdir()
            own = ["-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={folder}", "-o", "APT::Sandbox::User="]
            _apt([*own, "update"], folder)
            if not _downloaded(source, folder, own):
                raise ProgramUnavailable(f"apt-get knows no package {source.package}")
        (package,) = folder.glob("*.deb")
        unpacked = folder / "unpacked"
        subprocess.run(["dpkg", "-x", str(package), str(unpacked)], check=True, timeout=APT_TIMEOUT_S)
        for name in source.programs:
            made = unpacked / "usr" / "bin" / source.names_in_package.get(name, name)
            if name == "alertmanager":
                made = _with_templates_beside_it(made, unpacked, cache)
            put(cache, name, made)


def _with_templates_beside_it(made: Path, unpacked: Path, cache: Path) -> Path:
    """Debian's Alertmanager has no templates built in and reads them where the package would have been installed.

    Returns a script that starts a copy which reads them from its working folder.
    """
    home = cache / "alertmanager-home"
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(unpacked / TEMPLATES.decode().lstrip("/"), home)
    here = b"." + b"/." * ((len(TEMPLATES) - 2) // 2) + b"/"
    program = home / "alertmanager"
    program.write_bytes(made.read_bytes().replace(TEMPLATES, here, 1))
    program.chmod(0o755)
    script = made.with_name("start")
    script.write_text(f"#!/bin/sh\ncd '{home}' && exec ./alertmanager \"$@\"\n")
    return script


def _downloaded(source: Source, folder: Path, options: list[str]) -> bool:
    return _apt([*options, "download", source.package], folder) == 0 and any(folder.glob("*.deb"))


def _apt(arguments: list[str], folder: Path) -> int:
    command = ["apt-get", "-qq", *arguments]
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run = subprocess.run(command, cwd=folder, env=env, capture_output=True, check=False, timeout=APT_TIMEOUT_S)
    return run.returncode


if __name__ == "__main__":
    for program, place in obtain().items():
        print(f"{program}: {place}")
