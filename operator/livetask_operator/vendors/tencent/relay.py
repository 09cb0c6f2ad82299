"""Tencent Cloud's relay: how its stream ingest tasks are looked at and stopped, and what its two words mean.

Sources: vendor-apis.md, sections 3.2 and 3.4; traps 20 to 25.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

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
from livetask_operator.vendors.secret_values import MAX_TOKEN, secret_value
from livetask_operator.vendors.tencent.api import Reply, Trtc
from livetask_operator.vendors.tencent.errors import INVALID_TASK_ID, RESOURCE_NOT_FOUND, TASK_FINISHED, TASK_NOT_EXIST
from livetask_operator.vendors.transport import Transport

_NOT_THERE = Observation(
    State.NOT_FOUND,
    vendor_status="NotExist",
    meaning="it does not know the task",
    advice="Check the task id, the sdkAppId and the region; an id is good for one run, and that may have ended. "
    "They cannot be changed: make a new object with the right ones.",
    if_seen=Observation(
        State.STOPPED,
        vendor_status="NotExist",
        meaning="the task has ended",
        advice="An id is good for one run: for the next one make a new object with its id.",
    ),
)

RELAY_STATES: Mapping[str, Observation] = {
    # There are no other words: a paused task is in progress (and billed), one that failed does not exist.
    "InProgress": Observation(State.RUNNING, vendor_status="InProgress", meaning="relaying, or paused"),
    "NotExist": _NOT_THERE,
}

SETTLED_BY_A_LOOK = frozenset({TASK_FINISHED, TASK_NOT_EXIST, RESOURCE_NOT_FOUND, INVALID_TASK_ID})
"""What a stop that comes too late may be told. The last is documented for it, and may as well be about a wrong id."""


class TencentRelay:
    """Tencent Cloud as a RelayVendor.

    status_words: more words of the vendor and what they mean, beside the documented ones.
    """

    name = "TencentCloud"
    title = "Tencent Cloud"
    block = "tencentCloud"
    look_call = "DescribeStreamIngest"
    look_batch = 1
    stop_call = "StopStreamIngest"
    task_field = "spec.tencentCloud.taskId"
    secret_keys: tuple[str, ...] = ("secretId", "secretKey")

    def __init__(
        self,
        transport: Transport,
        *,
        endpoint: str,
        clock: Callable[[], datetime],
        status_words: Mapping[str, State] | None = None,
    ) -> None:
        self._trtc = Trtc(transport, endpoint, clock)
        self._status_words = status_words or {}

    def task(self, block: Mapping[str, object]) -> TaskRef:
        """The task that `spec.tencentCloud` names."""
        return TaskRef(
            self.name,
            application=str(block["sdkAppId"]),
            task=str(block["taskId"]),
            region=str(block["region"]),
        )

    def credential(self, data: Mapping[str, str]) -> Credential:
        """The key in a Secret, with its token where there is one. Raises SecretUnusable."""
        return Credential(
            key_id=secret_value(data, "secretId"),
            secret=secret_value(data, "secretKey"),
            token=secret_value(data, "token", MAX_TOKEN) if "token" in data else None,
        )

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
            reply = await self._trtc.call(self.look_call, task.region, _params(task), credential)
            return observed(reply, self._status_words)
        except VendorError as error:
            if error.code == TASK_NOT_EXIST:  # documented for the update of a task; it says what NotExist says
                return _as_said(_NOT_THERE, TASK_NOT_EXIST, error.request_id)
            return error

    async def stop(self, credential: Credential, task: TaskRef) -> StopAnswer:
        """Stops a task. That it has finished or does not exist is settled by a look.

        "Does not exist" may be what a key of another account is told, and only a look is weighed against which key
        saw the task, and whether it was seen to end: so a Secret that was exchanged for another account's leaks no
        task, and one that was rotated after the end does not hold the object.
        """
        try:
            reply = await self._trtc.call(self.stop_call, task.region, _params(task), credential)
        except VendorError as error:
            if error.code in SETTLED_BY_A_LOOK or error.code.startswith(f"{RESOURCE_NOT_FOUND}."):
                return StopAnswer(StopOutcome.UNSETTLED, request_id=error.request_id, code=error.code)
            raise
        if not reply.request_id:
            # The answer to a stop is its RequestId and nothing else: an object without one is not that answer.
            raise InvalidResponse("the answer to a stop has no RequestId")
        return StopAnswer(StopOutcome.ACCEPTED, request_id=reply.request_id)


def observed(reply: Reply, status_words: Mapping[str, State]) -> Observation:
    """What an answer of DescribeStreamIngest says. Raises InvalidResponse where it has no status that could be one."""
    said = reply.document.get("Status")
    word = printable(said) if isinstance(said, str) else ""
    if not word:
        raise InvalidResponse("the answer has no status", request_id=reply.request_id)
    if word in RELAY_STATES:
        return _as_said(RELAY_STATES[word], word, reply.request_id)
    if word in status_words:
        return Observation(status_words[word], word, request_id=reply.request_id)
    return Observation(
        State.UNKNOWN,
        word,
        meaning="a status that its documentation does not have",
        request_id=reply.request_id,
    )


def _as_said(meaning: Observation, word: str, request_id: str) -> Observation:
    if_seen = meaning.if_seen and _as_said(meaning.if_seen, word, request_id)
    return replace(meaning, vendor_status=word, request_id=request_id, if_seen=if_seen)


def _params(task: TaskRef) -> Mapping[str, object]:
    return {"SdkAppId": int(task.application), "TaskId": task.task}
