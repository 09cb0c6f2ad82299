"""Log lines: events with fields, one to a line, as text for people or as JSON; and the audit of outside effects.

Logging itself is the standard library's; here is only what a line looks like, and which loggers speak.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Mapping
from typing import Literal, TextIO

from livetask_operator.observability.log_flood import AUDIT_LOGGER, FloodGate

Style = Literal["text", "json"]

AUDIT = logging.getLogger(AUDIT_LOGGER)

PLAIN_VALUE = re.compile(r"[\w.,:;/@+~%*!?<>|()\[\]{}#$&^-]+")
"""A value that needs no quotes: no space, no quote, no equals sign, no control character."""

_QUIET = ("kopf", "kopf.objects", "aiohttp.access", "httpx")
"""They log each handler and each request at INFO; what they warn of is still seen."""


def configure(level: str, style: Style, stream: TextIO) -> None:
    """Make all log lines of this process go to a stream, from a level on (debug, info, warning, error).

    May be called again: the last call counts. To be called after kopf is imported, whose own set-up mutes asyncio.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines() if style == "json" else TextLines())
    handler.addFilter(FloodGate())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    # asyncio tells of tasks that died unseen; kopf's own set-up would hide that.
    for name in ("asyncio", "kopf", "kopf.objects"):
        logger = logging.getLogger(name)
        logger.handlers[:] = []
        logger.propagate = True
    AUDIT.setLevel(logging.INFO)  # shown whatever the level


def audit(
    *,
    namespace: str,
    name: str,
    uid: str,
    vendor: str,
    application: str,
    task: str,
    outcome: str,
    request_id: str = "",
    last_state: str = "",
    cluster: str = "",
) -> None:
    """One line about one effect outside the cluster: a stop that was sent, refused, accepted or not made.

    The fields are fixed and in this order, empty ones too; request_id is the vendor's.
    """
    fields = {
        "namespace": namespace,
        "name": name,
        "uid": uid,
        "vendor": vendor,
        "application": application,
        "task": task,
        "outcome": outcome,
        "request_id": request_id,
        "last_state": last_state,
        "cluster": cluster,
    }
    AUDIT.info("audit", extra={"fields": fields})


class TextLines(logging.Formatter):
    """`2026-11-21T08:15:13Z INFO  namespace/name message key=value`; a traceback follows, indented."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        fields = _fields(record)
        words = [_timestamp(record), f"{record.levelname:<5}"]
        if fields.get("name"):
            label = "/".join(str(fields.pop(part)) for part in ("namespace", "name") if part in fields)
            words.append(_escaped(label))
        words.append(_escaped(record.getMessage()))
        words += [f"{_escaped(str(key))}={_value(value)}" for key, value in fields.items()]
        lines = [" ".join(words), *(f"    {_escaped(line)}" for line in _traceback(record).splitlines())]
        return "\n".join(lines)


class JsonLines(logging.Formatter):
    """One object to a line: time, level, logger, message, then the event's fields; `traceback` where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        line: dict[str, object] = {
            "time": _timestamp(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        # A field must not pass for the line's own.
        line |= {f"{key}_" if key in (*line, "traceback") else key: value for key, value in _fields(record).items()}
        if trace := _traceback(record):
            line["traceback"] = trace
        return json.dumps(line, default=str)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    """The event's own fields, with the object that kopf says it is about."""
    fields = getattr(record, "fields", None)
    if isinstance(fields, Mapping):
        return {str(key): value for key, value in fields.items()}
    reference = getattr(record, "k8s_ref", None)
    if isinstance(reference, Mapping):
        return {key: reference[key] for key in ("namespace", "name") if reference.get(key)}
    return {}


def _traceback(record: logging.LogRecord) -> str:
    trace = logging.Formatter().formatException(record.exc_info) if record.exc_info and record.exc_info[0] else ""
    stack = record.stack_info or ""
    return "\n".join(part for part in (trace, stack) if part)


def _timestamp(record: logging.LogRecord) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))


def _value(value: object) -> str:
    text = str(value)
    return text if PLAIN_VALUE.fullmatch(text) and text.isprintable() else _quoted(text)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_escaped(escaped)}"'


def _escaped(text: str) -> str:
    """A text without line breaks, control characters and what else a terminal might act upon."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
