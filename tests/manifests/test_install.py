"""Each install on a real API server, with Pod Security enforced and the real controllers: applied, and taken away."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from livetask_operator.config import Config, load
from tests.conftest import ROOT
from tests.controlplane import ControlPlane
from tests.manifests.conftest import rendered
from tests.manifests.rights import AT_HOME, IN_A_NAMESPACE, OPERATOR, own_rights
from tests.stage.objects import Objects, live_tasks, wait_for
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import Tenant

MANIFESTS = ROOT / "manifests"
NAMESPACE = "livetask-system"
FOLLOWED = ("live", "sports")
OVERLAYS = pytest.mark.parametrize("overlay", [MANIFESTS, MANIFESTS / "confined"], ids=["cluster-wide", "confined"])
NAMES = "{{range .items}}{{.kind}}/{{or .metadata.namespace `-`}}/{{.metadata.name}}\n{{end}}"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane of these tests' own, with the CRDs and the namespaces that are followed."""
    with ControlPlane(folder=tmp_path_factory.mktemp("install")) as cluster:
        cluster.kubectl("apply", "-k", str(ROOT / "crds"))
        cluster.wait_until_established("crd", "--all")
        for name in FOLLOWED:
            cluster.kubectl("create", "namespace", name)
        yield cluster


def make_room(cluster: ControlPlane, overlay: Path) -> None:
    """What the overlay leaves to others: confined, it brings no namespace."""
    if overlay != MANIFESTS:
        cluster.kubectl("apply", "-f", str(MANIFESTS / "cluster-wide" / "namespace.yaml"))
    wait_for(
        lambda: (
            "serviceaccount" in cluster.kubectl("-n", "live", "get", "serviceaccount", "default", "-o", "name").stdout
        ),
        "the namespaces are in use",
        10,
    )


def everything(cluster: ControlPlane) -> set[str]:
    """The name of every object there is; what is told about them, and what the cluster itself renews, left out."""
    kinds = cluster.kubectl("api-resources", "--verbs=list", "-o", "name").stdout.split()
    told = ("events", "events.events.k8s.io", "leases.coordination.k8s.io", "componentstatuses")
    shown = cluster.kubectl("get", ",".join(k for k in kinds if k not in told), "-A", "-o", f"go-template={NAMES}")
    return set(shown.stdout.split())


def relay_task(cluster: ControlPlane, name: str) -> dict[str, Any]:
    """A task that is on the air and followed: it carries the finalizer."""
    spec = {"alibabaCloud": {"appId": "app", "taskId": name}, "credentialsSecretRef": {"name": "alibaba"}}
    body = {
        "apiVersion": "livetask.dev/v1alpha1",
        "kind": "RelayTask",
        "metadata": {"name": name, "namespace": "live", "finalizers": ["livetask.dev/stop"]},
        "spec": spec,
    }
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(body))
    return dict(cluster.get("-n", "live", f"relaytask/{name}"))


@OVERLAYS
def test_an_uninstall_leaves_nothing_of_the_operator_and_every_task_as_it_was(
    cluster: ControlPlane, overlay: Path
) -> None:
    make_room(cluster, overlay)
    task = relay_task(cluster, f"kept-by-{overlay.name}")
    before = everything(cluster)

    applied = cluster.kubectl("apply", "-k", str(overlay))
    installed = everything(cluster) - before
    cluster.kubectl("delete", "-k", str(overlay), "--timeout=45s")

    assert applied.stderr == ""
    assert f"Deployment/{NAMESPACE}/livetask-operator" in installed
    wait_for(lambda: everything(cluster) == before, lambda: str(everything(cluster) ^ before), 15)
    assert cluster.get("-n", "live", f"relaytask/{task['metadata']['name']}") == task


@OVERLAYS
def test_the_restricted_namespace_takes_both_replicas(cluster: ControlPlane, overlay: Path) -> None:
    make_room(cluster, overlay)
    cluster.kubectl("apply", "-k", str(overlay))
    try:
        pods = ("-n", NAMESPACE, "pods", "-l", "app.kubernetes.io/name=livetask-operator")
        wait_for(lambda: len(cluster.get(*pods)["items"]) == 2, "two Pods from the ReplicaSet", 15)

        labels = cluster.get(f"namespace/{NAMESPACE}")["metadata"]["labels"]
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
        pod = pod_of(cluster.get("-n", NAMESPACE, "deployment/livetask-operator"))
        assert create(cluster, pod) == (0, "")
        pod["spec"]["containers"][0]["securityContext"] = {}
        code, words = create(cluster, pod)
        assert code == 1
        assert 'violates PodSecurity "restricted' in words
    finally:
        cluster.kubectl("delete", "-k", str(overlay), "--timeout=45s")


def pod_of(deployment: dict[str, Any]) -> dict[str, Any]:
    template = deployment["spec"]["template"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "dry-run", "labels": template["metadata"]["labels"]},
        "spec": template["spec"],
    }


def create(cluster: ControlPlane, pod: dict[str, Any]) -> tuple[int, str]:
    run = cluster.kubectl("-n", NAMESPACE, "create", "--dry-run=server", "-f", "-", stdin=json.dumps(pod), check=False)
    return run.returncode, run.stderr


@pytest.fixture
def confined(cluster: ControlPlane) -> Iterator[ControlPlane]:
    """The control plane with the confined install alone."""
    make_room(cluster, MANIFESTS / "confined")
    cluster.kubectl("apply", "-k", str(MANIFESTS / "confined"))
    yield cluster
    cluster.kubectl("delete", "-k", str(MANIFESTS / "confined"), "--timeout=45s")


def test_confined_it_has_rights_where_it_follows_and_nowhere_else(confined: ControlPlane) -> None:
    for name in FOLLOWED:
        assert own_rights(confined, OPERATOR, name) == IN_A_NAMESPACE
    assert own_rights(confined, OPERATOR, NAMESPACE) == AT_HOME
    assert own_rights(confined, OPERATOR, "default") == set()


def test_confined_it_follows_and_stops_under_these_rights(confined: ControlPlane, tmp_path: Path) -> None:
    (container,) = pod_of(confined.get("-n", NAMESPACE, "deployment/livetask-operator"))["spec"]["containers"]
    named = [each for each in container["args"] if each.startswith("--namespace")]
    cloud = Cloud(tmp_path)
    kubeconfig = confined.kubeconfig_of(NAMESPACE, "livetask-operator")
    operator = Operator(kubeconfig, cloud.url, tmp_path / "operator", arguments=named)
    try:
        with Objects(confined) as objects:
            tenants = [Tenant(name, objects, cloud.admin) for name in FOLLOWED]
            relays = []
            for tenant in tenants:
                tenant.starts("on-air")
                relays.append(tenant.relay("on-air"))
            for relay in relays:
                relay.reaches("Running")
                relay.delete()
                relay.is_gone(within_s=10)

            assert [len(tenant.stops("on-air")) for tenant in tenants] == [1, 1]
            assert named == [f"--namespace={name}" for name in FOLLOWED]
    finally:
        operator.process.stop()
        cloud.stop()


def test_confined_it_stops_nothing_when_the_crds_are_deleted(confined: ControlPlane, tmp_path: Path) -> None:
    """It may not read them; deleted before the operator, they take every object away while it watches."""
    cloud = Cloud(tmp_path)
    kubeconfig = confined.kubeconfig_of(NAMESPACE, "livetask-operator")
    operator = Operator(kubeconfig, cloud.url, tmp_path / "operator", arguments=("--namespace=sports",))
    try:
        with Objects(confined) as objects:
            tenant = Tenant("sports", objects, cloud.admin)
            tasks = [f"on-air-{number}" for number in range(10)]
            for task in tasks:
                tenant.starts(task)
            for relay in [tenant.relay(task) for task in tasks]:
                relay.reaches("Running")

            take_finalizers_off(objects, "live")
            confined.kubectl("delete", "-k", str(ROOT / "crds"), "--timeout=45s")

            assert tenant.stops() == []
            assert {line["outcome"] for line in operator.audit()} == {"Orphaned"}
            assert {line["name"] for line in operator.audit()} == set(tasks)
    finally:
        operator.process.stop()
        cloud.stop()
        confined.kubectl("apply", "-k", str(ROOT / "crds"))
        confined.wait_until_established("crd", "--all")


def test_after_the_last_task_the_crds_go_without_a_trace(cluster: ControlPlane) -> None:
    relay_task(cluster, "last")
    with Objects(cluster) as objects:
        for namespace in FOLLOWED:
            take_finalizers_off(objects, namespace)

    cluster.kubectl("delete", "-k", str(ROOT / "crds"), "--timeout=45s")

    kinds = ("CustomResourceDefinition/", "RelayTask/", "PreloadTask/")
    assert [name for name in everything(cluster) if name.startswith(kinds)] == []


def take_finalizers_off(objects: Objects, namespace: str) -> None:
    """What a person does, with the operator gone, to let objects go without a stop."""
    for task in objects.get(live_tasks("RelayTask", namespace))["items"]:
        path = live_tasks("RelayTask", namespace, task["metadata"]["name"])
        objects.merge(path, {"metadata": {"finalizers": None}})


def test_confined_nothing_is_cluster_scoped(crds: ControlPlane, cluster_scoped: set[str]) -> None:
    kinds = {each["kind"] for each in rendered(crds, MANIFESTS / "confined")}

    assert "Role" in kinds
    assert kinds & cluster_scoped == set()


def test_no_tool_prunes_the_crds_and_none_comes_with_the_operator(crds: ControlPlane) -> None:
    for crd in rendered(crds, ROOT / "crds"):
        annotations = crd["metadata"]["annotations"]
        assert annotations["argocd.argoproj.io/sync-options"] == "Prune=false,Delete=false"
        assert annotations["kustomize.toolkit.fluxcd.io/prune"] == "disabled"
        assert annotations["helm.sh/resource-policy"] == "keep"
    assert "CustomResourceDefinition" not in {each["kind"] for each in rendered(crds, MANIFESTS)}


def test_the_pods_configuration_is_the_file_that_it_is_started_with(crds: ControlPlane, tmp_path: Path) -> None:
    objects = {(each["kind"], each["metadata"]["name"]): each for each in rendered(crds, MANIFESTS)}
    spec = objects["Deployment", "livetask-operator"]["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    (volume,) = spec["volumes"]
    path = Path(container["args"][container["args"].index("--config") + 1])
    config_map = objects["ConfigMap", volume["configMap"]["name"]]

    assert str(path.parent) == container["volumeMounts"][0]["mountPath"]
    mounted = tmp_path / path.name
    mounted.write_text(config_map["data"][path.name])
    assert load(mounted) == Config.default()


def test_the_settings_shown_in_comments_are_the_defaults(tmp_path: Path) -> None:
    shown = [
        line.removeprefix("# ") if line.startswith(("# ", "#  ")) and not line.endswith(".") else line
        for line in (MANIFESTS / "base" / "config.yaml").read_text().splitlines()
    ]
    document = yaml.safe_load("\n".join(shown))
    del document["accounts"], document["statusWords"]  # examples, not defaults
    uncommented = tmp_path / "config.yaml"
    uncommented.write_text(yaml.safe_dump(document))

    assert set(document) == {
        "endpoints",
        "alibabaCloud",
        "quotas",
        "stopDelaySeconds",
        "stops",
        "clusterName",
        "objectMetrics",
    }
    assert load(uncommented) == Config.default()


def test_an_overlay_of_ones_own_is_made_as_the_page_says(crds: ControlPlane, tmp_path: Path) -> None:
    page = (MANIFESTS / "README.md").read_text()
    shutil.copytree(MANIFESTS, tmp_path / "manifests", symlinks=True)
    own = tmp_path / "own"
    own.mkdir()
    (own / "kustomization.yaml").write_text(page.split("```yaml\n")[1].split("```")[0])
    (own / "config.yaml").write_text("stops: Hold\n")

    objects = {each["kind"]: each for each in rendered(crds, own)}

    (container,) = pod_of(objects["Deployment"])["spec"]["containers"]
    assert container["image"] == "REGISTRY/livetask-operator:0.1.0"
    assert objects["ConfigMap"]["data"] == {"config.yaml": "stops: Hold\n"}
    assert {"Role", "ClusterRole", "PriorityClass", "Namespace"} <= set(objects)
