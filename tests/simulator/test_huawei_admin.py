"""Orders to the simulated Huawei Cloud: what they change, how a bad one is refused, and that the page tells them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import livetask_simulator
from livetask_simulator.client import AdminError, Raw, Simulator
from livetask_simulator.huawei.client import HuaweiOrders
from livetask_simulator.huawei.operations import OPERATIONS
from livetask_simulator.huawei.orders import show_settings
from livetask_simulator.script import load_script
from livetask_simulator.world import World
from tests.simulator.huawei_sdk import Sdk

PAGE = (Path(livetask_simulator.__file__).parent / "README.md").read_text(encoding="utf-8")
_NUMBERS = itertools.count(1)


@pytest.fixture
def account(simulator: Simulator) -> Iterator[str]:
    account = f"huawei-orders-{next(_NUMBERS)}"
    simulator.huawei.add_account(account)
    simulator.huawei.add_key(account, f"AK-{account}", "s3cret")
    yield account
    simulator.huawei.remove_account(account)


def test_a_task_is_started_changed_and_forgotten(simulator: Simulator, account: str) -> None:
    huawei, task = simulator.huawei, (account, "p-1", "cup-final")

    started = huawei.start_task(*task, "pending", region="cn-east-3", ignore_stops=1)
    changed = huawei.set_task(*task, status="running", stop_takes_seconds=2)
    known = huawei.task(*task)
    huawei.forget_task(*task)

    assert (started.status, started.region, started.ignore_stops) == ("pending", "cn-east-3", 1)
    assert (changed.status, changed.ignore_stops, changed.stop_takes_seconds) == ("running", 1, 2)
    assert known is not None
    assert known.app_id == "p-1"
    assert huawei.task(*task) is None
    assert huawei.tasks(account) == []


def test_times_a_life_given_later_and_a_raw_status_show_in_the_list(simulator: Simulator, account: str) -> None:
    huawei, task = simulator.huawei, (account, "p-1", "cup-final")
    sdk = Sdk.at(simulator.url, f"AK-{account}", "s3cret", project="p-1")
    times = ("2026-11-21T20:00:00Z", "2026-11-21T22:00:00Z")
    huawei.start_task(*task, start_time=times[0])

    huawei.set_task(*task, life=[(0, "finished")], end_time=times[1])
    lived = sdk.page(task_id="cup-final")[1][0]
    huawei.set_task(*task, raw_status=99)
    odd = sdk.status("cup-final")
    huawei.set_task(*task, raw_status=Raw.USUAL)

    assert (lived.status, lived.start_time, lived.end_time) == ("finished", *times)
    assert (odd, sdk.status("cup-final")) == ("99", "finished")


def test_a_reset_keeps_the_keys(simulator: Simulator, account: str) -> None:
    simulator.huawei.start_task(account, "p-1", "cup-final")
    simulator.huawei.add_account(account, total=7)

    simulator.reset(account)

    assert Sdk.at(simulator.url, f"AK-{account}", "s3cret", project="p-1").page() == (0, [])


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (lambda huawei, account: huawei.add_account(account, lookForUnknown="maybe"), "404, 400, empty"),
        (lambda huawei, account: huawei.add_account(account, afterPages=[["stop", "t"]]), "forget or start"),
        (lambda huawei, account: huawei.add_account(account, startLife=[[0, 1]]), "[seconds after the start, status]"),
        (lambda huawei, account: huawei.add_account(account, toal=7), "unknown fields: toal"),
        (lambda huawei, account: huawei.add_key(account, "AK-x"), "no field secret"),
        (lambda huawei, account: huawei.add_key(account, "AK-x", "s", denial="Forbidden"), "APIGW.0302, APIGW.0306"),
        (lambda huawei, account: huawei.quota(account, "ModifyPullTask", 1), "no operation ModifyPullTask"),
        (lambda huawei, account: huawei.start_task("nobody", "p", "t"), "no account nobody"),
        (lambda huawei, account: huawei.set_task(account, "p", "t"), "no task t of application p"),
        (lambda huawei, account: huawei.revoke_key(account, "AK-x"), "no key AK-x"),
    ],
)
def test_a_bad_order_says_what_is_wrong_with_it(
    simulator: Simulator, account: str, order: Callable[[HuaweiOrders, str], object], words: str
) -> None:
    with pytest.raises(AdminError) as refused:
        order(simulator.huawei, account)

    assert words in str(refused.value)


def test_a_token_is_one_keys_alone(simulator: Simulator, account: str) -> None:
    simulator.huawei.add_key(account, "first", auth_token=f"MIIE-{account}")

    with pytest.raises(AdminError) as refused:
        simulator.huawei.add_key(account, "second", auth_token=f"MIIE-{account}")

    assert refused.value.status == 409
    assert f"MIIE-{account}" not in str(refused.value)


def test_the_script_of_the_page_has_this_cloud_too(tmp_path: Path) -> None:
    script = tmp_path / "page.yaml"
    script.write_text(PAGE.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    world = World()

    load_script(world, script)

    (account,) = world.huawei.accounts.names()
    assert [task.task_id for task in world.huawei.tasks.of_account(account)] == ["7864b3dc"]


def test_the_page_names_every_setting_and_operation() -> None:
    section = PAGE.split("## Huawei Cloud\n")[1].split("\n## ")[0]
    world = World()
    world.huawei.accounts.add("sports")
    settings = set(show_settings(world.huawei, "sports")) - {"account", "keys"}
    operations = [operation.name for operation in OPERATIONS.values()]

    assert [name for name in [*settings, *operations] if f"`{name}`" not in section] == []
