"""Everything goes wrong, with every kind of key, and no secret shows: not in a log at debug level, nor anywhere else.

What a single failed call tells is in `tests/vendors/test_secrets.py`; here are the outputs of the whole operator.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from tests.faults.keys import Keys
from tests.faults.secret_search import leaks
from tests.stage.objects import Objects, live_tasks
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import Relay, until
from tests.stage.vendors import Alibaba, Customer, Huawei, HuaweiByToken, Side, Tencent

SIDES: tuple[type[Side], ...] = (Alibaba, Tencent, Huawei, HuaweiByToken)
FAULTS = ("garbage", "reset", "huge", "truncated", "redirect", "gzip-bomb", "throttle", "cookie")
BROKEN = (sys.executable, str(Path(__file__).with_name("broken_operator.py")))
ECHO_CODES: dict[type[Side], str] = {Alibaba: "SignatureDoesNotMatch", Tencent: "AuthFailure.SignatureFailure"}


@dataclass
class Run:
    """An operator, its customers, and all that it said; each of `outputs` grows."""

    operator: Operator
    objects: Objects
    customers: list[Customer] = field(default_factory=list)
    keys: list[Keys] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)
    outputs: dict[str, str] = field(default_factory=dict)

    def note(self) -> None:
        """Keep what it says now: a status or an answer of its port is soon overwritten."""
        for customer in self.customers:
            for kind in ("RelayTask", "PreloadTask"):
                self._keep(f"{kind}s", self.objects.get(live_tasks(kind, customer.namespace)))
            self._keep("Events", self.objects.get(f"/api/v1/namespaces/{customer.namespace}/events"))
        for path in ("/metrics", "/healthz", "/readyz"):
            self._keep(path, self.operator.answer(path))
        self.outputs["log"] = self.operator.log.read_text()

    def _keep(self, name: str, said: object) -> None:
        text = said if isinstance(said, str) else json.dumps(said)
        self.outputs[name] = self.outputs.get(name, "") + text

    def shows(self, relays: list[Relay], reason: str) -> None:
        """Wait until all of them give this reason, and keep what is said of it."""
        for relay in relays:
            relay.reaches(reason=reason, within_s=40)
        self.note()


def strikes(customer: Customer) -> None:
    """Wait until every fault that was set has struck: it is looked at every five seconds."""
    until(lambda: not customer.cloud.faults(customer.account), "all faults met", 60)


def goes_wrong(run: Run) -> None:
    """One trouble after another, at all vendors at once."""
    relays = [customer.relay("leaky") for customer in run.customers]
    run.customers[0].preload("opening", streams=["opening"])
    broken = run.customers[0].relay("breaks-the-operator")
    run.shows(relays, "Running")

    for number, (customer, keys) in enumerate(zip(run.customers, run.keys, strict=True)):
        echo = " ".join(keys.used)  # as vendors do, who repeat what was signed
        customer.fault("answer", times=1, status=500, body=echo, headers={"X-Echo": keys.used[0]})
        for kind in FAULTS[number :: len(SIDES)]:
            customer.fault(kind, times=1)
        code = ECHO_CODES.get(type(customer.at), "APIGW.0301")
        customer.fault("error", times=1, code=code, message=f"the string to sign was {echo}", status=401)
    for customer in run.customers:
        strikes(customer)
        run.note()

    for keys in run.keys:
        keys.expire()
    run.shows(relays, "CredentialsRejected")
    for relay in relays:
        relay.delete()
    run.shows(relays, "CredentialsRejected")
    for keys in run.keys:
        wrong = dict.fromkeys(keys.customer.at.key, f"wr0ng/{keys.ids[0]}\x00+==")
        keys.into_secret(wrong)
    run.shows(relays, "SecretKeyMissing")
    for keys in run.keys:
        keys.into_secret(keys.issue())
    for relay in relays:
        relay.is_gone(within_s=20)
    broken.delete()
    until(lambda: run.operator.log.read_text().count("a fault in the operator") > 2, "the bug, met again", 40)
    run.note()


@pytest.fixture(scope="module")
def run(kubeconfig: Path, cloud: Cloud, objects: Objects, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The whole story, once, at debug level and with a bug in it."""
    operator = Operator(
        kubeconfig,
        cloud.url,
        tmp_path_factory.mktemp("leaky"),
        arguments=("--no-leader-elect", "--selector", "stage=leaky"),
        log_level="debug",
        program=BROKEN,
    )
    run = Run(operator, objects)
    run.secrets.add(yaml.safe_load(kubeconfig.read_text())["users"][0]["user"]["token"])
    for number, side in enumerate(SIDES):
        customer = Customer.moves_in(f"leaky-{number}", objects, cloud.admin, side, stage="leaky")
        keys = Keys(customer)
        keys.into_secret(keys.issue(temporary=True))
        for task in ("leaky", "breaks-the-operator"):
            customer.at.start(task)
        run.customers.append(customer)
        run.keys.append(keys)
    try:
        goes_wrong(run)
        for keys in run.keys:
            run.secrets.update(keys.used)
        yield run
    finally:
        operator.stop()


def test_secrets_stay_secret(run: Run) -> None:
    """None shows in any output after everything went wrong."""
    run.note()

    assert leaks(run.outputs, run.secrets) == []


def test_what_was_searched_is_the_whole_story(run: Run) -> None:
    said = run.outputs["log"] + run.outputs["Events"]

    assert len(run.secrets) > 20
    assert "Traceback (most recent call last)" in run.outputs["log"]
    assert '"level": "debug"' in run.outputs["log"]
    for reason in ("CredentialsRejected", "SecretKeyMissing", "StopAccepted"):
        assert f'"{reason}' in said, reason
    assert all("leaky" in run.outputs[name] for name in ("log", "RelayTasks", "Events"))
    assert "Not stopped yet" in run.outputs["RelayTasks"]
    assert all(run.outputs[path] for path in ("/metrics", "/healthz", "/readyz", "PreloadTasks"))


@pytest.mark.parametrize("output", ["log", "RelayTasks", "PreloadTasks", "Events", "/metrics", "/healthz", "/readyz"])
def test_one_that_is_planted_in_what_was_really_said_is_caught(run: Run, output: str) -> None:
    secret = max(run.secrets, key=len)
    planted = {**run.outputs, output: run.outputs[output] + json.dumps({"said": f"with {secret}"})}

    assert {found.partition(":")[0] for found in leaks(planted, run.secrets)} == {output}
