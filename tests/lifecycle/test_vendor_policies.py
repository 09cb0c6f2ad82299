"""The policies in `manifests/vendor-policies/` are enough, and allow nothing that is not used."""

from __future__ import annotations

import json
from typing import Any

from tests.conftest import ROOT
from tests.lifecycle.conftest import Place
from tests.lifecycle.on_air import INSTALL, STARTED_WITHIN_S
from tests.lifecycle.page import Shell
from tests.stage.vendors import Alibaba, Customer, Huawei, Side, Tencent

POLICIES = ROOT / "manifests" / "vendor-policies"
FILES: dict[type[Side], str] = {
    Alibaba: "alibaba-cloud-ram.json",
    Tencent: "tencent-cloud-cam.json",
    Huawei: "huawei-cloud-iam.json",
}
ITS_NAMES = {"live:stream:listPullTask": "ListPullTasks", "live:stream:deletePullTask": "DeletePullTask"}
"""Huawei Cloud's actions are not named as its calls."""


def actions(side: type[Side]) -> list[str]:
    """What a vendor's policy allows."""
    policy = {key.lower(): value for key, value in json.loads((POLICIES / FILES[side]).read_text()).items()}
    statements: list[dict[str, Any]] = [
        {key.lower(): value for key, value in each.items()} for each in policy["statement"]
    ]
    assert {each["effect"].lower() for each in statements} == {"allow"}
    return [action for each in statements for action in each["action"]]


def calls(side: type[Side]) -> set[str]:
    """The calls that these actions are of."""
    return {ITS_NAMES.get(action, action.rpartition(":")[2]) for action in actions(side)}


def test_keys_that_may_do_what_the_policies_say_follow_and_stop_and_all_of_it_is_needed(
    place: Place, shell: Shell, sports: str
) -> None:
    shell.type(INSTALL)
    customers = [settle(place, f"{sports}-{side.block.lower()}", side) for side in FILES]
    relays = [customer.relay("cup-final") for customer in customers]
    opening = customers[0].preload("opening", streams=["opening"])

    for relay in relays:
        relay.reaches("Running", within_s=STARTED_WITHIN_S)
    opening.reaches("Succeeded")
    for relay in relays:
        relay.delete()
        relay.is_gone()

    assert [customer.at.is_running("cup-final") for customer in customers] == [False, False, False]
    assert [made(customer) for customer in customers] == [calls(side) for side in FILES]


def settle(place: Place, namespace: str, side: type[Side]) -> Customer:
    """A customer whose key may do what the vendor's policy says, with a task that runs."""
    place.objects.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
    customer = Customer(namespace, place.objects, place.cloud.admin, side)
    customer.at.accept_key(allow=sorted(calls(side)))
    customer.at.start("cup-final")
    if side is Alibaba:
        customer.preloads("opening", process=100, status="Success")
    return customer


def made(customer: Customer) -> set[str]:
    """The calls that were made for a customer."""
    return {call.operation for call in customer.cloud.calls(account=customer.account)}


def test_the_page_tells_each_action_and_no_other() -> None:
    page = (POLICIES / "README.md").read_text()
    table = page[page.index("| action |") :].partition("\n\n")[0]

    told = [word for row in table.splitlines()[2:] for word in row.split("|")[1].replace("`", "").split(", ")]

    assert sorted(word.strip() for word in told) == sorted(action for side in FILES for action in actions(side))
