"""What Argo CD is told of both kinds: the scripts as its own repository keeps them, and the ConfigMap made of them.

`python -m tests.gitops.customizations` writes manifests/argocd/argocd-cm.yaml anew; a test holds the two together.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from textwrap import indent
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent.parent
ARGOCD = ROOT / "manifests" / "argocd"
CONFIG_MAP = ARGOCD / "argocd-cm.yaml"
GROUP = "livetask.dev"

HEAD = """\
# What Argo CD has to know of RelayTasks and PreloadTasks, until it ships with it:
#   kubectl -n argocd patch configmap argocd-cm --type merge --patch-file argocd-cm.yaml
# Made from resource_customizations/ by `python -m tests.gitops.customizations`. Change it there.
apiVersion: v1
kind: ConfigMap
metadata:
  name: argocd-cm
  labels:
    app.kubernetes.io/name: argocd-cm
    app.kubernetes.io/part-of: argocd
data:
"""
IGNORED_UPDATES = """\
  # A new status does not make Argo CD compare the Application with Git again: a status is nothing that Git has.
  # Another health does all the same, as Argo CD compares the health of before and after by itself. What then stays as
  # it was until the next comparison (3 minutes at most) are the words beside an unchanged health. Argo CD 3 ignores
  # statuses unless told otherwise; Argo CD 2, or `ignoreResourceStatusField: none`, needs to be told.
  # The annotation is what the action `refresh` and people write to have a task looked at now. It is not in
  # ignoreDifferences, nor is anything else: the operator changes nothing that Git has, and who asks for looks through
  # Git wants that annotation synced.
"""
IGNORED_POINTERS = ("/status", "/metadata/annotations/livetask.dev~1requested-at")


class Customization:
    """The folder of one kind."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.folder = ARGOCD / "resource_customizations" / GROUP / kind

    @property
    def health(self) -> str:
        return (self.folder / "health.lua").read_text()

    @property
    def actions(self) -> list[str]:
        """Their names, in the order in which a person would read them."""
        return sorted((path.parent.name for path in self.folder.glob("actions/*/action.lua")), key=_REFRESH_FIRST.index)

    def action(self, name: str) -> str:
        return (self.folder / "actions" / name / "action.lua").read_text()

    @property
    def actions_key(self) -> str:
        """The value of the ConfigMap's key for the actions."""
        discovery = indent((self.folder / "actions" / "discovery.lua").read_text(), "  ")
        definitions = "".join(
            f"- name: {name}\n  action.lua: |\n{indent(self.action(name), '    ')}" for name in self.actions
        )
        return f"discovery.lua: |\n{discovery}definitions:\n{definitions}"

    def override(self) -> dict[str, Any]:
        """As a script that ships with Argo CD, for its `resource.customizations`."""
        return {"health.lua": self.health, "actions": self.actions_key}

    @cached_property
    def health_tests(self) -> list[dict[str, Any]]:
        return list(yaml.safe_load((self.folder / "health_test.yaml").read_text())["tests"])

    @cached_property
    def action_tests(self) -> dict[str, list[dict[str, Any]]]:
        return dict(yaml.safe_load((self.folder / "actions" / "action_test.yaml").read_text()))

    def object(self, path: str) -> dict[str, Any]:
        """An object of the test data; `path` as the lists of tests name it."""
        return read_object(self.folder / path)


_REFRESH_FIRST = ("refresh", "suspend", "resume")

CUSTOMIZATIONS = (Customization("RelayTask"), Customization("PreloadTask"))


def read_object(path: Path) -> dict[str, Any]:
    """An object from YAML, with times as the API server writes them."""
    return dict(yaml.load(path.read_text(), Loader=_TimesAsText))


class _TimesAsText(yaml.SafeLoader):
    """YAML as Kubernetes reads it: a time is text."""


_TimesAsText.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def config_map() -> str:
    """manifests/argocd/argocd-cm.yaml as it should be."""
    return HEAD + "".join(_keys())


def _keys() -> Iterator[str]:
    for each in CUSTOMIZATIONS:
        yield _key("health", each.kind, each.health)
        yield _key("actions", each.kind, each.actions_key)
    yield IGNORED_UPDATES
    pointers = "jsonPointers:\n" + "".join(f"- {json.dumps(pointer)}\n" for pointer in IGNORED_POINTERS)
    for each in CUSTOMIZATIONS:
        yield _key("ignoreResourceUpdates", each.kind, pointers)


def _key(what: str, kind: str, value: str) -> str:
    return f"  resource.customizations.{what}.{GROUP}_{kind}: |\n{indent(value, '    ')}"


if __name__ == "__main__":
    CONFIG_MAP.write_text(config_map())
