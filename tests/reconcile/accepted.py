"""What the API server would refuse in a status: the CRD's schema, as far as these schemas use it, without a server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from tests.crds.schema import field

TYPES: Mapping[str, type | tuple[type, ...]] = {"object": dict, "array": list, "string": str, "integer": int}


def refusals(kind: str, status: Mapping[str, Any]) -> list[str]:
    """What a status of this kind breaks of the schema; empty where it is accepted whole, with no field dropped."""
    return list(_refusals("status", _schema(kind), status))


@cache
def _schema(kind: str) -> Mapping[str, Any]:
    return field(kind, "status").schema


def _refusals(path: str, schema: Mapping[str, Any], value: Any) -> Iterator[str]:
    if not isinstance(value, TYPES[schema["type"]]):
        yield f"{path} is {value!r}, which is no {schema['type']}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path} is {value}"
    match value:
        case dict():
            yield from (f"{path}.{name} is missing" for name in schema.get("required", ()) if name not in value)
            for name, below in value.items():
                if name in schema["properties"]:
                    yield from _refusals(f"{path}.{name}", schema["properties"][name], below)
                else:
                    yield f"{path}.{name} is dropped"
        case list():
            yield from _beyond(f"{path} has entries", len(value), None, schema.get("maxItems"))
            for number, below in enumerate(value):
                yield from _refusals(f"{path}[{number}]", schema["items"], below)
        case str():
            yield from _beyond(f"{path} has characters", len(value), schema.get("minLength"), schema.get("maxLength"))
            if schema.get("format") == "date-time" and datetime.fromisoformat(value).tzinfo is None:
                yield f"{path} has no zone"
        case int():
            yield from _beyond(path, value, schema.get("minimum"), schema.get("maximum"))


def _beyond(what: str, value: int, least: int | None, most: int | None) -> Iterator[str]:
    if (least is not None and value < least) or (most is not None and value > most):
        yield f"{what}: {value}"
