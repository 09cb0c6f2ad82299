"""A page's commands: read out of its code blocks and typed as they stand, so that page and test cannot drift apart."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from tests.conftest import ROOT
from tests.controlplane import ControlPlane

COMMAND_TIMEOUT_S = 120
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Page:
    """A page of the checkout."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.text = (ROOT / path).read_text(encoding="utf-8")

    def section(self, title: str) -> str:
        """What stands under a heading, up to the next heading of any rank."""
        headings = [*HEADING.finditer(self.text)]
        for heading, following in zip(headings, [*headings[1:], None], strict=True):
            if heading[1] == title:
                return self.text[heading.end() : following.start() if following else len(self.text)]
        raise KeyError(f"{self.path} has no heading {title!r}; it has {[each[1] for each in headings]}")

    def typed(self) -> list[str]:
        """The headings under which something is to be typed."""
        titles = [heading[1] for heading in HEADING.finditer(BLOCK.sub("", self.text))]
        return [title for title in titles if BLOCK.search(self.section(title))]

    def blocks(self, title: str) -> list[str]:
        """What is to be typed in a section, block by block."""
        found = BLOCK.findall(_without_other_fences(self.section(title)))
        if not found:
            raise KeyError(f"{self.path}: nothing is to be typed under {title!r}")
        return found


def _without_other_fences(text: str) -> str:
    return re.sub(r"^```(?!sh$)\w+\n.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


class Shell:
    """Somebody at a prompt, in a copy of the checkout: with one cluster, or with contexts to choose from."""

    def __init__(self, folder: Path, clusters: Mapping[str, ControlPlane]) -> None:
        """The first cluster is the one that is current."""
        self.folder = folder / "checkout"
        for part in ("crds", "manifests"):
            shutil.copytree(ROOT / part, self.folder / part)
        self.programs = folder / "bin"
        self.programs.mkdir()
        (self.programs / "kubectl").symlink_to(next(iter(clusters.values())).kubectl_path)
        self._env = {
            "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "KUBECONFIG": str(_kubeconfig(folder / "kubeconfig", clusters)),
        }

    def type(self, commands: str, **variables: str) -> str:
        """Type some commands. Returns what was printed. Raises AssertionError where one of them fails."""
        run = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=self.folder,
            env={**self._env, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_TIMEOUT_S,
        )
        assert run.returncode == 0, f"{commands}\nended with {run.returncode}:\n{run.stdout}{run.stderr}"
        return run.stdout

    def type_all(self, blocks: Iterable[str]) -> None:
        for block in blocks:
            self.type(block)


def _kubeconfig(path: Path, clusters: Mapping[str, ControlPlane]) -> Path:
    """One file with a context for each cluster."""
    merged: dict[str, list[dict[str, object]]] = {"clusters": [], "users": [], "contexts": []}
    for name, cluster in clusters.items():
        config = yaml.safe_load(cluster.kubeconfig.read_text())
        merged["clusters"].append({"name": name, "cluster": config["clusters"][0]["cluster"]})
        merged["users"].append({"name": name, "user": config["users"][0]["user"]})
        merged["contexts"].append({"name": name, "context": {"cluster": name, "user": name}})
    body = {"apiVersion": "v1", "kind": "Config", **merged, "current-context": next(iter(clusters))}
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(body))
    return path
