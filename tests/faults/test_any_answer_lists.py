"""Lists that repeat themselves for ever, whose length is never what they say, whose pages fail: each reading ends.

What a list that lies means for its tasks is tested with each vendor (`test_looks.py`, `test_preload_shifting.py`).
Here any pages are drawn, and what is counted is the requests, each of which is a piece of the account's quota.
"""

from __future__ import annotations

import json

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from livetask_operator.vendors.catalogue import preload_vendors
from livetask_operator.vendors.contract import Observation, PreloadNames, PreloadRows, State, VendorError
from livetask_operator.vendors.transport import Transport
from tests.faults.seeds import EXAMPLES
from tests.faults.vendor_calls import KEY, NOW, Said, huawei_list, huawei_task, preload_list, preload_row
from tests.vendors.huawei.conversation import relay
from tests.vendors.huawei.conversation import task as huawei_ref
from tests.vendors.no_network import NoNetwork

MOST_OF_A_PROJECT = 200
"""The longest list has a hundred pages, and a hundred tasks are asked for one by one."""
MOST_OF_A_LIST = 150
"""Fifty pages, forth and back and forth."""
MOST_OF_A_TASK = 9
"""Three pages, forth and back and forth."""

counts = st.sampled_from([0, 1, 2, 3, 40, 99, 100, 101, 5_000, 9_999, 10_000, 10**12])
names = st.integers(0, 12)
how_many_pages = st.sampled_from([0, 1, 2, 3, 40, 50, 51, 10**12])
fails = st.sampled_from([False] * 7 + [True])
pages = st.lists(st.tuples(names, names, counts, how_many_pages, fails), min_size=1, max_size=4)
"""From which row to which, how many there are said to be, in how many pages, and whether the answer is an error."""

Pages = list[tuple[int, int, int, int, bool]]


class Vendor:
    """It gives its answers in turn, again and again, whatever it is asked."""

    def __init__(self, answers: list[Said]) -> None:
        self.requests: list[httpx.URL] = []
        self._answers = answers

    def __call__(self, request: httpx.Request) -> httpx.Response:
        said = self._answers[len(self.requests) % len(self._answers)]
        self.requests.append(request.url)
        return httpx.Response(said.status, json=json.loads(said.body))


@settings(EXAMPLES, max_examples=EXAMPLES.max_examples * 150)
@given(pages=pages, wanted=st.integers(2, 120))
async def test_a_project_of_any_pages_is_read_to_an_end_and_no_task_is_gone_by_them(pages: Pages, wanted: int) -> None:
    failed = Said({"error_code": "APIGW.0308", "error_msg": "said so", "request_id": "r"}, 500)
    listed = [huawei_list(*(huawei_task(f"t-{n}") for n in range(a, b)), total=total) for a, b, total, _, _ in pages]
    vendor = Vendor([failed if fails else said for said, (*_, fails) in zip(listed, pages, strict=True)])

    looks = await relay(vendor).look(KEY, [huawei_ref(f"t-{number}") for number in range(wanted)])

    assert len(looks) == wanted
    assert len(vendor.requests) <= MOST_OF_A_PROJECT
    asked = {url.params["task_id"] for url in vendor.requests if "task_id" in url.params}
    gone = {ref.task for ref, look in looks.items() if isinstance(look, Observation) and look.state is State.NOT_FOUND}
    assert gone <= asked, "a list alone says of no task that it is not there"


@settings(EXAMPLES, max_examples=EXAMPLES.max_examples * 150)
@given(pages=pages, urls=st.integers(0, 12), tasks=st.integers(0, 30))
async def test_a_domain_of_any_pages_is_read_to_an_end(pages: Pages, urls: int, tasks: int) -> None:
    failed = Said({"RequestId": "r", "Code": "ServiceUnavailable", "Message": "said so"}, 503)
    listed = [
        preload_list(*(preload_row(f"p-{n}", f"rtmp://d/a/{n}") for n in range(a, b)), total=total, pages=many)
        for a, b, total, many, _ in pages
    ]
    vendor = Vendor([failed if fails else said for said, (*_, fails) in zip(listed, pages, strict=True)])
    transport = Transport("livetask-operator (test)", http=NoNetwork(vendor))
    preload = preload_vendors(transport, clock=lambda: NOW)["AlibabaCloud"]
    asked = PreloadNames(
        tuple(f"p-{number + 5}" for number in range(tasks)),
        tuple(f"rtmp://d/a/{number}" for number in range(urls)),
        NOW,
    )

    try:
        rows = (await preload.rows(KEY, "live.example.com", [asked]))[asked]
    except VendorError:
        rows = PreloadRows((), complete=False)

    assert len(vendor.requests) <= 2 * MOST_OF_A_LIST + MOST_OF_A_TASK * (tasks + 1)
    assert rows.complete in (True, False)
