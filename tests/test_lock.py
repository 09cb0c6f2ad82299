"""The lock files cover what pyproject.toml asks for, by hash, and agree with each other."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-build.lock")
PIN = re.compile(
    r"^([A-Za-z0-9._-]+)==(\S+)((?: ;[^\\]*)?) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)


def name_of(text: str) -> str:
    return re.sub(r"[-_.]+", "-", text).lower()


def pins(lock: str) -> dict[str, str]:
    """The version of each package in a lock."""
    return {name_of(match[1]): match[2] for match in PIN.finditer((ROOT / lock).read_text())}


RUN = PROJECT["project"]["dependencies"]
DEV = PROJECT["project"]["optional-dependencies"]["dev"]
BUILD = PROJECT["build-system"]["requires"]


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [("requirements.lock", RUN), ("requirements-dev.lock", [*RUN, *DEV, *BUILD]), ("requirements-build.lock", BUILD)],
)
def test_a_lock_covers_what_the_project_asks_for(lock: str, wanted: list[str]) -> None:
    locked = pins(lock)

    for requirement in map(Requirement, wanted):
        version = locked.get(name_of(requirement.name))
        assert version is not None, f"{lock} lacks {requirement.name}; run make lock"
        assert requirement.specifier.contains(version), f"{lock} has {requirement.name} {version}; run make lock"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_is_pins_with_hashes_and_names_no_place(lock: str) -> None:
    text = (ROOT / lock).read_text()
    rest = [line for line in PIN.sub("", text).splitlines() if line.strip() and not line.lstrip().startswith("#")]

    assert rest == []
    assert "://" not in text


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-build.lock"])
def test_what_is_tested_is_what_is_shipped(lock: str) -> None:
    tested = pins("requirements-dev.lock")

    assert pins(lock).items() <= tested.items()
