"""A key that is good at its own account draws on no other account's budget, whatever project a spec names."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from livetask_operator.config import Config
from livetask_operator.polling.quota import Limit
from livetask_operator.vendors.contract import Credential, Look, PermissionDenied, TaskRef, Turn, at_once
from tests.kube.small_world import Vendor, alibaba, run, within, world

OWNERS = {"arena": "key-1", "mallorys": "key-2"}


@dataclass
class ByProject(Vendor):
    """A vendor that counts calls by application, and lets each application's owner alone see its tasks."""

    def account(self, credential: Credential, task: TaskRef) -> str:
        return task.application

    async def look(
        self, credential: Credential, tasks: Sequence[TaskRef], turn: Turn = at_once
    ) -> Mapping[TaskRef, Look]:
        looks = await super().look(credential, tasks, turn)
        denied = PermissionDenied("another's project")
        return {ref: look if OWNERS[ref.application] == credential.key_id else denied for ref, look in looks.items()}


def test_a_good_key_uses_up_no_budget_of_a_project_that_never_accepted_it() -> None:
    five = Limit(5.0)
    quotas = {"AlibabaCloud": {"GetMPUTaskStatus": five, "StopLiveMPUTask": five}}
    vendor = _by_project()

    async def story() -> float:
        async with world(vendor, replace(Config.default(), quotas=quotas)) as stage:
            stage.secrets.data["news/alibaba"] = {"id": "key-2", "key": "secret"}
            theirs = [
                stage.server.create(f"v-{n}", block={"taskId": f"v-{n}"}, pollIntervalSeconds=5) for n in range(10)
            ]
            own = stage.server.create("own", "news", block={"appId": "mallorys", "taskId": "own"})
            uids = [*theirs, own]
            await within(30, lambda: all(stage.server.ready(uid) == "True/Running" for uid in uids), "Running")
            storm = [stage.server.create(f"m-{n}", "news", block={"taskId": f"m-{n}"}) for n in range(100)]
            await asyncio.sleep(5)
            before = _looks_with(stage.vendor, "key-1")
            for number in range(6):
                for uid in storm:
                    body = stage.server.body(uid)
                    body["metadata"]["annotations"] = {"livetask.dev/requested-at": str(number)}
                    stage.server.put(body)
                await asyncio.sleep(5)
            return (_looks_with(stage.vendor, "key-1") - before) / 30

    assert run(story()) > 1.5, "ten objects every five seconds are two a second"


def _by_project() -> ByProject:
    names = ("name", "title", "block", "application_field", "look_call", "stop_call")
    like = alibaba()
    return ByProject(**{name: getattr(like, name) for name in names})


def _looks_with(vendor: Vendor, key_id: str) -> int:
    return [key for _, key in vendor.looks].count(key_id)
