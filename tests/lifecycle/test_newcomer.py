"""A newcomer's way, as the README and `manifests/installing.md` say: onto a cluster, and out through a proxy."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.lifecycle.conftest import Place, Places
from tests.lifecycle.kubelet import PROGRAM
from tests.lifecycle.on_air import INSTALL, airs
from tests.lifecycle.page import Page, Shell
from tests.lifecycle.way_out import Proxy

README = Page("README.md")
INSTALLING = Page("manifests/installing.md")
HOSTS = ("rtc.aliyuncs.com", "live.aliyuncs.com")
API_SERVER_ON_THE_PAGE, PROXY_ON_THE_PAGE = "10.96.0.1", "http://proxy.example.com:3128"


def test_five_commands_lead_from_nothing_to_a_ready_task(place: Place, shell: Shell) -> None:
    way, see = README.blocks("Use it on a cluster")
    built = told_to_docker(shell)
    place.cloud.admin.add_account("newcomer")
    place.cloud.admin.add_key("newcomer", "yourAccessKeyId", "yourAccessKeySecret")
    place.cloud.admin.start_task("newcomer", "yourAppId", "cup-final", 1)
    add(shell, shown(INSTALLING, "The image"))

    shell.type(way)
    typed_s = time.monotonic()
    shell.type(see)

    assert time.monotonic() - typed_s < 15
    assert len(commands(way)) <= 5
    task = place.objects.get("/apis/livetask.dev/v1alpha1/namespaces/sports/relaytasks/cup-final")
    assert task["status"]["state"] == "Running"
    (image,) = {pod["spec"]["containers"][0]["image"] for pod in pods(place)}
    assert f"-t {image} ." in built.read_text()
    (block,) = INSTALLING.blocks("See that it works")
    *lists, _ = commands(block)  # the last shows a Pod's log, which is at its node
    said = "".join(map(shell.type, lists))
    assert "lease.coordination.k8s.io/livetask-operator" in said
    assert re.search(r"sports +relaytask.livetask.dev/cup-final +Running +True", said)


def commands(block: str) -> list[str]:
    """What is typed at a prompt: not what goes on in the next line or is read from a document."""
    documents = re.sub(r"<<'EOF'\n.*?^EOF$", "", block, flags=re.MULTILINE | re.DOTALL)
    return [line for line in documents.replace("\\\n", "").splitlines() if line.strip() and not line.startswith("#")]


def told_to_docker(shell: Shell) -> Path:
    """Put a `docker` at the prompt that notes what it is told. Returns the note; it builds nothing."""
    note = shell.folder / "docker.txt"
    docker = shell.programs / "docker"
    docker.write_text(f'#!/bin/sh\necho "docker $*" >> {note}\n')
    docker.chmod(0o755)
    return note


def shown(page: Page, title: str) -> dict[str, Any]:
    """The YAML that a section shows."""
    found = re.search(r"^```yaml\n(.*?)^```$", page.section(title), re.MULTILINE | re.DOTALL)
    assert found, f"{page.path} shows no YAML under {title!r}"
    body: dict[str, Any] = yaml.safe_load(found[1])
    return body


def add(shell: Shell, part: dict[str, Any]) -> None:
    """Add to `manifests/kustomization.yaml` what a page says."""
    path = shell.folder / "manifests" / "kustomization.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **part}))


def pods(place: Place) -> list[dict[str, Any]]:
    return list(place.objects.get("/api/v1/namespaces/livetask-system/pods")["items"])


def test_it_finds_its_way_out_through_a_proxy_with_a_private_ca(places: Places, tmp_path: Path, sports: str) -> None:
    place = places("proxied", to_vendors=True)
    shell = Shell(tmp_path, {"proxied": place.cluster})
    tenant = place.tenant(sports)
    with Proxy(tmp_path / "proxy", place.cloud.url, HOSTS) as proxy:
        text = yaml.safe_dump(shown(INSTALLING, "Through a proxy, with a private CA"))
        assert text.count(PROXY_ON_THE_PAGE) == text.count(API_SERVER_ON_THE_PAGE) == 1
        add(
            shell,
            yaml.safe_load(text.replace(PROXY_ON_THE_PAGE, proxy.url).replace(API_SERVER_ON_THE_PAGE, "127.0.0.1")),
        )
        (shell.folder / "manifests" / "ca.crt").write_bytes(proxy.ca.read_bytes())

        shell.type(INSTALL)
        relay = airs(tenant, "cup-final")
        relay.delete()

        relay.is_gone()
    assert [call.task_id for call in tenant.stops()] == ["cup-final"]
    assert set(proxy.asked) == {f"{host}:443" for host in HOSTS}


@pytest.mark.parametrize(("text", "words"), [(None, "no such file"), ("no PEM", "no certificate")], ids=["gone", "bad"])
def test_a_ca_that_cannot_be_read_is_told_in_one_line(tmp_path: Path, text: str | None, words: str) -> None:
    ca = tmp_path / "ca.crt"
    if text is not None:
        ca.write_text(text)

    run = subprocess.run(
        [PROGRAM, "run", "--listen", "127.0.0.1:0"],
        env={**os.environ, "SSL_CERT_FILE": str(ca)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert run.returncode == 2
    (line,) = run.stderr.splitlines()
    assert line.startswith(f"SSL_CERT_FILE names {ca}, which cannot be used")
    assert words in line


def test_the_page_tells_the_vendors_hosts_and_what_the_pods_ask_for() -> None:
    config = (ROOT / "manifests" / "base" / "config.yaml").read_text()
    (container,) = yaml.safe_load((ROOT / "manifests" / "base" / "deployment.yaml").read_text())["spec"]["template"][
        "spec"
    ]["containers"]

    hosts = re.findall(r"https://(\S+)", config)
    asked, limit = container["resources"]["requests"], container["resources"]["limits"]

    assert [host for host in hosts if f"`{host}`" not in INSTALLING.section("The way out")] == []
    told = f"{asked['cpu']} of CPU and {asked['memory']} of memory, and is limited to {limit['memory']}"
    assert told in " ".join(INSTALLING.section("What it costs the cluster").split())
