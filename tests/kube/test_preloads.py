"""A PreloadTask's status follows its preloads until each has ended; then its result stays."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.controlplane import ControlPlane
from tests.controlplane.cluster import AuditedWrite
from tests.reconcile.checker import contradictions
from tests.reconcile.kstatus import kstatus
from tests.stage.tenant import Preload, Tenant, until

SERVICE_ACCOUNT = "system:serviceaccount:livetask-system:livetask-operator"
ALMOST_FORGOTTEN_S = 71.5 * 3600
"""The vendor forgets a preload 3 days after it was made."""

Neighbour = Callable[[str], Tenant]

# For each state: Ready, its reason, what is True beside it, and what kstatus makes of it, for an object that is young.
MEANINGS: dict[str, tuple[str, str, set[str], str]] = {
    "Pending": ("Unknown", "Pending", {"Reconciling"}, "InProgress"),
    "Preloading": ("Unknown", "Preloading", {"Reconciling"}, "InProgress"),
    "Succeeded": ("True", "Succeeded", set(), "Current"),
    "Failed": ("False", "PreloadFailed", {"Stalled"}, "Failed"),
    "NotFound": ("False", "TaskNotFound", {"Reconciling"}, "InProgress"),
    "Unknown": ("Unknown", "UnknownVendorStatus", set(), "InProgress"),
}


@dataclass(frozen=True)
class Word:
    """What the vendor says of a preload, and what that means in state and percent. None: it knows no such preload."""

    name: str
    state: str
    progress: int = 0
    says: dict[str, Any] | None = field(default_factory=dict)


WORDS = [
    Word("pending", "Pending", 0, {"status": "Pending", "process": 0}),
    Word("planned", "Pending", 0, {"process": 0, "starts_in_seconds": 3600}),
    Word("begun", "Preloading", 0, {"process": 0}),
    Word("preloading", "Preloading", 62, {"status": "Preloading", "process": "62%"}),
    Word("half-a-percent", "Preloading", 62, {"process": "62.5%"}),
    Word("success", "Succeeded", 100, {"process": 100}),
    Word("complete", "Succeeded", 100, {"status": "Complete", "process": "100"}),
    Word("failed", "Failed", 0, {"status": "Failed", "process": 0}),
    Word("internal-error", "Failed", 40, {"status": "InternalError", "process": 40}),
    Word("said-beside", "Failed", 100, {"process": 100, "description": "InternalError"}),
    Word("new-word", "Unknown", 5, {"status": "Warming", "process": 5}),
    Word("no-number", "Unknown", 0, {"process": "nearly all"}),
    Word("nothing-said", "Unknown", 0, {"status": "", "process": "", "description": ""}),
    Word("done-and-yet", "Unknown", 100, {"process": 100, "description": "2 nodes failed"}),
    Word("never-was", "NotFound", 0, None),
]


def test_each_word_of_the_vendor_has_its_state(tenant: Tenant, neighbour: Neighbour) -> None:
    tenants = itertools.cycle((tenant, neighbour("too")))  # neither asks so often that it has to wait
    preloads = {}
    for word, of in zip(WORDS, tenants, strict=False):
        if word.says is not None:
            of.preloads(word.name, **word.says)
        preloads[word.name] = of.preload(word.name, streams=[word.name])

    for word in WORDS:
        ready, reason, beside, kubernetes = MEANINGS[word.state]
        preload = preloads[word.name]
        status = preload.reaches(word.state, reason, within_s=5)
        assert (status["total"], status["progress"]) == (1, word.progress), word
        assert preload.condition("Ready")["status"] == preload.condition("Succeeded")["status"] == ready, word
        assert {kind for kind in ("Reconciling", "Stalled") if preload.condition(kind)} == beside, word
        assert kstatus(preload.body()) == kubernetes, word
        assert contradictions(preload.body()) == [], word


def test_preloads_are_followed_through_their_lives(tenant: Tenant, control_plane: ControlPlane) -> None:
    tenant.preloads("opening", status="Pending", process=0)
    tenant.preloads("finale", status="Pending", process=0)
    tenant.preloads("blinks", process=50)
    show, blinks = tenant.preload("show", streams=["opening", "finale"]), tenant.preload("blinks", tasks=["blinks"])
    show.reaches("Pending", within_s=3)
    blinks.reaches("Preloading", within_s=3)

    tenant.cloud.set_preload(tenant.account, "opening", status="Success", process=63)
    tenant.cloud.forget_preload(tenant.account, "blinks")
    assert show.reaches("Preloading", within_s=7)["progress"] == 31
    blinks.reaches("NotFound", "TaskNotFound", within_s=7)
    for task in ("opening", "finale", "blinks"):
        tenant.preloads(task, area="overseas")

    ended = show.reaches("Succeeded", "Succeeded", within_s=7)
    assert {name: ended[name] for name in ("progress", "total", "succeeded", "failed")} == {
        "progress": 100,
        "total": 2,
        "succeeded": 2,
        "failed": 0,
    }
    assert abs(datetime.now(UTC) - datetime.fromisoformat(ended["completionTime"])) < timedelta(seconds=10)
    row = next(row for row in ended["tasks"] if row["taskId"] == "finale")
    assert {name: row[name] for name in row if not name.endswith("Time")} == {
        "taskId": "finale",
        "playUrl": tenant.url("finale"),
        "area": "overseas",
        "state": "Succeeded",
        "progress": 100,
        "vendorStatus": "Success",
        "description": "Successfully",
    }
    show.tells("Succeeded", "Normal")
    assert [(event["reason"], event["type"]) for event in show.events()] == [
        ("Pending", "Normal"),
        ("Preloading", "Normal"),
        ("Succeeded", "Normal"),
    ]
    blinks.reaches("Succeeded", within_s=7)
    control_plane.kubectl("-n", tenant.namespace, "wait", "--for=condition=Succeeded", "--timeout=1s", "plt/show")


def test_a_result_is_looked_at_no_more_nor_is_what_is_deleted(tenant: Tenant, control_plane: ControlPlane) -> None:
    *results, dropped, _ = every_result(tenant)
    dropped.delete()
    dropped.is_gone()
    ended = [*results, dropped]
    written, looks = writes(control_plane, tenant), [len(tenant.lists(each.name)) for each in ended]
    steady_looks = len(tenant.lists("steady"))

    until(lambda: len(tenant.lists("steady")) >= steady_looks + 2, "two more looks at what goes on", within_s=15)

    assert [len(tenant.lists(each.name)) for each in ended] == looks
    assert writes(control_plane, tenant) == written, "a look that finds nothing new writes nothing"

    statuses = [preload.status() for preload in results]
    tenant.cloud.forget_preload(tenant.account, "broken")
    tenant.fault("answer", status=503, task_id="done")
    for preload, status in zip(results, statuses, strict=True):
        preload.ask("once more")  # one after the other: together they would cost one call, which names none of them
        handled(preload, "once more")
        assert preload.status() == {**status, "lastHandledRequestedAt": "once more"}, "the result stays as it was"
        assert contradictions(preload.body()) == []
    assert [len(tenant.lists(each.name)) for each in ended] == [*(count + 1 for count in looks[:-1]), looks[-1]]


def test_what_is_one_preload_counts_once_and_of_a_url_the_newest_in_either_form_of_the_list(
    tenant: Tenant, neighbour: Neighbour
) -> None:
    other = neighbour("plain")
    other.cloud.add_account(other.account, preloadListShape="plain")
    hours = {n: (datetime.now(UTC) - timedelta(hours=n)).isoformat() for n in (1, 8)}
    for each in (tenant, other):
        each.preloads("t-1", "opening")
        each.preloads("t-2", "finale", status="Failed", created_seconds_ago=60)
        each.preloads("t-3", "finale")
        each.preloads("t-7", "rehearsal", created_seconds_ago=7 * 3600)

    for each in (tenant, other):
        show = each.preload("show", tasks=["t-1"], streams=["opening", "finale"])
        both = each.preload("both", tasks=["t-2"], streams=["finale"])
        too_old = each.preload("too-old", streams=["rehearsal"])
        still_older = each.preload("still-older", streams=["rehearsal"], since=hours[1])
        allowed = each.preload("allowed", streams=["rehearsal"], since=hours[8])
        by_id = each.preload("by-id", tasks=["t-7"], since=hours[1])

        show.reaches("Succeeded")
        assert named(show) == [("t-1", each.url("opening")), ("t-3", each.url("finale"))]
        both.reaches("Failed")
        assert named(both) == [("t-2", each.url("finale")), ("t-3", each.url("finale"))]
        for preload, state in ((too_old, "NotFound"), (still_older, "NotFound"), (allowed, "Succeeded")):
            assert preload.reaches(state)["total"] == 1
        by_id.reaches("Succeeded")


def test_what_failed_is_named_without_what_a_url_keeps_secret(tenant: Tenant) -> None:
    streams = ["a?auth_key=s3cr3t", "b", "c", "d", "e"]
    for number, stream in enumerate(streams):
        tenant.preloads(f"t-{number}", stream, status="Failed", process=0)
    tenant.preloads("good")

    preload = tenant.preload("many", streams=[*streams, "good"])

    status = preload.reaches("Failed", "PreloadFailed")
    assert (status["total"], status["succeeded"], status["failed"], status["progress"]) == (6, 1, 5, 16)
    a, b, c = (tenant.url(stream) for stream in ("a", "b", "c"))
    message = (
        f"5 of 6 preloads failed at Alibaba Cloud: {a}, {b}, {c} and 2 more (see status.tasks). "
        "Preload them again, with a new PreloadTask."
    )
    assert preload.condition("Ready")["message"] == message
    assert preload.tells("PreloadFailed", "Warning")["message"] == f"{message} More: crds/reasons.md#preloadfailed"


def test_two_hundred_preloads_in_one_object_cost_few_calls(tenant: Tenant) -> None:
    numbers = range(100)
    for number in numbers:
        tenant.preloads(f"t-{number}")
        tenant.preloads(f"of-url-{number}", f"s-{number}")

    preload = tenant.preload(
        "all",
        tasks=[f"t-{number}" for number in numbers],
        streams=[f"s-{number}" for number in numbers],
        pollIntervalSeconds=3600,
    )

    assert preload.reaches("Succeeded")["total"] == 200
    assert len(tenant.lists()) <= 4


def test_preloads_of_two_namespaces_are_seen_with_their_own_keys(tenant: Tenant, neighbour: Neighbour) -> None:
    mirror, stranger = neighbour("mirror"), neighbour("stranger")
    mirror.put_secret(accessKeyId=tenant.key_id, accessKeySecret=tenant.secret_key)
    mirror.domain = stranger.domain = tenant.domain
    tenant.preloads("opening")
    stranger.preloads("opening", status="Failed")

    preloads = [each.preload("opening", tasks=["opening"]) for each in (tenant, mirror, stranger)]

    for preload, state in zip(preloads, ("Succeeded", "Succeeded", "Failed"), strict=True):
        preload.reaches(state)


def test_a_suspended_one_is_not_looked_at_and_resumes_and_a_result_is_not_taken_back(tenant: Tenant) -> None:
    tenant.preloads("opening")
    preload = tenant.preload("opening", tasks=["opening"], suspend=True)
    preload.reaches(reason="Suspended", within_s=3)
    preload.ask("while suspended")
    assert tenant.lists() == []
    assert kstatus(preload.body()) == "InProgress"
    assert contradictions(preload.body()) == []

    preload.edit(suspend=False)
    preload.reaches("Succeeded", "Succeeded", within_s=3)
    assert preload.status()["lastHandledRequestedAt"] == "while suspended"

    preload.edit(suspend=True)
    generation = preload.body()["metadata"]["generation"]
    until(lambda: preload.status()["observedGeneration"] == generation, "the new generation", within_s=3)
    preload.reaches("Succeeded", "Succeeded")
    assert kstatus(preload.body()) == "Current"
    assert len(tenant.lists()) == 1


def test_it_goes_at_once_when_it_is_deleted_whether_or_not_the_vendor_answers(tenant: Tenant) -> None:
    tenant.preloads("opening", process=50)
    seen = tenant.preload("seen", streams=["opening"])
    seen.reaches("Preloading")
    assert "finalizers" not in seen.body()["metadata"]
    tenant.fault("hang")
    hangs = tenant.preload("hangs", streams=["opening"])
    until(lambda: [call for call in tenant.lists() if not call.finished], "a look that hangs", within_s=6)

    for preload in (seen, hangs):
        preload.delete()

    for preload in (seen, hangs):
        preload.is_gone(within_s=1)


def test_kubectl_shows_how_far_they_are(tenant: Tenant, control_plane: ControlPlane) -> None:
    tenant.preloads("opening")
    tenant.preloads("finale", status="Failed", process=0)
    preload = tenant.preload("show", streams=["opening", "finale"])
    preload.reaches("Failed")

    short, wide = (
        control_plane.kubectl("-n", tenant.namespace, "get", "plt", *wide).stdout.splitlines()
        for wide in ([], ["-o", "wide"])
    )

    assert short[0].split() == ["NAME", "STATE", "PROGRESS", "READY", "REASON", "SINCE", "AGE"]
    assert short[1].split()[:4] == ["show", "Failed", "50", "False"]
    assert wide[0].split() == [*short[0].split(), "DELETED", "DOMAIN", "URLS", "FAILED", "MESSAGE"]
    assert wide[1].split()[7:10] == [tenant.domain, "2", "1"]
    assert wide[1].rstrip().endswith(preload.condition()["message"])


def every_result(tenant: Tenant) -> tuple[Preload, ...]:
    """One that succeeded, one that failed, one that expired, and two that go on, each of the task of its name."""
    tenant.preloads("done")
    tenant.preloads("broken", status="Failed")
    tenant.preloads("lost", process=50, created_seconds_ago=ALMOST_FORGOTTEN_S)
    for task in ("dropped", "steady"):
        tenant.preloads(task, process=50)
    done, broken, lost, *others = (
        tenant.preload(task, tasks=[task]) for task in ("done", "broken", "lost", "dropped", "steady")
    )
    lost.reaches("Preloading")
    tenant.cloud.forget_preload(tenant.account, "lost")
    for other in others:
        other.reaches("Preloading")
        other.tells("Preloading", "Normal")
    for preload, state, reason, kind in (
        (done, "Succeeded", "Succeeded", "Normal"),
        (broken, "Failed", "PreloadFailed", "Warning"),
        (lost, "Expired", "Expired", "Warning"),
    ):
        preload.reaches(state, reason)
        preload.tells(reason, kind)
    return done, broken, lost, *others


def handled(preload: Preload, request: str) -> None:
    """Wait until the look that was asked for is done."""
    until(lambda: preload.status().get("lastHandledRequestedAt") == request, "the answer to a request", within_s=3)


def named(preload: Preload) -> list[tuple[str | None, str | None]]:
    """The task and the URL of each row."""
    return [(row.get("taskId"), row.get("playUrl")) for row in preload.rows()]


def writes(control_plane: ControlPlane, tenant: Tenant) -> list[AuditedWrite]:
    """What the operator wrote into the tenant's namespace."""
    return [write for write in control_plane.writes(SERVICE_ACCOUNT) if write.namespace == tenant.namespace]
