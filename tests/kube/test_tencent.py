"""Tencent Cloud from end to end: its one word for "ended" and "never was" neither leaks a task nor holds an object."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.stage.objects import Objects
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import Relay, Tenant

APP, TASK = 1400000001, "CR6Lqv-x+y/z."
SECRET_KEY = "s3cr3t/+=~"


class Events(Tenant):
    """A tenant at Tencent Cloud, with a second key of its own account and a key of another account."""

    def __init__(self, namespace: str, objects: Objects, cloud: Cloud) -> None:
        super().__init__(namespace, objects, cloud.admin, labels={"operator": "own"})
        self.tencent = cloud.admin.tencent
        self.at_tencent, self.stranger = f"tencent-{namespace}", f"stranger-{namespace}"
        for account, key_id in (
            (self.at_tencent, f"AKID{namespace}"),
            (self.at_tencent, f"AKIDsecond{namespace}"),
            (self.stranger, f"AKIDstranger{namespace}"),
        ):
            self.tencent.add_account(account)
            self.tencent.add_key(account, key_id, SECRET_KEY)
        self.uses_key("")

    def uses_key(self, which: str) -> None:
        """Put the first (""), the "second" or the "stranger" key into the Secret."""
        self.put_secret("tencent", secretId=f"AKID{which}{self.namespace}", secretKey=SECRET_KEY)

    def runs(self) -> None:
        self.tencent.start_task(self.at_tencent, APP, TASK)

    def ends(self) -> None:
        self.tencent.set_task(self.at_tencent, APP, TASK, status="NotExist")

    def stopped(self) -> list[bool | None]:
        """For each stop call of the task's account, whether it stopped the task."""
        calls = self.cloud.calls(account=self.at_tencent, operation="StopStreamIngest")
        return [call.stopped_task for call in calls]

    def follows(self) -> Relay:
        block = {"sdkAppId": APP, "region": "ap-singapore", "taskId": TASK}
        return self.relay("gala", alibabaCloud=None, tencentCloud=block, credentialsSecretRef={"name": "tencent"})


@pytest.fixture
def events(own_operator: Callable[..., Operator], namespace: str, objects: Objects, cloud: Cloud) -> Events:
    own_operator(config={"endpoints": {"tencentTrtc": cloud.url}})
    return Events(namespace, objects, cloud)


def test_a_task_is_followed_and_stopped(events: Events) -> None:
    events.runs()
    relay = events.follows()
    status = relay.reaches("Running", "Running")
    assert (status["vendor"], status["vendorStatus"], status["taskId"]) == ("TencentCloud", "InProgress", TASK)

    relay.delete()

    relay.is_gone()
    assert events.stopped() == [True]
    relay.tells("StopAccepted", "Normal")


def test_a_task_that_ends_by_itself_is_stopped_and_its_object_goes_with_whichever_key(events: Events) -> None:
    events.runs()
    relay = events.follows()
    relay.reaches("Running")

    events.ends()

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
    events.runs()
    relay = events.follows()
    relay.reaches("Running")
    events.uses_key("stranger")
    relay.reaches(reason="TaskNotVisible")

    relay.delete()
    relay.holds("Stalled", "TaskNotVisible")
    held = events.stopped()
    events.uses_key("")

    relay.is_gone(within_s=35)
    assert (held, events.stopped()) == ([], [True])
