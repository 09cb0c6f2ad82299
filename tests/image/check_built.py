"""The image as it is built: what is in it, that it is the same each time, and the operator running out of it.

`make test-image` runs this. Its name keeps it out of `make test`: it builds the image twice and needs root and Debian's
and Python's package archives, which takes some minutes.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.controlplane import ControlPlane
from tests.image.engine import Engine, Layer
from tests.image.pod import Pod, contained, deployment
from tests.stage.objects import Objects
from tests.stage.processes import Cloud
from tests.stage.tenant import Tenant
from tests.test_lock import PROJECT, pins

Tell = Callable[[str], None]
TAG, AGAIN = "livetask-operator:built", "livetask-operator:built-again"
START_S = 2.0
OURS_MB = 150.0
"""What the layers above the base may weigh, uncompressed."""
BUILD_TOOLS = ("pip", "pip3", "gcc", "cc", "make", "ld", "git", "uv")


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = Engine(tmp_path_factory.mktemp("images"))
    engine.make_base()
    engine.build(ROOT, TAG)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def root(engine: Engine) -> Path:
    """The root file system of a container."""
    return engine.root(TAG)


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    cloud = Cloud(tmp_path_factory.mktemp("cloud"))
    yield cloud
    cloud.stop()


@pytest.fixture
def pod(engine: Engine, root: Path, crds: ControlPlane, cloud: Cloud, tmp_path: Path) -> Iterator[Pod]:
    crds.kubectl("apply", "-k", str(ROOT / "manifests"))
    pod = Pod(root, engine.config(TAG), crds, cloud.url, tmp_path)
    yield pod
    pod.process.stop()


@pytest.fixture
def tenant(control_plane: ControlPlane, namespace: str, cloud: Cloud) -> Iterator[Tenant]:
    with Objects(control_plane) as objects:
        yield Tenant(namespace, objects, cloud.admin)


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Tell:
    """Print a line that pytest does not keep to itself."""

    def tell(line: str) -> None:
        with capsys.disabled():
            print(f"test-image: {line}", flush=True)

    return tell


def size_mb(folder: Path) -> float:
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file() and not each.is_symlink()) / 1e6


def installed(root: Path) -> dict[str, str]:
    """The version of each package that the image has."""
    names = [each.name for each in root.glob("opt/livetask/lib/python3.*/site-packages/*.dist-info")]
    pairs = (name.removesuffix(".dist-info").rsplit("-", 1) for name in names)
    return {name.replace("_", "-").lower(): version for name, version in pairs}


def test_the_operator_follows_and_stops_out_of_a_root_file_system_that_it_cannot_write(
    pod: Pod, tenant: Tenant
) -> None:
    tenant.starts("cup-final")
    relay = tenant.relay("cup-final")
    relay.reaches("Running", "Running")

    relay.delete()

    relay.is_gone(within_s=10)
    assert [call.stopped_task for call in tenant.stops("cup-final")] == [True]
    assert pod.stop() == 0
    assert not [line for line in pod.lines() if line["level"] in ("error", "critical")]


def test_it_runs_as_the_deployments_user_without_any_capability(pod: Pod) -> None:
    context = deployment()["securityContext"]

    status = dict(
        line.split(":\t", 1)
        for line in Path(f"/proc/{pod.process.pid}/status").read_text().splitlines()
        if ":\t" in line
    )

    assert set(status["Uid"].split()) == {str(context["runAsUser"])}
    assert set(status["Gid"].split()) == {str(context["runAsGroup"])}
    assert {int(status[each], 16) for each in ("CapEff", "CapPrm", "CapBnd", "CapInh")} == {0}
    assert status["NoNewPrivs"] == "1"


def test_its_start_takes_less_than_two_seconds_until_it_is_ready(pod: Pod, tell: Tell) -> None:
    seconds = [pod.ready_after_s]
    for _ in range(2):
        pod.stop()
        pod.start()
        seconds.append(pod.ready_after_s)

    tell(f"from exec to ready: {', '.join(f'{each:.2f} s' for each in seconds)}")
    assert min(seconds) < START_S


def test_nothing_that_it_loads_is_compiled_at_its_start(
    engine: Engine, root: Path, crds: ControlPlane, cloud: Cloud, tenant: Tenant, tmp_path: Path
) -> None:
    crds.kubectl("apply", "-k", str(ROOT / "manifests"))
    tenant.starts("cup-final")
    relay = tenant.relay("cup-final")

    pod = Pod(root, engine.config(TAG), crds, cloud.url, tmp_path, env={"PYTHONVERBOSE": "1"})
    relay.reaches("Running", "Running")
    relay.delete()
    relay.is_gone(within_s=10)
    pod.stop()

    said = pod.log.read_text()
    assert "# code object from '/opt/livetask/bytecode/" in said
    assert [line for line in said.splitlines() if line.startswith("# code object from ") and ".pyc" not in line] == []


@pytest.mark.parametrize("module", ["pip", "ensurepip", "setuptools"])
def test_it_cannot_install_anything(engine: Engine, root: Path, module: str) -> None:
    command = contained(root, "65532:65532", {}, engine.config(TAG)["Env"], ["python", "-c", f"import {module}"])

    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert run.returncode == 1
    assert f"No module named '{module}'" in run.stderr


def test_no_build_tool_is_in_it(root: Path) -> None:
    folders = ("usr/bin", "usr/local/bin", "opt/livetask/bin")

    found = [tool for tool in BUILD_TOOLS for folder in folders if (root / folder / tool).exists()]

    assert found == []


def test_what_is_installed_is_what_the_lock_names_and_the_package(root: Path) -> None:
    locked = pins("requirements.lock")

    assert installed(root) == {**locked, "livetask-operator": installed(root)["livetask-operator"]}


def test_it_says_what_it_is(engine: Engine) -> None:
    config = engine.config(TAG)
    label = {key.removeprefix("org.opencontainers.image."): value for key, value in config["Labels"].items()}

    assert config["User"] == "65532:65532"
    assert (config["Entrypoint"], config["Cmd"]) == (["livetask-operator"], ["run"])
    assert (label["title"], label["licenses"]) == ("livetask-operator", "Apache-2.0")
    assert (label["version"], label["base.name"]) == (PROJECT["project"]["version"], "python:3.13-slim")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", label["created"])


def test_a_second_build_has_the_same_layers(engine: Engine) -> None:
    engine.build(ROOT, AGAIN)

    assert engine.layers(AGAIN) == engine.layers(TAG)


def test_its_layers_are_small(engine: Engine, root: Path, tell: Tell) -> None:
    layers: list[Layer] = engine.layers(TAG)
    ours_mb = sum(layer.size for layer in layers) / 1e6
    packages = {folder.name: size_mb(folder) for folder in root.glob("opt/livetask/lib/python3.*/site-packages/*")}

    tell(f"layers above the base: {', '.join(f'{layer.size / 1e6:.1f} MB' for layer in layers)}")
    tell(f"together {ours_mb:.0f} MB, and {engine.compressed_size(TAG) / 1e6:.0f} MB compressed")
    tell(f"byte code {size_mb(root / 'opt/livetask/bytecode'):.0f} MB; the largest packages:")
    for name, megabytes in sorted(packages.items(), key=lambda item: -item[1])[:8]:
        tell(f"  {name} {megabytes:.1f} MB")
    assert ours_mb < OURS_MB


@pytest.mark.parametrize("platform", ["x86_64-manylinux_2_28", "aarch64-manylinux_2_28"])
def test_there_is_a_wheel_of_each_dependency_for_each_architecture(platform: str, tmp_path: Path) -> None:
    uv, lock = str(Path(sys.executable).parent / "uv"), str(ROOT / "requirements.lock")
    options = ("--require-hashes", "--only-binary=:all:", "--dry-run", "--no-config", "--target", str(tmp_path))
    command = [uv, "pip", "install", *options, "--python-platform", platform, "--python-version", "3.13"]

    run = subprocess.run([*command, "-r", lock], capture_output=True, text=True, check=False, timeout=120)

    assert run.returncode == 0, run.stderr
    assert f"Would install {len(pins('requirements.lock'))} packages" in run.stderr
