"""Over any life of a resource the operator changes its status and its finalizer and nothing else; Argo CD sees no diff.

Random lives on the real control plane, of objects that Git has and that Argo CD syncs in either of its ways, while
vendors, Secrets and other people do what they do. That no operator lays its hand on more is judged in all other tests
too, by the notes of the API server (`tests/conftest.py`); here byte for byte. The seed is printed with a failure;
`SEED=7` plays it again, LIVES=20 plays twenty times as many.
"""

from __future__ import annotations

import itertools
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from livetask_simulator.client import AdminError
from tests.faults.seeds import MORE
from tests.gitops.declared import OTHER_FINALIZER, Declared, How
from tests.gitops.gitopscheck import GitopsCheck
from tests.stage.objects import Objects, wait_for
from tests.stage.processes import Cloud, Operator
from tests.stage.vendors import Alibaba, Customer, Huawei, Side, Tencent

STAGE = "git-lives"
LIVES, STEPS, AT_ONCE = 8 * MORE, 9, 8
PAUSES_S = (0.0, 0.3, 1.5)
GONE_S = 20.0
NAME = "cup-final"
SIDES: tuple[type[Side], ...] = (Alibaba, Tencent, Huawei)
HOWS: tuple[How, ...] = ("client", "server")
SEED = int(os.environ.get("SEED", "1" if MORE == 1 else str(random.randrange(10**6))))


def ends(declared: Declared) -> None:
    declared.customer.at.end(NAME)


def starts(declared: Declared) -> None:
    with suppress(AdminError):  # it is not there
        declared.customer.at.forget(NAME)
    declared.customer.at.start(NAME)


def vendor_fails(declared: Declared) -> None:
    declared.customer.fault("answer", status=503, times=2)


def loses_its_secret(declared: Declared) -> None:
    declared.customer.drop_secret()


def has_its_secret(declared: Declared) -> None:
    declared.customer.put_secret()


def edits_git(**spec: object) -> Callable[[Declared], None]:
    def edit(declared: Declared) -> None:
        declared.git["spec"] |= spec
        declared.sync()

    edit.__name__ = f"edits {spec}"
    return edit


def is_asked_for(declared: Declared) -> None:
    declared.change({"metadata": {"annotations": {"livetask.dev/requested-at": f"{time.monotonic()}"}}})


def is_marked(declared: Declared) -> None:
    declared.change({"metadata": {"labels": {"seen-by": "somebody"}, "annotations": {"example.com/note": "as it was"}}})


def is_wiped(declared: Declared) -> None:
    declared.change({"metadata": {"annotations": None}})
    declared.sync()


def is_kept(declared: Declared) -> None:
    declared.finalize(OTHER_FINALIZER)


def is_let_go(declared: Declared) -> None:
    declared.finalize()


def is_deleted_and_synced_again(declared: Declared) -> None:
    """With all that it takes: what holds deletions up is others' matter."""
    declared.customer.at.settle()
    declared.customer.put_secret()
    declared.finalize()
    declared.relay.delete()
    declared.relay.is_gone(within_s=GONE_S)
    starts(declared)
    declared.sync()


ACTS: Sequence[Callable[[Declared], None]] = (
    ends,
    starts,
    vendor_fails,
    loses_its_secret,
    has_its_secret,
    edits_git(suspend=True),
    edits_git(suspend=False),
    edits_git(deletionPolicy="Orphan"),
    edits_git(deletionPolicy="Stop", pollIntervalSeconds=6),
    Declared.sync,
    Declared.replace,
    is_asked_for,
    is_marked,
    is_wiped,
    is_kept,
    is_let_go,
    is_deleted_and_synced_again,
)


@pytest.fixture(scope="module")
def operator(kubeconfig: Path, cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    arguments = ("--no-leader-elect", "--selector", f"stage={STAGE}")
    operator = Operator(kubeconfig, cloud.url, tmp_path_factory.mktemp("operator"), arguments=arguments)
    yield operator
    assert operator.stop() == 0


def test_over_any_life_the_operator_changes_its_status_and_its_finalizer_and_nothing_else(
    operator: Operator, objects: Objects, cloud: Cloud, plain_argo: GitopsCheck
) -> None:
    print(f"SEED={SEED}")

    def live(number: int) -> list[str]:
        chance = random.Random(f"{SEED} {number}")
        side, how = SIDES[number % len(SIDES)], HOWS[number % len(HOWS)]
        customer = Customer.moves_in(f"{STAGE}-{number}", objects, cloud.admin, side, stage=STAGE)
        return lived(Declared(customer, NAME, how), chance, plain_argo)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        wrong = list(itertools.chain(*threads.map(live, range(LIVES))))

    assert wrong == [], "\n".join(wrong)


def lived(declared: Declared, chance: random.Random, argo: GitopsCheck) -> list[str]:
    """Live a life. Returns what was wrong on the way, with what had happened before."""
    declared.customer.at.start(NAME)
    declared.sync()
    found, story = [], ["synced"]
    for act in chance.sample(ACTS, STEPS):
        time.sleep(chance.choice(PAUSES_S))  # the operator is to be met in the midst of what it does
        found += [f"after {story}: {each}" for each in declared.wrong(argo)]
        story.append(act.__name__)
        act(declared)
    declared.customer.at.settle()
    declared.customer.put_secret()
    wait_for(lambda: is_settled(declared), lambda: f"the last edit acted on: {declared.live()}", within_s=90)
    return found + [f"after {story}: {each}" for each in declared.wrong(argo)]


def is_settled(declared: Declared) -> bool:
    live = declared.live()
    return bool(live["status"]["observedGeneration"] == live["metadata"]["generation"])
