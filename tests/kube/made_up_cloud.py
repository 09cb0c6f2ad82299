"""A vendor that does not exist, and the operator with it: what a fourth vendor takes is this class and one line.

Its cloud is a folder: a task is a file that holds a word, and `password` is the one that it accepts.
Run as `python -m tests.kube.made_up_cloud FOLDER NAMESPACE`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from livetask_operator.config import Config
from livetask_operator.kube.process import Options, Vendors, run
from livetask_operator.kube.scope import Scope
from livetask_operator.observability.enquiries import Enquiries
from livetask_operator.observability.health import Health
from livetask_operator.observability.metrics import Metrics
from livetask_operator.vendors.catalogue import relay_vendors
from livetask_operator.vendors.contract import (
    Credential,
    CredentialsRejected,
    Look,
    Observation,
    SecretUnusable,
    State,
    StopAnswer,
    StopOutcome,
    TaskRef,
    Turn,
    VendorError,
    VendorUnavailable,
    at_once,
)
from livetask_operator.vendors.transport import Transport

RELAY_STATES = {
    "on air": (State.RUNNING, "relaying"),
    "over": (State.STOPPED, "it has ended"),
}
PASSWORD = "password"


class NimbusCloud:
    """Nimbus Cloud as a RelayVendor. It borrows another vendor's block, as the CRD has none for it."""

    name = "NimbusCloud"
    title = "Nimbus Cloud"
    block = "tencentCloud"
    look_call = "ReadFolder"
    look_batch = 100
    stop_call = "WriteFile"
    task_field = "spec.tencentCloud.taskId"
    secret_keys: tuple[str, ...] = (PASSWORD,)

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def task(self, block: Mapping[str, object]) -> TaskRef:
        return TaskRef(self.name, application=str(block["sdkAppId"]), task=str(block["taskId"]))

    def credential(self, data: Mapping[str, str]) -> Credential:
        if PASSWORD not in data:
            raise SecretUnusable(f"has no key {PASSWORD}; add it")
        return Credential(key_id="everybody", secret=data[PASSWORD])

    def account(self, credential: Credential, task: TaskRef) -> str:
        return task.application

    async def look(
        self, credential: Credential, tasks: Sequence[TaskRef], turn: Turn = at_once
    ) -> Mapping[TaskRef, Look]:
        await turn()
        try:
            self._let_in(credential)
        except VendorError as error:
            return dict.fromkeys(tasks, error)
        return {task: self._look_at(task) for task in tasks}

    async def stop(self, credential: Credential, task: TaskRef) -> StopAnswer:
        self._let_in(credential)
        if self._look_at(task).state.is_gone:
            return StopAnswer(StopOutcome.GONE)
        (self._folder / task.task).write_text("over")
        return StopAnswer(StopOutcome.ACCEPTED)

    def _let_in(self, credential: Credential) -> None:
        try:
            accepted = (self._folder / PASSWORD).read_text()
        except OSError as error:
            raise VendorUnavailable("the folder cannot be read") from error
        if credential.secret != accepted:
            raise CredentialsRejected("it is another password")

    def _look_at(self, task: TaskRef) -> Observation:
        file = self._folder / task.task
        if not file.exists():
            return Observation(State.NOT_FOUND, vendor_status="no such file")
        word = file.read_text()
        state, meaning = RELAY_STATES.get(word, (State.UNKNOWN, ""))
        return Observation(state, word, meaning)


async def main(folder: Path, namespace: str) -> int:
    """The operator as `livetask-operator run` puts it together, and the one line."""
    options = Options(
        scope=Scope((namespace,)),
        leader_elect=False,
        lease_name="",
        lease_namespace="",
        identity="made-up-cloud",
        user_agent="livetask-operator",
    )
    async with Transport("livetask-operator") as transport:
        relay = {vendor.block: vendor for vendor in relay_vendors(transport).values()}
        relay[NimbusCloud.block] = NimbusCloud(folder)
        vendors = Vendors(relay, preload={})
        return await run(options, Config.default(), vendors, Metrics(), Health(time.monotonic), Enquiries())


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]), sys.argv[2])))
