"""What lets a deleted object go without a stop, at each vendor: its words for "gone", and nothing that looks like them.

An answer that is taken for gone too easily leaks a task; one that is not taken for it holds an object for ever.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.kube.scenes import condition_of, happens
from tests.stage.objects import Objects
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import Relay, until
from tests.stage.vendors import Alibaba, Customer, Huawei, Side, Tencent

TASK = "cup-final"
Change = Callable[[Customer], object]


@dataclass(frozen=True)
class Answer:
    """What the vendor answers about a task that runs when its object is made, and then may not."""

    side: type[Side]
    name: str
    comes_about: Change
    reason: str
    """Why the object goes, or what holds it."""
    confirms: Change | None = None
    """What lets it go at last; None: it goes at once."""
    is_stopped: bool = False
    """Whether that is a stop; otherwise the task ends by itself, and a look tells."""

    def __str__(self) -> str:
        return f"{self.side.secret}, {self.name}"


def both(*changes: Change) -> Change:
    return lambda customer: [change(customer) for change in changes]


def becomes(status: int) -> Change:
    return lambda customer: customer.cloud.set_task(customer.account, customer.app, TASK, status=status)


def ends(customer: Customer) -> None:
    customer.at.end(TASK)


def is_forgotten(customer: Customer) -> None:
    customer.at.forget(TASK)


def setting(**settings: object) -> Change:
    return lambda customer: customer.at.set(**settings)


def stop_says(code: str, status: int | None = None) -> Change:
    return lambda customer: customer.fault("error", operation=customer.at.stop_call, code=code, status=status)


def look_says(code: str, status: int | None = None) -> Change:
    return lambda customer: customer.fault("error", operation=customer.at.look_call, code=code, status=status)


def look_answers(**document: object) -> Change:
    body = json.dumps({**document, "request_id": "R1"})
    return lambda customer: customer.fault("answer", operation=customer.at.look_call, body=body)


def calm(customer: Customer) -> None:
    customer.cloud.clear_faults(customer.account)


ILLEGAL = "LIVE.100011001"
GONE = [
    *(
        Answer(Alibaba, f"GetMPUTaskStatus {status} after InvalidParam", becomes(status), "AlreadyGone")
        for status in (2, 3, 4, 5, 6)
    ),
    Answer(Alibaba, "InvalidTask.NotFound after InvalidParam", is_forgotten, "AlreadyGone"),
    Answer(
        Alibaba,
        "InvalidTask.NotFound twice",
        both(setting(stopOfUnknown="InvalidTask.NotFound"), is_forgotten),
        "AlreadyGone",
    ),
    Answer(Tencent, "FailedOperation.TaskFinished", ends, "AlreadyGone"),
    *(
        Answer(Tencent, f"NotExist after {code}", both(setting(stopOfUnknown=code), is_forgotten), "AlreadyGone")
        for code in (
            "FailedOperation.TaskNotExist",
            "FailedOperation.TaskFinished",
            "ResourceNotFound",
            "InvalidParameter.TaskId",
        )
    ),
    Answer(
        Tencent, "NotExist after an accepted stop", both(setting(stopOfUnknown="accept"), is_forgotten), "StopAccepted"
    ),
    Answer(Huawei, "404 of the service itself", is_forgotten, "AlreadyGone"),
    Answer(Huawei, "404 to a query after 400", both(setting(stopOfUnknown="400"), is_forgotten), "AlreadyGone"),
    Answer(
        Huawei,
        "an empty list after 400",
        both(setting(stopOfUnknown="400", lookForUnknown="empty"), is_forgotten),
        "AlreadyGone",
    ),
    Answer(
        Huawei,
        "an empty list after an accepted stop",
        both(setting(stopOfUnknown="empty", lookForUnknown="empty"), is_forgotten),
        "StopAccepted",
    ),
]
NOT_GONE = [
    Answer(Alibaba, "InvalidParam of a task that runs", stop_says("InvalidParam"), "InvalidRequest", ends),
    Answer(
        Alibaba,
        "InvalidParam of a task that waits for its channel",
        both(becomes(0), stop_says("InvalidParam")),
        "InvalidRequest",
        ends,
    ),
    Answer(
        Alibaba, "InvalidTask.NotFound to the stop alone", stop_says("InvalidTask.NotFound"), "InvalidRequest", ends
    ),
    Answer(
        Alibaba,
        "InvalidParam while looks fail",
        both(stop_says("InvalidParam"), look_says("InternalError", 500)),
        "VendorUnavailable",
        both(calm, ends),
    ),
    Answer(Alibaba, "the application is not found", stop_says("InvalidAppId"), "InvalidRequest", calm, True),
    *(
        Answer(Tencent, f"{code} of a task that runs", stop_says(code), "InvalidRequest", ends)
        for code in (
            "FailedOperation.TaskFinished",
            "FailedOperation.TaskNotExist",
            "ResourceNotFound",
            "InvalidParameter.TaskId",
        )
    ),
    *(
        Answer(Tencent, code, stop_says(code), reason, calm, True)
        for code, reason in (
            ("FailedOperation.QueryTaskInfoFailed", "VendorUnavailable"),
            ("FailedOperation.TaskNotExistYet", "VendorUnavailable"),
            ("FailedOperation.SdkAppIdNotExist", "InvalidRequest"),
            ("FailedOperation.NotAbility", "AccountSuspended"),
            ("FailedOperation.RestrictedFrequency", "Throttled"),
        )
    ),
    Answer(Huawei, "400 of a task that runs", stop_says(ILLEGAL, 400), "InvalidRequest", is_forgotten),
    Answer(Huawei, "APIG.0101, which is a 404", stop_says("APIG.0101", 404), "EndpointNotFound", calm, True),
    Answer(
        Huawei,
        "APIG.0101 to the query after a 400",
        both(stop_says(ILLEGAL, 400), look_says("APIG.0101", 404)),
        "EndpointNotFound",
        both(calm, is_forgotten),
    ),
    Answer(
        Huawei,
        "a 404 without a code",
        lambda customer: customer.fault("answer", operation="DeletePullTask", status=404, body="not here"),
        "InvalidResponse",
        calm,
        True,
    ),
    Answer(
        Huawei,
        "an empty list that says it has one",
        both(stop_says(ILLEGAL, 400), look_answers(total=1, task_infos=[])),
        "InvalidResponse",
        both(calm, is_forgotten),
    ),
    Answer(
        Huawei,
        "a list that has others",
        both(stop_says(ILLEGAL, 400), look_answers(total=1, task_infos=[{"task_id": "other", "status": "running"}])),
        "InvalidResponse",
        both(calm, is_forgotten),
    ),
    Answer(
        Huawei,
        "no list at all",
        both(stop_says(ILLEGAL, 400), look_answers(total=1)),
        "InvalidResponse",
        both(calm, is_forgotten),
    ),
]


@dataclass
class Deletion:
    """An object that is deleted, and what was seen of it."""

    answer: Answer
    customer: Customer
    relay: Relay
    held: Mapping[str, Any] | None = None
    tries: int = 0
    ran_while_held: bool = False
    went: bool = False

    @property
    def reasons(self) -> list[str]:
        return [event["reason"] for event in self.relay.events()]

    @property
    def way_out(self) -> str:
        """Why it goes at last."""
        if self.answer.confirms is None:
            return self.answer.reason
        return "StopAccepted" if self.answer.is_stopped else "AlreadyGone"

    def is_held(self) -> None:
        """Wait until it is told why, and the stop was tried again."""
        happens(lambda: self.answer.reason in self.reasons, 5)
        happens(lambda: len(self.customer.stops()) >= 2, 5)
        self.held = self.relay.body()
        self.tries = len(self.customer.stops())
        self.ran_while_held = self.customer.at.is_running(TASK)

    def goes(self) -> None:
        """Wait until it is gone, and that is told."""
        self.went = happens(lambda: self.relay.body() is None and self.way_out in self.reasons, 20)


@pytest.fixture(scope="module")
def move_in(
    kubeconfig: Path, cloud: Cloud, objects: Objects, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str, type[Side]], Customer]]:
    """Makes customers that one operator follows."""
    arguments = ("--no-leader-elect", "--selector", "stage=gone")
    operator = Operator(kubeconfig, cloud.url, tmp_path_factory.mktemp("gone"), arguments=arguments)
    yield lambda namespace, side: Customer.moves_in(namespace, objects, cloud.admin, side, stage="gone")
    assert operator.stop() == 0


@pytest.fixture(scope="module")
def deletions(move_in: Callable[[str, type[Side]], Customer]) -> Mapping[Answer, Deletion]:
    """Every answer to a deletion, all of them at once."""
    played = {answer: deleted(answer, move_in(f"gone-{n}", answer.side)) for n, answer in enumerate([*GONE, *NOT_GONE])}
    for answer, deletion in played.items():
        deletion.relay.reaches("Running")
        answer.comes_about(deletion.customer)
    for deletion in played.values():
        deletion.relay.delete()
    held = [deletion for answer, deletion in played.items() if answer.confirms is not None]
    for deletion in held:
        deletion.is_held()
    for deletion in held:
        assert deletion.answer.confirms is not None
        deletion.answer.confirms(deletion.customer)
    for deletion in played.values():
        deletion.goes()
    return played


def deleted(answer: Answer, customer: Customer) -> Deletion:
    customer.at.start(TASK)
    return Deletion(answer, customer, customer.relay(TASK, pollIntervalSeconds=3600))


@pytest.mark.parametrize("answer", GONE, ids=str)
def test_what_is_gone_lets_its_object_go(deletions: Mapping[Answer, Deletion], answer: Answer) -> None:
    deletion = deletions[answer]

    assert deletion.went, deletion.reasons
    assert len(deletion.customer.stops()) == 1
    assert deletion.customer.stopped() == []


@pytest.mark.parametrize("answer", NOT_GONE, ids=str)
def test_the_vendor_can_say_anything(deletions: Mapping[Answer, Deletion], answer: Answer) -> None:
    """What only looks gone holds its object until that is sure."""
    deletion = deletions[answer]

    assert condition_of(deletion.held, "Ready").get("reason") == answer.reason
    assert "Not stopped yet." in condition_of(deletion.held, "Ready")["message"]
    assert deletion.tries >= 2
    assert deletion.ran_while_held
    assert deletion.went, deletion.reasons
    assert not deletion.customer.at.is_running(TASK)
    assert deletion.customer.stopped() == ([TASK] if answer.is_stopped else [])


def test_a_task_that_a_list_lacks_is_not_gone(move_in: Callable[[str, type[Side]], Customer]) -> None:
    customer = move_in("gone-from-a-list", Huawei)
    names = ("shown-1", "shown-2", "lacking")
    for name in names:
        customer.at.start(name)
    relays = {name: customer.relay(name, pollIntervalSeconds=5) for name in names}
    for relay in relays.values():
        relay.reaches("Running")
    asked = len(customer.looks("lacking"))
    rows = [{"task_id": name, "status": "running"} for name in names[:2]]
    body = json.dumps({"total": 2, "task_infos": rows, "request_id": "R1"})
    customer.fault("answer", operation="ListPullTasks", task_id="", body=body)
    customer.fault("error", operation="DeletePullTask", code=ILLEGAL, status=400)

    until(lambda: len(customer.looks("lacking")) > asked, "a query for that very id")
    relays["lacking"].delete()

    held = relays["lacking"].holds("Stalled", "InvalidRequest")
    assert "Not stopped yet." in held["message"]
    assert relays["lacking"].status()["state"] == "Running"
    customer.at.forget("lacking")
    relays["lacking"].is_gone(within_s=10)
