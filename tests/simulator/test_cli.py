"""The command: its address line, its script, its end."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from livetask_simulator.cli import main
from livetask_simulator.process import simulator_process
from tests.simulator.alibaba_sdk import Sdk

SCRIPT = """
alibaba:
  sports:
    clockSkewSeconds: 2
    stopOfUnknown: accept
    keys:
      LTAI-sports: {secret: s3cret}
      STS.sports: {secret: temporary, token: a-token}
    quotas:
      StopLiveMPUTask: {limit: 1, windowSeconds: 3600}
    tasks:
      - {appId: app-1, taskId: cup-final, status: 0, life: [[0, 1]]}
      - {appId: app-1, taskId: rehearsal, edition: rtc, status: 4}
faults:
  - {account: sports, operation: GetMPUTaskStatus, taskId: rehearsal, kind: error, code: ServiceUnavailable, times: 1}
"""


def test_a_script_fills_the_clouds_before_anybody_asks(tmp_path: Path) -> None:
    script = tmp_path / "evening.yaml"
    script.write_text(SCRIPT)

    with simulator_process(["--script", str(script), "--account", "news=LTAI-news:other"]) as simulator:
        sdk = Sdk.at(simulator.url.removeprefix("http://"), "LTAI-sports", "s3cret")
        statuses = {task.task_id: task.status for task in simulator.tasks("sports")}
        assert sdk.status("app-1", "cup-final") == 1
        assert [fault["code"] for fault in simulator.faults("sports")] == ["ServiceUnavailable"]
        assert simulator.tasks("news") == []

    assert statuses == {"cup-final": 1, "rehearsal": 4}


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("alibaba: {sports: {keyz: {}}}", "unknown fields: keyz"),
        ("alibaba: {sports: {keys: {LTAI-1: {}}}}", "has no field secret"),
        ("alibaba: {sports: {tasks: [{appId: a}]}}", "has no field taskId"),
        ("faults: [{kind: explode}]", "kind must be one of"),
        ("clouds: {}", "unknown fields: clouds"),
        ("[", "is not YAML"),
        ("- a", "must be a mapping"),
    ],
)
def test_a_wrong_script_ends_the_start_with_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], script: str, words: str
) -> None:
    path = tmp_path / "evening.yaml"
    path.write_text(script)

    code = main(["--script", str(path)])

    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert words in said.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--account", "sports"], "--account takes NAME=KEYID:SECRET"),
        (["--listen", "8900"], "--listen takes HOST:PORT"),
        (["--script", "/nowhere.yaml"], "No such file"),
    ],
)
def test_wrong_arguments_end_the_start_with_words(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    code = main(arguments)

    assert code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_within_a_second(how: signal.Signals) -> None:
    command = [sys.executable, "-m", "livetask_simulator"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        began = time.monotonic()

        process.send_signal(how)

        code = process.wait(5)
    assert line.startswith("livetask-simulator listens on http://127.0.0.1:")
    assert (code, time.monotonic() - began < 1.0) == (0, True)


def test_a_taken_port_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with simulator_process() as simulator:
        address = simulator.url.removeprefix("http://")

        code = main(["--listen", address])

    assert code == 1
    assert f"cannot listen on {address}" in capsys.readouterr().err


def test_the_help_says_how_to_begin(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])

    assert end.value.code == 0
    assert "livetask-simulator --account sports=LTAIsports:secret" in capsys.readouterr().out
