"""What others wrote and the image ships: under which licences, what for, and by which hash."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import metadata, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.conftest import ROOT
from tests.test_lock import PIN, PROJECT, name_of, pins

ALLOWED = {
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MIT",
    "MPL-2.0",  # of files: they are shipped as they were published
    "PSF-2.0",
}
"""Licences that let anyone ship the image, with the texts that each package brings."""
SAID_OTHERWISE = {"Apache 2.0": "Apache-2.0", "MIT License": "MIT"}
ROOMS = ("livetask_operator", "livetask_simulator")
WANTED = {name_of(Requirement(each).name) for each in PROJECT["project"]["dependencies"]}


def licences(package: str) -> set[str]:
    """What a package says of itself, as SPDX identifiers."""
    facts = metadata(package).json
    said = str(facts.get("license_expression") or facts.get("license") or "says nothing")
    return {SAID_OTHERWISE.get(each.strip("() "), each.strip("() ")) for each in re.split(r" (?:AND|OR) ", said)}


def imported(folder: Path) -> set[str]:
    """The names of the packages outside of the standard library that the code imports."""
    found: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - set(ROOMS)


@pytest.mark.parametrize("package", sorted(pins("requirements.lock")))
def test_a_package_may_be_shipped(package: str) -> None:
    assert licences(package) <= ALLOWED


def test_every_dependency_is_imported_and_every_import_is_a_declared_dependency() -> None:
    provided_by = packages_distributions()
    used = {name_of(provided_by[name][0]) for name in imported(ROOT / "operator")}

    assert used == WANTED


@pytest.mark.parametrize("table", ["dependencies", "dev", "audit"])
def test_every_dependency_says_why_it_is_there(table: str) -> None:
    text = (ROOT / "pyproject.toml").read_text()
    found = re.search(rf"^{table} = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    assert found is not None

    assert [line for line in found[1].splitlines() if "#" not in line] == []


def test_the_tools_of_the_audit_are_locked_by_hash() -> None:
    text = (ROOT / "requirements-audit.lock").read_text()
    rest = [line for line in PIN.sub("", text).splitlines() if line.strip() and not line.lstrip().startswith("#")]

    assert rest == []
    for each in map(Requirement, PROJECT["dependency-groups"]["audit"]):
        assert each.specifier.contains(pins("requirements-audit.lock")[name_of(each.name)])
