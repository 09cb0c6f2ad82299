"""The test data: what an operator wrote, with all that differs from run to run made the same, and where it is kept."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.gitops.customizations import CUSTOMIZATIONS, Customization
from tests.gitops.rows import NOBODY_LOOKED, Row

Body = Mapping[str, Any]

BEING_DELETED = Path(__file__).parent / "being_deleted"
"""Apart from manifests/argocd/, as Argo CD answers for these itself and never asks a script."""
KEPT = ("name", "namespace", "generation", "creationTimestamp", "deletionTimestamp", "annotations", "finalizers")
SAME = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"), "2026-01-02T03:04:05Z"),
    (re.compile(r"\b\d\d:\d\d:\d\dZ"), "03:04:05Z"),
    (re.compile(r'(?<="seenWithKeyHash": ")[0-9a-f]+'), "0123456789abcdef"),
    (re.compile(r"127\.0\.0\.1:\d+"), "vendor.example.com"),
)
SHOULD_BE_RENEWED = "RENEW_TESTDATA=1 pytest tests/gitops/test_written.py"


def made_same(body: Body, namespace: str) -> dict[str, Any]:
    """An object without what differs from run to run: times, its namespace and what is named after it."""
    kept = {
        "apiVersion": body["apiVersion"],
        "kind": body["kind"],
        "metadata": {name: body["metadata"][name] for name in KEPT if name in body["metadata"]},
        "spec": body["spec"],
        "status": body["status"],
    }
    text = json.dumps(kept).replace(namespace, "sports")
    for pattern, same in SAME:
        text = pattern.sub(same, text)
    return dict(json.loads(text))


def file_of(row: Row) -> Path:
    if row.is_deleted:
        return BEING_DELETED / row.kind / f"{row.name}.yaml"
    return customization_of(row.kind).folder / "testdata" / f"{row.name}.yaml"


def customization_of(kind: str) -> Customization:
    return next(each for each in CUSTOMIZATIONS if each.kind == kind)


def words_of(row: Row, body: Body) -> str:
    """What Argo CD is to say of an object: the operator's own words, where it has any."""
    if not row.speaks:
        return NOBODY_LOOKED[row.kind]
    return str(next(each["message"] for each in body["status"]["conditions"] if each["type"] == row.speaks))


def health_test(row: Row, body: Body) -> dict[str, Any]:
    """The row as Argo CD's own tests want it."""
    return {
        "healthStatus": {"status": row.argo, "message": words_of(row, body)},
        "inputPath": f"testdata/{row.name}.yaml",
    }


ACTED_ON: Mapping[str, tuple[str, ...]] = {
    "RelayTask": ("running", "suspended-on-air"),
    "PreloadTask": ("preloading", "suspended", "succeeded"),
}
"""The rows that the actions are tried on: one to look at again or to suspend, one to resume, one without buttons."""
ASKED_AT = "0001-01-01T00:00:00Z"
"""What Argo CD's own tests put in the place of the time at which an action was run."""


def acted_on(body: Body, action: str) -> dict[str, Any]:
    """What an action is to make of an object."""
    if action == "refresh":
        asked = {**body["metadata"].get("annotations", {}), "livetask.dev/requested-at": ASKED_AT}
        return {**body, "metadata": {**body["metadata"], "annotations": asked}}
    return {**body, "spec": {**body["spec"], "suspend": action == "suspend"}}


def action_data(kind: str, rows: Mapping[str, Body]) -> dict[str, Any]:
    """The files of the actions' tests, by their path under `actions`."""
    on, suspended, *ended = ACTED_ON[kind]
    tried = ("refresh", on), ("suspend", on), ("resume", suspended)
    objects = {f"testdata/{name}.yaml": rows[name] for name in ACTED_ON[kind]}
    objects |= {f"testdata/{name}-{action}.yaml": acted_on(rows[name], action) for action, name in tried}
    buttons = {on: {"refresh", "suspend"}, suspended: {"resume"}, **{each: set() for each in ended}}
    return {
        "action_test.yaml": {
            "discoveryTests": [
                {"inputPath": f"testdata/{name}.yaml", "result": [_button(each, usable) for each in LOOKS_OF]}
                for name, usable in buttons.items()
            ],
            "actionTests": [
                {
                    "action": action,
                    "inputPath": f"testdata/{name}.yaml",
                    "expectedOutputPath": f"testdata/{name}-{action}.yaml",
                }
                for action, name in tried
            ],
        },
        **objects,
    }


LOOKS_OF: Mapping[str, Mapping[str, str]] = {
    "refresh": {"displayName": "Look again now", "iconClass": "fa fa-fw fa-redo"},
    "resume": {"iconClass": "fa fa-fw fa-play-circle"},
    "suspend": {"iconClass": "fa fa-fw fa-pause-circle"},
}


def _button(name: str, usable: Collection[str]) -> dict[str, Any]:
    return {"name": name, **({} if name in usable else {"disabled": True}), **LOOKS_OF[name]}


def dumped(value: object) -> str:
    return yaml.safe_dump(value, sort_keys=False, width=116, allow_unicode=True)
