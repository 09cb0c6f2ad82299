"""Where Prometheus' programs come from: in which order, and that nothing else is taken for them."""

from __future__ import annotations

import hashlib
import http.server
import io
import platform
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.monitoring.binaries import OLDEST_PROMETHEUS, Source, obtain
from tests.programs import ProgramUnavailable

NAMES = ("prometheus", "promtool")
PROGRAM = b"#!/bin/sh\necho 'a program, version 3.5.0'\n"
MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one folder on PATH, empty, and an empty cache."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> Iterator[bytes]:
    """What is published, at an address of the test's own."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name in (*NAMES, "LICENSE"):
            member = tarfile.TarInfo(f"prometheus-3.5.0.linux-{MACHINE}/{name}")
            member.size = len(PROGRAM)
            tar.addfile(member, io.BytesIO(PROGRAM))
    content = packed.getvalue()

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setattr(Source, "url", lambda *_: f"http://127.0.0.1:{server.server_port}/")
    yield content
    server.shutdown()
    thread.join()
    server.server_close()


def source(sha256: str = "") -> Source:
    return Source("prometheus", NAMES, "3.5.0", {MACHINE: sha256}, "prometheus", {}, OLDEST_PROMETHEUS)


def program(folder: Path, name: str, version: str) -> Path:
    made = folder / name
    made.write_text(f"#!/bin/sh\necho '{name}, version {version} (branch: HEAD)'\n")
    made.chmod(0o755)
    return made


def test_what_is_on_the_path_is_taken_without_a_word(path: Path, said: list[str]) -> None:
    expected = {name: program(path, name, "2.42.0+ds") for name in NAMES}

    assert obtain(said.append, [source()]) == expected
    assert said == []


def test_one_that_is_too_old_is_passed_over_for_the_published_archive(
    path: Path, said: list[str], archive: bytes
) -> None:
    for name in NAMES:
        program(path, name, "2.33.5")

    found = obtain(said.append, [source(hashlib.sha256(archive).hexdigest())])
    again = obtain(said.append, [source()])

    assert {name: place.read_bytes() for name, place in found.items()} == dict.fromkeys(NAMES, PROGRAM)
    assert again == found  # from the cache
    assert all("older than 2.42" in line for line in said)


def test_an_archive_with_another_checksum_is_not_used(path: Path, said: list[str], archive: bytes) -> None:
    with pytest.raises(ProgramUnavailable) as refused:
        obtain(said.append, [source("0" * 64)])

    assert "does not have the pinned checksum" in str(refused.value)


def test_a_broken_one_in_the_cache_is_made_again(path: Path, said: list[str], archive: bytes) -> None:
    good = source(hashlib.sha256(archive).hexdigest())
    found = obtain(said.append, [good])
    found["promtool"].write_bytes(b"cut off in the middle")

    assert obtain(said.append, [good])["promtool"].read_bytes() == PROGRAM


def test_where_it_cannot_be_had_the_words_say_what_to_do(
    path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Source, "url", lambda *_: "http://127.0.0.1:1/")

    with pytest.raises(ProgramUnavailable) as refused:
        obtain(said.append, [source()])

    assert "prometheus and promtool cannot be had" in str(refused.value)
    assert "there is no apt-get" in str(refused.value)
    assert "Install prometheus 2.42 or newer" in str(refused.value)
