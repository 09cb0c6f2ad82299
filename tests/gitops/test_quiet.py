"""Who watches the resources is told of each real change once, and of nothing else."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.controlplane import ControlPlane
from tests.gitops.quiet import Outcome, play
from tests.stage.objects import Objects
from tests.stage.processes import Cloud, Operator

RESOURCES, CHANGES = 20, 3
STAGE = "quiet"


def test_a_watch_is_told_of_each_change_at_the_vendor_once_and_of_nothing_else(
    installed: ControlPlane, kubeconfig: Path, objects: Objects, cloud: Cloud, tmp_path: Path
) -> None:
    """A small one of what `make test-quiet` plays with 1,000 resources and 20 changes each."""
    operator = Operator(
        kubeconfig, cloud.url, tmp_path, arguments=("--no-leader-elect", "--selector", f"stage={STAGE}")
    )
    try:
        outcome = play(installed, objects, cloud, STAGE, resources=RESOURCES, changes=CHANGES, every_s=0.0)
    finally:
        operator.process.stop()

    wrong = outcome.wrong()
    assert not wrong, "\n".join(f"{name} was told of {told}" for name, told in wrong.items())
    assert set(outcome.made.values()) == {CHANGES}
    assert outcome.written == Counter({"patch status 200": RESOURCES * CHANGES})


def test_a_version_too_many_or_too_few_is_told() -> None:
    outcome = Outcome({"a": 2, "b": 2, "c": 2}, {"a": 2, "b": 3}, {"a": ["1", "2"], "b": ["1", "1", "2"], "c": []})

    assert outcome.wrong() == {"b": ["1", "1", "2"], "c": []}
