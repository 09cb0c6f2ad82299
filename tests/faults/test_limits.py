"""A thousand objects whose vendor hangs: nobody else waits for them, and they fill neither the sockets nor the log.

What a tenant can use up on purpose, in its own lines: `tests/threats/test_starving.py`, `test_memory.py`.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from livetask_operator.kube.asking import UNDER_WAY
from livetask_operator.vendors.transport import MAX_CONNECTIONS_PER_HOST
from tests.stage.objects import Objects, live_tasks
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import Relay, Tenant, until
from tests.stage.vendors import Alibaba, Customer, Huawei, Side, Tencent

MANY = 1_000
DELETED = 400
HANGING = 16
"""So many calls under way are enough to see that there is no end to them."""
WATCHED_S = 25.0
BUSY, BUSY_OBJECTS = "limits-busy", 60
HANDS = 8
SOON_S = 12.0
"""For what a person did: a second or two, on a machine that is also busy with a thousand objects."""
OWN_FILES = 64
"""What the process opens besides its calls: the event loop, the log, watches and connections to the API server."""
HOSTS = {"alibabaRtc": "127.0.0.1", "alibabaLive": "127.0.0.2", "tencentTrtc": "127.0.0.3", "huaweiLive": "127.0.0.4"}
"""Each vendor's service has a host of its own, as in the world."""


class Files:
    """How many files and sockets a process has open, counted all the while."""

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}/fd")
        self.most = self.now()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._count, daemon=True)
        self._thread.start()

    def now(self) -> int:
        return len(os.listdir(self._folder))

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _count(self) -> None:
        while not self._over.wait(0.1):
            self.most = max(self.most, self.now())


@dataclass
class Crowd:
    """What was seen of it."""

    operator: Operator
    hung: Customer
    others: list[Customer]
    """One at each vendor; the first has the vendor in common with those that hang, and another account."""
    busy: Customer
    """Has three times the objects that its quota serves."""
    files: Files
    took_s: dict[str, float] = field(default_factory=dict)
    """How long others waited for what they did, by `account: what`."""
    gaps_s: dict[str, float] = field(default_factory=dict)
    """The longest time in which a task of another, polled every 5 seconds, was not looked at."""
    left_after_s: float = 0.0
    """How long it took until all that were deleted had gone, once the vendor answered."""


def at_once(doing: Callable[[int], object], numbers: range) -> None:
    with ThreadPoolExecutor(HANDS) as hands:
        list(hands.map(doing, numbers))


@pytest.fixture(scope="module")
def sky(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A simulated cloud that listens at every loopback address."""
    cloud = Cloud(tmp_path_factory.mktemp("sky"), "--listen", "0.0.0.0:0")
    yield cloud
    cloud.stop()


@pytest.fixture(scope="module")
def crowd(kubeconfig: Path, sky: Cloud, objects: Objects, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    """The whole story, once."""
    port = urlsplit(sky.url).port
    endpoints = {service: f"http://{host}:{port}" for service, host in HOSTS.items()}
    account = {"name": "busy", "vendor": "alibabaCloud", "keyIds": [f"LTAI{BUSY}"], "quotas": {"GetMPUTaskStatus": 4}}
    config = {"endpoints": endpoints, "accounts": [account]}
    arguments = ("--no-leader-elect", "--selector", "stage=limits")
    folder = tmp_path_factory.mktemp("limits")
    operator = Operator(kubeconfig, sky.url, folder, arguments=arguments, config=config)

    def move_in(name: str, side: type[Side]) -> Customer:
        return Customer.moves_in(name, objects, sky.admin, side, stage="limits")

    hung, busy = move_in("limits-hung", Alibaba), move_in(BUSY, Alibaba)
    others = [move_in(f"limits-{side.block.lower()}", side) for side in (Alibaba, Tencent, Huawei)]
    crowd = Crowd(operator, hung, others, busy, Files(operator.process.pid))
    try:
        play(crowd)
        yield crowd
    finally:
        crowd.files.stop()
        operator.process.stop()


def play(crowd: Crowd) -> None:
    hung, acting = crowd.hung, [*crowd.others, crowd.busy]
    polled = [runs(other, "polled", 5) for other in crowd.others]
    kept = [[runs(customer, name) for name in ("edited", "deleted")] for customer in acting]
    for number in range(BUSY_OBJECTS):
        crowd.busy.at.start(f"polled-{number}")
        crowd.busy.relay(f"polled-{number}", pollIntervalSeconds=5)
    runs(hung, "proof")
    at_once(lambda number: hung.at.start(f"task-{number}"), range(DELETED))
    hung.fault("hang")
    began_s = time.monotonic()

    at_once(lambda number: hung.relay(f"task-{number}"), range(MANY))
    until(lambda: len(hung.looks()) > HANGING, "looks that hang", 30)
    path = f"{live_tasks('RelayTask', hung.namespace)}/task-"
    at_once(lambda number: hung.objects.delete(f"{path}{number}"), range(DELETED))
    until(lambda: len(hung.stops()) > HANGING, "stops that hang", 30)
    until(lambda: len({call.task_id for call in crowd.busy.looks()}) > BUSY_OBJECTS, "all of the busy one's seen", 40)
    with ThreadPoolExecutor(len(acting)) as hands:
        for took_s in hands.map(acts_on_people, acting, kept):
            crowd.took_s |= took_s
    until(lambda: time.monotonic() - began_s > WATCHED_S, "a while", 60)
    for other, relay in zip(crowd.others, polled, strict=True):
        crowd.gaps_s[other.account] = longest_gap_s(other, "polled", began_s)
        assert relay.condition()["reason"] == "Running"

    hung.cloud.clear_faults(hung.account)
    mended_s = time.monotonic()
    until(lambda: not deleted_ones(hung), "all that were deleted gone", 90)
    crowd.left_after_s = time.monotonic() - mended_s


def runs(customer: Customer, name: str, interval_s: int = 3600) -> Relay:
    customer.at.start(name)
    relay = customer.relay(name, pollIntervalSeconds=interval_s)
    relay.reaches("Running")
    return relay


def deleted_ones(tenant: Tenant) -> list[str]:
    items = tenant.objects.get(live_tasks("RelayTask", tenant.namespace))["items"]
    return [each["metadata"]["name"] for each in items if "deletionTimestamp" in each["metadata"]]


def longest_gap_s(customer: Customer, task: str, since_s: float) -> float:
    """The longest time without a look that had an answer."""
    calls = customer.looks()
    times = [call.monotonic_s for call in calls if call.monotonic_s >= since_s and call.task_id in (task, "")]
    return max(after - before for before, after in itertools.pairwise([since_s, *times, time.monotonic()]))


def acts_on_people(customer: Customer, kept: Sequence[Relay]) -> dict[str, float]:
    """How long a customer waits for an edit, a deletion and a new object. Seconds."""
    took_s = {}
    edited, deleted = kept

    def timed(what: str, doing: Callable[[], object], done: Callable[[], object]) -> None:
        began_s = time.monotonic()
        doing()
        until(done, what, within_s=60)
        took_s[f"{customer.account}: {what}"] = time.monotonic() - began_s

    customer.at.start("new")
    new = Relay(customer, "new")
    timed("edited", lambda: edited.edit(pollIntervalSeconds=60), lambda: edited.status()["observedGeneration"] == 2)
    timed("deleted", deleted.delete, lambda: deleted.body() is None)
    timed("created", lambda: customer.relay("new"), lambda: new.status().get("state") == "Running")
    return took_s


def test_a_thousand_objects_whose_vendor_hangs_hold_nobody_else_up(crowd: Crowd) -> None:
    """Neither at another vendor, nor at the same one with another account."""
    others = {what: took_s for what, took_s in crowd.took_s.items() if not what.startswith(crowd.busy.account)}

    assert len(others) == 9
    assert max(others.values()) < SOON_S, others
    assert max(crowd.gaps_s.values()) < 15, crowd.gaps_s


def test_people_first(crowd: Crowd) -> None:
    """A round of the account's polls takes 15 seconds; who edits, deletes or creates does not wait for it."""
    took_s = {what: took_s for what, took_s in crowd.took_s.items() if what.startswith(crowd.busy.account)}
    metrics = crowd.operator.answer("/metrics") or ""
    factor = next(
        line for line in metrics.splitlines() if line.startswith('livetask_account_round_factor{account="busy"')
    )

    assert len(took_s) == 3
    assert max(took_s.values()) < SOON_S, took_s
    assert float(factor.split()[-1]) > 2, "the account was as busy as it is meant to be"


def test_calls_that_hang_take_few_of_the_connections(crowd: Crowd) -> None:
    one_account = MAX_CONNECTIONS_PER_HOST + UNDER_WAY  # its looks at one host, its stops at another

    assert crowd.files.most < one_account + OWN_FILES
    assert len(crowd.hung.looks()) > HANGING < len(crowd.hung.stops())


def test_an_outage_of_a_thousand_objects_is_a_line_each_and_not_one_per_look(crowd: Crowd) -> None:
    lines = [line for line in crowd.operator.lines() if line.get("namespace") == crowd.hung.namespace]
    told = Counter((line["name"], line["message"].partition(":")[0]) for line in lines if "audit" not in line["logger"])

    assert len(crowd.hung.looks()) + len(crowd.hung.stops()) > MANY / 2
    assert sum(told.values()) > MANY / 2, "it is told"
    assert {how_often for _, how_often in told.items()} <= {1, 2}, told.most_common(3)


def test_what_was_deleted_goes_when_the_vendor_answers_again(crowd: Crowd) -> None:
    """At the latest after the 30 seconds that a refused stop waits."""
    assert crowd.left_after_s < 45
    stopped = crowd.hung.stopped()
    assert sorted(stopped) == sorted(f"task-{number}" for number in range(DELETED))
