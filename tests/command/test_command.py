"""The command as it is typed: what it answers, and with which exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

COMMAND = str(Path(sys.executable).parent / "livetask-operator")


def livetask(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KUBE")}
    return subprocess.run(
        [COMMAND, *arguments], capture_output=True, text=True, check=False, timeout=30, env={**environment, **env}
    )


@pytest.mark.parametrize(
    "arguments", [("--help",), ("run", "--help"), ("explain", "--help"), ("check", "--help")], ids=" ".join
)
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


def test_explain_says_what_it_needs_and_how_it_ends() -> None:
    text = " ".join(livetask("explain", "--help", COLUMNS="200").stdout.split())

    for word in ("[KIND/]NAMESPACE/NAME", "--operator URL", "--lease-namespace NS", "--lease-name NAME"):
        assert word in text
    assert "pods/portforward" in text
    assert text.endswith("with 2 where it makes no sense, or there is no way to a cluster.")


def test_explain_without_a_way_to_a_cluster_says_so_in_one_line(tmp_path: Path) -> None:
    run = livetask("explain", "sports/cup-final", HOME=str(tmp_path))

    assert (run.returncode, run.stdout) == (2, "")
    (line,) = run.stderr.splitlines()
    assert line.startswith("There is no way to a cluster: ")


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
    ("arguments", "says"),
    [
        (("--listen", "nowhere"), "--listen is 'nowhere'; write it as host:port"),
        (("--selector", "shard in a"), "--selector is 'shard in a': 'shard in a' is no condition; write labels as"),
        (("--selector", ""), "--selector is empty"),
        (("--namespace", "Sports"), "--namespace is 'Sports', which is no name of a namespace"),
        (("--namespace", "news", "--namespace", ""), "--namespace is empty"),
        (("--lease-name", "my_lease"), "--lease-name is 'my_lease', which is no name of a Lease"),
        (("--lease-namespace", "Mine"), "--lease-namespace is 'Mine', which is no name of a namespace"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_meant_is_said_in_one_line(arguments: tuple[str, ...], says: str) -> None:
    run = livetask("run", *arguments)

    assert run.returncode == 2
    (line,) = run.stderr.splitlines()
    assert line.startswith(says)


def kubeconfig(**fields: object) -> str:
    return yaml.safe_dump({"apiVersion": "v1", "kind": "Config", "current-context": "here", **fields})


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "names {file}, which is no file"),
        ("clusters: [", "{file} is no YAML"),
        ("hello", "{file} is no kubeconfig"),
        ("", "{file} is no kubeconfig"),
        (kubeconfig(contexts=[], clusters=[], users=[]), "Expected object with name here"),
        (kubeconfig(contexts=1), "the kubeconfig is not as it should be"),
    ],
    ids=["missing", "no YAML", "a word", "empty", "no such context", "another shape"],
)
def test_a_kubeconfig_that_is_none_is_said_in_one_line(tmp_path: Path, content: str | None, says: str) -> None:
    file = tmp_path / "kubeconfig"
    if content is not None:
        file.write_text(content)

    run = livetask("run", "--listen", "127.0.0.1:0", KUBECONFIG=str(file))

    assert run.returncode == 2
    (line,) = run.stderr.splitlines()
    assert line.startswith("There is no way to a cluster: ")
    assert says.format(file=file) in line
    assert line.endswith("Set KUBECONFIG to a kubeconfig file that kubectl takes, or run in a pod.")


def test_no_kubeconfig_at_all_is_said_in_one_line(tmp_path: Path) -> None:
    run = livetask("run", "--listen", "127.0.0.1:0", HOME=str(tmp_path))

    assert run.returncode == 2
    (line,) = run.stderr.splitlines()
    assert "KUBECONFIG is not set, there is no ~/.kube/config, and this is no pod" in line


def test_an_option_that_does_not_exist_is_refused() -> None:
    run = livetask("run", "--nonsense")

    assert run.returncode == 2
    assert "--nonsense" in run.stderr
