"""The vendor sends too much, or too slowly (promise 11): each call ends in time, in little memory, and says why.

Every call against every way, through the operator's own transport. A body of a megabyte is the most that is read.
"""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Iterator

import pytest

from livetask_operator.vendors.contract import InvalidResponse, MayPass, Observation, State, VendorUnavailable
from livetask_operator.vendors.transport import Transport
from tests.faults.bombs import FLOODS, MIB, SLOW
from tests.faults.vendor_calls import CALLS, Call
from tests.vendors.peers import answers, peer

TIMEOUT_S = 1.0
SHORT_S = 0.2
"""For what goes on until the time is up."""
LATE_S = 5.0
"""More than the time-out and the loop of a busy machine together."""
MOST_BYTES = 24 * MIB
"""Of one call at a time. A megabyte full of empty objects would take a hundred if it were read."""
OUR_WORDS = 700


@pytest.fixture(scope="module", autouse=True)
def memory() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def transport(timeout_s: float = 20.0) -> Transport:
    return Transport("livetask-operator/0.1.0 (test)", timeout_s=timeout_s)


@pytest.mark.parametrize("flood", FLOODS)
async def test_too_much_is_cut_off_before_it_fills_the_memory(flood: str) -> None:
    async with peer(FLOODS[flood]) as vendor, transport(SHORT_S) as client:
        for call in CALLS:
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()

            outcome = await call.ask(client, vendor.url)

            _, most = tracemalloc.get_traced_memory()
            assert is_no_verdict(outcome), f"{call}: {outcome}"
            assert len(str(outcome)) < OUR_WORDS, call
            assert most - before < MOST_BYTES, f"{call}: {(most - before) // MIB} MiB"


def is_no_verdict(outcome: object) -> bool:
    """Whether it says nothing of a task. A word of a megabyte is a word that nobody knows."""
    is_odd_word = isinstance(outcome, Observation) and outcome.state is State.UNKNOWN
    return is_odd_word or isinstance(outcome, MayPass)


@pytest.mark.parametrize("way", SLOW)
async def test_a_call_ends_in_time_however_slow_its_answer_is(way: str) -> None:
    async with (
        peer(SLOW[way]) as vendor,
        transport(TIMEOUT_S) as client,
        asyncio.timeout(TIMEOUT_S + LATE_S),
    ):
        outcomes = await asyncio.gather(*(call.ask(client, vendor.url) for call in CALLS))

    assert [type(outcome) for outcome in outcomes] == [VendorUnavailable] * len(CALLS)


@pytest.mark.parametrize("call", CALLS, ids=str)
@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent", "300 Many"]
)
async def test_a_signed_request_goes_to_no_other_host(call: Call, status: str) -> None:
    sound = call.answers[0].body
    async with peer(answers(sound)) as elsewhere, transport() as client:
        redirects = answers(sound, status, f"Location: {elsewhere.url}/")
        async with peer(redirects) as vendor:
            outcome = await call.ask(client, vendor.url)

    assert isinstance(outcome, InvalidResponse)
    assert elsewhere.connections == 0


@pytest.mark.parametrize("call", CALLS, ids=str)
async def test_a_connection_that_dies_between_two_calls_costs_a_call_and_sends_nothing_twice(call: Call) -> None:
    """The vendor closes what it kept open, as it may at any time."""

    async def closes_after(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answers(call.answers[0].body)(reader, writer)
        await writer.drain()
        writer.close()

    async with peer(closes_after) as vendor, transport() as client:
        for _ in range(6):
            before = len(vendor.heads)
            outcome = await call.ask(client, vendor.url)

            requests = len(vendor.heads) - before
            assert requests == 1 or (requests == 0 and isinstance(outcome, VendorUnavailable))

        assert len(vendor.heads) >= 3, "of two calls one is answered"
