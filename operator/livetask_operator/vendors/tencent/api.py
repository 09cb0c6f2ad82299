"""One signed call to Tencent Cloud's TRTC API, and the `Response` object or the error that it came to.

Apart from the relay because it is the same for every call. Sources: vendor-apis.md, sections 3.0, 5.3 and 6.2; trap 20.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import httpx

from livetask_operator.vendors.answers import clean_code, json_object
from livetask_operator.vendors.contract import ClockSkew, Credential, InvalidResponse
from livetask_operator.vendors.tencent.errors import refusal
from livetask_operator.vendors.tencent.signature import sign
from livetask_operator.vendors.transport import Answer, Request, Transport

VERSION = "2019-07-22"


@dataclass(frozen=True, slots=True)
class Reply:
    """A call that the vendor carried out: its `Response` object."""

    document: Mapping[str, object]
    request_id: str


class Trtc:
    """Asks. endpoint: `https://host[:port]`; clock: aware times, asked anew for every request."""

    def __init__(self, transport: Transport, endpoint: str, clock: Callable[[], datetime]) -> None:
        self._transport = transport
        url = httpx.URL(endpoint)
        self._host = url.netloc.decode()
        self._url = f"{url.scheme}://{self._host}/"
        self._clock = clock

    async def call(self, action: str, region: str, params: Mapping[str, object], credential: Credential) -> Reply:
        """Calls an action; a second time where its time was refused, within the time of one call.

        Raises VendorError with the vendor's code, where there is one.
        """
        deadline = self._transport.deadline()
        try:
            return await self._once(action, region, params, credential, deadline)
        except ClockSkew:
            # The clock may just have been set, or the request may have lain somewhere. It was not carried out.
            pass
        return await self._once(action, region, params, credential, deadline)

    async def _once(
        self, action: str, region: str, params: Mapping[str, object], credential: Credential, deadline: float
    ) -> Reply:
        body = json.dumps(params).encode()
        headers = sign(
            host=self._host,
            action=action,
            version=VERSION,
            region=region,
            body=body,
            credential=credential,
            date=self._clock(),
        )
        answer = await self._transport.send(Request("POST", self._url, headers, body), deadline)
        return self._read(answer)

    def _read(self, answer: Answer) -> Reply:
        response = (json_object(answer.body) or {}).get("Response")
        document = response if isinstance(response, dict) else None
        error = (document or {}).get("Error")
        code = clean_code(error.get("Code")) if isinstance(error, dict) else ""
        request_id = clean_code((document or {}).get("RequestId"))
        if code and document is not None and "Status" in document:
            # An error and a status: whichever were believed could hide a running task, or let one go.
            raise InvalidResponse(f"the answer says a status and {code} in one")
        if code or not 200 <= answer.status < 300:
            raise refusal(answer.status, answer.headers, code, request_id, self._clock())
        if document is None:
            raise InvalidResponse("the answer is not a JSON object with a Response")
        if "Error" in document:
            raise InvalidResponse("the answer has an error without a code")
        return Reply(document, request_id)
