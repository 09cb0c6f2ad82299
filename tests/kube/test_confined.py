"""What cannot be reached is told in words, by the log once and by /readyz while it lasts, and noticed when mended."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.controlplane import ControlPlane
from tests.lifecycle.page import Page
from tests.stage.objects import Objects, wait_for
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import Tenant, until

Start = Callable[..., Operator]
NOTICED_S = 20
"""It is asked again every 5 seconds; kopf, which lists then, waits for up to 10."""


class Confined:
    """A ServiceAccount of a test's own, without any right, and what gives it some."""

    def __init__(self, cluster: ControlPlane, home: str) -> None:
        self.cluster = cluster
        self.home = home
        cluster.kubectl("-n", home, "create", "serviceaccount", "confined")
        self.kubeconfig = cluster.kubeconfig_of(home, "confined")

    def may_follow(self, namespace: str) -> None:
        """The right to one namespace that is followed."""
        self._has("confined/followed/rights.yaml", namespace)

    def late_rights(self, folder: Path) -> Path:
        """A file as `cluster-wide/rights.yaml`, for this account."""
        rights = list(yaml.safe_load_all((ROOT / "manifests/cluster-wide/rights.yaml").read_text()))
        for each in rights:
            each["metadata"]["name"] = f"late-{self.home}"
            if "roleRef" in each:
                each["roleRef"]["name"] = f"late-{self.home}"
                each["subjects"] = [{"kind": "ServiceAccount", "name": "confined", "namespace": self.home}]
        file = folder / "rights.yaml"
        file.write_text(yaml.safe_dump_all(rights))
        return file

    def may_lead(self) -> None:
        """The right to the Lease at home."""
        self._has("base/lease.yaml", self.home)

    def _has(self, rights: str, namespace: str) -> None:
        """The Role and the RoleBinding of a file of manifests/, in a namespace, for this account."""
        for each in yaml.safe_load_all((ROOT / "manifests" / rights).read_text()):
            each["metadata"]["namespace"] = namespace
            for subject in each.get("subjects", []):
                subject |= {"name": "confined", "namespace": self.home}
            self.cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(each))


@pytest.fixture
def confined(crds: ControlPlane, namespace: str) -> Confined:
    return Confined(crds, namespace)


@pytest.fixture
def start(cloud: Cloud, tmp_path: Path) -> Iterator[Start]:
    """Starts operators, without waiting until they are ready: some never will be."""
    started: list[Operator] = []

    def start(kubeconfig: Path, *arguments: str) -> Operator:
        operator = Operator(kubeconfig, cloud.url, tmp_path / str(len(started)), arguments=arguments, waits=False)
        started.append(operator)
        until(lambda: readyz(operator) is not None, "an answer", 15)
        return operator

    yield start
    for operator in started:
        operator.process.stop()


def readyz(operator: Operator) -> tuple[int, str] | None:
    """The status and the words of /readyz; None while nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{operator.port}/readyz", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return None


def becomes(operator: Operator, status: int, words: str, within_s: float = NOTICED_S) -> str:
    """Wait until /readyz answers so. Returns all its words."""

    def there() -> str | None:
        found = readyz(operator)
        return found[1] if found is not None and found[0] == status and words in found[1] else None

    def what() -> str:
        return f"{status} {words!r}; it is {readyz(operator)}\n{operator.process.tail()}"

    return str(wait_for(there, what, within_s))


def told(operator: Operator, words: str) -> list[dict[str, Any]]:
    return [line for line in operator.lines() if words in line["message"]]


def test_a_namespace_without_a_role_holds_no_other_up_and_is_followed_when_it_has_one(
    confined: Confined, start: Start, namespace: str, objects: Objects, cloud: Cloud
) -> None:
    other = f"{namespace}-later"
    confined.may_follow(namespace)
    tenant = Tenant(namespace, objects, cloud.admin, labels={"operator": "own"})
    tenant.starts("first")
    operator = start(confined.kubeconfig, "--no-leader-elect", "--namespace", namespace, "--namespace", other)

    tenant.relay("first").reaches("Running")
    words = becomes(operator, 503, f"namespace {other} cannot be followed")
    until(lambda: told(operator, f"looked for missed changes in namespace {other} again later"), "a sweep", 15)
    assert not told(operator, f"looked for missed changes in namespace {namespace} ")
    (line,) = told(operator, f"namespace {other} cannot be followed")
    assert "403" in line["message"]
    assert "create it with its Role and RoleBinding" in line["message"]
    assert f"namespace {namespace} " not in words

    confined.cluster.kubectl("create", "namespace", other)
    later = Tenant(other, objects, cloud.admin, labels={"operator": "own"})
    later.starts("second")
    relay = later.relay("second")
    confined.may_follow(other)

    relay.reaches("Running", within_s=NOTICED_S)
    assert becomes(operator, 200, "ready") == "ready\n"
    assert len(told(operator, f"no more in the way: namespace {other}")) == 1
    assert len(told(operator, "Request attempt")) < 12, "and the log is not drowned"


def test_a_namespace_that_does_not_exist_is_a_warning_and_is_followed_when_it_does(
    kubeconfig: Path, start: Start, namespace: str, objects: Objects, cloud: Cloud
) -> None:
    other = f"{namespace}-later"
    twice = ("--namespace", other, "--namespace", other)

    operator = start(kubeconfig, "--no-leader-elect", "--namespace", namespace, *twice)

    assert becomes(operator, 200, "ready").splitlines() == [
        "ready",
        f"namespace {other} does not exist; what is created in it is followed once it does",
    ]
    (line,) = told(operator, f"namespace {other} does not exist")
    assert line["level"] == "warning"
    objects.create("/api/v1/namespaces", {"metadata": {"name": other}})
    tenant = Tenant(other, objects, cloud.admin, labels={"operator": "own"})
    tenant.starts("new")
    tenant.relay("new").reaches("Running")
    until(lambda: readyz(operator) == (200, "ready\n"), "ready", 8)


def test_without_rights_in_all_namespaces_it_is_not_ready_and_says_what_to_do(confined: Confined, start: Start) -> None:
    operator = start(confined.kubeconfig, "--no-leader-elect")

    words = becomes(operator, 503, "the cluster cannot be followed")

    assert "Give the ServiceAccount the ClusterRole of manifests/" in words
    assert "--namespace" in words


def test_without_the_right_to_its_lease_it_is_not_ready_and_leads_once_it_has_it(
    confined: Confined, start: Start, namespace: str
) -> None:
    confined.may_follow(namespace)

    operator = start(confined.kubeconfig, "--namespace", namespace)

    words = becomes(operator, 503, f"the Lease {namespace}/livetask-operator cannot be had")
    assert f"the right to create Leases in namespace {namespace}" in words
    (line,) = told(operator, "standing by")
    assert line["level"] == "error"
    confined.may_lead()
    until(lambda: readyz(operator) == (200, "ready\n"), "ready", 10)
    until(lambda: "livetask_leader 1.0" in (operator.answer("/metrics") or ""), "leading", 10)


def test_a_lease_in_a_namespace_that_does_not_exist_is_said_so(
    control_plane: ControlPlane, start: Start, crds: ControlPlane, namespace: str
) -> None:
    operator = start(control_plane.kubeconfig, "--namespace", namespace, "--lease-namespace", "nowhere-at-all")

    words = becomes(operator, 503, "the Lease nowhere-at-all/livetask-operator cannot be had")

    assert "Create namespace nowhere-at-all, or name another with --lease-namespace" in words


def test_where_a_namespace_takes_the_rights_along_they_come_from_outside_as_the_page_says_and_all_is_stopped(
    confined: Confined, start: Start, namespace: str, objects: Objects, cloud: Cloud, tmp_path: Path
) -> None:
    sports = f"{namespace}-sports"
    confined.cluster.kubectl("create", "namespace", sports)
    confined.may_follow(sports)
    tenant = Tenant(sports, objects, cloud.admin, labels={"operator": "own"})
    operator = start(confined.kubeconfig, "--no-leader-elect", "--namespace", sports)
    for task in ("first", "second"):
        tenant.starts(task)
        tenant.relay(task).reaches("Running")
    # As when the namespace controller comes to the rights first.
    objects.delete(f"/apis/rbac.authorization.k8s.io/v1/namespaces/{sports}/rolebindings/livetask-followed")
    objects.delete(f"/api/v1/namespaces/{sports}")

    until(lambda: told(operator, f"{sports}/first: 403"), "words about what it may not do any more", NOTICED_S)
    assert tenant.stops() == []
    (block,) = Page("manifests/on-call.md").blocks("A namespace does not go, and the operator is confined")
    rights = str(confined.late_rights(tmp_path))
    commands = block.replace("manifests/cluster-wide/rights.yaml", rights).replace("namespace/sports", f"ns/{sports}")
    for command in commands.splitlines():
        confined.cluster.kubectl(*command.split()[1:])

    assert objects.get(f"/api/v1/namespaces/{sports}") is None
    assert sorted(call.task_id for call in tenant.stops() if call.stopped_task) == ["first", "second"]
