"""Where the control plane's programs come from, and that a broken or half-finished one is noticed."""

from __future__ import annotations

import hashlib
import http.server
import io
import shutil
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.controlplane import binaries
from tests.programs import Program, Say

NAMES = [program.name for program in binaries.PROGRAMS]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of ours, and no KUBEBUILDER_ASSETS."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    folder = binaries.cache_folder()
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def said() -> list[str]:
    return []


def put(folder: Path, name: str, content: bytes = b"a program", *, seal: bool = True) -> Path:
    path = folder / name
    path.write_bytes(content)
    path.chmod(0o755)
    if seal:
        (folder / f"{name}.sha256").write_text(hashlib.sha256(content).hexdigest() + "\n")
    return path


def test_whole_programs_in_the_cache_are_taken_without_a_word(cache: Path, said: list[str]) -> None:
    expected = {name: put(cache, name) for name in NAMES}

    assert binaries.obtain(said.append) == expected
    assert said == []


def test_assets_come_first_and_what_they_lack_comes_from_the_cache(
    cache: Path, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets = tmp_path / "assets"
    assets.mkdir()
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))
    mine = put(assets, "etcd", seal=False)
    for name in NAMES:
        put(cache, name)

    found = binaries.obtain(said.append)

    assert found["etcd"] == mine
    assert found["kubectl"] == cache / "kubectl"
    assert [line for line in said if "KUBEBUILDER_ASSETS" in line and "kube-apiserver" in line]


@pytest.mark.parametrize("seal", [True, False], ids=["broken", "half-finished"])
def test_what_does_not_match_its_seal_is_made_again(
    cache: Path, said: list[str], seal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in NAMES:
        put(cache, name)
    put(cache, "etcd", seal=seal)
    (cache / "etcd").write_bytes(b"cut off in the middle")
    if not seal:
        (cache / "etcd.sha256").unlink()
    monkeypatch.setattr(binaries, "ARCHIVE_URL", "http://127.0.0.1:1/{version}-{system}-{machine}")
    made: list[str] = []

    def build(folder: Path, missing: list[Program], _: Say) -> None:
        for program in missing:
            made.append(program.name)
            put(folder, program.name, b"made again")

    monkeypatch.setattr(binaries, "_fill_by_building", build)

    found = binaries.obtain(said.append)

    assert made == ["etcd"]
    assert found["etcd"].read_bytes() == b"made again"
    assert "broken or half-finished" in said[0]
    assert "the published archive cannot be had" in said[1]


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[bytes]:
    """A server with an archive as envtest publishes it: three programs, not four."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name in ("etcd", "kube-apiserver", "kubectl"):
            member = tarfile.TarInfo(f"controller-tools/envtest/{name}")
            member.size = len(b"published")
            tar.addfile(member, io.BytesIO(b"published"))
    archive = content.getvalue()

    class Serve(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(archive)))
            self.end_headers()
            self.wfile.write(archive)

        def log_message(self, *_: object) -> None:
            """Nothing: the test says what it needs."""

    with http.server.HTTPServer(("127.0.0.1", 0), Serve) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}/{{version}}-{{system}}-{{machine}}"
        monkeypatch.setattr(binaries, "ARCHIVE_URL", url)
        yield archive
        server.shutdown()
        thread.join()


def pin(monkeypatch: pytest.MonkeyPatch, checksum: str) -> None:
    monkeypatch.setattr(binaries, "ARCHIVE_SHA512", dict.fromkeys([("linux", "amd64"), ("linux", "arm64")], checksum))


def test_the_published_archive_is_taken_when_its_checksum_is_the_pinned_one(
    cache: Path, said: list[str], published: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin(monkeypatch, hashlib.sha512(published).hexdigest())
    put(cache, "kube-controller-manager")

    found = binaries.obtain(said.append)

    assert found["kube-apiserver"].read_bytes() == b"published"
    assert found["etcd"].stat().st_mode & 0o111
    assert said == [f"control plane: taking the published archive for envtest {binaries.ARCHIVE_VERSION}"]


def test_an_archive_with_another_checksum_is_not_used(
    cache: Path, said: list[str], published: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin(monkeypatch, hashlib.sha512(published + b"!").hexdigest())
    monkeypatch.setattr(shutil, "which", lambda _: None)

    with pytest.raises(binaries.ControlPlaneUnavailable, match="no Go toolchain"):
        binaries.obtain(said.append)

    assert "does not have the pinned checksum" in said[0]
    assert not (cache / "etcd").exists()


def test_without_any_source_the_words_say_what_to_do(
    cache: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "ARCHIVE_URL", "http://127.0.0.1:1/{version}-{system}-{machine}")
    monkeypatch.setattr(shutil, "which", lambda _: None)

    with pytest.raises(binaries.ControlPlaneUnavailable, match=r"Install Go 1\.26 or newer, or set KUBEBUILDER_ASSETS"):
        binaries.obtain(said.append)
