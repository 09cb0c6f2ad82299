"""Every row of the design's table "What each state means", brought about for real, and what each must be read as.

Apart from the tests that judge them: the statuses that come of it are the test data of `manifests/argocd/`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tests.gitops.gitopscheck import Argo
from tests.kube.causes import CAUSES, KEY_CAUSES, OWN_CAUSES, Cause
from tests.stage.tenant import Followed, until
from tests.stage.vendors import Alibaba, Customer, Huawei, Side

Kstatus = Literal["InProgress", "Current", "Failed", "Terminating"]
Beside = Literal["Reconciling", "Stalled"]
Operators = Literal["usual", "odd", "none"]
Play = Callable[[Customer], Followed]
Change = Callable[[Customer], object]

TASK, SHOW = "cup-final", "cup-final-night"
DONE: Mapping[str, Any] = {"process": 100}
ALMOST_FORGOTTEN_S = 71.5 * 3600
"""The vendor forgets a preload 3 days after it was made."""
NOBODY_LOOKED = {
    "RelayTask": "Waiting for the operator to look at this task",
    "PreloadTask": "Waiting for the operator to look at these preloads",
}
PENDING_DELETION = "Pending deletion"
"""What Argo CD says of every object that is being deleted, without asking anybody."""
HOLDS_WITHIN_S = 45.0
"""Some rows take three intervals, and as many others are played beside them."""


@dataclass(frozen=True, eq=False)
class Row:
    """One way in which an object can be; `name` is its file's."""

    name: str
    kind: str
    argo: Argo
    kubernetes: Kstatus
    plays: Play
    """Brings it about, and waits until it is so."""
    speaks: str = "Ready"
    """The condition whose words Argo CD shows; none of the operator's where it has not looked."""
    side: type[Side] = Alibaba
    followed_by: Operators = "usual"
    edited: Mapping[str, Any] | None = None
    """What is edited when no operator is there any more."""

    @property
    def is_deleted(self) -> bool:
        return self.kubernetes == "Terminating"


def is_so(followed: Followed, reason: str, beside: Beside | None) -> Followed:
    """Wait until Ready has this reason, and the other condition that is to be True is, and has it too."""
    followed.reaches(reason=reason, within_s=HOLDS_WITHIN_S)
    if beside is not None:
        followed.holds(beside, reason, within_s=HOLDS_WITHIN_S)
    return followed


def looked_at(status: int, reason: str, beside: Beside | None = None, **spec: Any) -> Play:
    """A RelayTask of which Alibaba Cloud says this number."""

    def play(customer: Customer) -> Followed:
        customer.starts(TASK, status)
        return is_so(customer.relay(TASK, **spec), reason, beside)

    return play


def not_followed(customer: Customer) -> Followed:
    customer.starts(TASK)
    return customer.relay(TASK)


def unknown_task(beside: Beside) -> Play:
    return lambda customer: is_so(customer.relay(TASK), "TaskNotFound", beside)


def unknown_number(customer: Customer) -> Followed:
    customer.starts(TASK)
    customer.at.say(TASK, 99)
    return is_so(customer.relay(TASK), "UnknownVendorStatus", None)


def paused(customer: Customer) -> Followed:
    customer.at.start(TASK)
    customer.at.say(TASK, "pause")
    return is_so(customer.relay(TASK), "Paused", None)


def suspended_on_air(customer: Customer) -> Followed:
    relay = looked_at(1, "Running")(customer)
    relay.edit(suspend=True)
    return is_so(relay, "Suspended", None)


def looks_fail(customer: Customer) -> Followed:
    """From the second in a row it is said, and Ready is kept."""
    relay = looked_at(1, "Running", pollIntervalSeconds=60)(customer)
    customer.fault("answer", status=503, operation=customer.at.look_call)
    relay.ask("first")
    relay.holds("Reconciling", "VendorUnavailable", within_s=HOLDS_WITHIN_S)
    return relay


def stale(customer: Customer) -> Followed:
    """Nothing was seen for three intervals, as the one look that was tried hangs."""
    relay = looked_at(1, "Running")(customer)
    customer.fault("hang", operation=customer.at.look_call)
    return is_so(relay, "Stale", "Reconciling")


def beside_of(cause: Cause) -> Beside:
    return "Stalled" if cause.kind_deleted == "Stalled" else "Reconciling"


def held_up(cause: Cause) -> Play:
    """The first look fails for this cause."""

    def play(customer: Customer) -> Followed:
        customer.at.start("shown")
        cause.breaks(customer)
        return is_so(customer.relay("shown"), cause.reason, beside_of(cause))

    return play


def deleted(reason: str, beside: Beside, breaks: Change = lambda _: None, **spec: Any) -> Play:
    """The object is being deleted, and this is in the way."""

    def play(customer: Customer) -> Followed:
        relay = looked_at(1, "Running", **spec)(customer)
        breaks(customer)
        relay.delete()
        return is_so(relay, reason, beside)

    return play


def stop_refused(status: int) -> Change:
    return lambda customer: customer.fault("answer", status=status, operation=customer.at.stop_call)


def stops_take(**settings: Any) -> Change:
    return lambda customer: customer.cloud.set_task(customer.account, customer.app, TASK, **settings)


def preloaded(reason: str, beside: Beside | None = None, *streams: Mapping[str, Any], **spec: Any) -> Play:
    """A PreloadTask of streams of which Alibaba Cloud says this."""

    def play(customer: Customer) -> Followed:
        names = [f"camera-{number}" for number in range(1, 1 + len(streams))]
        for name, said in zip(names, streams, strict=True):
            customer.preloads(name, **said)
        return is_so(customer.preload(SHOW, streams=names or ["camera-1"], **spec), reason, beside)

    return play


def expired(customer: Customer) -> Followed:
    customer.preloads("camera-1", process=50, created_seconds_ago=ALMOST_FORGOTTEN_S)
    show = is_so(customer.preload(SHOW, tasks=["camera-1"]), "Preloading", "Reconciling")
    customer.cloud.forget_preload(customer.account, "camera-1")
    return is_so(show, "Expired", "Stalled")


def succeeded_and_suspended(customer: Customer) -> Followed:
    """It has ended, so there is nothing to suspend."""
    show = preloaded("Succeeded", None, {"process": 100})(customer)
    show.edit(suspend=True)
    until(lambda: show.status()["observedGeneration"] == 2, "the edit to be acted on")
    return show


def preload_not_followed(customer: Customer) -> Followed:
    return customer.preload(SHOW, streams=["camera-1"])


def preloads_held_up(cause: Cause) -> Play:
    def play(customer: Customer) -> Followed:
        cause.breaks(customer)
        return is_so(customer.preload(SHOW, streams=["camera-1"]), cause.reason, beside_of(cause))

    return play


def relays(name: str, argo: Argo, kubernetes: Kstatus, plays: Play, **more: Any) -> Row:
    return Row(name, "RelayTask", argo, kubernetes, plays, **more)


def going(name: str, plays: Play, **more: Any) -> Row:
    """A RelayTask that is being deleted."""
    return relays(f"deleted-{name}", "Progressing", "Terminating", plays, **more)


def preloads(name: str, argo: Argo, kubernetes: Kstatus, plays: Play, **more: Any) -> Row:
    return Row(name, "PreloadTask", argo, kubernetes, plays, **more)


def held_up_rows(make: Callable[..., Row], play: Callable[[Cause], Play], *reasons: str) -> Iterator[Row]:
    """A row for each of these causes, or for all: what is made of one is the same whatever led to it."""
    found: dict[str, tuple[type[Side], Cause]] = {}
    sides: tuple[type[Side], ...] = (Alibaba, Huawei)
    for side in sides:
        for cause in (*KEY_CAUSES, *CAUSES, *OWN_CAUSES[side]):
            found.setdefault(cause.reason, (side, cause))
    del found["TaskNotFound"]  # a state, and a row of its own
    for reason in reasons or found:
        side, cause = found[reason]
        name = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in reason).lstrip("-")
        health = ("Degraded", "Failed") if beside_of(cause) == "Stalled" else ("Progressing", "InProgress")
        yield make(name, *health, play(cause), speaks=beside_of(cause), side=side, followed_by="odd")


RELAYS = (
    relays("new", "Progressing", "InProgress", not_followed, speaks="", followed_by="none"),
    relays("pending", "Progressing", "InProgress", looked_at(0, "Pending", "Reconciling")),
    relays("running", "Healthy", "Current", looked_at(1, "Running")),
    relays("running-orphan", "Healthy", "Current", looked_at(1, "Running", deletionPolicy="Orphan")),
    relays(
        "edited", "Progressing", "InProgress", looked_at(1, "Running"), speaks="", edited={"pollIntervalSeconds": 9}
    ),
    relays("paused", "Suspended", "InProgress", paused, side=Huawei),
    relays("stopped", "Suspended", "InProgress", looked_at(2, "Stopped")),
    relays("failed", "Degraded", "Failed", looked_at(6, "TaskFailed", "Stalled"), speaks="Stalled"),
    relays("not-found", "Degraded", "Failed", unknown_task("Stalled"), speaks="Stalled", followed_by="odd"),
    relays("not-found-yet", "Progressing", "InProgress", unknown_task("Reconciling")),
    relays("unknown", "Progressing", "InProgress", unknown_number),
    relays("suspended", "Suspended", "InProgress", looked_at(1, "Suspended", suspend=True)),
    relays("suspended-on-air", "Suspended", "InProgress", suspended_on_air),
    relays("looks-fail", "Progressing", "InProgress", looks_fail, speaks="Reconciling"),
    relays("stale", "Progressing", "InProgress", stale, speaks="Reconciling", followed_by="odd"),
    *held_up_rows(relays, held_up),
    going("stop-pending", deleted("StopPending", "Reconciling", stopDelaySeconds=3600)),
    going("stopping", deleted("Stopping", "Reconciling", stops_take(stop_takes_seconds=600.0))),
    going("not-confirmed", deleted("StopNotConfirmed", "Reconciling", stops_take(ignore_stops=1000))),
    going("held", deleted("StopsHeld", "Reconciling"), followed_by="odd"),
    going("vendor-unavailable", deleted("VendorUnavailable", "Reconciling", stop_refused(503))),
    going("credentials-rejected", deleted("CredentialsRejected", "Stalled", lambda each: each.at.take_key_for_wrong())),
)

PRELOADS = (
    preloads("new", "Progressing", "InProgress", preload_not_followed, speaks="", followed_by="none"),
    preloads("pending", "Progressing", "InProgress", preloaded("Pending", "Reconciling", {"status": "Pending"})),
    preloads("preloading", "Progressing", "InProgress", preloaded("Preloading", "Reconciling", DONE, {"process": 24})),
    preloads("succeeded", "Healthy", "Current", preloaded("Succeeded", None, DONE)),
    preloads("succeeded-and-suspended", "Healthy", "Current", succeeded_and_suspended),
    preloads(
        "failed",
        "Degraded",
        "Failed",
        preloaded("PreloadFailed", "Stalled", {"status": "Failed"}, DONE),
        speaks="Stalled",
    ),
    preloads("expired", "Degraded", "Failed", expired, speaks="Stalled"),
    preloads(
        "not-found", "Degraded", "Failed", preloaded("TaskNotFound", "Stalled"), speaks="Stalled", followed_by="odd"
    ),
    preloads("not-found-yet", "Progressing", "InProgress", preloaded("TaskNotFound", "Reconciling")),
    preloads("unknown", "Progressing", "InProgress", preloaded("UnknownVendorStatus", None, {"status": "Warming"})),
    preloads("suspended", "Suspended", "InProgress", preloaded("Suspended", None, {"process": 24}, suspend=True)),
    *held_up_rows(preloads, preloads_held_up, "SecretNotFound", "CredentialsRejected", "VendorUnavailable"),
)

ROWS = (*RELAYS, *PRELOADS)
