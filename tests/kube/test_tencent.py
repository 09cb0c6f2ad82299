"""Tencent Cloud from end to end: its one word for "ended" and "never was" neither leaks a task nor holds an object."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.stage.objects import Objects
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import Relay
from tests.stage.vendors import Customer, Tencent

TASK = "CR6Lqv-x+y/z."
SECRET_KEY = "s3cr3t/+=~"


class Events(Customer):
    """A customer with a second key of its own account, and a key of another account."""

    def __init__(self, namespace: str, objects: Objects, cloud: Cloud) -> None:
        super().__init__(namespace, objects, cloud.admin, Tencent, labels={"operator": "own"})
        stranger = f"stranger-{namespace}"
        cloud.admin.tencent.add_account(stranger)
        cloud.admin.tencent.add_key(stranger, "AKIDstranger" + namespace, SECRET_KEY)
        cloud.admin.tencent.add_key(self.account, "AKIDsecond" + namespace, SECRET_KEY)

    def uses_key(self, which: str) -> None:
        """Put the "second" or the "stranger" key into the Secret."""
        self.put_secret(secretId=f"AKID{which}{self.namespace}", secretKey=SECRET_KEY)

    def follows(self) -> Relay:
        return self.relay("gala", TASK)


@pytest.fixture
def events(own_operator: Callable[..., Operator], namespace: str, objects: Objects, cloud: Cloud) -> Events:
    own_operator()
    return Events(namespace, objects, cloud)


def test_a_task_is_followed_and_stopped(events: Events) -> None:
    events.at.start(TASK)
    relay = events.follows()
    status = relay.reaches("Running", "Running")
    assert (status["vendor"], status["vendorStatus"], status["taskId"]) == ("TencentCloud", "InProgress", TASK)

    relay.delete()

    relay.is_gone()
    assert events.stopped() == [TASK]
    relay.tells("StopAccepted", "Normal")


def test_a_task_that_ends_by_itself_is_stopped_and_its_object_goes_with_whichever_key(events: Events) -> None:
    events.at.start(TASK)
    relay = events.follows()
    relay.reaches("Running")

    events.at.end(TASK)

    status = relay.reaches("Stopped", "Stopped")
    assert status["conditions"][0]["message"] == (
        "Tencent Cloud says NotExist (the task has ended). "
        "An id is good for one run: for the next one make a new object with its id."
    )
    events.uses_key("second")
    relay.delete()
    relay.is_gone()
    relay.tells("AlreadyGone", "Normal")


def test_a_task_that_never_was_is_not_found_and_its_object_goes(events: Events) -> None:
    relay = events.follows()
    relay.reaches("NotFound", "TaskNotFound")

    relay.delete()

    relay.is_gone()
    relay.tells("AlreadyGone", "Normal")


def test_a_secret_that_was_exchanged_for_another_accounts_leaks_no_task(events: Events) -> None:
    events.at.start(TASK)
    relay = events.follows()
    relay.reaches("Running")
    events.uses_key("stranger")
    relay.reaches(reason="TaskNotVisible")

    relay.delete()
    relay.holds("Stalled", "TaskNotVisible")
    held = events.stopped()
    events.put_secret()

    relay.is_gone(within_s=35)
    assert (held, events.stopped()) == ([], [TASK])
