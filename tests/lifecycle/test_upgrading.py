"""Versions, as `manifests/upgrading.md` says: earlier and later CRDs, operators and objects do each other no harm."""

from __future__ import annotations

import threading
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from livetask_operator.reconcile.resource import FINALIZER
from livetask_simulator.client import Call
from tests.conftest import ROOT
from tests.lifecycle.conftest import Place
from tests.lifecycle.on_air import INSTALL, airs, in_order
from tests.lifecycle.page import Page, Shell
from tests.stage.objects import live_tasks, wait_for
from tests.stage.tenant import Relay, Tenant

PAGE = Page("manifests/upgrading.md")
EARLIER = Path(__file__).parent / "earlier"
THIS, NEXT = version("livetask-operator"), "0.99.0"


def test_objects_of_earlier_crds_survive_and_the_operator_goes_on_with_what_an_earlier_one_wrote(
    place: Place, shell: Shell, sports: str
) -> None:
    shell.type(f"kubectl create -f {EARLIER / 'relaytasks.yaml'} -f {EARLIER / 'preloadtasks.yaml'}")
    shell.type("kubectl wait --for=condition=Established crd/relaytasks.livetask.dev crd/preloadtasks.livetask.dev")
    tenant = place.tenant(sports)
    tenant.put_secret("wrong", accessKeyId=tenant.key_id, accessKeySecret="of another key")
    for task, status in {"running": 1, "failed": 6, "starting": 0, "refused": 1}.items():
        tenant.starts(task, status)
    before = {body["metadata"]["name"]: stored(place, body) for body in written_earlier(sports)}

    shell.type_all(PAGE.blocks("Upgrade"))

    Relay(tenant, "running").reaches("Running")
    wait_for(lambda: tenant.looks("starting"), "the first looks", 15)
    after = {name: Relay(tenant, name).body() for name in before}
    assert [each["spec"] for each in after.values()] == [each["spec"] for each in before.values()]
    assert [each["metadata"]["uid"] for each in after.values()] == [each["metadata"]["uid"] for each in before.values()]
    assert summary(after) == {
        "running": ("Running", "True", "Running"),
        "failed": ("Failed", "False", "TaskFailed"),
        "starting": ("Pending", "Unknown", "Pending"),
        "unknown-there": ("NotFound", "False", "TaskNotFound"),
        "refused": (None, "Unknown", "CredentialsRejected"),
    }
    assert since(after) == since(before)
    assert tenant.stops() == []
    Relay(tenant, "running").delete()
    Relay(tenant, "running").is_gone()
    assert [call.task_id for call in tenant.stops()] == ["running"]


def written_earlier(namespace: str) -> list[dict[str, Any]]:
    """Objects with the statuses that the first operator wrote, in a namespace of another name."""
    return list(yaml.safe_load_all((EARLIER / "objects.yaml").read_text().replace("sports", namespace)))


def stored(place: Place, body: dict[str, Any]) -> Any:
    """Store an object with its status. Returns it as it was stored."""
    path = live_tasks("RelayTask", body["metadata"]["namespace"])
    place.objects.create(path, body)
    return place.objects.merge(f"{path}/{body['metadata']['name']}/status", {"status": body["status"]})


def summary(bodies: dict[str, Any]) -> dict[str, tuple[str | None, str, str]]:
    ready = {name: body["status"]["conditions"][0] for name, body in bodies.items()}
    return {
        name: (body["status"].get("state"), ready[name]["status"], ready[name]["reason"])
        for name, body in bodies.items()
    }


def since(bodies: dict[str, Any]) -> dict[str, str]:
    """Since when each is ready or not."""
    return {name: body["status"]["conditions"][0]["lastTransitionTime"] for name, body in bodies.items()}


def test_a_rollout_forth_and_back_leaves_no_gap_stops_what_is_deleted_once_and_nothing_else(
    place: Place, shell: Shell, sports: str
) -> None:
    shell.type_all(PAGE.blocks("Upgrade"))
    tenant = place.tenant(sports)
    kept = airs(tenant, "cup-final")
    ready = kept.condition()
    going = [airs(tenant, f"going-{number}") for number in range(8)]

    name_image(shell, NEXT)
    during(shell, PAGE.blocks("Upgrade"), going[:4])
    wait_for(lambda: looked(tenant, NEXT), "a look by the next version", 20)
    during(shell, PAGE.blocks("Go back"), going[4:])
    wait_for(lambda: looked(tenant, THIS)[-1].seq > looked(tenant, NEXT)[-1].seq, "a look by this version again", 20)

    for relay in going:
        relay.is_gone(within_s=15)
    assert sorted(call.task_id for call in tenant.stops() if call.stopped_task) == [relay.name for relay in going]
    assert not tenant.stops("cup-final")
    assert versions_in_turn(in_order(tenant, "cup-final")) == [THIS, NEXT, THIS]
    assert kept.condition() == ready, "it was ready all the time"


def name_image(shell: Shell, tag: str) -> None:
    """Name the next version's image, as the page's first line says."""
    path = shell.folder / "manifests" / "kustomization.yaml"
    images = [{"name": "livetask-operator", "newTag": tag}]
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "images": images}))


def during(shell: Shell, blocks: list[str], going: list[Relay]) -> None:
    """Delete objects one after the other while commands are typed, the last one when they are done."""
    faults: list[AssertionError] = []

    def type_all() -> None:
        try:
            shell.type_all(blocks)
        except AssertionError as error:
            faults.append(error)

    typing = threading.Thread(target=type_all)
    typing.start()
    for relay in going[:-1]:
        relay.delete()
        typing.join(1.5)
    typing.join()
    going[-1].delete()
    assert faults == []


def looked(tenant: Tenant, tag: str) -> list[Call]:
    return [call for call in in_order(tenant, "cup-final") if by(call) == tag]


def versions_in_turn(looks: list[Call]) -> list[str]:
    """Which versions looked, one after the other."""
    turns: list[str] = []
    for call in looks:
        if not turns or by(call) != turns[-1]:
            turns.append(by(call))
    return turns


def by(call: Call) -> str:
    return call.user_agent.split()[0].partition("/")[2]


def test_what_a_later_version_wrote_is_no_harm_to_this_one(place: Place, shell: Shell, sports: str) -> None:
    later = crd()
    schema = later["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    schema["status"]["properties"]["bitrateKbps"] = {"type": "integer"}
    schema["spec"]["properties"]["deletionPolicy"]["enum"].append("Pause")
    (shell.folder / "crds" / "relaytasks.yaml").write_text(yaml.safe_dump(later))
    shell.type("kubectl apply -k crds/")
    tenant = place.tenant(sports)
    tenant.starts("cup-final")
    tenant.starts("interview")
    relay, unreadable = tenant.relay("cup-final"), tenant.relay("interview", deletionPolicy="Pause")
    for each in (relay, unreadable):
        place.objects.merge(each.path, {"metadata": {"finalizers": [FINALIZER]}})
        place.objects.merge(f"{each.path}/status", {"status": LATER_STATUS})

    shell.type("kubectl apply -k manifests/")

    status = relay.reaches("Running", "Running", within_s=60)  # the Pods start, and the first looks are spread
    assert status["bitrateKbps"] == 4200
    assert [each["type"] for each in status["conditions"]] == ["Ready", "Degraded"]
    wait_for(lambda: "it is not followed" in place.node.logs(), "word of the object that cannot be read", 10)
    unreadable.delete()
    relay.delete()
    relay.is_gone()
    assert [call.task_id for call in tenant.stops()] == ["cup-final"]
    assert unreadable.status()["state"] == "Buffering"
    unreadable.edit(deletionPolicy="Orphan")
    unreadable.is_gone()
    assert [call.task_id for call in tenant.stops()] == ["cup-final"]


LATER_STATUS = {
    "observedGeneration": 1,
    "state": "Buffering",
    "bitrateKbps": 4200,
    "conditions": [
        {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": "word of a later version",
            "lastTransitionTime": "2026-11-21T12:20:00Z",
            "observedGeneration": 1,
        }
        for kind, status, reason in (("Ready", "False", "Buffering"), ("Degraded", "True", "LowBitrate"))
    ],
}


def crd() -> dict[str, Any]:
    body: dict[str, Any] = yaml.safe_load((ROOT / "crds" / "relaytasks.yaml").read_text())
    return body


def test_under_crds_that_lack_a_field_it_follows_and_stops_all_the_same(
    place: Place, shell: Shell, sports: str
) -> None:
    earlier = crd()
    schema = earlier["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    del schema["status"]["properties"]["seenWithKeyHash"]
    (shell.folder / "crds" / "relaytasks.yaml").write_text(yaml.safe_dump(earlier))
    shell.type(INSTALL)
    tenant = place.tenant(sports)

    relay = airs(tenant, "cup-final")
    relay.delete()

    relay.is_gone()
    assert [call.task_id for call in tenant.stops()] == ["cup-final"]


def test_objects_move_into_the_next_stored_version_while_the_operator_follows_them(
    place: Place, shell: Shell, sports: str
) -> None:
    shell.type(INSTALL)
    tenant = place.tenant(sports)
    relay = airs(tenant, "cup-final")
    before = relay.body()
    both = crd()
    alpha = both["spec"]["versions"][0]
    both["spec"]["versions"] = [{**alpha, "storage": False}, {**alpha, "name": "v1beta1"}]
    (shell.folder / "crds" / "relaytasks.yaml").write_text(yaml.safe_dump(both))
    shell.type("kubectl apply -k crds/")
    wait_for(lambda: len(stored_versions(place)) == 2, lambda: f"v1beta1 is stored; {stored_versions(place)}", 10)

    shell.type_all(PAGE.blocks("The next API version"))

    assert stored_versions(place) == ["v1beta1"]
    looks = len(tenant.looks("cup-final"))
    wait_for(lambda: len(tenant.looks("cup-final")) > looks, "one more look", 20)
    assert relay.body()["spec"] == before["spec"]
    assert relay.body()["status"] == before["status"]
    relay.delete()
    relay.is_gone()
    assert [call.task_id for call in tenant.stops()] == ["cup-final"]


def stored_versions(place: Place) -> list[str]:
    found = place.objects.get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/relaytasks.livetask.dev")
    return list(found["status"]["storedVersions"])
