"""Becomes a command in a root file system, as confined as the Deployment's container: no root, nothing to write to.

A program of its own, as root and after `unshare --mount`: what it does to its process cannot be taken back.
It says on stdout when it becomes the command, on the clock of time.monotonic(), and how long it has stood in line for
a processor until then.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import subprocess
import time
from pathlib import Path

SHELLS = ("usr/bin/dash", "usr/bin/bash")
DEVICES = ("null", "zero", "urandom")
BECOMES = "becomes the command at"

_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 24, 38
_LIBC = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--user", required=True, metavar="UID:GID")
    parser.add_argument("--mount", action="append", default=[], metavar="FOLDER=WHERE", help="read-only")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    _furnish(options.root, [each.split("=", 1) for each in options.mount])
    _give_up_rights(options.root, *map(int, options.user.split(":")))
    environment = dict(each.split("=", 1) for each in options.env)
    print(BECOMES, time.monotonic(), in_line_s(os.getpid()), flush=True)
    os.execvpe(options.command[0], options.command, environment)


def in_line_s(pid: int) -> float:
    """How long a process' first thread could have run and had to wait for others. Source: proc(5), schedstat."""
    _, nanoseconds, _ = Path(f"/proc/{pid}/schedstat").read_text().split()
    return int(nanoseconds) / 1e9


def _furnish(root: Path, folders: list[list[str]]) -> None:
    """Mount what a container runtime mounts, all of it read-only, and put every shell out of reach."""
    _mount("--bind", str(root), str(root))
    _mount("-t", "proc", "proc", str(root / "proc"))
    for place in ("dev", "run"):
        _mount("-t", "tmpfs", "tmpfs", str(root / place))
    for device in DEVICES:
        (root / "dev" / device).touch()
        _mount("--bind", f"/dev/{device}", str(root / "dev" / device))
    for shell in SHELLS:
        if (root / shell).exists():
            _mount("--bind", "/dev/null", str(root / shell))
    for folder, where in folders:
        target = root / where.lstrip("/")
        target.mkdir(parents=True, exist_ok=True)
        _mount("--bind", folder, str(target))
        _mount("-o", "remount,bind,ro", str(target))
    for place in ("dev", "run", ""):
        _mount("-o", "remount,bind,ro", str(root / place))


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def _give_up_rights(root: Path, user: int, group: int) -> None:
    """Go into the root file system and be nobody there: no capability, and no way to get one."""
    os.chroot(root)
    os.chdir("/")
    last_capability = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    for capability in range(last_capability + 1):
        _prctl(_PR_CAPBSET_DROP, capability)
    os.setgroups([])
    os.setgid(group)
    os.setuid(user)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # another user has lost the one that was set before


def _prctl(option: int, value: int) -> None:
    if _LIBC.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option}")


if __name__ == "__main__":
    main()
