"""Programs that are built with Go: pinned by a go.mod and its go.sum, once for a machine.

For the control plane, the linters of the manifests, Helm, and Argo CD's code: whoever works here need not install
them.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

GO = "Go 1.26 or newer"

Say = Callable[[str], None]


def say_aloud(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


class ProgramUnavailable(RuntimeError):
    """A program cannot be had. The message says what to do."""


@dataclass(frozen=True)
class Program:
    """One program, and how long its build took on 2 cores."""

    name: str
    package: str
    build_s: int


@dataclass(frozen=True)
class Kit:
    """Programs of one go.mod. `title` stands in front of what is said about them, `instead` is the way without Go."""

    title: str
    module: Path
    programs: Sequence[Program]
    link_flags: str = "-s -w"
    instead: str = ""

    @property
    def cache_folder(self) -> Path:
        """A folder for what this go.sum pins, and for our own sources beside it: another of either is another build."""
        pins = hashlib.sha256((self.module / "go.sum").read_bytes())
        for source in sorted(self.module.glob("*.go")):
            pins.update(source.read_bytes())
        return cache_root() / f"{self.title.replace(' ', '-')}-{pins.hexdigest()[:12]}"

    def obtain(self, say: Say = say_aloud) -> dict[str, Path]:
        """The path of each program, by its name: from the cache, or built now. Raises ProgramUnavailable."""
        with locked(self.cache_folder) as cache:
            found = self.cached(cache, say)
            missing = [program for program in self.programs if program.name not in found]
            if missing:
                self.build(cache, missing, say)
                found = self.cached(cache, say)
        return found

    def cached(self, cache: Path, say: Say) -> dict[str, Path]:
        """What the cache has whole; what is broken is removed."""
        found = {}
        for program in self.programs:
            path, seal = cache / program.name, cache / f"{program.name}.sha256"
            if not path.exists():
                continue
            if seal.exists() and seal.read_text().strip() == digest(path, "sha256"):
                found[program.name] = path
            else:
                say(f"{self.title}: {path} is broken or half-finished; it is made again")
                path.unlink()
                seal.unlink(missing_ok=True)
        return found

    def build(self, cache: Path, missing: Sequence[Program], say: Say) -> None:
        """Build what is missing into the cache. Raises ProgramUnavailable."""
        go = shutil.which("go")
        instead = f", or {self.instead}" if self.instead else ""
        if go is None:
            raise ProgramUnavailable(
                f"{self.title}: {', '.join(p.name for p in missing)} cannot be had, and there is no Go toolchain to "
                f"build with. Install {GO}{instead}."
            )
        total_s = sum(program.build_s for program in missing)
        about = f"{round(total_s / 60)} min" if total_s >= 90 else f"{total_s} s"
        say(
            f"{self.title}: building from the Go module proxy, once for this machine (about {about} on 2 cores) into "
            f"{cache}"
        )
        for number, program in enumerate(missing, start=1):
            title = f"{self.title}: {number} of {len(missing)}: {program.name} (about {program.build_s} s)"
            with tempfile.TemporaryDirectory(dir=cache) as scratch:
                made = Path(scratch) / program.name
                command = [go, "build", "-mod=readonly", "-trimpath", "-ldflags", self.link_flags, "-o", str(made)]
                with _progress(title, say):
                    run = subprocess.run(
                        [*command, program.package],
                        cwd=self.module,
                        env={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"},
                        capture_output=True,
                        text=True,
                        check=False,
                    )
                if run.returncode != 0:
                    raise ProgramUnavailable(
                        f"{program.name} could not be built (go build ended with {run.returncode}). Its last words:\n"
                        f"{run.stderr[-2000:]}\nMend that{instead}."
                    )
                put(cache, program.name, made)


def cache_root() -> Path:
    """Outside the checkout, so that a second clone needs no second build."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "livetask-operator"


def put(cache: Path, name: str, made: Path) -> None:
    """Move a finished program into the cache. The seal is written last: without it the program does not count."""
    seal = cache / f"{name}.sha256"
    seal.unlink(missing_ok=True)
    made.chmod(0o755)
    checksum = digest(made, "sha256")
    made.replace(cache / name)
    seal.write_text(checksum + "\n")


@contextmanager
def locked(cache: Path) -> Iterator[Path]:
    """One builder at a time: a second one waits and then finds the first one's programs."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield cache


def digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


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
