"""Manifests that are unusual and right: the rules stand in nobody's way."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.controlplane import ControlPlane
from tests.crds.verdict import Refusal, assert_accepted, assert_refused

HERE = Path(__file__).parent
ACCEPTED = sorted((HERE / "accepted").glob("*.yaml"))
WITH_NULLS = [path for path in ACCEPTED if ": null\n" in path.read_text()]


@pytest.mark.parametrize("manifest", ACCEPTED, ids=lambda path: path.stem)
def test_an_unusual_manifest_is_accepted(crds: ControlPlane, room: str, manifest: Path) -> None:
    run = crds.kubectl("-n", room, "apply", "-f", str(manifest), check=False)

    assert_accepted(run)


def test_server_side_apply_accepts_them_too(crds: ControlPlane, room: str) -> None:
    files = [f"--filename={path}" for path in ACCEPTED if path not in WITH_NULLS]

    run = crds.kubectl("-n", room, "apply", "--server-side", "--force-conflicts", *files, check=False)

    assert_accepted(run)


def test_server_side_apply_takes_a_null_at_its_word(crds: ControlPlane, room: str) -> None:
    run = crds.kubectl(
        "-n", room, "apply", "--server-side", "-f", str(HERE / "accepted" / "relay-null-block-beside.yaml"), check=False
    )

    assert_refused(run, [Refusal("spec.tencentCloud", "must be of type object")])


def test_applying_again_changes_nothing(crds: ControlPlane, room: str) -> None:
    manifest = str(HERE / "accepted" / "relay-all-fields.yaml")
    crds.kubectl("-n", room, "apply", "-f", manifest)

    run = crds.kubectl("-n", room, "apply", "-f", manifest)

    assert run.stdout.endswith(" unchanged\n")


def test_the_check_itself_fails_for_a_manifest_that_is_refused(crds: ControlPlane, room: str) -> None:
    run = crds.kubectl("-n", room, "apply", "-f", str(HERE / "refused" / "relay-two-vendor-blocks.yaml"), check=False)

    with pytest.raises(AssertionError, match="refused, though it should be accepted"):
        assert_accepted(run)
