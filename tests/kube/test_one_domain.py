"""Many PreloadTasks of one domain are read together: what that costs, and that none hears less than alone."""

from __future__ import annotations

from collections.abc import Callable

from tests.kube.rounds import rounds
from tests.stage.tenant import Preload, Tenant, until

PRELOADS = 30
INTERVAL_S = 5.0
ASKED_AGAIN_S = 5.0
"""An object is looked at on request no sooner after its last look."""
NEWCOMERS_MAY_COST = 2 * PRELOADS
"""Each new object is a person's: it does not wait for others."""


def show(tenant: Tenant, number: int) -> Preload:
    """An object that follows two URLs and a task of its own."""
    for part in ("opening", "finale", "by-id"):
        tenant.preloads(f"{part}-{number}", process=number)
    return tenant.preload(
        f"show-{number}", streams=[f"opening-{number}", f"finale-{number}"], tasks=[f"by-id-{number}"]
    )


def test_thirty_preload_tasks_on_one_domain_cost_what_one_costs(
    tenant: Tenant, neighbour: Callable[[str], Tenant]
) -> None:
    alone = neighbour("alone")
    shows = [show(tenant, number) for number in range(PRELOADS)]
    one = show(alone, 0)
    for each in (*shows, one):
        each.reaches("Preloading")
    assert len(tenant.lists()) <= NEWCOMERS_MAY_COST
    since = len(tenant.lists()), len(alone.lists())

    until(lambda: len(rounds(tenant.lists()[since[0] :], INTERVAL_S)) >= 4, "four rounds", within_s=30)

    _, _, *settled = (len(each) for each in rounds(tenant.lists()[since[0] :], INTERVAL_S))
    _, *ones = (len(each) for each in rounds(alone.lists()[since[1] :], INTERVAL_S))
    assert settled[0] == ones[0] == 2, "a call for the URLs, and one for the tasks that are none of theirs"
    assert [each.status()["progress"] for each in shows] == list(range(PRELOADS)), "each hears of its own"


def test_a_change_reaches_each_object_that_follows_the_preload_and_no_other(tenant: Tenant) -> None:
    first, second = show(tenant, 1), show(tenant, 2)
    both = tenant.preload("both", streams=["opening-1"], tasks=["finale-2"])
    for each in (first, second, both):
        each.reaches("Preloading")

    for part in ("opening", "finale", "by-id"):
        tenant.preloads(f"{part}-1")

    first.reaches("Succeeded", within_s=INTERVAL_S + 5)
    tenant.preloads("finale-2", status="Failed")
    both.reaches("Failed", within_s=INTERVAL_S + 5)
    assert second.reaches("Preloading")["failed"] == 1


def test_who_asks_hears_what_is_so_then_though_a_poll_of_the_domain_hangs(tenant: Tenant) -> None:
    shows = [show(tenant, number) for number in (1, 2)]
    for each in shows:
        each.reaches("Preloading")
    tenant.fault("hang", times=1)
    until(lambda: [call for call in tenant.lists() if not call.finished], "a poll that hangs", within_s=INTERVAL_S + 3)

    for part in ("opening", "finale", "by-id"):
        tenant.preloads(f"{part}-1")
    shows[0].ask("now")

    shows[0].reaches("Succeeded", within_s=ASKED_AGAIN_S + 2)
    assert shows[0].status()["lastHandledRequestedAt"] == "now"
    assert [call for call in tenant.lists() if not call.finished], "the poll still hangs"
