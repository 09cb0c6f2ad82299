"""What the operator changed of an object, by what the API server notes of it (`managedFields`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

OPERATOR = "livetask-operator"
OWN_FINALIZER = 'v:"livetask.dev/stop"'


def trespasses(body: Mapping[str, Any]) -> Iterator[str]:
    """What the operator has its hand on beside the status, through its subresource, and its own finalizer."""
    meta = body["metadata"]
    label = f"{body.get('kind')} {meta['namespace']}/{meta['name']}"
    for entry in meta.get("managedFields", ()):
        if entry["manager"] != OPERATOR:
            continue
        through, fields = entry.get("subresource", ""), dict(entry["fieldsV1"])
        if through == "status":
            fields.pop("f:status", None)
        else:
            of_meta = dict(fields.pop("f:metadata", {}))
            finalizers = of_meta.pop("f:finalizers", {})
            yield from (f"{label}: the finalizer {name}" for name in finalizers.keys() - {".", OWN_FINALIZER})
            yield from (f"{label}: metadata.{name}" for name in of_meta)
        yield from (f"{label}: {name} through {through or 'the object itself'}" for name in fields)
