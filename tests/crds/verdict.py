"""What the API server made of a manifest, held against what the manifest's first lines say it should.

A manifest that must be refused opens with a line for each mistake in it:

    # refused: spec.alibabaCloud.appId | may not be more than 64 bytes

The field and the words must stand in one line of what the person sees.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

_MARK = "# refused: "


@dataclass(frozen=True)
class Refusal:
    """A message that a person must be shown: which field, and which rule."""

    field: str
    words: str

    def is_in(self, output: str) -> bool:
        return any(self.field in line and self.words in line for line in output.splitlines())


def announced(manifest: Path) -> list[Refusal]:
    """The refusals that a manifest announces. One that announces none is a mistake in the test."""
    lines = [line.removeprefix(_MARK) for line in manifest.read_text().splitlines() if line.startswith(_MARK)]
    if not lines:
        raise ValueError(f"{manifest.name} announces no refusal; begin it with '{_MARK}<field> | <words>'")
    return [Refusal(*line.split(" | ", 1)) for line in lines]


def assert_refused(run: subprocess.CompletedProcess[str], refusals: list[Refusal]) -> None:
    """The command failed, and said each of these."""
    assert run.returncode != 0, f"accepted, though it should be refused:\n{run.stdout}"
    for refusal in refusals:
        assert refusal.is_in(run.stderr), f"no line names {refusal.field} and says {refusal.words!r}:\n{run.stderr}"


def assert_accepted(run: subprocess.CompletedProcess[str]) -> None:
    """The command succeeded, and nothing was said against it."""
    assert run.returncode == 0, f"refused, though it should be accepted:\n{run.stderr}"
    assert not run.stderr, f"accepted with a warning:\n{run.stderr}"
