"""What the operator may do, asked of the API server, against what it should be able to do: no less and no more."""

from __future__ import annotations

import pytest

from tests.conftest import ROOT
from tests.controlplane import ControlPlane
from tests.manifests.rights import AT_HOME, IN_A_NAMESPACE, ON_THE_CLUSTER, OPERATOR, own_rights


@pytest.fixture(scope="module")
def installed(crds: ControlPlane) -> ControlPlane:
    crds.kubectl("apply", "-k", str(ROOT / "manifests"))
    return crds


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
