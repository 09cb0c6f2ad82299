"""Manifests as people write them by mistake: the API server alone refuses each, with words that tell what to mend."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.controlplane import ControlPlane
from tests.crds.schema import KINDS, Field, fields
from tests.crds.verdict import Refusal, announced, assert_refused

HERE = Path(__file__).parent
REFUSED = sorted((HERE / "refused").glob("*.yaml"))

_LIMITS = {
    "minLength": "should be at least {} chars long",
    "maxLength": "may not be more than {} bytes",
    "maxItems": "must have at most {} items",
    "minimum": "should be greater than or equal to {}",
    "maximum": "should be less than or equal to {}",
}
"""What the API server says when a limit is not kept."""


@pytest.mark.parametrize("manifest", REFUSED, ids=lambda path: path.stem)
def test_a_mistake_is_refused_with_the_field_and_the_rule(crds: ControlPlane, room: str, manifest: Path) -> None:
    run = crds.kubectl("-n", room, "apply", "-f", str(manifest), check=False)

    assert_refused(run, announced(manifest))


def test_server_side_apply_refuses_them_all_too(crds: ControlPlane, room: str) -> None:
    run = crds.kubectl("-n", room, "apply", "--server-side", "-f", str(HERE / "refused"), check=False)

    assert run.returncode != 0
    assert run.stdout == ""
    assert crds.kubectl("-n", room, "get", "livetasks", "-o", "name").stdout == ""


def test_server_side_apply_names_the_unknown_field(crds: ControlPlane, room: str) -> None:
    manifest = HERE / "refused" / "relay-field-misspelt.yaml"

    run = crds.kubectl("-n", room, "apply", "--server-side", "-f", str(manifest), check=False)

    assert_refused(run, [Refusal("spec.pollInterval", "field not declared in schema")])


@pytest.mark.parametrize("kind", KINDS)
def test_every_rule_of_the_spec_has_a_manifest_that_it_refuses(kind: str) -> None:
    seen = {
        (_without_index(each.field), each.words)
        for path in REFUSED
        if f"kind: {kind}\n" in path.read_text()
        for each in announced(path)
    }

    unseen = [
        rule
        for field in fields(kind)
        if field.path.startswith("spec")
        for rule in _rules(field)
        if not any(path == rule.field and rule.words in words for path, words in seen)
    ]

    assert unseen == []


def test_the_check_itself_fails_for_a_manifest_that_is_accepted(crds: ControlPlane, room: str) -> None:
    run = crds.kubectl(
        "-n", room, "apply", "--dry-run=server", "-f", str(HERE / "accepted" / "relay-alibaba.yaml"), check=False
    )

    with pytest.raises(AssertionError, match="accepted, though it should be refused"):
        assert_refused(run, [Refusal("spec.alibabaCloud.appId", "")])


def test_the_check_itself_fails_for_another_field_or_other_words(crds: ControlPlane, room: str) -> None:
    run = crds.kubectl(
        "-n", room, "apply", "-f", str(HERE / "refused" / "relay-alibaba-app-id-too-long.yaml"), check=False
    )

    with pytest.raises(AssertionError, match=r"no line names spec\.alibabaCloud\.taskId"):
        assert_refused(run, [Refusal("spec.alibabaCloud.taskId", "may not be more than 64 bytes")])
    with pytest.raises(AssertionError, match="says 'may not be more than 65 bytes'"):
        assert_refused(run, [Refusal("spec.alibabaCloud.appId", "may not be more than 65 bytes")])


def test_a_manifest_that_announces_no_refusal_is_a_mistake_of_the_test() -> None:
    with pytest.raises(ValueError, match="announces no refusal"):
        announced(HERE / "accepted" / "relay-alibaba.yaml")


def _rules(field: Field) -> Iterator[Refusal]:
    """What the API server says for each rule of a field. Rules about changes have their own table of tests."""
    schema = field.schema
    if field.required:
        yield Refusal(field.path, "Required value")
    if schema["type"] in ("integer", "boolean", "array"):
        yield Refusal(field.path, f"must be of type {schema['type']}")
    if "enum" in schema:
        yield Refusal(field.path, "supported values: " + ", ".join(f'"{word}"' for word in schema["enum"]))
    for keyword, words in _LIMITS.items():
        if keyword in schema:
            yield Refusal(field.path, words.format(schema[keyword]))
    if schema.get("format") == "date-time":
        yield Refusal(field.path, "must be of type date-time")
    if schema.get("x-kubernetes-list-type") == "set":
        yield Refusal(f"{field.path}[]", "Duplicate value")
    for rule in schema.get("x-kubernetes-validations", ()):
        if "oldSelf" not in rule["rule"]:
            yield Refusal(field.path, rule["message"])


def _without_index(path: str) -> str:
    """taskIds[1] as taskIds[]"""
    return re.sub(r"\[\d+\]", "[]", path)
