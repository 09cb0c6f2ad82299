"""The two CRD files as the tests read them: every field with its dotted path, and the rules on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CRDS = Path(__file__).parent.parent.parent / "crds"
KINDS = {"RelayTask": "relaytasks", "PreloadTask": "preloadtasks"}


@dataclass(frozen=True)
class Field:
    """One property of a schema, or (path ending in []) what a list holds."""

    path: str
    """spec.alibabaCloud.taskIds"""
    schema: Mapping[str, Any]
    required: bool

    @property
    def is_item(self) -> bool:
        return self.path.endswith("[]")


def crd(kind: str) -> dict[str, Any]:
    """The CRD of a kind, parsed."""
    loaded: dict[str, Any] = yaml.safe_load((CRDS / f"{KINDS[kind]}.yaml").read_text())
    return loaded


def version(kind: str) -> dict[str, Any]:
    """The one version of a kind's CRD."""
    (only,) = crd(kind)["spec"]["versions"]
    loaded: dict[str, Any] = only
    return loaded


def fields(kind: str) -> list[Field]:
    """Every field of a kind's spec and status, in the order of the file; metadata is Kubernetes' own."""
    properties = version(kind)["schema"]["openAPIV3Schema"]["properties"]
    return [field for name in ("spec", "status") for field in _walk(name, properties[name], required=name == "spec")]


def field(kind: str, path: str) -> Field:
    """One field by its path."""
    return next(each for each in fields(kind) if each.path == path)


def _walk(path: str, schema: Mapping[str, Any], *, required: bool) -> Iterator[Field]:
    yield Field(path, schema, required)
    for name, below in schema.get("properties", {}).items():
        yield from _walk(f"{path}.{name}", below, required=name in schema.get("required", ()))
    if "items" in schema:
        yield from _walk(f"{path}[]", schema["items"], required=False)
