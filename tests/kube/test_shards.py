"""Two operators that divide the objects by label, as manifests/shards/ has them: told apart by their User-Agent."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from livetask_simulator.client import Call
from tests.conftest import OWN_NAMESPACE, ROOT
from tests.controlplane import ControlPlane
from tests.stage.objects import Objects, live_tasks
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import Relay, Tenant, until

LABEL = "livetask.dev/shard"
STAGE = "shards"
"""Beside the samples' selectors, which would have the objects of all other tests, too."""
LOOK = "GetMPUTaskStatus"
ALLOWED_PER_S = 15
"""How often the vendor lets an account look. Of that, as in the defaults, 80 % are used: half by each shard."""
SHARE_PER_S = 6
PER_SHARD = 45
"""Objects that make a shard use up its share, at the least interval of 5 seconds: 9 looks a second."""


@dataclass(frozen=True)
class Shard:
    """One of the sample's operators, as a process."""

    name: str
    selector: str
    operator: Operator

    def asked(self, call: Call) -> bool:
        return f"({self.name})" in call.user_agent

    @property
    def followed(self) -> int:
        """How many RelayTasks its metrics say that it follows."""
        return self.metric('livetask_objects{kind="RelayTask"')

    def metric(self, name: str) -> int:
        """The sum of the metrics whose line begins so."""
        lines = [line for line in (self.operator.answer("/metrics") or "").splitlines() if line.startswith(name)]
        return sum(int(float(line.rpartition(" ")[2])) for line in lines)


@pytest.fixture(scope="module")
def rendered(installed: ControlPlane) -> list[dict[str, Any]]:
    """What `kubectl apply -k manifests/shards` applies; the right to both Leases is there from now on."""
    objects = list(yaml.safe_load_all(installed.kubectl("kustomize", str(ROOT / "manifests/shards")).stdout))
    role = next(each for each in objects if each["kind"] == "Role")
    installed.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(role))
    return objects


@pytest.fixture(scope="module")
def shards(
    rendered: list[dict[str, Any]],
    installed: ControlPlane,
    kubeconfig: Path,
    cloud: Cloud,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Shard]]:
    """Both, each with its own Lease and half of an account's quota."""
    started = {}
    for deployment in [each for each in rendered if each["kind"] == "Deployment"]:
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        options = dict(arg.removeprefix("--").split("=", 1) for arg in container["args"] if "=" in arg)
        name = "b" if deployment["metadata"]["name"].endswith("-b") else "rest"
        selector = f"{options.pop('selector')},stage={STAGE}"
        arguments = [f"--{option}={value}" for option, value in {**options, "selector": selector}.items()]
        config = {"clusterName": name, "quotas": {"alibabaCloud": {LOOK: SHARE_PER_S}}}
        folder = tmp_path_factory.mktemp(f"shard-{name}")
        operator = Operator(kubeconfig, cloud.url, folder, config=config, arguments=arguments)
        started[name] = Shard(name, selector, operator)
    until(lambda: all(shard.metric("livetask_leader") == 1 for shard in started.values()), "leading", 20)
    yield started
    for shard in started.values():
        shard.operator.process.stop()
    installed.kubectl(
        "-n", OWN_NAMESPACE, "delete", "lease", "livetask-operator", "livetask-operator-b", "--ignore-not-found"
    )


class Company(Tenant):
    """A tenant whose objects are in shards."""

    def __init__(self, namespace: str, objects: Objects, cloud: Cloud, app: str | None = None) -> None:
        super().__init__(namespace, objects, cloud.admin, labels={"operator": "own", "stage": STAGE}, app=app)

    def relay_in(self, shard: str | None, name: str, task: str | None = None, **spec: Any) -> Relay:
        """A RelayTask with the shard's label; None: without."""
        base = self.labels
        self.labels = {**base, LABEL: shard} if shard else base
        try:
            return self.relay(name, task, **spec)
        finally:
            self.labels = base


def move(relay: Relay, shard: str | None) -> None:
    """Change an object's label to another shard's, or take it away."""
    relay.tenant.objects.merge(relay.path, {"metadata": {"labels": {LABEL: shard}}})


@pytest.fixture
def company(shards: dict[str, Shard], namespace: str, objects: Objects, cloud: Cloud) -> Iterator[Company]:
    company = Company(namespace, objects, cloud)
    yield company
    for body in objects.get(live_tasks("RelayTask", namespace))["items"]:
        objects.delete(live_tasks("RelayTask", namespace, body["metadata"]["name"]))


def looked_by(shards: dict[str, Shard], calls: list[Call]) -> list[str]:
    """Which shard made each call."""
    return [next(shard.name for shard in shards.values() if shard.asked(call)) for call in calls]


def test_the_api_server_selects_in_every_list_and_watch(
    shards: dict[str, Shard], company: Company, control_plane: ControlPlane
) -> None:
    company.starts("selected")
    company.relay_in("b", "selected").reaches("Running")
    shards["b"].operator.stop()
    shards["b"].operator.start()

    def asked(shard: str) -> Counter[tuple[str, str]]:
        lists = control_plane.lists(OWN_NAMESPACE)
        ours = [each for each in lists if each.query.get("labelSelector") == shards[shard].selector]
        return Counter((each.verb, each.resource) for each in ours)

    kinds = ("relaytasks", "preloadtasks")
    once = Counter((verb, kind) for verb in ("list", "watch") for kind in kinds)
    # At each of b's two starts one list is kopf's; what it found at the second is then swept for what was missed.
    until(lambda: asked("b") >= once + once + Counter(("list", kind) for kind in kinds), "the sweep's lists", 15)
    assert asked("rest") >= once
    of_all = [
        each
        for each in control_plane.lists(OWN_NAMESPACE, agent="livetask-operator/")
        if not each.namespace and not each.query.keys() & {"labelSelector", "fieldSelector"}
    ]
    assert {each.query.get("limit") for each in of_all} == {"1"}, "whether the kind may be listed, and nothing more"


def test_an_object_whose_label_changes_is_handed_over(shards: dict[str, Shard], company: Company) -> None:
    company.starts("moved")
    relay = company.relay_in(None, "moved")
    relay.reaches("Running")
    version = relay.body()["metadata"]["generation"], relay.status()
    until(lambda: len(company.looks("moved")) >= 2, "polled", 8)
    assert set(looked_by(shards, company.looks("moved"))) == {"rest"}
    before = len(company.looks("moved"))

    move(relay, "b")

    until(lambda: len(company.looks("moved")) >= before + 2, "polled on", 14)
    calls = company.looks("moved")
    assert looked_by(shards, calls)[before:] == ["b", "b"]
    gaps = [later.monotonic_s - sooner.monotonic_s for sooner, later in itertools.pairwise(calls)]
    assert max(gaps) < 11, "as after a restart the first look comes within an interval"
    assert min(gaps[before:]) > 4, "polled by one alone"
    assert (relay.body()["metadata"]["generation"], relay.status()) == version, "neither wrote"
    assert company.stops() == []
    ends = [line for line in shards["rest"].operator.lines() if line.get("name") == "moved"][-1]
    assert (ends["level"], ends["message"]) == ("info", "passed on: its labels are another operator's now")


def test_a_deletion_that_is_held_goes_on_in_the_shard_it_is_moved_to(
    shards: dict[str, Shard], company: Company
) -> None:
    company.starts("held")
    relay = company.relay_in(None, "held")
    relay.reaches("Running")
    fault = company.fault("error", operation="StopLiveMPUTask", code="ServiceUnavailable", status=503)
    relay.delete()
    relay.holds("Reconciling", "VendorUnavailable")

    move(relay, "b")
    until(lambda: company.stops("held") and shards["b"].asked(company.stops("held")[-1]), "a try of b's", 10)
    since = company.stops("held")[-1].seq
    company.cloud.clear_faults(fault_id=fault)

    relay.is_gone(within_s=35)
    later = [call for call in company.stops("held") if call.seq > since]
    assert set(looked_by(shards, later)) == {"b"}
    assert [call.stopped_task for call in company.stops("held")].count(True) == 1


def test_a_stop_that_is_under_way_when_its_object_leaves_is_carried_out(
    shards: dict[str, Shard], company: Company
) -> None:
    company.starts("cut")
    relay = company.relay_in(None, "cut")
    relay.reaches("Running")
    company.fault("hang", operation="StopLiveMPUTask", after_effect=True, times=1)
    relay.delete()
    until(lambda: any(call.stopped_task for call in company.stops("cut")), "the stop's effect")

    move(relay, "b")

    relay.is_gone(within_s=8)
    assert [call.stopped_task for call in company.stops("cut")].count(True) == 1


def test_an_owner_in_another_shard_keeps_the_broadcast_on_the_air(shards: dict[str, Shard], company: Company) -> None:
    company.starts("shared")
    first, second = company.relay_in(None, "first", "shared"), company.relay_in("b", "second", "shared")
    first.reaches("Running")
    second.reaches("Running")

    first.delete()

    first.is_gone()
    first.tells("LeftRunning", "Warning")
    assert company.stops() == []
    second.delete()
    second.is_gone()
    assert looked_by(shards, company.stops()) == ["b"]


def test_what_no_shard_follows_is_found_waits_when_deleted_and_is_stopped_once_it_has_a_shard(
    shards: dict[str, Shard], company: Company, control_plane: ControlPlane
) -> None:
    company.starts("lost")
    relay = company.relay_in("b", "lost")
    relay.reaches("Running")
    until(lambda: shards["b"].followed == 1, "this one alone", 8)
    company.objects.merge(relay.path, {"metadata": {"labels": {"stage": "nowhere"}}})
    until(lambda: shards["b"].followed == 0, "let go by b", 8)
    selectors = f"stage notin ({STAGE})"

    relay.delete()

    found = control_plane.kubectl("-n", company.namespace, "get", "rlt", "-l", selectors, "-o", "name").stdout
    assert found.split() == ["relaytask.livetask.dev/lost"]
    assert relay.body()["metadata"]["finalizers"] == ["livetask.dev/stop"]
    assert company.stops() == []
    company.objects.merge(relay.path, {"metadata": {"labels": {"stage": STAGE}}})
    relay.is_gone()
    assert [call.stopped_task for call in company.stops()] == [True]


def most_in_a_second(calls: list[Call]) -> int:
    times = [call.monotonic_s for call in calls]
    return max(sum(1 for each in times if begin <= each < begin + 1.0) for begin in times)


def test_together_they_stay_inside_an_accounts_quota_and_one_that_is_killed_does_not_disturb_the_other(
    shards: dict[str, Shard], company: Company
) -> None:
    """Takes 20 s: the account is saturated for some rounds of looks, before and after."""
    company.cloud.quota(company.account, LOOK, ALLOWED_PER_S)
    names = {shard: [f"{shard}-{number}" for number in range(PER_SHARD)] for shard in ("rest", "b")}
    for task in [*names["rest"], *names["b"]]:
        company.starts(task)
        company.relay_in("b" if task in names["b"] else None, task)
    until(lambda: len({call.task_id for call in company.looks()}) == 2 * PER_SHARD, "all looked at", 30)
    since = company.looks()[-1]

    def looks() -> list[Call]:
        return company.cloud.calls(account=company.account, operation=LOOK, since=since.seq)

    until(lambda: looks() and looks()[-1].monotonic_s > since.monotonic_s + 8, "eight seconds", 12)
    together = looks()
    shards["b"].operator.kill()
    killed_s = looks()[-1].monotonic_s
    until(lambda: looks()[-1].monotonic_s > killed_s + 5, "five seconds more", 8)
    after = [call for call in looks() if call.monotonic_s > killed_s + 0.5]

    calls = company.looks()
    assert most_in_a_second(calls) <= ALLOWED_PER_S
    assert not [call for call in calls if call.throttled]
    assert len(together) >= 0.85 * 8 * 2 * SHARE_PER_S, "and nearly all of it is used"
    for shard in shards.values():
        asked = {call.task_id for call in calls if shard.asked(call)}
        assert asked == set(names[shard.name]), "each object is polled by exactly one"
    assert set(looked_by(shards, after)) == {"rest"}
    assert len(after) >= 0.85 * 4.5 * SHARE_PER_S
