"""What the README promises: each promise is held by the test that is named after it, which `make test` runs.

A promise whose test was renamed, skipped or moved out of `make test` would be words alone.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.conftest import ROOT

PROMISES = (
    "Stopped means stopped",
    "Never someone else's task, never the wrong moment",
    "Quiet",
    "Inside the quota",
    "People first",
    "Deletion never hangs in silence",
    "A crash costs nothing",
    "No stale Ready",
    "Rotation without a restart",
    "Secrets stay secret",
    "The vendor can say anything",
    "An uninstall stops nothing by accident",
    "Nothing is missed",
)
README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTION = re.compile(r"^## What it promises$(.*?)^##", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| \*\*(?P<title>.+?)\.\*\* [^|]+ \|(?P<tests>[^|]+)\|(?P<breaks>[^|]+)\|$", re.MULTILINE)
LINK = re.compile(r"\[`(?P<name>test_\w+)`\]\((?P<path>[^)]+)\)")
LEFT_OUT = re.compile(r"--ignore=([\w./]+)")
NOT_RUN = ("skip", "skipif", "xfail")


@dataclass(frozen=True)
class Link:
    """A test that a promise names."""

    name: str
    path: str

    @property
    def node(self) -> str:
        return f"{self.path}::{self.name}"


def rows(readme: str) -> dict[str, list[Link]]:
    """The promises and the tests that they name."""
    section = SECTION.search(readme)
    text = "" if section is None else section[1]
    return {
        row["title"]: [Link(each["name"], each["path"]) for each in LINK.finditer(row["tests"])]
        for row in ROW.finditer(text)
    }


def named_after(promise: str) -> str:
    """The name of a promise's test."""
    return "test_" + re.sub(r"\W+", "_", promise.lower().replace("'", "")).strip("_")


def complaints(readme: str, makefile: str = (ROOT / "Makefile").read_text(encoding="utf-8")) -> Iterator[str]:
    """What is wrong with the promises, a line each."""
    found = rows(readme)
    yield from (f"{promise}: it is not there" for promise in PROMISES if promise not in found)
    yield from (f"{promise}: nobody knows of it" for promise in found if promise not in PROMISES)
    for promise, links in found.items():
        if named_after(promise) not in [link.name for link in links]:
            yield f"{promise}: it does not name {named_after(promise)}"
        for link in links:
            yield from (f"{promise}: {link.node} {what}" for what in faults(link, LEFT_OUT.findall(makefile)))


def faults(link: Link, left_out: list[str]) -> Iterator[str]:
    """Why `make test` does not run a test."""
    file = ROOT / link.path
    if not file.is_file():
        yield "is in no file"
        return
    if not file.name.startswith("test_"):
        yield "is in a file that is not collected"
    if any(link.path.startswith(f"{folder}/") for folder in left_out):
        yield "is not in `make test`"
    tests = {
        each.name: each
        for each in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    if link.name not in tests:
        yield "does not exist"
    elif any(mark in ast.unparse(each) for each in tests[link.name].decorator_list for mark in NOT_RUN):
        yield "is not always run"


def test_each_promise_names_the_test_that_holds_it() -> None:
    assert list(rows(README)) == list(PROMISES)
    assert list(complaints(README)) == []


def test_each_of_these_tests_runs_on_a_real_control_plane() -> None:
    named = [link for promise, links in rows(README).items() for link in links if link.name == named_after(promise)]
    command = [sys.executable, "-m", "pytest", "--setup-plan", "-q", "--no-header", "-p", "no:cacheprovider"]

    plan = subprocess.run(
        [*command, *(link.node for link in named)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )

    assert plan.returncode == 0, plan.stdout[-2000:] + plan.stderr[-2000:]
    used = dict(re.findall(r"^\s*(tests/\S+::\w+)\S*.* \(fixtures used: (.*)\)", plan.stdout, re.MULTILINE))
    assert {link.node for link in named} == set(used)
    for link in named:
        own = "with ControlPlane(" in (ROOT / link.path).read_text(encoding="utf-8")
        assert own or {"control_plane", "plane"} & set(used[link.node].split(", ")), link.node


def without(text: str) -> Callable[[str], str]:
    return lambda readme: readme.replace(text, "")


def instead(text: str, other: str) -> Callable[[str], str]:
    return lambda readme: readme.replace(text, other)


QUIET = "[`test_quiet`](tests/kube/test_following.py)"


@pytest.mark.parametrize(
    ("plant", "complaint"),
    [
        pytest.param(without("**Quiet.**"), "Quiet: it is not there", id="a promise is missing"),
        pytest.param(instead("**Quiet.**", "**Cheap.**"), "Cheap: nobody knows of it", id="a promise is new"),
        pytest.param(without(QUIET), "Quiet: it does not name test_quiet", id="a promise has no test"),
        pytest.param(
            instead("`test_quiet`", "`test_silent`"),
            "Quiet: tests/kube/test_following.py::test_silent does not exist",
            id="its test was renamed",
        ),
        pytest.param(
            instead("test_following.py", "test_nothing.py"),
            "Quiet: tests/kube/test_nothing.py::test_quiet is in no file",
            id="its test was moved",
        ),
        pytest.param(
            instead("tests/kube/test_following.py", "tests/kube/small_world.py"),
            "Quiet: tests/kube/small_world.py::test_quiet is in a file that is not collected",
            id="its test is not collected",
        ),
        pytest.param(
            instead("tests/kube/test_following.py", "tests/lifecycle/test_moving.py"),
            "Quiet: tests/lifecycle/test_moving.py::test_quiet is not in `make test`",
            id="its test runs elsewhere",
        ),
    ],
)
def test_a_promise_that_nothing_holds_is_caught(plant: Callable[[str], str], complaint: str) -> None:
    planted = plant(README)

    assert planted != README
    assert complaint in list(complaints(planted))


def test_a_test_that_is_skipped_holds_nothing() -> None:
    skipped = ast.parse("@pytest.mark.skipif(True, reason='slow')\ndef test_quiet() -> None: ...").body[0]

    assert isinstance(skipped, ast.FunctionDef)
    assert any(mark in ast.unparse(each) for each in skipped.decorator_list for mark in NOT_RUN)
