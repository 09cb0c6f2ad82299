"""PreloadTasks that are read together: what one names never keeps the others from their answer."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from livetask_operator.config import Config
from livetask_operator.kube.asking import Asking, Refused
from livetask_operator.kube.preloads import Preloads
from livetask_operator.kube.record import Record
from livetask_operator.kube.sharing import PreloadSharing
from livetask_operator.observability.metrics import Metrics
from livetask_operator.polling.quota import Lane, Quotas
from livetask_operator.reconcile.preload_resource import PreloadTask
from livetask_operator.vendors.contract import (
    Credential,
    InvalidRequest,
    InvalidResponse,
    PreloadNames,
    PreloadRows,
    Turn,
    VendorError,
    VendorUnavailable,
    at_once,
)
from tests.polling.fake_time import now_s, run
from tests.reconcile.preload_given import PreloadCloud, done, preload_body

KEY = Credential("key-1", "secret")


@dataclass
class Vendor(PreloadCloud):
    """Refuses a request that names what is in `refused`; of what is in `too_long` it does not tell all."""

    refused: dict[str, VendorError] = field(default_factory=dict)
    too_long: set[str] = field(default_factory=set)
    calls: list[int] = field(default_factory=list)
    """How many objects each served."""

    def account(self, credential: Credential) -> str:
        return credential.key_id

    async def rows(
        self, credential: Credential, domain: str, asked: Collection[PreloadNames], turn: Turn = at_once
    ) -> Mapping[PreloadNames, PreloadRows]:
        await turn()
        self.calls.append(len(asked))
        for names in asked:
            for url in names.play_urls:
                if url in self.refused:
                    raise self.refused[url]
        if any(self.too_long.intersection(names.play_urls) for names in asked):
            return {names: PreloadRows((), complete=False) for names in asked}
        return {names: PreloadRows(tuple(done(url=url) for url in names.play_urls), complete=True) for names in asked}


class OneKey:
    """Secrets that all hold one key."""

    def known(self, _: PreloadTask) -> Credential:
        return KEY


class Domain:
    """Objects that each follow one URL of a domain."""

    def __init__(self, vendor: Vendor, count: int) -> None:
        self.vendor = vendor
        config = Config.default()
        asking = Asking(Quotas(config.limit, config.account_of, now_s), Metrics(), now_s, lambda _: None)
        self.told: dict[str, Any] = {}
        self.sharing = PreloadSharing(
            asking, OneKey(), lambda record, look, _: self.told.update({record.task.name: look}), asyncio.create_task
        )
        kind = Preloads(cast("Any", None), {"alibabaCloud": vendor}, cast("Any", None), self.sharing)
        self.records: list[Record[PreloadTask]] = []
        for number in range(count):
            body = preload_body(f"o-{number}", play_urls=[url(number)], status={"observedGeneration": 1})
            self.records.append(kind.take_over(kind.read(body), now_s()))

    async def poll(self, number: int = 0, lane: Lane = Lane.POLL) -> dict[str, str]:
        """One of them is looked at. What each of all has been told by then."""
        self.vendor.calls.clear()
        self.told.clear()
        record = self.records[number]
        record.step = cast("Any", asyncio.current_task())
        self.told[record.task.name] = await self.sharing.look(record, KEY, lane, forced=False)
        record.step = None
        await asyncio.sleep(0)
        return {name: _word(look) for name, look in sorted(self.told.items())}


def url(number: int) -> str:
    return f"rtmp://live.example.com/app/s-{number}"


def _word(look: PreloadRows | Refused) -> str:
    if isinstance(look, Refused):
        return type(look.error).__name__
    return "good" if look.complete else "in part"


def all_good(count: int, **but: str) -> dict[str, str]:
    return {f"o-{number}": but.get(f"o_{number}", "good") for number in range(count)}


def test_a_poll_of_one_tells_all_of_the_domain() -> None:
    async def story() -> Any:
        domain = Domain(Vendor(), 8)
        return await domain.poll(), list(domain.vendor.calls)

    assert run(story()) == (all_good(8), [8])


@pytest.mark.parametrize("error", [InvalidRequest, InvalidResponse])
def test_what_one_names_and_the_vendor_refuses_keeps_no_other_from_its_answer(error: type[VendorError]) -> None:
    async def story() -> Any:
        domain = Domain(Vendor(refused={url(5): error("")}), 8)
        return await domain.poll(), list(domain.vendor.calls), await domain.poll(1), list(domain.vendor.calls)

    first, calls, second, then = run(story())

    assert first == all_good(8, o_5=error.__name__)
    assert calls == [8, 4, 4, 2, 2, 1, 1], "the halves that fail are halved"
    others = {name: word for name, word in all_good(8).items() if name != "o-5"}
    assert (second, then) == (others, [7]), "from then on it is asked for alone, at its own times"


def test_a_list_that_is_too_long_is_its_own_objects_trouble_alone_until_it_can_be_read() -> None:
    async def story() -> Any:
        vendor = Vendor(too_long={url(2)})
        domain = Domain(vendor, 4)
        told = [await domain.poll(0)]
        vendor.too_long.clear()
        told.append(await domain.poll(2))
        alone = list(vendor.calls)
        told.append(await domain.poll(0))
        return told, alone, list(vendor.calls)

    (first, healed, after), alone, together = run(story())

    assert first == all_good(4, o_2="in part")
    assert (healed, alone) == ({"o-2": "good"}, [1])
    assert (after, together) == (all_good(4), [4])


def test_a_vendor_that_is_down_is_not_asked_again_for_each() -> None:
    async def story() -> Any:
        domain = Domain(Vendor(refused={url(3): VendorUnavailable("")}), 8)
        return await domain.poll(), list(domain.vendor.calls)

    assert run(story()) == ({f"o-{number}": "VendorUnavailable" for number in range(8)}, [8])


def test_a_person_waits_for_their_own_preloads_alone() -> None:
    async def story() -> Any:
        domain = Domain(Vendor(), 8)
        return await domain.poll(3, Lane.PERSON), list(domain.vendor.calls)

    assert run(story()) == ({"o-3": "good"}, [1])
