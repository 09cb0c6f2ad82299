"""What the operator may do, asked of the API server, against what it should be able to do: no less and no more."""

from __future__ import annotations

import json

import pytest

from tests.conftest import ROOT
from tests.controlplane import ControlPlane
from tests.manifests.rights import AT_HOME, IN_A_NAMESPACE, ON_THE_CLUSTER, Right

OPERATOR = "system:serviceaccount:livetask-system:livetask-operator"


@pytest.fixture(scope="module")
def installed(crds: ControlPlane) -> ControlPlane:
    crds.kubectl("apply", "-k", str(ROOT / "manifests"))
    return crds


def rights(cluster: ControlPlane, user: str, namespace: str) -> tuple[set[Right], set[str]]:
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


def own_rights(cluster: ControlPlane, user: str, namespace: str) -> set[Right]:
    """What a user may do beyond what every ServiceAccount may."""
    anybody, anybodys_paths = rights(cluster, "system:serviceaccount:default:nobody-in-particular", namespace)
    objects, paths = rights(cluster, user, namespace)
    assert paths <= anybodys_paths
    return objects - anybody


def test_the_operator_may_do_in_any_namespace_what_it_needs_and_nothing_more(
    installed: ControlPlane, namespace: str
) -> None:
    assert own_rights(installed, OPERATOR, namespace) == IN_A_NAMESPACE | ON_THE_CLUSTER


def test_the_operator_may_hold_its_one_lease_at_home(installed: ControlPlane) -> None:
    assert own_rights(installed, OPERATOR, "livetask-system") == IN_A_NAMESPACE | ON_THE_CLUSTER | AT_HOME


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("livetask-view", {"get", "list", "watch"}),
        ("livetask-edit", {"create", "update", "patch", "delete"}),
        ("livetask-admin", {"deletecollection"}),
    ],
)
def test_people_get_their_rights_to_tasks_with_their_rights_to_the_namespace(
    installed: ControlPlane, namespace: str, role: str, may: set[str]
) -> None:
    installed.kubectl("-n", namespace, "create", "rolebinding", role, f"--clusterrole={role}", "--user=jane")

    granted = own_rights(installed, "jane", namespace)

    assert granted == {(verb, f"livetask.dev/{kind}", "*") for verb in may for kind in ("relaytasks", "preloadtasks")}


@pytest.mark.parametrize(
    ("role", "extended"),
    [
        ("livetask-view", {"view", "edit", "admin"}),
        ("livetask-edit", {"edit", "admin"}),
        ("livetask-admin", {"admin"}),
    ],
)
def test_the_usual_roles_take_the_tasks_in(installed: ControlPlane, role: str, extended: set[str]) -> None:
    labels = installed.get(f"clusterrole/{role}")["metadata"]["labels"]

    prefix = "rbac.authorization.k8s.io/aggregate-to-"
    assert {
        key.removeprefix(prefix) for key, on in labels.items() if key.startswith(prefix) and on == "true"
    } == extended
