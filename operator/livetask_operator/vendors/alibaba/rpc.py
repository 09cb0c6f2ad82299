"""One signed call to an Alibaba Cloud RPC API, and the JSON object or the error that it came to.

What the relay and the preload API have in common. Sources: vendor-apis.md, sections 1.0, 5.2 and 6.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from livetask_operator.vendors.alibaba.errors import TASK_NOT_FOUND, refusal
from livetask_operator.vendors.alibaba.signature import sign
from livetask_operator.vendors.answers import clean_code, json_object
from livetask_operator.vendors.contract import ClockSkew, Credential, InvalidResponse
from livetask_operator.vendors.transport import Answer, Request, Transport, server_at


@dataclass(frozen=True, slots=True)
class Edition:
    """Where an API is asked, and in which version of it."""

    endpoint: str
    """`https://host[:port]`."""
    version: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A call that the vendor carried out."""

    document: Mapping[str, object]
    request_id: str


class Rpc:
    """Asks. clock: aware times; nonce: a word never used before. Both are asked anew for every request."""

    def __init__(self, transport: Transport, clock: Callable[[], datetime], nonce: Callable[[], str]) -> None:
        self._transport = transport
        self._clock = clock
        self._nonce = nonce

    async def call(self, edition: Edition, action: str, params: Mapping[str, str], credential: Credential) -> Reply:
        """Calls an action; a second time where its time or nonce was refused, within the time of one call.

        Raises VendorError with the vendor's code, where there is one.
        """
        deadline = self._transport.deadline()
        try:
            return await self.once(edition, action, params, credential, deadline)
        except ClockSkew:
            # The clock may just have been set, or the network may have sent a request twice.
            pass
        return await self.once(edition, action, params, credential, deadline)

    async def once(
        self,
        edition: Edition,
        action: str,
        params: Mapping[str, str],
        credential: Credential,
        deadline: float | None = None,
    ) -> Reply:
        """Calls an action with a single request, for who counts requests. Raises VendorError."""
        url = server_at(edition.endpoint)
        host = url.netloc.decode()
        signed = sign(
            method="POST",
            host=host,
            action=action,
            version=edition.version,
            params=params,
            credential=credential,
            date=self._clock(),
            nonce=self._nonce(),
        )
        headers = {**signed.headers, "accept": "application/json"}
        answer = await self._transport.send(
            Request("POST", f"{url.scheme}://{host}/?{signed.query}", headers), deadline
        )
        return self._read(answer)

    def _read(self, answer: Answer) -> Reply:
        document = json_object(answer.body)
        said = _said_code(document, answer)
        code, request_id = clean_code(said), _request_id(document)
        if code == TASK_NOT_FOUND and document is not None and "Status" in document:
            # Gone and not gone: of all contradictions the one that would let a running task go.
            raise InvalidResponse(f"the answer says a status and {code} in one")
        if code or not 200 <= answer.status < 300:
            raise refusal(answer.status, answer.headers, code, request_id, self._clock())
        if document is None:
            raise InvalidResponse("the answer is not a JSON object")
        if said:
            raise InvalidResponse("the answer has an error code that is none")
        return Reply(document, request_id)


def _said_code(document: Mapping[str, object] | None, answer: Answer) -> object:
    """The error code as it was said, whatever it is: business errors come with HTTP 200 too (trap 8)."""
    if document is not None:
        # The vendor's SDK takes both spellings.
        return document.get("Code") or document.get("code")
    if answer.status >= 400 and (found := re.search(rb"<Code>([A-Za-z0-9._-]{1,64})</Code>", answer.body)):
        return found[1].decode()
    return None


def _request_id(document: Mapping[str, object] | None) -> str:
    return clean_code((document or {}).get("RequestId"))
