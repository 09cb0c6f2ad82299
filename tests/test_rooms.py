"""The arrows between the rooms are held, and what holds them would notice."""

from __future__ import annotations

import operator
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.conftest import ROOT


def lint_imports(checkout: Path) -> subprocess.CompletedProcess[str]:
    """Lint the imports of a checkout, whatever is installed."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    env = {**os.environ, "PYTHONPATH": str(checkout / "operator")}
    return subprocess.run(command, cwd=checkout, env=env, capture_output=True, text=True, check=False)


def test_the_standard_librarys_operator_is_not_shadowed() -> None:
    assert Path(operator.__file__ or "").is_relative_to(sysconfig.get_path("stdlib"))
    assert not (ROOT / "operator" / "__init__.py").exists()


def test_the_arrows_between_the_rooms_hold() -> None:
    run = lint_imports(ROOT)

    assert run.returncode == 0, run.stdout
    assert "0 broken" in run.stdout


@pytest.mark.parametrize(
    ("room", "line", "contract"),
    [
        ("livetask_operator/reconcile/settle.py", "import kopf", "Only kube/ imports kopf or kubernetes"),
        ("livetask_operator/polling/quota.py", "import httpx", "Decisions do no I/O"),
        (
            "livetask_operator/vendors/alibaba/rpc.py",
            "import livetask_operator.reconcile.settle",
            "A vendor knows neither",
        ),
        ("livetask_operator/reconcile/words.py", "import livetask_operator.kube.api", "Arrows point one way"),
        ("livetask_simulator/ledger.py", "import livetask_operator.config", "The simulator shares no code"),
    ],
)
def test_an_arrow_that_points_the_wrong_way_is_caught(tmp_path: Path, room: str, line: str, contract: str) -> None:
    shutil.copytree(ROOT / "operator", tmp_path / "operator", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    file = tmp_path / "operator" / room
    file.write_text(f"{file.read_text()}\n{line}\n")

    run = lint_imports(tmp_path)

    assert run.returncode != 0
    assert any(contract in each and "BROKEN" in each for each in run.stdout.splitlines()), run.stdout
