"""What Tencent Cloud and Huawei Cloud say of a task, documented or not, and the state that it has here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reconcile.checker import contradictions
from tests.reconcile.kstatus import kstatus
from tests.stage.objects import Objects
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import Relay
from tests.stage.vendors import Customer, Huawei, Tencent

HUAWEI_WORDS = [
    # said, state, reason of Ready, as Kubernetes tools read it
    ("pending", "Pending", "Pending", "InProgress"),
    ("running", "Running", "Running", "Current"),
    ("Running", "Running", "Running", "Current"),
    ("suspend", "Paused", "Paused", "InProgress"),
    ("pause", "Paused", "Paused", "InProgress"),
    ("finished", "Stopped", "Stopped", "InProgress"),
    ("failed", "Failed", "TaskFailed", "Failed"),
    ("enable", "Unknown", "UnknownVendorStatus", "InProgress"),
    ("stopped", "Unknown", "UnknownVendorStatus", "InProgress"),
    ("relocating", "Running", "Running", "Current"),  # by the configuration
]
TENCENT_WORDS = [
    ("InProgress", "Running", "Running", "Current"),
    ("NotExist", "NotFound", "TaskNotFound", "InProgress"),  # a newcomer is forgiven a task that comes later
    ("Interrupted", "Unknown", "UnknownVendorStatus", "InProgress"),
]


@pytest.fixture
def stage(kubeconfig: Path, cloud: Cloud, tmp_path: Path) -> Iterator[str]:
    """An operator whose configuration knows one word more."""
    arguments = ("--no-leader-elect", "--selector", "stage=words")
    words = {"statusWords": {"huaweiCloud": {"relocating": "Running"}}}
    operator = Operator(kubeconfig, cloud.url, tmp_path, arguments=arguments, config=words)
    yield "words"
    assert operator.stop() == 0


def test_each_word_has_its_state(stage: str, namespace: str, objects: Objects, cloud: Cloud) -> None:
    huawei = Customer.moves_in(f"{namespace}-huawei", objects, cloud.admin, Huawei, stage=stage)
    tencent = Customer.moves_in(f"{namespace}-tencent", objects, cloud.admin, Tencent, stage=stage)
    told: list[tuple[Relay, str, str, str, str]] = []
    for customer, words in ((huawei, HUAWEI_WORDS), (tencent, TENCENT_WORDS)):
        for number, (said, state, reason, kubernetes) in enumerate(words):
            name = f"task-{number}"
            customer.at.start(name)
            customer.at.say(name, said)
            told.append((customer.relay(name), said, state, reason, kubernetes))

    for relay, said, state, reason, kubernetes in told:
        status = relay.reaches(state, reason, within_s=15)
        assert status["vendorStatus"] == said
        assert kstatus(relay.body()) == kubernetes
        assert contradictions(relay.body()) == []
