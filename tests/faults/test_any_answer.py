"""The vendor says anything (promise 11): each call ends with a documented reason, and nothing is let go for nothing.

On the wire, to the operator's own transport and clients. How the operator as a whole takes it is told by
`tests/kube/test_trouble.py` and `test_any_life_for_real.py`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livetask_operator.reconcile.reasons import MAY_PASS, NEEDS_PERSON
from livetask_operator.vendors.contract import (
    Observation,
    State,
    StopAnswer,
    StopOutcome,
    VendorError,
    VendorUnavailable,
)
from livetask_operator.vendors.transport import Transport
from tests.faults.any_answer import Wire, wires
from tests.faults.seeds import EXAMPLES
from tests.faults.vendor_calls import CALLS, Call, Document, Outcome, settles
from tests.vendors.peers import peer

MOST_REQUESTS = 200
"""Of one look: a list of a hundred pages, and a hundred tasks one by one."""
ENDS_WITHIN_S = 30.0
TIMEOUT_S = 0.3


class Vendor:
    """A server that says one thing, to whatever it is asked, over connections that are used again."""

    def __init__(self, url: str, transport: Transport, said: list[Wire], runner: asyncio.Runner) -> None:
        self.requests = 0
        self._url = url
        self._transport = transport
        self._said = said
        self._runner = runner

    def is_asked(self, call: Call, wire: Wire) -> Outcome | VendorError:
        """What the operator makes of an answer to a call."""
        self._said[:] = [wire]
        self.requests = 0
        return self._runner.run(self._ask(call))

    async def _ask(self, call: Call) -> Outcome | VendorError:
        async with asyncio.timeout(ENDS_WITHIN_S):
            return await call.ask(self._transport, self._url, self._turn)

    async def _turn(self) -> None:
        """Each request is counted, as by a quota."""
        self.requests += 1


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    said: list[Wire] = []

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said[0].raw)
        if said[0].closes:
            writer.close()

    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        server = runner.run(stack.enter_async_context(peer(behave)))
        transport = runner.run(stack.enter_async_context(Transport("livetask-operator (test)", timeout_s=TIMEOUT_S)))
        yield Vendor(server.url, transport, said, runner)
        runner.run(stack.aclose())


@pytest.mark.parametrize("call", CALLS, ids=str)
@settings(EXAMPLES, max_examples=EXAMPLES.max_examples * 150, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_a_vendor_says_a_call_ends_with_a_documented_reason(
    vendor: Vendor, call: Call, data: st.DataObject
) -> None:
    wire = data.draw(wires(call))

    outcome = vendor.is_asked(call, wire)

    assert wrong_in(call, wire, outcome, vendor.requests) == []


def wrong_in(call: Call, wire: Wire, outcome: Outcome | VendorError, requests: int) -> list[str]:
    """What the operator may not make of an answer."""
    found = []
    if requests > MOST_REQUESTS:
        found.append(f"{requests} requests")
    if isinstance(outcome, VendorError):
        if outcome.reason not in {reason.value for reason in NEEDS_PERSON | MAY_PASS}:
            found.append(f"{outcome.reason} is not documented")
        if "said so" in str(outcome):
            found.append("the vendor's text is kept, which may echo what was signed")
    is_running = isinstance(outcome, Observation) and outcome.state is State.RUNNING
    if is_running and call.running not in json.dumps(read(wire.body)):
        found.append("nothing says that it runs")
    if settles(outcome):
        if not wire.is_whole:
            found.append(f"{outcome} of an answer that was cut off")
        if not call.may_settle(wire.status, read(wire.body)):
            found.append(f"{outcome} of {wire.body!r}")
    return found


LOOK, STOP = CALLS[0], CALLS[2]
STOPPED, RUNNING = Observation(State.STOPPED, "2"), Observation(State.RUNNING, "1")
ACCEPTED = StopAnswer(StopOutcome.ACCEPTED, "r")


@pytest.mark.parametrize(
    ("call", "body", "is_whole", "outcome", "caught"),
    [
        (LOOK, b'{"Status": 2}', False, STOPPED, "cut off"),
        (LOOK, b'{"Status": 1}', True, STOPPED, "Stopped"),
        (LOOK, b'{"Status": 0}', True, RUNNING, "nothing says that it runs"),
        (LOOK, b"<html>", True, Observation(State.NOT_FOUND, ""), "NotFound"),
        (STOP, b'{"RequestId": "r", "Code": "Throttling.User"}', True, ACCEPTED, "ACCEPTED"),
        (STOP, b"{}", True, ACCEPTED, "ACCEPTED"),
        (LOOK, b"{}", True, VendorUnavailable("it said so"), "the vendor's text"),
    ],
)
def test_what_may_not_be_made_of_an_answer_is_caught(
    call: Call, body: bytes, is_whole: bool, outcome: Outcome | VendorError, caught: str
) -> None:
    wire = Wire(b"", closes=False, status=200, body=body, is_whole=is_whole)

    assert any(caught in each for each in wrong_in(call, wire, outcome, requests=1))


def read(body: bytes) -> Document:
    """What is in a body, read by Python's own reader; None where it is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
