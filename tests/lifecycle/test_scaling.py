"""From one operator to two shards and back, as `manifests/scaling.md` says."""

from __future__ import annotations

from tests.lifecycle.conftest import Place
from tests.lifecycle.on_air import INSTALL, airs, in_order, running
from tests.lifecycle.page import Page, Shell
from tests.stage.objects import wait_for
from tests.stage.tenant import Relay, Tenant

PAGE = Page("manifests/scaling.md")
NAMESPACE = "sports"
"""As on the page. No other test has a tenant of this name at the cloud that all share."""
AT_LEAST_S = 3.5
"""Two looks of one operator are further apart than that, at an interval of 5 seconds."""


def test_the_objects_move_to_a_second_shard_and_back_and_no_broadcast_notices(place: Place, shell: Shell) -> None:
    """Takes a minute: six Pods are rolled out, each when the one before is ready, and four ended."""
    shell.type(INSTALL)
    tenant = place.tenant(NAMESPACE)
    relays = [airs(tenant, "cup-final"), airs(tenant, "interview")]

    apply, label = PAGE.blocks("From one to two")
    shell.type(apply)
    shell.type(label)
    goes_on(tenant, relays)
    relays[0].delete()
    relays[0].is_gone()
    assert stopped_by(place, "livetask-operator-b-") == ["cup-final"]

    shell.type_all(PAGE.blocks("Back to one"))
    goes_on(tenant, relays[1:])
    relays[1].delete()
    relays[1].is_gone()

    assert [call.task_id for call in tenant.stops() if call.stopped_task] == ["cup-final", "interview"]
    assert stopped_by(place, "livetask-operator-b-") == ["cup-final"]
    assert running(tenant, "cup-final", "interview") == [False, False]
    shown = place.cluster.kubectl("-n", "livetask-system", "get", "all,pdb,netpol,cm,lease,role", "-o", "name").stdout
    assert [name for name in shown.split() if name.endswith("-b") or "-b-" in name] == []


def test_what_no_shard_follows_is_found_by_the_pages_line(place: Place, shell: Shell) -> None:
    shell.type("kubectl apply -k crds/")
    tenant = place.tenant(NAMESPACE)
    for name, shard in {"in-a": "a", "in-b": "b", "misspelt": "A", "unlabelled": None}.items():
        relay = tenant.relay(name)
        place.objects.merge(relay.path, {"metadata": {"labels": {"livetask.dev/shard": shard}}})

    (line,) = PAGE.blocks("An object that no shard follows")
    found = shell.type(f"{line.strip()} -o name")

    assert sorted(name.rpartition("/")[2] for name in found.split()) == ["misspelt", "unlabelled"]


def goes_on(tenant: Tenant, relays: list[Relay]) -> None:
    """Each is looked at again, by one operator alone, and was never stale."""
    looked = {relay.name: len(in_order(tenant, relay.name)) for relay in relays}
    wait_for(lambda: all(len(in_order(tenant, task)) >= n + 2 for task, n in looked.items()), "two looks more", 40)
    for relay in relays:
        sooner, later = (call.monotonic_s for call in in_order(tenant, relay.name)[-2:])
        assert later - sooner > AT_LEAST_S
        assert relay.reaches("Running", "Running")
        assert {event["reason"] for event in relay.events()} == {"Running"}
    assert all(running(tenant, *(relay.name for relay in relays)))


def stopped_by(place: Place, pods: str) -> list[str]:
    """The tasks for which Pods whose names begin so have sent a stop, by their logs."""
    lines = place.node.logs(pods).splitlines()
    return [line.rpartition('"task": "')[2].split('"')[0] for line in lines if '"outcome": "stop_sent"' in line]
