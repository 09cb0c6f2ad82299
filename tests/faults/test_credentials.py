"""Keys that are rotated, expire, are deleted and come back, at each vendor: on the air all the while, or told why not.

Each story has a customer of its own, and all of them are played at once, as they wait for the operator most of the
time. What keeps a key from being good in other ways, and both ways out: `tests/kube/test_trouble.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from tests.faults.keys import Keys
from tests.stage.objects import Objects
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import Relay, until
from tests.stage.vendors import Alibaba, Customer, Huawei, HuaweiByToken, Side, Tencent

SIDES = cast("list[type[Side]]", [Alibaba, Tencent, Huawei, HuaweiByToken])
IN_USE_S = 9.0
"""Five seconds, and something for a busy machine."""

Story = Callable[[Customer], None]


def runs(customer: Customer, name: str, interval_s: int = 3600) -> Relay:
    """A RelayTask whose task runs."""
    customer.at.start(name)
    relay = customer.relay(name, pollIntervalSeconds=interval_s)
    relay.reaches("Running")
    return relay


def told(relay: Relay) -> list[str]:
    return [event["reason"] for event in relay.events()]


def says_expired(customer: Customer, condition: Mapping[str, Any]) -> bool:
    """Huawei Cloud has one answer for every key that it does not accept."""
    return "expired" in condition["message"] or isinstance(customer.at, Huawei)


def a_key_that_is_rotated_and_revoked_at_once(customer: Customer) -> None:
    """Nobody hears of it: neither who is looked at, nor who asks, nor who is deleted in that moment."""
    keys = Keys(customer)
    keys.into_secret(keys.issue())
    often, asking, deleted = runs(customer, "often", 5), runs(customer, "asking"), runs(customer, "deleted")
    new = keys.issue()

    keys.into_secret(new)
    keys.revoke(keys.ids[0])
    deleted.delete()
    asking.ask("now")

    deleted.is_gone(within_s=IN_USE_S)
    until(lambda: asking.status().get("lastHandledRequestedAt") == "now", "the look that was asked for", IN_USE_S)
    until(lambda: len(customer.cloud.calls(key_id=keys.ids[1], task_id="often")) > 1, "looks with the new key", 15)
    assert customer.stopped() == ["deleted"]
    assert [relay.condition()["reason"] for relay in (often, asking)] == ["Running", "Running"]
    assert [told(often), told(asking)] == [["Running"], ["Running"]]


def a_temporary_key_that_expires(customer: Customer) -> None:
    """What is followed says so, what is deleted is held by it; a renewed key or Orphan releases it."""
    keys = Keys(customer)
    keys.into_secret(keys.issue(temporary=True))
    followed, deleted, let_go = runs(customer, "followed", 5), runs(customer, "deleted"), runs(customer, "let-go")

    keys.expire()
    deleted.delete()
    let_go.delete()

    for relay in (deleted, let_go):
        held = relay.holds("Stalled", "CredentialsRejected")
        assert held["message"].startswith("Not stopped yet.")
        assert says_expired(customer, held)
    assert says_expired(customer, followed.holds("Stalled", "CredentialsRejected"))
    let_go.edit(deletionPolicy="Orphan")
    let_go.is_gone()
    assert customer.stopped() == []
    keys.into_secret(keys.issue(temporary=True))
    deleted.is_gone(within_s=IN_USE_S)
    followed.reaches("Running", "Running")
    assert customer.stopped() == ["deleted"]
    assert customer.at.is_running("let-go")


def a_secret_that_is_deleted_and_brought_back(customer: Customer) -> None:
    """What is deleted meanwhile is stopped with the key that it had, as long as this process remembers it."""
    followed, deleted = runs(customer, "followed", 5), runs(customer, "deleted")
    customer.drop_secret()
    followed.reaches(reason="SecretNotFound")

    deleted.delete()
    deleted.is_gone(within_s=4)
    assert customer.stopped() == ["deleted"]
    assert followed.condition()["status"] == "Unknown"
    customer.put_secret()
    followed.reaches("Running", "Running", within_s=IN_USE_S)


STORIES: tuple[Story, ...] = (
    a_key_that_is_rotated_and_revoked_at_once,
    a_temporary_key_that_expires,
    a_secret_that_is_deleted_and_brought_back,
)


@dataclass(frozen=True)
class Case:
    """A story at a vendor."""

    story: Story
    side: type[Side]

    def __str__(self) -> str:
        return f"{self.side.secret}: {self.story.__name__.replace('_', ' ')}"


CASES = [Case(story, side) for story in STORIES for side in SIDES]


@pytest.fixture(scope="module")
def played(
    kubeconfig: Path, cloud: Cloud, objects: Objects, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Case, Future[None]]]:
    """All of them, followed by one operator."""
    arguments = ("--no-leader-elect", "--selector", "stage=credentials")
    operator = Operator(kubeconfig, cloud.url, tmp_path_factory.mktemp("credentials"), arguments=arguments)
    with ThreadPoolExecutor(len(CASES)) as players:
        yield {
            case: players.submit(
                case.story,
                Customer.moves_in(f"credentials-{number}", objects, cloud.admin, case.side, stage="credentials"),
            )
            for number, case in enumerate(CASES)
        }
    assert operator.stop() == 0


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_key_that_changes_takes_nothing_off_the_air_and_blocks_nothing_in_silence(
    played: dict[Case, Future[None]], case: Case
) -> None:
    played[case].result()
