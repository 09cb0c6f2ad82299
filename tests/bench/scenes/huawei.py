"""How many calls it takes to look once at all tasks of one Huawei Cloud project, which lists 100 at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from livetask_simulator.client import Row as Call
from tests.bench.api import RELAY_TASKS, many, relay_task
from tests.bench.report import Row, Target
from tests.bench.stage import Stage

ACCOUNT, KEY, SECRET, PROJECT = "huawei", "HPUAbench", "s3cr3t", "0123456789abcdef0123456789abcdef"
NAMESPACE = "huawei"
PAGE = 100
INTERVAL_S = 20
ROUNDS = 3
BETWEEN_ROUNDS_S = 4.0
"""A round's pages come one after the other; between rounds is a pause."""
CONFIG = {"quotas": {"huaweiCloud": {"ListPullTasks": 50}}}


async def play(stage: Stage) -> list[Row]:
    tasks = stage.options.tasks
    stage.cloud.admin.huawei.add_account(ACCOUNT)
    stage.cloud.admin.huawei.add_key(ACCOUNT, KEY, SECRET)
    data = {"accessKeyId": KEY, "secretAccessKey": SECRET}
    secret = {"metadata": {"name": "key"}, "stringData": data}
    await stage.api.create(f"/api/v1/namespaces/{NAMESPACE}/secrets", secret)
    ours = await stage.follow(NAMESPACE, config=CONFIG)
    await ours.ready()
    stage.say(f"creating {tasks:,} RelayTasks of one Huawei Cloud project")
    await many([partial(_create, stage, f"h-{number}") for number in range(tasks)])
    await stage.all_have_a_status(ours, NAMESPACE)
    await asyncio.sleep(INTERVAL_S)

    stage.say(f"watching {ROUNDS} rounds of looks at them")
    since = stage.cloud.admin.tally().calls
    await asyncio.sleep((ROUNDS + 1) * INTERVAL_S)
    ours.check()
    calls = rounds(stage.calls(since))[1:-1]  # the first and the last may have been cut
    return [
        Row(
            key="huawei",
            figure=f"calls to follow {tasks:,} Huawei Cloud tasks of one project once",
            ours=max(calls) if calls else float("nan"),
            target=Target(tasks / PAGE),
            note=f"of rounds with {', '.join(map(str, calls))} calls",
        )
    ]


def rounds(calls: Sequence[Call]) -> list[int]:
    """How many calls each round has: calls that follow each other closely."""
    found: list[int] = []
    last_s = float("-inf")
    for call in calls:
        if call.monotonic_s - last_s > BETWEEN_ROUNDS_S:
            found.append(0)
        found[-1] += 1
        last_s = call.monotonic_s
    return found


async def _create(stage: Stage, name: str) -> None:
    task = f"{stage.cloud.url}/_admin/huawei/accounts/{ACCOUNT}/tasks/{PROJECT}/{name}"
    await stage.api.order("PUT", task, {"status": "running"})
    block = {"huaweiCloud": {"projectId": PROJECT, "region": "cn-north-4", "taskId": name}}
    await stage.api.create(RELAY_TASKS.format(namespace=NAMESPACE), relay_task(name, block, "key", INTERVAL_S))
