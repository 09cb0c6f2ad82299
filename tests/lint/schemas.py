"""JSON schemas for kubeconform: of Kubernetes' own kinds, from the source of the tests' control plane, and of ours.

Strict: an object takes no field that its schema does not name, as the API server does with strict field validation.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.controlplane.binaries import KUBERNETES_VERSION, MODULE
from tests.programs import ProgramUnavailable

GROUP_FILES = "api__v1", "apis__*__v1"
META = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}


def write_schemas(folder: Path, crds: Iterable[Path]) -> str:
    """Write a file for each kind. Returns where kubeconform finds them, as it wants to be told."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in _kubernetes_specifications():
        for name, schema in _kinds_of(json.loads(path.read_text())):
            (folder / name).write_text(json.dumps(schema))
    for path in crds:
        crd = yaml.safe_load(path.read_text())["spec"]
        for version in crd["versions"]:
            schema = version["schema"]["openAPIV3Schema"]
            schema["properties"] = META | schema["properties"]
            name = _file_name(crd["names"]["kind"], crd["group"], version["name"])
            (folder / name).write_text(json.dumps(_strict(schema)))
    return str(folder / "{{.ResourceKind}}-{{.Group}}-{{.ResourceAPIVersion}}.json")


def _kubernetes_specifications() -> list[Path]:
    """The OpenAPI documents in the source of Kubernetes; downloaded where the module is not there yet.

    Raises ProgramUnavailable.
    """
    module = f"k8s.io/kubernetes@{KUBERNETES_VERSION}"
    try:
        run = subprocess.run(
            ["go", "mod", "download", "-json", module], cwd=MODULE, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise ProgramUnavailable(f"{module} cannot be downloaded: {error}. Install Go.") from None
    if run.returncode != 0:
        raise ProgramUnavailable(f"{module} cannot be downloaded: {run.stderr or run.stdout}")
    folder = Path(json.loads(run.stdout)["Dir"]) / "api" / "openapi-spec" / "v3"
    return [path for pattern in GROUP_FILES for path in folder.glob(f"{pattern}_openapi.json")]


def _kinds_of(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    components = {name: _strict(schema) for name, schema in document["components"]["schemas"].items()}
    for name, schema in components.items():
        kinds = schema.get("x-kubernetes-group-version-kind", [])
        if len(kinds) == 1 and "metadata" in schema.get("properties", {}):
            (kind,) = kinds
            root = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": components}}
            yield _file_name(kind["kind"], kind["group"], kind["version"]), root


def _file_name(kind: str, group: str, version: str) -> str:
    """As kubeconform asks by the pattern that `write_schemas` returns; it takes `v1` for the core's group."""
    return f"{kind.lower()}-{group or version}-{version}.json"


def _strict(schema: Any) -> Any:
    """The schema with no room for fields that it does not name."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {name: _strict(value) for name, value in schema.items()}
    if isinstance(strict.get("properties"), dict) and "type" in strict:
        strict.setdefault("additionalProperties", False)
    return strict
