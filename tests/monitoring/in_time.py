"""How long it takes until what happens at a vendor is an alert, with the settings of the samples. `make test-alerts`.

Apart from the other tests, as it takes longer than a minute.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from tests.controlplane import ControlPlane
from tests.monitoring.scene import STAGE, watch
from tests.stage.objects import LOOK_AGAIN_S, Objects
from tests.stage.processes import Cloud, Operator
from tests.stage.vendors import Alibaba, Customer, Huawei

TOLD_WITHIN_S = 60.0
EACH = 5
POLL_S = 30
"""What a RelayTask has where it says nothing."""


def test_what_happens_at_a_vendor_is_an_alert_within_a_minute(
    programs: Mapping[str, Path], control_plane: ControlPlane, kubeconfig: Path, tmp_path: Path
) -> None:
    with ExitStack() as ends, Objects(control_plane) as objects:
        cloud = Cloud(tmp_path)
        ends.callback(cloud.stop)
        arguments = ("--selector", f"stage={STAGE}", "--lease-namespace", "livetask-system")
        operator = Operator(kubeconfig, cloud.url, tmp_path / "operator", arguments=arguments)
        ends.callback(operator.process.stop)
        prometheus = watch(programs["prometheus"], operator, tmp_path)
        ends.callback(prometheus.stop)
        customers = [
            Customer.moves_in(f"in-time-{side.secret}", objects, cloud.admin, side, stage=STAGE)
            for side in (Alibaba, Huawei)  # Tencent Cloud has no word for a failure, nor for a task that it never had
        ]
        relays = {}
        for customer in customers:
            for number in range(EACH):
                customer.at.start(f"relay-{number}")
                relay = customer.relay(f"relay-{number}", pollIntervalSeconds=POLL_S)
                relays[customer.namespace, relay.name] = relay
        for relay in relays.values():
            relay.reaches("Running")

        for customer in customers:  # right after they were looked at: as long as it can be until the next look
            for number in range(EACH):
                customer.at.forget(f"relay-{number}")
        gone_s = time.monotonic()
        took_s: dict[tuple[str, str], float] = {}
        while len(took_s) < len(relays) and time.monotonic() < gone_s + 2 * TOLD_WITHIN_S:
            for alert in prometheus.firing():
                name = alert["labels"]["task_namespace"], alert["labels"]["task"]
                took_s.setdefault(name, time.monotonic() - gone_s)
            time.sleep(LOOK_AGAIN_S)
        states = {name: relay.status().get("state") for name, relay in relays.items()}
        for relay in relays.values():
            relay.edit(deletionPolicy="Orphan")
            relay.delete()
        for relay in relays.values():
            relay.is_gone(30)

    print(f"from the vendor to the alert: {min(took_s.values()):.0f} to {max(took_s.values()):.0f} s")
    assert took_s.keys() == relays.keys(), states
    assert max(took_s.values()) <= TOLD_WITHIN_S
