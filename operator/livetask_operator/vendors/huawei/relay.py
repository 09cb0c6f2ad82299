"""Huawei Cloud's relay: how its pull tasks are looked at, many at once, and stopped.

Sources: vendor-apis.md, sections 4.3 to 4.5; traps 29 to 35.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from livetask_operator.vendors.contract import (
    Credential,
    InvalidResponse,
    Look,
    State,
    StopAnswer,
    StopOutcome,
    TaskRef,
    Turn,
    VendorError,
    at_once,
)
from livetask_operator.vendors.huawei.api import Live, misnamed
from livetask_operator.vendors.huawei.credential import SECRET_KEYS, credential_in
from livetask_operator.vendors.huawei.errors import BadRequest, NoSuchThing
from livetask_operator.vendors.huawei.looks import PAGE, Asker, look_at_all
from livetask_operator.vendors.huawei.missing import Missing
from livetask_operator.vendors.huawei.rows import Page, answer_for, not_there, page_in, words_in_lower_case
from livetask_operator.vendors.transport import Transport

MAX_LISTS = 10_000
"""Of so many lists it is remembered what they lack."""


class HuaweiRelay:
    """Huawei Cloud as a RelayVendor.

    endpoint: `https://host[:port]`, with `{region}` or without.
    status_words: more words of the vendor and what they mean; they go before the ones that are known here.
    """

    name = "HuaweiCloud"
    title = "Huawei Cloud"
    block = "huaweiCloud"
    look_call = "ListPullTasks"
    look_batch = PAGE
    stop_call = "DeletePullTask"
    task_field = "spec.huaweiCloud.taskId"
    secret_keys = SECRET_KEYS

    def __init__(
        self,
        transport: Transport,
        *,
        endpoint: str,
        clock: Callable[[], datetime],
        status_words: Mapping[str, State] | None = None,
    ) -> None:
        self._live = Live(transport, endpoint, clock)
        self._clock = clock
        self._missing: dict[tuple[str, str, str], Missing] = {}
        self._words = words_in_lower_case(status_words or {})

    def task(self, block: Mapping[str, object]) -> TaskRef:
        """The task that `spec.huaweiCloud` names."""
        return TaskRef(
            self.name,
            application=str(block["projectId"]),
            task=str(block["taskId"]),
            region=str(block["region"]),
        )

    def credential(self, data: Mapping[str, str]) -> Credential:
        """The access key in a Secret, or the token that stands for one. Raises SecretUnusable."""
        return credential_in(data)

    def account(self, credential: Credential, task: TaskRef) -> str:
        """The vendor counts calls per project."""
        return task.application

    async def look(
        self, credential: Credential, tasks: Sequence[TaskRef], turn: Turn = at_once
    ) -> Mapping[TaskRef, Look]:
        """Looks at the tasks, a page of a project's list for up to a hundred of them."""
        looks: dict[TaskRef, Look] = {}
        lists: dict[tuple[str, str], list[TaskRef]] = {}
        for task in dict.fromkeys(tasks):
            if (error := misnamed(task)) is not None:
                looks[task] = error
            else:
                lists.setdefault((task.application, task.region), []).append(task)
        for (project, region), listed in lists.items():
            asker = _OneList(self._live, project, region, credential, self._words, turn)
            found = await look_at_all(
                [task.task for task in listed], asker, self._missing_of(project, region, credential)
            )
            looks |= {task: found[task.task] for task in listed}
        return looks

    async def stop(self, credential: Credential, task: TaskRef) -> StopAnswer:
        """Stops a task, which deletes it: the vendor has no other stop (trap 30).

        A 404 of the service itself is gone; a 400 may be gone or may be a bad request, and is settled by a look.
        """
        if (error := misnamed(task)) is not None:
            raise error
        try:
            reply = await self._live.call("DELETE", task.application, task.region, {"task_id": task.task}, credential)
        except NoSuchThing as gone:
            return StopAnswer(StopOutcome.GONE, request_id=gone.request_id, code=gone.code)
        except BadRequest as unsettled:
            return StopAnswer(StopOutcome.UNSETTLED, request_id=unsettled.request_id, code=unsettled.code)
        if not reply.request_id:
            raise InvalidResponse("the answer to a stop has no request_id")
        if reply.document.get("task_id", task.task) != task.task:
            raise InvalidResponse("the answer to a stop is about another task", request_id=reply.request_id)
        return StopAnswer(StopOutcome.ACCEPTED, request_id=reply.request_id)

    def _missing_of(self, project: str, region: str, credential: Credential) -> Missing:
        """What is remembered of a list. Never another credential's: what that one may not see is there all the same."""
        key = (project, region, credential.fingerprint)
        if key not in self._missing and len(self._missing) >= MAX_LISTS:
            self._missing.clear()  # most are of keys that were rotated long ago; the others ask once more
        return self._missing.setdefault(key, Missing(self._clock))


class _OneList(Asker):
    """The tasks of one project in one region, with one credential."""

    def __init__(
        self, live: Live, project: str, region: str, credential: Credential, words: Mapping[str, State], turn: Turn
    ) -> None:
        self._live = live
        self._project = project
        self._region = region
        self._credential = credential
        self._words = words
        self._turn = turn

    async def page(self, offset: int) -> Page:
        await self._turn()
        params = {"offset": str(offset), "limit": str(PAGE)}
        try:
            reply = await self._live.call("GET", self._project, self._region, params, self._credential)
        except NoSuchThing:
            return Page(rows=(), length=0, total=None)  # nothing here; of no task is anything said
        return page_in(reply, self._words)

    async def look_for(self, task: str) -> Look:
        await self._turn()
        try:
            reply = await self._live.call("GET", self._project, self._region, {"task_id": task}, self._credential)
            return answer_for(task, reply, self._words)
        except NoSuchThing as gone:
            return not_there(gone.code, gone.request_id)
        except VendorError as error:
            return error
