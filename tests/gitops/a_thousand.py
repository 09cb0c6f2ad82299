"""1,000 resources whose tasks change 20 times each in 10 minutes, and a watch of them. Run by `make test-quiet`.

`make test` leaves it out, as it takes these 10 minutes; it has a small one (`test_quiet.py`).
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from tests.controlplane import ControlPlane
from tests.gitops.quiet import play
from tests.stage.objects import Objects
from tests.stage.processes import Cloud, Operator

RESOURCES = int(os.environ.get("RESOURCES", "1000"))
CHANGES = 20
EVERY_S = 30.0
STAGE = "thousand"


def test_a_thousand_resources_that_change_twenty_times_are_told_of_twenty_times(
    installed: ControlPlane, kubeconfig: Path, objects: Objects, cloud: Cloud, tmp_path: Path
) -> None:
    operator = Operator(
        kubeconfig, cloud.url, tmp_path, arguments=("--no-leader-elect", "--selector", f"stage={STAGE}")
    )
    try:
        outcome = play(installed, objects, cloud, STAGE, resources=RESOURCES, changes=CHANGES, every_s=EVERY_S)
    finally:
        operator.process.stop()

    made, seen = sum(outcome.made.values()), sum(outcome.seen.get(name, 0) for name in outcome.made)
    print(
        f"quiet: {RESOURCES} resources changed {made} times in {outcome.took_s:.0f} s; "
        f"a watch was told of {seen} versions, and the operator wrote {dict(outcome.written)}"
    )
    wrong = outcome.wrong()
    assert not wrong, "\n".join(f"{name} was told of {told}" for name, told in wrong.items())
    assert set(outcome.made.values()) == {CHANGES}
    assert outcome.written == Counter({"patch status 200": RESOURCES * CHANGES})
