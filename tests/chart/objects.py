"""Objects of an install, so that two ways to make them can be compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Key = tuple[str, str, str]

CONFIG = "livetask-config"


def by_key(objects: Iterable[Mapping[str, Any]]) -> dict[Key, Mapping[str, Any]]:
    """The objects by kind, namespace and name, without the hash behind the ConfigMap's name: each way has its own."""
    found = {}
    for each in objects:
        if each is None or each["kind"] == "Namespace":
            continue  # Helm makes the namespace of a release itself
        plain = _without_hash(each)
        metadata = plain["metadata"]
        found[plain["kind"], metadata.get("namespace", ""), metadata["name"]] = plain
    return found


def _without_hash(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_hash(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_without_hash(each) for each in value]
    return CONFIG if isinstance(value, str) and value.startswith(CONFIG) else value
