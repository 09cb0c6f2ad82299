"""The linters of the manifests bite: what they let pass would be found on a cluster only."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.lint.__main__ import main


@pytest.mark.parametrize(
    ("file", "good", "bad", "words"),
    [
        ("base/deployment.yaml", "  replicas: 2\n", "  replica: 2\n", "'replica' not allowed"),
        (
            "base/deployment.yaml",
            "readOnlyRootFilesystem: true",
            "readOnlyRootFilesystem: false",
            "a writable root filesystem",
        ),
        ("samples/preloadtasks.yaml", "domainName:", "domain:", "'domain' not allowed"),
        ("monitoring/podmonitor.yaml", "interval:", "every:", "'every' not allowed"),
    ],
    ids=[
        "a field that does not exist",
        "a container with more rights",
        "a field of ours that does not exist",
        "a field that the Prometheus operator does not have",
    ],
)
def test_a_mistake_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str, good: str, bad: str, words: str
) -> None:
    copy = Path(shutil.copytree(ROOT / "manifests", tmp_path / "manifests"))
    text = (copy / file).read_text()
    assert good in text
    (copy / file).write_text(text.replace(good, bad))
    apart = Path(file).parts[0]
    folder = copy / apart if apart in ("samples", "monitoring") else copy

    code = main([str(folder)])

    assert code == 1
    assert words in capsys.readouterr().out
