"""One signed call to Huawei Cloud's Live API, and the JSON object or the error that it came to.

Apart from the relay because it is the same for every call. Sources: vendor-apis.md, sections 4.0, 4.5 and 5.4.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from livetask_operator.vendors.answers import clean_code, json_object
from livetask_operator.vendors.contract import Credential, InvalidRequest, InvalidResponse, TaskRef
from livetask_operator.vendors.huawei.errors import NoSuchThing, refusal
from livetask_operator.vendors.huawei.signature import sign
from livetask_operator.vendors.transport import Answer, Request, Transport, server_at

REGION = re.compile(r"(?=.{1,32}\Z)[a-z0-9]+(-[a-z0-9]+)*")
PROJECT = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True)
class Reply:
    """A call that the vendor carried out."""

    document: Mapping[str, object]
    request_id: str


class Live:
    """Asks. endpoint: `https://host[:port]`, with `{region}` or without; clock: aware times, asked anew each time."""

    def __init__(self, transport: Transport, endpoint: str, clock: Callable[[], datetime]) -> None:
        self._transport = transport
        self._endpoint = endpoint
        self._clock = clock

    async def call(
        self, method: str, project: str, region: str, params: Mapping[str, str], credential: Credential
    ) -> Reply:
        """Asks for, or deletes, tasks of a project in a region, with one request. Raises VendorError."""
        url = server_at(self._endpoint.replace("{region}", region))
        host, path = url.netloc.decode(), f"/v1/{project}/pull/stream/task"
        signed = sign(
            method=method,
            host=host,
            path=path,
            project=project,
            params={**params, "region": region},
            credential=credential,
            date=self._clock(),
        )
        headers = {**signed.headers, "accept": "application/json"}
        answer = await self._transport.send(Request(method, f"{url.scheme}://{host}{path}?{signed.query}", headers))
        return self._read(answer)

    def _read(self, answer: Answer) -> Reply:
        document = json_object(answer.body)
        said, message = _said_error(document or {}, nested=answer.status >= 400)
        code, request_id = clean_code(said), _request_id(document, answer)
        if code or not 200 <= answer.status < 300:
            error = refusal(answer.status, answer.headers, code, message, request_id, self._clock())
            if isinstance(error, NoSuchThing) and document is not None and document.get("task_infos"):
                # There and not there: of all contradictions the one that would let a running task go.
                raise InvalidResponse(f"the answer has tasks and {code} in one", request_id=request_id)
            raise error
        if document is None:
            raise InvalidResponse("the answer is not a JSON object")
        if said:
            raise InvalidResponse("the answer has an error code that is none", request_id=request_id)
        return Reply(document, request_id)


def misnamed(task: TaskRef) -> InvalidRequest | None:
    """What is wrong with the names that go into host and path.

    The CRD refuses them too, but where a signed request goes is not left to it alone.
    """
    if not REGION.fullmatch(task.region):
        return InvalidRequest("the region is not a region's name, such as cn-north-4")
    if not PROJECT.fullmatch(task.application):
        return InvalidRequest("the project id is not one")
    return None


def _said_error(document: Mapping[str, object], *, nested: bool) -> tuple[object, object]:
    """The error code and message as they were said, in the three spellings that the vendor's SDK takes."""
    for each in (document, *(_objects_in(document) if nested else ())):
        for code, message in (("error_code", "error_msg"), ("errorCode", "errorMsg"), ("code", "message")):
            if each.get(code):
                said = each[code]
                return (str(said) if isinstance(said, int) else said), each.get(message)
    return None, None


def _objects_in(document: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    return (value for value in document.values() if isinstance(value, dict))


def _request_id(document: Mapping[str, object] | None, answer: Answer) -> str:
    return clean_code((document or {}).get("request_id")) or clean_code(answer.headers.get("x-request-id"))
