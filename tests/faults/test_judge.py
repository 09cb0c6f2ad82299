"""The guards of the random lives catch what they are there for: each fault is planted once, and seen to be caught.

Twins of `test_state_machine.py`: the same world and the same judge, a short story, and an operator with one fault.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from livetask_operator.kube import follow
from livetask_operator.kube.releasing import Releasing
from livetask_operator.reconcile import looks, settle, stopping, words
from livetask_operator.reconcile.reasons import Reason
from livetask_operator.reconcile.resource import REQUESTED_AT
from livetask_operator.reconcile.status import Status, timestamp
from livetask_operator.reconcile.stopping import LetGo, Stop
from livetask_operator.vendors.contract import State
from tests.faults.any_cloud import VAIN
from tests.faults.lives import Lives


def opening(lives: Lives, *names: str) -> None:
    """A task runs, and these objects follow it."""
    lives.put_key("sports", "main", "good")
    lives.does(lambda: lives.cloud.become("t1", State.RUNNING))
    for name in names:
        lives.does(lambda name=name: make(lives, name))  # type: ignore[misc]
    lives.wait(6)


def make(lives: Lives, name: str) -> None:
    spec = {"block": {"taskId": "t1"}, "pollIntervalSeconds": 5, "credentialsSecretRef": {"name": "main"}}
    lives.server.make(name, "sports", **spec)


def is_deleted(lives: Lives) -> None:
    """The first of them."""
    lives.does(lambda: lives.server.delete("uid-1"))
    lives.wait(15)


def the_second_owner_stays(lives: Lives) -> None:
    opening(lives, "a", "b")
    is_deleted(lives)


def it_goes_as_orphan(lives: Lives) -> None:
    opening(lives, "a")
    lives.does(lambda: lives.server.merge("sports/a", deletionPolicy="Orphan"))
    is_deleted(lives)


def its_stop_is_in_vain(lives: Lives) -> None:
    opening(lives, "a")
    lives.cloud.stops_have = VAIN
    is_deleted(lives)


def its_key_is_another_accounts(lives: Lives) -> None:
    opening(lives, "a")
    lives.put_key("sports", "main", "another account's")
    lives.wait(6)
    is_deleted(lives)


def it_is_deleted_with_a_delay(lives: Lives) -> None:
    opening(lives, "a")
    lives.does(lambda: lives.server.merge("sports/a", stopDelaySeconds=20))
    is_deleted(lives)


def nobody_answers(lives: Lives) -> None:
    opening(lives, "a")
    lives.cloud.looks_have = "VendorUnavailable"
    lives.wait(60)


def somebody_asks(lives: Lives) -> None:
    opening(lives, "a")
    lives.does(lambda: lives.server.annotate("sports/a", REQUESTED_AT, "now"))
    lives.wait(6)


def it_ends(lives: Lives) -> None:
    opening(lives, "a")
    lives.does(lambda: lives.cloud.become("t1", State.FAILED))
    lives.wait(10)


Story = Callable[[Lives], None]
Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Planted:
    """A fault of the operator, a story in which it does harm, and what the judge says of it."""

    name: str
    story: Story
    plant: Plant
    caught: str

    def __str__(self) -> str:
        return self.name


def instead(of: Sequence[object], name: str, by: object) -> Plant:
    """Another thing of this name, in all of these."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        for each in of:
            patch.setattr(each, name, by)

    return plant


_let_go = LetGo(Reason.ALREADY_GONE, "gone")
_with_conditions = Status.with_conditions


def later(self: Status, wanted: Any, generation: int, now: datetime) -> Status:
    """Every write is told as a transition."""
    status = _with_conditions(self, wanted, generation, now)
    return replace(
        status, conditions=tuple(replace(each, last_transition_time=timestamp(now)) for each in status.conditions)
    )


def _to_come(self: Status, wanted: Any, generation: int, now: datetime) -> Status:
    return _with_conditions(self, wanted, generation, now + timedelta(hours=1))


def _ahead(self: Status, wanted: Any, generation: int, now: datetime) -> Status:
    return _with_conditions(self, wanted, generation + 1, now)


def not_stalled(self: Status, wanted: Any, generation: int, now: datetime) -> Status:
    return _with_conditions(self, [each for each in wanted if each.type != "Stalled"], generation, now)


def of_no_generation(self: Status, generation: int) -> Status:
    return replace(self, observed_generation=0)


def _other_words(*_: object) -> str:
    return f"Look number {next(_numbers)}."


_numbers = itertools.count()
_after = looks.Looks.after


def _for_nobody(self: Any, look: Any, now_s: float, request: str | None) -> Any:
    return _after(self, look, now_s, None)


PLANTED = [
    Planted(
        "stops what another follows",
        the_second_owner_stays,
        instead([stopping], "_is_owner", lambda *_: False),
        "a stop of t1, which sports/b follows",
    ),
    Planted(
        "stops what Orphan keeps",
        it_goes_as_orphan,
        instead([Releasing], "_check", lambda *_, **__: _nothing()),
        "which no deleted object asks for",
    ),
    Planted(
        "stops before the delay is over",
        it_is_deleted_with_a_delay,
        instead([stopping], "stop_is_due", lambda *_, **__: Stop()),
        "which no deleted object asks for",
    ),
    Planted(
        "lets go what still runs",
        its_stop_is_in_vain,
        instead([stopping], "after_accepted_stop", lambda *_: _let_go),
        "sports/a is gone, and t1 runs on",
    ),
    Planted(
        "takes another account's not-found for gone",
        its_key_is_another_accounts,
        instead([settle, stopping], "is_hidden", lambda *_: False),
        "sports/a is gone, and t1 runs on",
    ),
    Planted("never gets stale", nobody_answers, instead([looks.Looks], "stale_at_s", math.inf), "was last seen to run"),
    Planted("moves transitions", somebody_asks, instead([Status], "with_conditions", later), "its transition moves"),
    Planted("writes times to come", somebody_asks, instead([Status], "with_conditions", _to_come), "which is to come"),
    Planted("is ahead of its spec", somebody_asks, instead([Status], "with_conditions", _ahead), "is ahead of"),
    Planted("never stalls", it_ends, instead([Status], "with_conditions", not_stalled), "the table says Failed"),
    Planted("says it in other words each time", somebody_asks, instead([words], "observed", _other_words), "status"),
    Planted("forgets an object", it_ends, instead([follow.Follow], "_go_on", lambda *_: None), "sports/a says"),
    Planted(
        "forgets who asked", somebody_asks, instead([looks.Looks], "after", _for_nobody), "asked now, handled None"
    ),
]


async def _nothing() -> None:
    return None


def verdict(story: Story) -> list[str]:
    """What the judge says of a story, on the way, in the end, and of the silence after it."""
    lives = Lives()
    try:
        story(lives)
        if said := lives.judged():
            return said
        lives.heals()
        return [*lives.judged(), *lives.unsettled(), *lives.noise()]
    finally:
        lives.close()


@pytest.mark.parametrize("story", dict.fromkeys(planted.story for planted in PLANTED), ids=lambda story: story.__name__)
def test_a_story_without_a_fault_passes(story: Story) -> None:
    assert verdict(story) == []


@pytest.mark.parametrize("planted", PLANTED, ids=str)
def test_a_planted_fault_is_caught(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    planted.plant(monkeypatch)

    assert any(planted.caught in said for said in verdict(planted.story)), verdict(planted.story)
