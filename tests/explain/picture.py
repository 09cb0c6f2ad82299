"""Writes crds/looks.md: how tasks look in kubectl, in watch, in k9s and to `explain`, in a terminal of 120 columns.

    python -m tests.explain.picture [--k9s PROGRAM]

Needs tmux, and `watch`. Without k9s the picture of it stays as it was.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.conftest import ROOT, with_crds
from tests.controlplane import ControlPlane
from tests.explain.scene import CONFIG, Evening
from tests.stage.objects import Objects, wait_for
from tests.stage.processes import BIN, Cloud, Operator

PAGE = ROOT / "crds" / "looks.md"
HOME = "livetask-system"
POD = "livetask-operator-6d9c7b5f4-k2x8q"
WIDTH, HEIGHT = 120, 60
SHOWN_WITHIN_S = 90.0


class Terminal:
    """A terminal of 120 columns, and what somebody sees who types into it."""

    def __init__(self, folder: Path, kubeconfig: Path, kubectl: str) -> None:
        self._folder = folder
        self._taken = 0
        self._environment = {
            **os.environ,
            "KUBECONFIG": str(kubeconfig),
            "PATH": f"{Path(kubectl).parent}:{BIN}:{os.environ['PATH']}",
            "HOME": str(folder),
            "KUBECACHEDIR": str(folder / "cache"),  # what is served, else as it was before the CRDs came
            "TERM": "xterm-256color",
            "LC_ALL": "C.UTF-8",
        }

    def shows(self, command: str, until: str, height: int = HEIGHT, *, joined: bool = False) -> str:
        """What stands there once a word has come, without what is empty below.

        joined: a line that is too long is given in one piece, as copying it does.
        """
        self._taken += 1  # a server of its own for each: one that just ended may still be in the way
        self._tmux("new-session", "-d", "-x", str(WIDTH), "-y", str(height), f"{command}; sleep 60")
        try:
            wait_for(lambda: until in self._screen(), lambda: f"{until!r} in {self._screen()}", SHOWN_WITHIN_S)
            time.sleep(1)  # the rest of the screen is drawn after it
            return self._screen("-J" if joined else "-p")
        finally:
            self._tmux("kill-server")

    def _screen(self, how: str = "-p") -> str:
        lines = self._tmux("capture-pane", "-p", how).splitlines()
        return "\n".join(line.rstrip() for line in lines).rstrip()

    def _tmux(self, *arguments: str) -> str:
        command = ["tmux", "-S", str(self._folder / f"tmux-{self._taken}"), "-f", "/dev/null", *arguments]
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, check=True).stdout


def picture(typed: str, shown: str) -> str:
    return f"```console\n$ {typed}\n{shown}\n```\n"


def pages(terminal: Terminal, port: int, k9s: str | None) -> dict[str, str]:
    """The pictures by their headings."""

    def seen(typed: str, until: str) -> str:
        return picture(typed, terminal.shows(typed, until))

    def explained(target: str) -> str:
        typed = f"livetask-operator explain {target}"
        return picture(typed, terminal.shows(f"{typed} --operator http://127.0.0.1:{port}", "\nevents", joined=True))

    found = {
        "kubectl get rlt,plt -A": seen("kubectl get rlt,plt -A", "opening-edge"),
        "kubectl get rlt -A -o wide, as wide as the screen": seen(
            "kubectl get rlt -A -o wide | cut -c1-120", "stadium-feed"
        ),
        "kubectl get livetasks": seen("kubectl -n news get livetasks", "morning-show"),
        "watch": picture(
            "watch -t kubectl -n sports get rlt",
            terminal.shows("watch -t kubectl -n sports get rlt", "stadium-feed", height=18),
        ),
        "The story in Events": seen(
            "kubectl -n news describe rlt morning-show | grep -A9 ^Events | cut -c1-120", "VendorUnavailable"
        ),
        "livetask-operator explain": "\n".join(
            explained(target) for target in ("sports/cup-final", "archive/jubilee", "sports/fan-mile")
        ),
    }
    if k9s is not None:
        command = f"{shlex.quote(k9s)} --readonly --headless -A -c relaytasks"
        found["k9s"] = picture("k9s -A -c relaytasks", terminal.shows(command, "stadium-feed", height=24))
    return found


def written(found: dict[str, str]) -> str:
    """The page, with the pictures that were made and the others as they were."""
    page = PAGE.read_text(encoding="utf-8")
    for heading, shown in found.items():
        section = re.compile(rf"(^## {re.escape(heading)}\n.*?)^```console\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
        place = section.search(page)
        if place is None:
            raise RuntimeError(f"{PAGE.name} has no place for {heading!r}")
        page = f"{page[: place.end(1)]}{shown}\n{page[place.end() :]}"
    return page.rstrip() + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--k9s", metavar="PROGRAM", help="a k9s, for the picture of it")
    options = parser.parse_args()
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="livetask-picture-")))
        plane = ends.enter_context(ControlPlane())
        with_crds(plane).kubectl("apply", "-k", str(ROOT / "manifests"))
        objects = ends.enter_context(Objects(plane))
        cloud = Cloud(folder)
        ends.callback(cloud.stop)
        os.environ["POD_NAME"] = POD
        rights = plane.kubeconfig_of(HOME, "livetask-operator")
        operator = Operator(rights, cloud.url, folder, config=CONFIG, arguments=("--lease-namespace", HOME))
        ends.callback(operator.process.stop)
        evening = Evening(objects, cloud.admin)
        for part in (evening.states, evening.preloads, evening.troubles, evening.deletions):
            print(f"{part.__name__} …", flush=True)
            part()
        terminal = Terminal(folder, plane.kubeconfig, plane.kubectl_path)
        PAGE.write_text(written(pages(terminal, operator.port, options.k9s)), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)} is written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
