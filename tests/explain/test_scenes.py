"""`livetask-operator explain` on a real control plane, in the scenes in which somebody types it.

The last test asks when the operator has ended; before it all is at work.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.explain.conftest import HOME, Ask, Said, Stage
from tests.stage.objects import wait_for
from tests.stage.processes import Operator
from tests.stage.tenant import Tenant

WITHIN_S = 30.0
CROWD = 12
"""At 5 seconds each, more than twice what one call a second serves."""


def test_where_the_crds_are_not_installed_it_says_so(said_before_crds: Said) -> None:
    assert (said_before_crds.code, said_before_crds.lines) == (1, [])
    assert said_before_crds.error == "The cluster serves no such kind; install the CRDs: kubectl apply -k crds/"


@pytest.fixture(scope="module")
def crowded(stage: Stage) -> Tenant:
    """A tenant whose account has more tasks than its quota serves, from now on."""
    tenant = stage.tenant("crowded")
    for number in range(CROWD):
        tenant.starts(f"feed-{number}")
        tenant.relay(f"feed-{number}")
    return tenant


@pytest.fixture(scope="module")
def sports(stage: Stage, crowded: Tenant) -> Tenant:
    """A tenant with a task that runs."""
    tenant = stage.tenant("sports")
    tenant.starts("cup-final")
    tenant.relay("cup-final").reaches(state="Running", within_s=WITHIN_S)
    return tenant


def test_a_task_that_runs(ask: Ask, stage: Stage, sports: Tenant) -> None:
    asked = ask("sports/cup-final")

    assert (asked.code, asked.error) == (0, "")
    assert asked.lines[0].startswith("RelayTask sports/cup-final: Running, Ready True since ")
    assert asked.under("vendor").startswith("said 1 (Running), seen ")
    assert asked.under("next").endswith(", every 5 s")
    assert re.fullmatch(
        r"Secret sports/alibaba: what is in it now, Alibaba Cloud accepted \d+ s ago", asked.under("key")
    )
    assert asked.under("others") == "nobody else follows this task"
    assert asked.under("to do") == "nothing"
    assert asked.under("operator").startswith(f"{stage.pod}_")
    assert asked.under("events").endswith("Running: Alibaba Cloud says 1 (relaying).")


def test_what_the_process_alone_knows_comes_through_a_port_forward_to_the_named_port_of_its_pod(
    ask: Ask, stage: Stage, sports: Tenant
) -> None:
    stage.kubelet.asked.clear()

    asked = ask("relaytask/sports/cup-final")

    assert "seen" in asked.under("vendor")
    assert stage.kubelet.asked == [(stage.pod, "8080")]


def test_or_from_a_url(ask: Ask, stage: Stage, sports: Tenant) -> None:
    stage.kubelet.asked.clear()

    asked = ask("rlt/sports/cup-final", "--operator", f"http://127.0.0.1:{stage.operator.port}/")

    assert "seen" in asked.under("vendor")
    assert stage.kubelet.asked == []


@pytest.mark.parametrize(
    ("url", "says"),
    [("http://127.0.0.1:1", "not asked: get http://127.0.0.1:1/explain/relaytasks/sports/cup-final"), ("{cloud}", "")],
    ids=["nothing listens", "something else answers"],
)
def test_where_no_operator_answers_it_shows_what_there_is(
    ask: Ask, stage: Stage, sports: Tenant, url: str, says: str
) -> None:
    asked = ask("sports/cup-final", "--operator", url.format(cloud=stage.cloud.url))

    assert asked.code == 0
    assert asked.lines[0].startswith("RelayTask sports/cup-final: Running")
    assert asked.under("vendor").startswith("said 1 (Running). When it was last seen, the operator alone knows")
    assert f"works; {says or 'not asked: '}" in asked.under("operator")


def test_an_account_with_more_tasks_than_its_quota_serves(ask: Ask, crowded: Tenant) -> None:
    def slowed() -> str | None:
        told = ask("crowded/feed-3").under("next")
        return told if "instead of 5 s" in told else None

    told = wait_for(slowed, "it is asked less often", WITHIN_S)

    assert told.endswith("instead of 5 s: its account (crowded, 1 calls a second) has more tasks than its quota allows")


def test_a_secret_with_a_wrong_key(ask: Ask, stage: Stage) -> None:
    tenant = stage.tenant("archive")
    tenant.cloud.add_key(tenant.account, tenant.key_id, "an0ther-s3cr3t")
    relay = tenant.relay("jubilee")
    relay.reaches(reason="CredentialsRejected")

    asked = ask("archive/jubilee")

    assert "never seen, Ready Unknown (CredentialsRejected)" in asked.text
    assert re.search(r"failed(, the last)? with CredentialsRejected", asked.under("next"))
    assert "what the vendor refuses is asked sparingly" in asked.under("next")
    assert re.search(r"Alibaba Cloud has refused for \d+ s \(CredentialsRejected\)$", asked.under("key"))
    (command,) = [line.strip() for line in asked.lines if "[1] kubectl" in line]
    assert command.removeprefix("[1] ") in relay.condition("Ready")["message"]
    assert tenant.secret_key not in asked.text


def test_a_deletion_that_is_held_up(ask: Ask, stage: Stage) -> None:
    tenant = stage.tenant("held")
    tenant.starts("gala")
    relay = tenant.relay("gala")
    relay.reaches(state="Running")
    tenant.cloud.add_key(tenant.account, tenant.key_id, tenant.secret_key, active=False)
    relay.delete()
    relay.reaches(reason="CredentialsRejected")

    asked = ask("held/gala")

    assert "being deleted, last seen Running" in asked.text
    assert asked.under("because").startswith("Not stopped yet. Alibaba Cloud does not accept the key")
    assert asked.under("deletion").endswith("held by CredentialsRejected")
    assert "failed" in asked.under("next")
    assert [line.strip()[:12] for line in asked.lines if "] kubectl" in line] == ["[1] kubectl ", "[2] kubectl "]


def test_a_deletion_whose_delay_runs(ask: Ask, sports: Tenant) -> None:
    sports.starts("qualifying")
    relay = sports.relay("qualifying", stopDelaySeconds=1800)
    relay.reaches(state="Running")
    relay.delete()
    relay.reaches(reason="StopPending")

    asked = ask("sports/qualifying")

    assert asked.under("next") == "stopped when its delay is over"
    assert asked.under("deletion").endswith("held by StopPending")
    assert "patch rlt qualifying" in asked.under("to do")


def test_one_that_is_suspended(ask: Ask, sports: Tenant) -> None:
    sports.relay("friendly", suspend=True).reaches(reason="Suspended")

    asked = ask("sports/friendly")

    assert asked.under("next") == "not asked: spec.suspend is true"
    assert """patch rlt friendly --type merge -p '{"spec":{"suspend":false}}'""" in asked.under("to do")


def test_a_preload_that_has_ended(ask: Ask, sports: Tenant) -> None:
    sports.preloads("warm-1")
    sports.preload("edge", tasks=["warm-1"]).reaches(state="Succeeded")

    asked = ask("sports/edge")

    assert asked.lines[0].startswith("PreloadTask sports/edge: Succeeded, Ready True")
    assert asked.under("vendor").startswith("Succeeded: 100 %, 1 of 1 done")
    assert asked.under("next").startswith("not asked any more: all have ended")


def test_of_two_kinds_with_one_name_it_asks_which(ask: Ask, sports: Tenant) -> None:
    sports.preload("cup-final", tasks=["warm-2"])

    assert ask("sports/cup-final").error == (
        "There is a RelayTask and a PreloadTask sports/cup-final; say which: relaytask/sports/cup-final or "
        "preloadtask/sports/cup-final"
    )
    assert ask("plt/sports/cup-final").lines[0].startswith("PreloadTask sports/cup-final: ")
    assert ask("relaytask/sports/cup-final").code == 0


def test_a_name_that_there_is_not(ask: Ask, sports: Tenant) -> None:
    asked = ask("sports/cup-fnial")

    assert (asked.code, asked.lines) == (1, [])
    assert asked.error == (
        "There is no RelayTask or PreloadTask sports/cup-fnial; those that there are: kubectl -n sports get livetasks"
    )


def test_who_else_follows_the_task_is_told_to_those_who_may_see_it(ask: Ask, stage: Stage, sports: Tenant) -> None:
    sports.starts("opening")
    sports.relay("opening").reaches(state="Running")
    neighbour = stage.tenant("partner", app=sports.app)
    neighbour.relay("our-opening", task="opening")
    viewer = stage.viewer("partner")

    assert ask("sports/opening").under("others") == "partner/our-opening (Stop) follows the same task"
    assert ask("partner/our-opening", kubeconfig=viewer).under("others") == (
        "nobody else follows this task in partner; in other namespaces you may not look"
    )


def test_an_object_that_another_operator_follows(ask: Ask, stage: Stage, sports: Tenant, tmp_path: Path) -> None:
    rights = stage.plane.kubeconfig_of(HOME, "livetask-operator")
    arguments = ("--no-leader-elect", "--namespace", "nowhere")
    other = Operator(rights, stage.cloud.url, tmp_path, arguments=arguments)
    try:
        asked = ask("rlt/sports/cup-final", "--operator", f"http://127.0.0.1:{other.port}")
    finally:
        other.process.stop()

    assert "it does not follow this object" in asked.under("operator")
    assert asked.lines[0].startswith("RelayTask sports/cup-final: Running")


def test_the_port_tells_of_others_how_many_there_are_and_nothing_else(stage: Stage, crowded: Tenant) -> None:
    told = stage.operator.answer("/explain/relaytasks/crowded/feed-3")

    assert told is not None
    known = json.loads(told)
    texts = [value for name, value in known.items() if isinstance(value, str) and name != "uid"]
    assert sorted(texts) == ["", "", "GetMPUTaskStatus", "accepted", "crowded"]
    assert stage.operator.answer("/explain/relaytasks/crowded/feed-99") is None
    assert stage.operator.answer("/explain/preloadtasks/crowded/feed-3") is None


def test_without_rights_at_the_operators_it_says_so_and_shows_the_rest(ask: Ask, stage: Stage) -> None:
    tenant = stage.tenant("guest")
    tenant.starts("visit")
    tenant.relay("visit").reaches(state="Running")

    asked = ask("guest/visit", kubeconfig=stage.viewer("guest"))

    assert asked.code == 0
    assert asked.lines[0].startswith("RelayTask guest/visit: Running")
    assert asked.under("operator") == (
        f"whether one works is not known: you may not get the Lease {HOME}/livetask-operator; "
        "not asked: only the Lease tells which Pod works; --operator URL asks one"
    )
    assert asked.under("events").endswith("Running: Alibaba Cloud says 1 (relaying).")


def test_an_event_that_somebody_forged_costs_the_events_alone(ask: Ask, stage: Stage) -> None:
    tenant = stage.tenant("forger")
    tenant.starts("visit")
    relay = tenant.relay("visit")
    relay.reaches(state="Running")
    about = {"namespace": "forger", "uid": relay.body()["metadata"]["uid"]}
    forged = {"metadata": {"name": "forged"}, "involvedObject": about, "lastTimestamp": "9999-12-31T23:59:59-10:00"}
    stage.objects.create("/api/v1/namespaces/forger/events", forged)

    asked = ask("forger/visit")

    assert asked.code == 0
    assert asked.lines[0].startswith("RelayTask forger/visit: Running")
    assert asked.under("events") == "not known: one cannot be read; see them all: kubectl -n forger get events"


def test_without_the_right_to_a_port_forward_it_says_so_and_with_it_needs_no_other(ask: Ask, stage: Stage) -> None:
    tenant = stage.tenant("reader")
    tenant.starts("visit")
    tenant.relay("visit").reaches(state="Running")
    viewer = stage.viewer("reader")
    leases = ("--verb=get", "--resource=leases")
    stage.plane.kubectl("-n", HOME, "create", "role", "leases", *leases)
    stage.plane.kubectl(
        "-n", HOME, "create", "rolebinding", "leases", "--role=leases", "--serviceaccount=reader:viewer"
    )

    asked = ask("reader/visit", kubeconfig=viewer)

    assert asked.under("operator").endswith(f"you may not port-forward to its Pod (pods/portforward in {HOME})")
    assert "when that is, the operator alone knows" in asked.under("next")

    forward = ("--verb=get", "--verb=create", "--resource=pods/portforward")
    stage.plane.kubectl("-n", HOME, "create", "role", "forward", *forward)
    account = "--serviceaccount=reader:viewer"
    stage.plane.kubectl("-n", HOME, "create", "rolebinding", "forward", "--role=forward", account)

    assert ask("reader/visit", kubeconfig=viewer).under("next").endswith(", every 5 s")


def test_without_the_right_to_the_object_itself_it_says_so(ask: Ask, stage: Stage, sports: Tenant) -> None:
    stage.plane.kubectl("-n", "sports", "create", "serviceaccount", "nobody")

    asked = ask("sports/cup-final", kubeconfig=stage.plane.kubeconfig_of("sports", "nobody"))

    assert (asked.code, asked.lines) == (1, [])
    assert asked.error.startswith("You may not get it: get relaytasks sports/cup-final: 403")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("cup-final", "'cup-final' names no object; write NAMESPACE/NAME, as in sports/cup-final"),
        ("task/sports/cup-final", "begins with 'task', which is no kind; write relaytask or preloadtask"),
    ],
)
def test_words_that_name_nothing(ask: Ask, words: str, says: str) -> None:
    asked = ask(words)

    assert (asked.code, asked.lines) == (2, [])
    assert asked.error.endswith(says)


def test_where_no_operator_works_it_says_since_when_all_is_frozen(ask: Ask, stage: Stage, sports: Tenant) -> None:
    assert stage.operator.stop() == 0

    asked = ask("relaytask/sports/cup-final")

    assert "Running, Ready True" in asked.text
    assert "FROZEN for " in asked.text
    assert asked.under("next") == "nobody asks: no operator works"
    assert asked.under("to do").endswith(f"kubectl -n {HOME} get pods,lease")
    assert asked.under("operator").startswith(
        "none works: in the Lease livetask-system/livetask-operator it was given back"
    )
