"""An API server that is killed, compacted and started again, and CRDs that are exchanged while nobody looks.

On a control plane of its own: what is done to it would hurt every other test's objects.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import OWN_NAMESPACE, ROOT
from tests.controlplane import ControlPlane
from tests.faults.outages import is_first_list_of_relays, is_watch_of_relays
from tests.faults.proxy import Proxy, in_front_of_api_server
from tests.stage.objects import Objects, live_tasks, wait_for
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import Relay, Tenant

NAMESPACE = "restarted"
NOTICED_WITHIN_S = 30.0
MORE_THAN_A_PAGE = 130


class Stage:
    """A control plane, a proxy in front of it, an operator behind the proxy, and a tenant."""

    def __init__(self, cluster: ControlPlane, proxy: Proxy, operator: Operator, tenant: Tenant) -> None:
        self.cluster = cluster
        self.proxy = proxy
        self.operator = operator
        self.tenant = tenant

    def serves(self, plural: str) -> None:
        """Wait until a kind is served: for a moment after its CRD is established it is not."""
        path = live_tasks(plural.removesuffix("s"), NAMESPACE)
        wait_for(lambda: _there(self.tenant.objects, path), f"{plural} are served", 15)


def _there(objects: Objects, path: str) -> bool:
    try:
        return objects.get(path) is not None
    except RuntimeError:
        return False


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane(folder=tmp_path_factory.mktemp("restarted"), controllers=("namespace-controller",)) as cluster:
        cluster.kubectl("apply", "-k", str(ROOT / "crds"))
        cluster.wait_until_established("crd", "--all")
        cluster.kubectl("apply", "-k", str(ROOT / "manifests"))
        cluster.kubectl("create", "namespace", NAMESPACE)
        cluster.kubectl("-n", OWN_NAMESPACE, "get", "serviceaccount", "livetask-operator")
        yield cluster


@pytest.fixture(scope="module")
def stage(cluster: ControlPlane, cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("operator")
    proxy, through = in_front_of_api_server(cluster.kubeconfig_of(OWN_NAMESPACE, "livetask-operator"), folder / "proxy")
    with proxy, Objects(cluster) as objects:
        operator = Operator(through, cloud.url, folder)
        yield Stage(cluster, proxy, operator, Tenant(NAMESPACE, objects, cloud.admin))
        assert operator.stop() == 0


def test_an_api_server_that_was_killed_and_compacted_meanwhile_hides_nothing(stage: Stage) -> None:
    tenant = stage.tenant
    for name in ("deleted", "edited", "forced", "kept"):
        tenant.starts(name)
        tenant.relay(name, pollIntervalSeconds=3600).reaches("Running")
    deleted, edited, forced = (Relay(tenant, name) for name in ("deleted", "edited", "forced"))
    stage.proxy.refuse()

    deleted.delete()
    edited.edit(pollIntervalSeconds=60)
    tenant.objects.merge(forced.path, {"metadata": {"finalizers": None}})
    forced.delete()
    tenant.starts("new")
    new = tenant.relay("new")
    stage.cluster.kill_apiserver()
    stage.cluster.compact()
    stage.cluster.start_apiserver()
    before = len(stage.proxy.trace)
    stage.proxy.listen()

    deleted.is_gone(NOTICED_WITHIN_S)
    generation = edited.body()["metadata"]["generation"]
    wait_for(lambda: edited.status()["observedGeneration"] == generation, "the edit", NOTICED_WITHIN_S)
    new.reaches("Running", within_s=NOTICED_WITHIN_S)
    lines = stage.operator.lines
    gone = ("gone", "passed on")
    wait_for(
        lambda: [line for line in lines() if line.get("name") == "forced" and line["message"].startswith(gone)],
        "what vanished is missed",
        NOTICED_WITHIN_S,
    )
    assert [call.stopped_task for call in tenant.stops("deleted")] == [True]
    since = stage.proxy.trace[before:]
    watched = next(each.number for each in since if is_watch_of_relays(each))
    assert [each for each in since if is_first_list_of_relays(each) and each.number > watched], (
        "the old watch could not be gone on with"
    )


def test_a_list_whose_rest_was_compacted_away_is_begun_anew(stage: Stage, cloud: Cloud, tmp_path: Path) -> None:
    tenant = stage.tenant
    for number in range(MORE_THAN_A_PAGE):
        tenant.relay(f"of-many-{number}", suspend=True)
    proxy, through = in_front_of_api_server(
        stage.cluster.kubeconfig_of(OWN_NAMESPACE, "livetask-operator"), tmp_path / "proxy"
    )
    stage.operator.stop()
    with proxy:
        rest = proxy.hold_before(lambda exchange: "continue" in exchange.query)
        operator = Operator(through, cloud.url, tmp_path / "operator")
        try:
            held = rest.wait()
            tenant.relay("one-more", suspend=True)
            stage.cluster.kill_apiserver()  # whose cache would still know the rest
            stage.cluster.compact()
            stage.cluster.start_apiserver()
            rest.let_go()
            wait_for(lambda: held.status is not None, "an answer", 15)
            assert held.status == 410

            for name in ("of-many-0", f"of-many-{MORE_THAN_A_PAGE - 1}", "one-more"):
                Relay(tenant, name).reaches(reason="Suspended", within_s=NOTICED_WITHIN_S)
            assert operator.process.returncode is None
        finally:
            assert operator.stop() == 0
    stage.operator.start()


def test_a_crd_that_was_exchanged_while_nobody_looked_is_followed_again(stage: Stage) -> None:
    tenant = stage.tenant
    tenant.preloads("before")
    tenant.preload("before", streams=["before"]).reaches()
    stage.proxy.refuse()

    stage.cluster.kubectl("delete", "crd", "preloadtasks.livetask.dev", "--timeout=30s")
    stage.cluster.kubectl("apply", "-k", str(ROOT / "crds"))
    stage.serves("preloadtasks")
    stage.proxy.listen()
    tenant.preloads("after")
    after = tenant.preload("after", streams=["after"])

    after.reaches(within_s=NOTICED_WITHIN_S)
    tenant.starts("other-kind")
    tenant.relay("other-kind").reaches("Running")
    assert stage.operator.process.returncode is None
