"""The program that answers with Argo CD's code: what it says when it cannot, and what makes it be built anew."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.gitops.gitopscheck import KIT, GitopsCheck, GitopsCheckError

BODY = {"apiVersion": "livetask.dev/v1alpha1", "kind": "RelayTask", "metadata": {"name": "cup-final"}}


def test_what_it_is_not_told_is_said_and_the_next_question_is_answered(asked: GitopsCheck, tmp_path: Path) -> None:
    with pytest.raises(GitopsCheckError, match=r"connect: .*no such file or directory"):
        asked.connect(tmp_path / "none")
    with pytest.raises(GitopsCheckError, match="kstatus: Object 'Kind' is missing"):
        asked.kstatus({**BODY, "kind": ""})

    assert asked.kstatus(BODY) == "Current"


def test_its_end_is_told_with_its_last_words(tmp_path: Path) -> None:
    with GitopsCheck(tmp_path) as check:
        with pytest.raises(GitopsCheckError, match=r"asked for health: bufio\.Scanner: token too long"):
            check.health({**BODY, "spec": {"taskId": "x" * (17 << 20)}})
        assert check.process.wait(10) == 1


def test_other_sources_are_another_build(tmp_path: Path) -> None:
    copy = replace(KIT, module=Path(shutil.copytree(KIT.module, tmp_path / "copy")))
    assert copy.cache_folder == KIT.cache_folder

    (copy.module / "main.go").write_text("package main")

    assert copy.cache_folder != KIT.cache_folder
