"""Alibaba Cloud's relay: how its tasks are looked at and stopped, and what its status numbers mean.

Sources: vendor-apis.md, sections 1.3 and 1.6; traps 3, 8 and 11.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from livetask_operator.vendors.alibaba.credential import SECRET_KEYS, credential_in
from livetask_operator.vendors.alibaba.errors import INVALID_PARAM, TASK_NOT_FOUND
from livetask_operator.vendors.alibaba.rpc import Edition, Reply, Rpc
from livetask_operator.vendors.answers import printable
from livetask_operator.vendors.contract import (
    Credential,
    InvalidResponse,
    Look,
    Observation,
    State,
    StopAnswer,
    StopOutcome,
    TaskRef,
    Turn,
    VendorError,
    at_once,
)
from livetask_operator.vendors.transport import Transport

_START_AGAIN = "To go on, start it again with the same id; this object follows."

RELAY_STATES: Mapping[int, tuple[State, str, str]] = {
    # what the vendor says: the state, what it means, what to do. 2..6 all end the run.
    0: (State.PENDING, "waiting for the channel to start", ""),
    1: (State.RUNNING, "relaying", ""),
    2: (State.STOPPED, "stopped", _START_AGAIN),
    3: (State.STOPPED, "stopped by a user", _START_AGAIN),
    4: (State.STOPPED, "the channel has stopped", _START_AGAIN),
    5: (State.FAILED, "trouble with the CDN's network", "Start the task again with the same id; this object follows."),
    6: (
        State.FAILED,
        "trouble with the push URL",
        "Check the URL and start the task again with the same id; this object follows.",
    ),
}

STOP_VERSION = "2016-11-01"
"""StopLiveMPUTask exists in the Live edition alone."""


class AlibabaRelay:
    """Alibaba Cloud as a RelayVendor.

    stop_endpoint: the Live edition's. look_at: where GetMPUTaskStatus is asked, as two editions have it (trap 3).
    """

    name = "AlibabaCloud"
    title = "Alibaba Cloud"
    block = "alibabaCloud"
    look_call = "GetMPUTaskStatus"
    look_batch = 1
    stop_call = "StopLiveMPUTask"
    task_field = "spec.alibabaCloud.taskId"
    secret_keys = SECRET_KEYS

    def __init__(
        self,
        transport: Transport,
        *,
        look_at: Edition,
        stop_endpoint: str,
        clock: Callable[[], datetime],
        nonce: Callable[[], str],
        status_words: Mapping[str, State] | None = None,
    ) -> None:
        self._status_words = status_words or {}
        self._rpc = Rpc(transport, clock, nonce)
        self._look_at = look_at
        self._stop_at = Edition(stop_endpoint, STOP_VERSION)

    def task(self, block: Mapping[str, object]) -> TaskRef:
        """The task that `spec.alibabaCloud` names."""
        return TaskRef(self.name, application=str(block["appId"]), task=str(block["taskId"]))

    def credential(self, data: Mapping[str, str]) -> Credential:
        """The access key in a Secret, with its security token where there is one. Raises SecretUnusable."""
        return credential_in(data)

    def account(self, credential: Credential, task: TaskRef) -> str:
        """The vendor counts calls per account; all that is known of it is the key's id."""
        return credential.key_id

    async def look(
        self, credential: Credential, tasks: Sequence[TaskRef], turn: Turn = at_once
    ) -> Mapping[TaskRef, Look]:
        """Looks at the tasks one after the other, with a call for each: the API has no other."""
        return {task: await self._look_at_one(credential, task, turn) for task in tasks}

    async def _look_at_one(self, credential: Credential, task: TaskRef, turn: Turn) -> Look:
        await turn()
        try:
            reply = await self._rpc.call(self._look_at, self.look_call, _params(task), credential)
            return observed(reply, self._status_words)
        except VendorError as error:
            if error.code == TASK_NOT_FOUND:
                return Observation(
                    State.NOT_FOUND,
                    vendor_status=TASK_NOT_FOUND,
                    meaning="it does not know the task",
                    request_id=error.request_id,
                )
            return error

    async def stop(self, credential: Credential, task: TaskRef) -> StopAnswer:
        """Stops a task. What the vendor says to a task that has ended is not documented: see UNSETTLED."""
        try:
            reply = await self._rpc.call(self._stop_at, self.stop_call, _params(task), credential)
        except VendorError as error:
            if error.code in (INVALID_PARAM, TASK_NOT_FOUND):
                return StopAnswer(StopOutcome.UNSETTLED, request_id=error.request_id, code=error.code)
            raise
        if not reply.request_id:
            # The answer to a stop is its RequestId and nothing else: an object without one is not that answer.
            raise InvalidResponse("the answer to a stop has no RequestId")
        return StopAnswer(StopOutcome.ACCEPTED, request_id=reply.request_id)


def observed(reply: Reply, status_words: Mapping[str, State]) -> Observation:
    """What an answer of GetMPUTaskStatus says. Raises InvalidResponse where it has no status that could be one."""
    said = reply.document.get("Status")
    # A bool is an int to Python. Numbers are documented; elsewhere this API writes them as strings, so "1" is 1.
    if isinstance(said, bool) or not isinstance(said, int | str):
        raise InvalidResponse("the answer has no status", request_id=reply.request_id)
    word = printable(str(said))
    if not word:
        raise InvalidResponse("the answer has no status", request_id=reply.request_id)
    for number, (state, meaning, advice) in RELAY_STATES.items():
        if word == str(number):
            return Observation(state, word, meaning, advice, request_id=reply.request_id)
    if word in status_words:
        return Observation(status_words[word], word, request_id=reply.request_id)
    return Observation(
        State.UNKNOWN,
        word,
        meaning="a status that its documentation does not have",
        request_id=reply.request_id,
    )


def _params(task: TaskRef) -> Mapping[str, str]:
    return {"AppId": task.application, "TaskId": task.task}
