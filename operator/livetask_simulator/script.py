"""Scripts: a YAML file with the accounts, keys, quotas, tasks and faults to begin with. README.md shows one.

Apart from the admin API, whose fields it shares: a script is the same orders, given before anybody asks.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import yaml

from livetask_simulator.admin import read_fault
from livetask_simulator.admin_cloud import C, Orders, T
from livetask_simulator.alibaba import orders as alibaba_orders
from livetask_simulator.alibaba.preload_orders import put_preload
from livetask_simulator.fields import FieldError, Fields
from livetask_simulator.huawei import orders as huawei_orders
from livetask_simulator.tencent import orders as tencent_orders
from livetask_simulator.world import World


def load_script(world: World, path: Path) -> None:
    """Fill a world from a file; raises FieldError for what is wrong with it, OSError where it cannot be read."""
    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise FieldError(f"{path} is not YAML: {error}") from None
    script = Fields(value or {}, path.name)
    _load_cloud(script, world.alibaba, alibaba_orders, {"preloads": put_preload})
    _load_cloud(script, world.tencent, tencent_orders, {})
    _load_cloud(script, world.huawei, huawei_orders, {})
    for fault in script.each("faults"):
        world.faults.add(read_fault(fault))
    script.done()


def _load_cloud(
    script: Fields, cloud: C, orders: Orders[C, T], own: Mapping[str, Callable[[C, str, Fields], object]]
) -> None:
    """The accounts under the cloud's name, with all that they have. `own`: lists that no other cloud has."""
    for name, account in script.named(cloud.name):
        keys = list(account.named("keys"))
        quotas = list(account.named("quotas"))
        tasks = list(account.each("tasks"))
        more = [(put, each) for field, put in own.items() for each in account.each(field)]
        orders.put_settings(cloud, name, account)
        for key_id, key in keys:
            orders.put_key(cloud, name, key_id, key)
        for operation, quota in quotas:
            orders.put_quota(cloud, name, operation, quota)
        for task in tasks:
            orders.put_task(cloud, name, task.text("appId"), task.text("taskId"), task)
        for put, each in more:
            put(cloud, name, each)
