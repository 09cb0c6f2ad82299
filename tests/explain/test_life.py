"""A whole life in its Events, as `kubectl describe` tells it: in order, each change once, and none missing."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import pytest

from tests.explain.conftest import Stage
from tests.stage.objects import wait_for
from tests.stage.tenant import Followed, Tenant

WITHIN_S = 60.0
Step = tuple[Callable[["Actor"], object], str, str]
"""What happens, the Event's type, and its reason."""


@dataclass
class Actor:
    """One object of a tenant's own, and its task `final` or its preload `warm` at the vendor."""

    tenant: Tenant
    followed: Followed

    def becomes(self, status: int) -> None:
        self.tenant.becomes("final", status)

    def key(self, **settings: object) -> None:
        self.tenant.cloud.add_key(self.tenant.account, self.tenant.key_id, self.tenant.secret_key, **settings)  # type: ignore[arg-type]

    def preloads(self, percent: int) -> None:
        self.tenant.cloud.set_preload(self.tenant.account, "warm", process=percent)

    def no_more_faults(self) -> None:
        self.tenant.cloud.clear_faults(self.tenant.account)


def nothing(_: Actor) -> None:
    pass


def loses_its_key_when_it_is_due(it: Actor) -> None:
    it.key(active=False)
    it.followed.edit(stopDelaySeconds=0)


PRELOAD = "of a preload"
LIVES: dict[str, list[Step]] = {
    "without trouble": [
        (nothing, "Normal", "Pending"),
        (lambda it: it.becomes(1), "Normal", "Running"),
        (lambda it: it.becomes(6), "Warning", "TaskFailed"),
        (lambda it: it.becomes(1), "Normal", "Running"),
        (lambda it: it.becomes(2), "Normal", "Stopped"),
        (lambda it: it.followed.delete(), "Normal", "AlreadyGone"),
    ],
    "deleted while it runs": [
        (nothing, "Normal", "Pending"),
        (lambda it: it.becomes(1), "Normal", "Running"),
        (lambda it: it.followed.delete(), "Normal", "StopAccepted"),
    ],
    "with trouble": [
        (nothing, "Normal", "Pending"),
        (lambda it: it.becomes(1), "Normal", "Running"),
        (lambda it: it.tenant.fault("answer", status=503), "Warning", "VendorUnavailable"),
        (lambda it: it.no_more_faults(), "Normal", "Running"),
        (lambda it: it.followed.edit(suspend=True), "Normal", "Suspended"),
        (lambda it: it.followed.edit(suspend=False), "Normal", "Running"),
        (lambda it: it.followed.edit(stopDelaySeconds=600), "", ""),
        (lambda it: it.followed.delete(), "Normal", "StopPending"),
        (loses_its_key_when_it_is_due, "Warning", "CredentialsRejected"),
        (lambda it: it.followed.edit(deletionPolicy="Orphan"), "Normal", "Orphaned"),
    ],
    PRELOAD: [
        (nothing, "Normal", "Preloading"),
        (lambda it: it.preloads(60), "", ""),
        (lambda it: it.preloads(100), "Normal", "Succeeded"),
        (lambda it: it.followed.delete(), "", ""),
    ],
}


@pytest.fixture(scope="module")
def lived(stage: Stage) -> dict[str, Actor]:
    """All of them, lived through at the same time."""
    with ThreadPoolExecutor(len(LIVES)) as threads:
        return dict(zip(LIVES, threads.map(partial(_live, stage), LIVES), strict=True))


@pytest.fixture(params=LIVES)
def life(request: pytest.FixtureRequest, lived: dict[str, Actor]) -> tuple[Actor, list[Step]]:
    """A whole life, lived through."""
    return lived[request.param], LIVES[request.param]


def _live(stage: Stage, name: str) -> Actor:
    tenant = stage.tenant(f"life-{name.replace(' ', '-')}")
    tenant.starts("final", 0)
    tenant.preloads("warm", process=10)
    followed = tenant.preload("final", tasks=["warm"]) if name == PRELOAD else tenant.relay("final")
    actor = Actor(tenant, followed)
    told = 0
    for happens, _, reason in LIVES[name]:
        happens(actor)
        if reason:
            told += 1
            wait_for(partial(_has, actor, told, reason), partial(_what, actor, reason), WITHIN_S)
    actor.followed.is_gone(WITHIN_S)
    return actor


def _has(actor: Actor, count: int, reason: str) -> bool:
    events = actor.followed.events()
    return len(events) >= count and events[count - 1]["reason"] == reason


def _what(actor: Actor, reason: str) -> str:
    return f"{reason}; there are {[event['reason'] for event in actor.followed.events()]}"


def test_its_events_tell_each_change_once_in_order_and_nothing_else(life: tuple[Actor, list[Step]]) -> None:
    actor, steps = life

    told = [(event["type"], event["reason"]) for event in actor.followed.events()]

    assert told == [(kind, reason) for _, kind, reason in steps if reason]


def test_they_are_listed_in_the_order_in_which_they_happened(life: tuple[Actor, list[Step]], stage: Stage) -> None:
    actor, steps = life

    listed = stage.plane.kubectl(
        *("-n", actor.tenant.namespace, "get", "events", "-o", "jsonpath={.items[*].reason}"),
        *("--field-selector", "involvedObject.name=final"),
    )

    assert listed.stdout.split() == [reason for _, _, reason in steps if reason]


def test_each_is_a_sentence_that_says_what_it_means(life: tuple[Actor, list[Step]]) -> None:
    actor, _ = life

    for event in actor.followed.events():
        assert re.match(r"([A-Z]|spec\.).+([.}']|More: crds/reasons\.md#[a-z]+)$", event["message"]), event["message"]
        assert event["count"] == 1
