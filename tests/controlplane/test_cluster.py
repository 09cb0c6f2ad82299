"""The control plane is real, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.controlplane import ControlPlane
from tests.controlplane.process import ChildProcess
from tests.stage.objects import wait_for

# A shell that starts a job in the background has it ignore SIGINT, and its children with it.
STARTS_AND_WAITS = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from tests.controlplane import ControlPlane
from tests.controlplane.process import ChildProcess
with ControlPlane() as cluster:
    print(cluster.folder, *cluster.pids, flush=True)
    time.sleep(60)
"""


def test_service_accounts_have_the_rights_that_rbac_gives_them_and_no_more(
    control_plane: ControlPlane, namespace: str
) -> None:
    control_plane.kubectl("-n", namespace, "create", "serviceaccount", "reader")
    rights = ("create", "rolebinding", "reader", "--clusterrole=view", f"--serviceaccount={namespace}:reader")
    control_plane.kubectl("-n", namespace, *rights)

    kubeconfig = control_plane.kubeconfig_of(namespace, "reader")

    may = ("-n", namespace, "auth", "can-i", "get", "configmaps")
    wait_for(lambda: control_plane.kubectl(*may, kubeconfig=kubeconfig, check=False).returncode == 0, "the rights", 10)
    refused = control_plane.kubectl("-n", namespace, "get", "secrets", kubeconfig=kubeconfig, check=False)
    assert refused.returncode != 0
    assert f"system:serviceaccount:{namespace}:reader" in refused.stderr


def test_a_namespace_that_is_deleted_goes_with_what_is_in_it(control_plane: ControlPlane, namespace: str) -> None:
    control_plane.kubectl("-n", namespace, "create", "configmap", "gone-too")

    control_plane.kubectl("delete", "namespace", namespace, "--timeout=30s")

    assert control_plane.kubectl("get", "namespace", namespace, check=False).returncode != 0


def test_writes_are_audited_with_who_made_them(control_plane: ControlPlane, namespace: str) -> None:
    control_plane.kubectl("-n", namespace, "create", "configmap", "watched")

    writes = [write for write in control_plane.writes("livetask-test-admin") if write.name == "watched"]

    assert [(write.verb, write.resource, write.code) for write in writes] == [("create", "configmaps", 201)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def test_nothing_is_left_behind_when_its_owner_ends(number: signal.Signals) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", STARTS_AND_WAITS], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    with owner:  # closes its pipe, whatever happens
        assert owner.stdout is not None
        folder, *pids = owner.stdout.readline().split()
        assert len(pids) == 3
        assert all(is_alive(int(pid)) for pid in pids)

        owner.send_signal(number)
        owner.wait(20)

        wait_for(lambda: not any(is_alive(int(pid)) for pid in pids), "all of its processes are gone", 10)
        if number == signal.SIGINT:
            assert not Path(folder).exists()


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_condition_that_never_holds_is_not_waited_for_beyond_the_end_of_its_program(tmp_path: Path) -> None:
    process = ChildProcess("a program", [sys.executable, "-c", "print('its last words')"], tmp_path / "log", os.environ)
    began = time.monotonic()

    with pytest.raises(RuntimeError, match="its last words"):
        process.wait_until(lambda: False, "ready", 30)

    assert time.monotonic() - began < 10
