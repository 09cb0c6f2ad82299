"""Orders to the simulated Tencent Cloud: what they change, how a bad one is refused, and that the page names them."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import livetask_simulator
from livetask_simulator.client import AdminError, Raw, Simulator
from livetask_simulator.script import load_script
from livetask_simulator.tencent.client import TencentOrders
from livetask_simulator.tencent.operations import OPERATIONS
from livetask_simulator.tencent.orders import show_settings
from livetask_simulator.tencent.tasks import StopOfUnknown
from livetask_simulator.world import World
from tests.simulator.tencent_sdk import APP, Sdk

ACCOUNT, KEY_ID, SECRET = "tencent-admin", "AKID-admin", "planted-s3cret"
PAGE = (Path(livetask_simulator.__file__).parent / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def tencent(simulator: Simulator) -> Iterator[TencentOrders]:
    orders = simulator.tencent
    orders.add_account(ACCOUNT)
    orders.add_key(ACCOUNT, KEY_ID, SECRET)
    yield orders
    orders.remove_account(ACCOUNT)


@pytest.fixture
def sdk(simulator: Simulator, tencent: TencentOrders) -> Sdk:
    return Sdk.at(simulator.url.removeprefix("http://"), KEY_ID, SECRET)


def test_a_task_is_started_changed_and_forgotten(tencent: TencentOrders) -> None:
    started = tencent.start_task(ACCOUNT, APP, "a+b/c.", ignore_stops=1, region="ap-mumbai")
    changed = tencent.set_task(ACCOUNT, APP, "a+b/c.", status="NotExist", stop_takes_seconds=2)
    tencent.forget_task(ACCOUNT, APP, "a+b/c.")

    assert (started.status, started.region, started.ignore_stops, started.ended_seconds_ago) == (
        "InProgress",
        "ap-mumbai",
        1,
        None,
    )
    assert (changed.status, changed.ignore_stops, changed.stop_takes_seconds) == ("NotExist", 1, 2)
    assert changed.ended_seconds_ago is not None
    assert tencent.task(ACCOUNT, APP, "a+b/c.") is None


def test_a_life_given_later_counts_from_then(tencent: TencentOrders, sdk: Sdk) -> None:
    tencent.start_task(ACCOUNT, APP, "task", life=[(3600, "NotExist")])

    tencent.set_task(ACCOUNT, APP, "task", life=[(0, "NotExist"), (3600, "InProgress")])

    assert sdk.status("task") == "NotExist"


@pytest.mark.parametrize(("raw", "said"), [("Paused", "Paused"), (7, "7"), (None, "None"), (Raw.MISSING, "None")])
def test_a_raw_status_is_told_as_it_is_until_the_usual_one_is_back(
    tencent: TencentOrders, sdk: Sdk, raw: object, said: str
) -> None:
    tencent.start_task(ACCOUNT, APP, "task")

    tencent.set_task(ACCOUNT, APP, "task", raw_status=raw)
    odd = sdk.status("task")
    tencent.set_task(ACCOUNT, APP, "task", raw_status=Raw.USUAL)

    assert (odd, sdk.status("task")) == (said, "InProgress")


def test_a_reset_of_an_account_leaves_its_keys_and_the_other_clouds_alone(
    simulator: Simulator, tencent: TencentOrders, sdk: Sdk
) -> None:
    simulator.add_account("not-tencent")
    simulator.start_task("not-tencent", "app-1", "stays")
    tencent.start_task(ACCOUNT, APP, "task")
    tencent.add_account(ACCOUNT, service="notEnabled")
    tencent.quota(ACCOUNT, "DescribeStreamIngest", 0)

    simulator.reset(ACCOUNT)

    assert (tencent.tasks(ACCOUNT), len(simulator.tasks("not-tencent"))) == ([], 1)
    assert sdk.status("task") == "NotExist"
    simulator.remove_account("not-tencent")


def test_an_account_is_shown_without_its_secrets(simulator: Simulator, tencent: TencentOrders) -> None:
    tencent.revoke_key(ACCOUNT, KEY_ID)

    with urllib.request.urlopen(f"{simulator.url}/_admin/tencent/accounts/{ACCOUNT}") as answer:
        shown = answer.read().decode()

    assert SECRET not in shown
    assert json.loads(shown)["keys"] == [{"keyId": KEY_ID, "active": True, "revoked": True, "temporary": False}]


BAD_ORDERS: dict[str, Callable[[TencentOrders], object]] = {
    "service must be one of ok, notEnabled": lambda orders: orders.add_account(ACCOUNT, service="overdue"),
    "unknown fields: rtcSeesLiveTasks": lambda orders: orders.add_account(ACCOUNT, rtcSeesLiveTasks=True),
    "startLife must be a list of": lambda orders: orders.add_account(ACCOUNT, startLife=[[0, "Running"]]),
    "no operation GetMPUTaskStatus": lambda orders: orders.quota(ACCOUNT, "GetMPUTaskStatus", 1),
    "no account nobody": lambda orders: orders.start_task("nobody", APP, "t"),
    "appId must be an SdkAppId": lambda orders: orders.start_task(ACCOUNT, "app-1", "t"),
    "status must be one of InProgress": lambda orders: orders.start_task(ACCOUNT, APP, "t", status="Running"),
    "has no task t": lambda orders: orders.set_task(ACCOUNT, APP, "t", status="NotExist"),
    "denial must be one of": lambda orders: orders.add_key(ACCOUNT, "k", "s", denial="Forbidden.RAM"),
    "has no key unknown": lambda orders: orders.revoke_key(ACCOUNT, "unknown"),
}


@pytest.mark.parametrize("words", BAD_ORDERS)
def test_a_bad_order_is_refused_with_words_and_changes_nothing(tencent: TencentOrders, words: str) -> None:
    with pytest.raises(AdminError, match=words):
        BAD_ORDERS[words](tencent)

    assert tencent.tasks(ACCOUNT) == []


def test_the_page_names_every_operation_and_setting() -> None:
    world = World()
    world.tencent.accounts.add("events")
    section = PAGE.partition("## Tencent Cloud")[2]
    settings = set(show_settings(world.tencent, "events")) - {"account", "keys"}

    missing = [name for name in [*OPERATIONS, *settings, *StopOfUnknown] if f"`{name}`" not in section]

    assert missing == []


def test_the_script_of_the_page_has_a_task_here(tmp_path: Path) -> None:
    script = tmp_path / "page.yaml"
    script.write_text(PAGE.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    world = World()

    load_script(world, script)

    assert [task.task_id for task in world.tencent.tasks.of_account("events")] == ["CR6Lqv-x+y."]
