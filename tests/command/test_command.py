"""The command as it is typed: what it answers, and with which exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = str(Path(sys.executable).parent / "livetask-operator")


def livetask(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KUBE")}
    return subprocess.run(
        [COMMAND, *arguments], capture_output=True, text=True, check=False, timeout=30, env={**environment, **env}
    )


@pytest.mark.parametrize("arguments", [("--help",), ("run", "--help"), ("check", "--help")], ids=" ".join)
def test_help_says_what_there_is(arguments: tuple[str, ...]) -> None:
    run = livetask(*arguments)

    assert run.returncode == 0
    assert run.stderr == ""
    assert run.stdout.startswith("usage: livetask-operator")


def test_every_option_of_run_has_words() -> None:
    text = " ".join(livetask("run", "--help", COLUMNS="200").stdout.split())

    for option in ("--config", "--namespace", "--selector", "--leader-elect", "--lease-name", "--lease-namespace"):
        assert option in text
    for option in ("--listen HOST:PORT", "--log-level {debug,info,warning,error}", "--log-format {text,json}"):
        assert option in text


def test_check_shows_what_a_good_file_comes_to(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("stops: Hold\nquotas: {alibabaCloud: {GetMPUTaskStatus: 30}}\n")

    run = livetask("check", "--config", str(file))

    assert (run.returncode, run.stderr) == (0, "")
    assert "stops: Hold (no stop call is made)" in run.stdout
    assert "quotas.alibabaCloud.GetMPUTaskStatus: 30 a second" in run.stdout


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_bad_file_ends_it_with_one_line_that_says_which_key(tmp_path: Path, command: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("quotas: {alibabaCloud: {GetMPUTaskStatus: 0}}\n")

    run = livetask(command, "--config", str(file))

    assert run.returncode == 2
    assert run.stdout == ""
    (line,) = run.stderr.splitlines()
    assert str(file) in line
    assert "quotas.alibabaCloud.GetMPUTaskStatus" in line


@pytest.mark.parametrize(
    ("arguments", "env", "says"),
    [
        (("--listen", "nowhere"), {}, "--listen is 'nowhere'; write it as host:port"),
        (("--listen", "127.0.0.1:0"), {"KUBECONFIG": "/nowhere/kubeconfig"}, "There is no way to a cluster"),
    ],
    ids=["listen", "cluster"],
)
def test_what_cannot_be_run_is_said_in_one_line(arguments: tuple[str, ...], env: dict[str, str], says: str) -> None:
    run = livetask("run", *arguments, **env)

    assert run.returncode == 2
    assert says in run.stderr
    assert len(run.stderr.splitlines()) == 1


def test_an_option_that_does_not_exist_is_refused() -> None:
    run = livetask("run", "--nonsense")

    assert run.returncode == 2
    assert "--nonsense" in run.stderr
