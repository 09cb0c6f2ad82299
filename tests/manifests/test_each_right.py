"""No right is there for nothing: an operator that lacks one is denied something that it needs, and its log says what.

An operator for each right, some side by side, each with its own ServiceAccount, Lease and objects. It takes about
40 s of CPU, as most rights are missed only by a process that starts without them.
"""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.controlplane import ControlPlane
from tests.controlplane.process import ChildProcess
from tests.manifests.rights import AT_HOME, IN_A_NAMESPACE, ON_THE_CLUSTER, Right, rules
from tests.stage.objects import Objects, wait_for
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import Tenant

RIGHTS = sorted(IN_A_NAMESPACE | ON_THE_CLUSTER | AT_HOME)
ACCOUNT = "livetask-operator"
DENIAL = re.compile(r'cannot (\w+) resource \\*"([\w/]+)\\*" in API group \\*"([\w.]*)\\*"')
AT_ONCE = 6
WITHIN_S = 40.0

REFUSES_STATUS = [
    {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "refuses-status"},
        "spec": {
            "matchConstraints": {
                "objectSelector": {"matchLabels": {"status": "refused"}},
                "resourceRules": [
                    {
                        "apiGroups": ["livetask.dev"],
                        "apiVersions": ["*"],
                        "operations": ["UPDATE"],
                        "resources": ["relaytasks/status", "preloadtasks/status"],
                    }
                ],
            },
            "validations": [{"expression": "false", "message": "a policy of the cluster"}],
        },
    },
    {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "refuses-status"},
        "spec": {"policyName": "refuses-status", "validationActions": ["Deny"]},
    },
]
"""A status that is refused: only then is an object read again by `get`, which otherwise only a race would show."""


class Hindered(Operator):
    """An operator that may never get ready. `lacks` is the right that it has not, None where it has them all."""

    def __init__(self, cluster: ControlPlane, cloud: Cloud, folder: Path, name: str, lacks: Right | None) -> None:
        needs_lease = lacks is None or lacks in AT_HOME
        arguments = ("--selector", f"followed-by={name}", "--leader-elect" if needs_lease else "--no-leader-elect")
        super().__init__(cluster.kubeconfig_of(name, ACCOUNT), cloud.url, folder / name, arguments=arguments)

    def start(self) -> None:
        """Start it, and do not wait."""
        self.process = ChildProcess("livetask-operator", self._command, self.log, self._env)

    def denials(self) -> set[Right]:
        """What the API server denied it, as far as its log tells; which object it was about is left open."""
        found = DENIAL.findall(self.log.read_text())
        return {(verb, f"{group}/{resource}", "*") for verb, resource, group in found}


def home(name: str, rights: frozenset[Right]) -> list[dict[str, Any]]:
    """A namespace with a ServiceAccount that has these rights."""
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT, "namespace": name}},
        *bound_role("ClusterRole", name, {}, rights - AT_HOME),
        *bound_role("Role", name, {"namespace": name}, rights & AT_HOME),
    ]


def bound_role(kind: str, name: str, place: dict[str, str], rights: frozenset[Right]) -> list[dict[str, Any]]:
    group = "rbac.authorization.k8s.io"
    body = {"apiVersion": f"{group}/v1", "metadata": {"name": name, **place}}
    subject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": name}
    return [
        {**body, "kind": kind, "rules": rules(rights)},
        {
            **body,
            "kind": f"{kind}Binding",
            "roleRef": {"apiGroup": group, "kind": kind, "name": name},
            "subjects": [subject],
        },
    ]


def set_the_scene(objects: Objects, cloud: Cloud, name: str) -> Tenant:
    """What one operator meets as it starts: all that can be asked of it."""
    tenant = Tenant(name, objects, cloud.admin, labels={"followed-by": name})
    tenant.starts("on-air")
    tenant.relay("on-air")
    tenant.preloads("warm")
    tenant.preload("warm", tasks=["warm"])
    tenant.starts("deleted")
    deleted = tenant.relay("deleted")
    objects.merge(deleted.path, {"metadata": {"finalizers": ["livetask.dev/stop"]}})
    deleted.delete()
    refused = Tenant(name, objects, cloud.admin, labels={"followed-by": name, "status": "refused"})
    refused.relay("refused")
    refused.preload("refused", tasks=["warm"])
    return tenant


@dataclass(frozen=True)
class Outcome:
    """What became of an operator."""

    denials: set[Right]
    stopped: list[str]
    log: str


@pytest.fixture(scope="module")
def outcomes(crds: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> dict[Right | None, Outcome]:
    """What became of an operator with all rights, and of one without each of them."""
    folder = tmp_path_factory.mktemp("rights")
    names: dict[Right | None, str] = {lacks: f"rights-{number}" for number, lacks in enumerate([None, *RIGHTS])}
    homes = [each for lacks, name in names.items() for each in home(name, frozenset(RIGHTS) - {lacks})]
    apply(crds, [*REFUSES_STATUS, *homes])
    found: dict[Right | None, Outcome] = {}
    with Objects(crds) as objects, ExitStack() as ends:
        cloud = Cloud(folder)
        ends.callback(cloud.stop)
        waiting = list(names)
        while waiting:
            batch, waiting = waiting[:AT_ONCE], waiting[AT_ONCE:]
            with ExitStack() as running:
                tenants = {lacks: set_the_scene(objects, cloud, names[lacks]) for lacks in batch}
                operators = {}
                for lacks in batch:
                    operators[lacks] = Hindered(crds, cloud, folder, names[lacks], lacks)
                    running.callback(operators[lacks].kill)
                for lacks, operator in operators.items():
                    wait_for_the_end(operator, lacks)
                    stopped = [call.task_id for call in tenants[lacks].stops()]
                    found[lacks] = Outcome(operator.denials(), stopped, operator.process.tail())
    return found


def apply(cluster: ControlPlane, items: list[dict[str, Any]]) -> None:
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))


def wait_for_the_end(operator: Hindered, lacks: Right | None) -> None:
    """Until it is denied something; the one with all rights: until its objects are as they should be."""
    if lacks is not None:
        wait_for(operator.denials, lambda: f"a denial in the log:\n{operator.process.tail()}", WITHIN_S)
        return
    expected = {"on-air", "warm", "deleted"}
    wait_for(lambda: expected <= {line.get("name") for line in operator.lines()}, operator.process.tail, WITHIN_S)
    wait_for(lambda: operator.audit(name="deleted", outcome="stop_accepted"), operator.process.tail, WITHIN_S)
    wait_for(lambda: "a policy of the cluster" in operator.log.read_text(), operator.process.tail, WITHIN_S)


@pytest.mark.parametrize("right", RIGHTS, ids=lambda right: "-".join(right).replace("/", ".").removesuffix("-*"))
def test_an_operator_without_a_right_is_denied_what_it_needs_and_its_log_names_it(
    outcomes: dict[Right | None, Outcome], right: Right
) -> None:
    verb, target, _ = right

    assert outcomes[right].denials == {(verb, target, "*")}, outcomes[right].log


def test_an_operator_with_all_rights_is_denied_nothing(outcomes: dict[Right | None, Outcome]) -> None:
    assert outcomes[None].denials == set()
    assert outcomes[None].stopped == ["deleted"]
