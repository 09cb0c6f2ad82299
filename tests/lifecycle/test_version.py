"""Which version this is: the command, the manifests and the change log say the same."""

from __future__ import annotations

import re
import subprocess
from importlib.metadata import version

import yaml

from tests.conftest import ROOT
from tests.lifecycle.kubelet import PROGRAM

VERSION = version("livetask-operator")


def test_the_command_says_in_one_line_which_version_it_is_and_which_api_it_serves() -> None:
    run = subprocess.run([PROGRAM, "version"], capture_output=True, text=True, check=False, timeout=30)

    assert (run.returncode, run.stderr) == (0, "")
    (line,) = run.stdout.splitlines()
    assert re.match(rf"livetask-operator {re.escape(VERSION)} \(livetask\.dev/v1alpha1; Python 3\.[^)]*\)$", line)


def test_the_manifests_name_the_image_of_this_version() -> None:
    deployment = yaml.safe_load((ROOT / "manifests" / "base" / "deployment.yaml").read_text())

    (container,) = deployment["spec"]["template"]["spec"]["containers"]

    assert container["image"] == f"livetask-operator:{VERSION}"


def test_the_change_log_begins_with_this_version() -> None:
    headings = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert headings[0] == VERSION
