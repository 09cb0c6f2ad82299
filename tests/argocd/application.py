"""An Application and the Git folder it is synced from, as the people of a team see them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from tests.argocd.installation import NAMESPACE
from tests.stage.objects import Objects, wait_for

REACHES_S = 90.0
APPLICATIONS = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/applications"
IN_CLUSTER = "https://kubernetes.default.svc"
AUTHOR = ("-c", "user.name=editor", "-c", "user.email=editor@example.com", "-c", "init.defaultBranch=main")


class Repository:
    """A Git repository on this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self._git("init", "--quiet")

    @property
    def url(self) -> str:
        return f"file://{self.folder}"

    def commits(self, files: Mapping[str, str | None]) -> str:
        """Commit what some files are to hold; None removes one. Returns the revision."""
        for name, text in files.items():
            path = self.folder / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", "A change")
        return self._git("rev-parse", "HEAD").strip()

    def has(self, *bodies: Mapping[str, Any]) -> str:
        """Commit that it holds these objects and no others, a file each."""
        wanted = {f"{each['kind']}-{each['metadata']['name']}.yaml": yaml.safe_dump(dict(each)) for each in bodies}
        there = [path.name for path in self.folder.glob("*.yaml")]
        return self.commits({**dict.fromkeys(there), **wanted})

    def _git(self, *arguments: str) -> str:
        env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        command = ["git", *AUTHOR, "-C", str(self.folder), *arguments]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout


class Application:
    """One Application of the session's Argo CD."""

    def __init__(self, name: str, objects: Objects) -> None:
        self.name = name
        self.path = f"{APPLICATIONS}/{name}"
        self._objects = objects

    def body(self) -> Any:
        return self._objects.get(self.path)

    @property
    def status(self) -> dict[str, Any]:
        return dict((self.body() or {}).get("status", {}))

    @property
    def health(self) -> str:
        return str(self.status.get("health", {}).get("status", ""))

    @property
    def sync(self) -> str:
        return str(self.status.get("sync", {}).get("status", ""))

    @property
    def operation(self) -> dict[str, Any]:
        """The sync that runs, or the last one."""
        return dict(self.status.get("operationState", {}))

    def resource(self, name: str, kind: str = "RelayTask") -> dict[str, Any]:
        """What is shown of one of its resources; empty where it has no such."""
        found = [each for each in self.status.get("resources", []) if (each["kind"], each["name"]) == (kind, name)]
        return dict(found[0]) if found else {}

    def refresh(self) -> None:
        """Say that there is a new commit, as the Git server's webhook does."""
        self.annotate("argocd.argoproj.io/refresh", "normal")

    def annotate(self, name: str, value: str) -> None:
        self._objects.merge(self.path, {"metadata": {"annotations": {name: value}}})

    def confirm(self) -> None:
        """Press the button `Confirm pruning`, or that of a deletion: the annotation is what it writes."""
        self.annotate("argocd.argoproj.io/deletion-approved", datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))

    def merge(self, patch: Mapping[str, Any]) -> None:
        self._objects.merge(self.path, patch)

    def reaches(self, sync: str | None = None, health: str | None = None, within_s: float = REACHES_S) -> None:
        """Wait until it is shown so."""

        def there() -> bool:
            return sync in (None, self.sync) and health in (None, self.health)

        wait_for(there, lambda: f"{self.name} is {sync}/{health}; {self._story()}", within_s)

    def ends(self, phase: str, within_s: float = REACHES_S) -> None:
        """Wait until its last sync has ended so: its status may say Synced a moment before."""
        wait_for(
            lambda: self.operation.get("phase") == phase,
            lambda: f"{self.name}'s sync {phase}; {self._story()}",
            within_s,
        )

    def says(self, words: str, within_s: float = REACHES_S) -> None:
        """Wait until its sync says these words."""
        wait_for(
            lambda: words in self.operation.get("message", ""),
            lambda: f"{self.name} says {words!r}; {self._story()}",
            within_s,
        )

    def shows(self, name: str, health: str, kind: str = "RelayTask", within_s: float = REACHES_S) -> str:
        """Wait until one of its resources has this health. Returns the words that are shown with it."""

        def there() -> bool:
            return bool(self.resource(name, kind).get("health", {}).get("status") == health)

        wait_for(there, lambda: f"{kind} {name} is {health}; {self._story()}", within_s)
        return self.words(name, kind)

    def words(self, name: str, kind: str = "RelayTask") -> str:
        """What is shown beside the health of one of its resources."""
        return str(self.resource(name, kind).get("health", {}).get("message", ""))

    def delete(self) -> None:
        """Ask for its deletion; does not wait for it."""
        self._objects.delete(self.path)

    def is_gone(self, within_s: float = REACHES_S) -> None:
        wait_for(lambda: self.body() is None, lambda: f"{self.name} is gone; {self._story()}", within_s)

    def _story(self) -> str:
        status = self.status
        told = {name: status.get(name) for name in ("sync", "health", "conditions", "resources", "operationState")}
        return json.dumps(told, indent=1)


def application(name: str, repository: Repository, namespace: str, **policy: Any) -> dict[str, Any]:
    """An Application that syncs a whole repository by itself, prunes and heals; `policy`: of its syncPolicy."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "finalizers": ["resources-finalizer.argocd.argoproj.io"],
        },
        "spec": {
            "project": "default",
            "source": {"repoURL": repository.url, "path": ".", "targetRevision": "HEAD"},
            "destination": {"server": IN_CLUSTER, "namespace": namespace},
            "syncPolicy": {"automated": {"prune": True, "selfHeal": True}, **policy},
        },
    }
