"""The operator's rights, one by one: the manifests must grant these, and without any of them something must break."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Right = tuple[str, str, str]
"""A verb, a resource with its group, and the one object's name, or * for all."""

IN_A_NAMESPACE: frozenset[Right] = frozenset(
    {
        *((verb, "livetask.dev/relaytasks", "*") for verb in ("get", "list", "watch", "patch")),
        *((verb, "livetask.dev/preloadtasks", "*") for verb in ("get", "list", "watch")),
        ("patch", "livetask.dev/relaytasks/status", "*"),
        ("patch", "livetask.dev/preloadtasks/status", "*"),
        ("get", "/secrets", "*"),
        ("create", "/events", "*"),
    }
)
"""Wherever it follows objects."""
ON_THE_CLUSTER: frozenset[Right] = frozenset(
    {
        ("list", "apiextensions.k8s.io/customresourcedefinitions", "*"),
        ("watch", "apiextensions.k8s.io/customresourcedefinitions", "*"),
        ("get", "apiextensions.k8s.io/customresourcedefinitions", "relaytasks.livetask.dev"),
    }
)
AT_HOME: frozenset[Right] = frozenset(
    {
        ("create", "coordination.k8s.io/leases", "*"),
        ("get", "coordination.k8s.io/leases", "livetask-operator"),
        ("update", "coordination.k8s.io/leases", "livetask-operator"),
    }
)
"""In its own namespace."""


def rules(rights: Iterable[Right]) -> list[dict[str, Any]]:
    """The rules of a Role that gives exactly these rights."""
    written = []
    for verb, target, name in sorted(rights):
        group, _, resource = target.partition("/")
        rule = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
        written.append(rule if name == "*" else {**rule, "resourceNames": [name]})
    return written
