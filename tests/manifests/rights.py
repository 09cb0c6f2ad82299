"""The operator's rights, one by one: the manifests must grant these, and without any of them something must break."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tests.controlplane import ControlPlane

OPERATOR = "system:serviceaccount:livetask-system:livetask-operator"

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


def own_rights(cluster: ControlPlane, user: str, namespace: str) -> set[Right]:
    """What a user may do beyond what every ServiceAccount may."""
    anybody, anybodys_paths = _rights(cluster, "system:serviceaccount:default:nobody-in-particular", namespace)
    objects, paths = _rights(cluster, user, namespace)
    assert paths <= anybodys_paths
    return objects - anybody


def _rights(cluster: ControlPlane, user: str, namespace: str) -> tuple[set[Right], set[str]]:
    """What a user may do with which objects in a namespace, and which other paths it may ask for."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace},
    }
    run = cluster.kubectl(
        "create", f"--as={user}", "--validate=false", "-f", "-", "-o", "json", stdin=json.dumps(review)
    )
    status = json.loads(run.stdout)["status"]
    assert not status["incomplete"]
    objects = {
        (verb, f"{group}/{resource}", name)
        for rule in status["resourceRules"]
        for verb in rule["verbs"]
        for group in rule.get("apiGroups", [])
        for resource in rule.get("resources", [])
        for name in rule.get("resourceNames", ["*"])
    }
    paths = {
        f"{verb} {path}"
        for rule in status["nonResourceRules"]
        for verb in rule["verbs"]
        for path in rule["nonResourceURLs"]
    }
    return objects, paths
