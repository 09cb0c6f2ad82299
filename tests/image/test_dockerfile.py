"""What the Dockerfile promises, as far as reading it tells. `check_built.py` builds it."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.image.engine import stages
from tests.image.pod import deployment
from tests.test_lock import PROJECT

TEXT = (ROOT / "Dockerfile").read_text()
FINAL = stages(TEXT)[-1]
LABELS = ("title", "description", "licenses", "version", "revision", "created", "base.name")


def instructions(word: str, text: str) -> list[str]:
    """The arguments of each instruction of this name."""
    return re.findall(rf"^{word} (.*)$", text, re.MULTILINE)


def api_classes_named(folder: Path) -> set[str]:
    """The classes of the Kubernetes client, one of each API, that the code names."""
    trees = [ast.parse(path.read_text()) for path in folder.rglob("*.py")]
    names = {node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return {name for name in names if re.fullmatch(r"[A-Z]\w+Api", name)}


def module_of(api_class: str) -> str:
    """CoreV1Api is in core_v1_api.py."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", api_class).lower() + ".py"


def test_the_linter_finds_nothing_and_nothing_is_hidden_from_it() -> None:
    run = subprocess.run(
        [Path(sys.executable).parent / "hadolint", "--no-color", ROOT / "Dockerfile"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.returncode, run.stdout) == (0, "")
    assert "hadolint" not in TEXT
    assert list(ROOT.glob(".hadolint*")) == []


def test_whatever_is_installed_has_its_hash_in_a_lock_or_comes_from_this_checkout() -> None:
    commands = [each for run in instructions("RUN", "".join(stages(TEXT))) for each in run.split(" && ")]
    installs = [shlex.split(each) for each in commands if re.search(r"\bpip\b.* (install|wheel|download)\b", each)]

    assert len(installs) == 4
    for words in installs:
        assert {"--require-hashes", "--only-binary=:all:"} <= set(words) or {"--no-index", "--no-deps"} <= set(words)


def test_it_runs_as_a_number_that_is_not_root_and_is_the_deployments() -> None:
    context = deployment()["securityContext"]
    (user,) = instructions("USER", FINAL)

    assert user == f"{context['runAsUser']}:{context['runAsGroup']}"
    assert context["runAsUser"] > 0


def test_it_starts_the_command_that_the_deployment_gives_arguments_to() -> None:
    (container,) = deployment()["containers"]

    assert instructions("ENTRYPOINT", FINAL) == ['["livetask-operator"]']
    assert instructions("CMD", FINAL) == ['["run"]']
    assert container["args"][0] == "run"
    assert "command" not in container


@pytest.mark.parametrize("label", LABELS)
def test_it_has_the_label(label: str) -> None:
    (labels,) = instructions("LABEL", FINAL)

    assert re.search(rf'\borg\.opencontainers\.image\.{re.escape(label)}="[^"]+"', labels)


def test_the_version_is_the_projects() -> None:
    assert f"VERSION={PROJECT['project']['version']}" in instructions("ARG", FINAL)


def test_the_parts_of_the_kubernetes_client_that_the_operator_names_stay_in() -> None:
    stays = set(re.findall(r"-not -name (\w+_api\.py)", TEXT))

    assert stays == {module_of(name) for name in api_classes_named(ROOT / "operator")}


def test_the_build_sees_only_what_is_copied() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split("\n")
    seen = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    sources = [each for copy in instructions("COPY", "".join(stages(TEXT)[:-1])) for each in copy.split()[:-1]]

    assert "*" in ignored
    assert seen == set(sources)
