"""The simulator's page says what is there."""

from __future__ import annotations

from pathlib import Path

import livetask_simulator
from livetask_simulator.alibaba.operations import OPERATIONS
from livetask_simulator.alibaba.orders import show_settings
from livetask_simulator.faults import FaultKind
from livetask_simulator.script import load_script
from livetask_simulator.world import World

PAGE = (Path(livetask_simulator.__file__).parent / "README.md").read_text(encoding="utf-8")


def test_the_script_of_the_page_works(tmp_path: Path) -> None:
    script = tmp_path / "page.yaml"
    script.write_text(PAGE.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    world = World()

    load_script(world, script)

    assert [task.task_id for task in world.alibaba.tasks.of_account("sports")] == ["cup-final", "rehearsal"]
    assert [fault.kind for fault in world.faults.all("sports")] == [FaultKind.RESET]


def test_the_page_names_every_fault_setting_and_operation() -> None:
    world = World()
    world.alibaba.accounts.add("sports")
    settings = set(show_settings(world.alibaba, "sports")) - {"account", "keys"}

    missing = [name for name in [*FaultKind, *settings, *(name for _, name in OPERATIONS)] if f"`{name}`" not in PAGE]

    assert missing == []
