"""What a person and a collector read in the log."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator

import pytest
from kopf._core.actions import loggers as kopf_loggers

from livetask_operator.observability.logging import Style, audit, configure

TOUCHED = ("", "asyncio", "kopf", "kopf.objects", "aiohttp.access", "livetask.audit", "livetask.test")
LOG = logging.getLogger("livetask.test")


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Logging is the whole process's: each test gives it back."""
    kept = [
        (logger, logger.level, logger.handlers[:], logger.propagate)
        for logger in (logging.getLogger(name) for name in TOUCHED)
    ]
    yield
    for logger, level, handlers, propagate in kept:
        logger.setLevel(level)
        logger.handlers[:] = handlers
        logger.propagate = propagate


def lines_of(stream: io.StringIO) -> list[str]:
    return stream.getvalue().splitlines()


def log_to(style: Style, level: str = "info") -> io.StringIO:
    stream = io.StringIO()
    configure(level, style, stream)
    return stream


def test_a_text_line_starts_with_the_time_the_level_and_the_object() -> None:
    stream = log_to("text")

    LOG.info(
        "state changed", extra={"fields": {"namespace": "sports", "name": "cup-final", "state": "Running", "n": 3}}
    )

    (line,) = lines_of(stream)
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ INFO  sports/cup-final state changed state=Running n=3", line
    ), line


def test_a_json_line_has_the_events_fields() -> None:
    stream = log_to("json")

    LOG.warning("state changed", extra={"fields": {"namespace": "sports", "name": "cup-final", "progress": 62}})

    (line,) = lines_of(stream)
    event = json.loads(line)
    assert event.pop("time")
    assert event == {
        "level": "warning",
        "logger": "livetask.test",
        "message": "state changed",
        "namespace": "sports",
        "name": "cup-final",
        "progress": 62,
    }


def test_a_field_cannot_pass_for_the_lines_own() -> None:
    stream = log_to("json")

    LOG.warning("here", extra={"fields": {"level": "info", "message": "there"}})

    event = json.loads(stream.getvalue())
    assert (event["level"], event["message"]) == ("warning", "here")
    assert (event["level_"], event["message_"]) == ("info", "there")


@pytest.mark.parametrize("style", ["text", "json"])
def test_one_event_is_one_line_whatever_is_in_it(style: Style) -> None:
    stream = log_to(style)
    nasty = "a\nb\r\x1b[2J\u2028\x85\x00\x0b c\u202e"

    LOG.info("%s", nasty, extra={"fields": {"namespace": nasty, "name": nasty, nasty: nasty}})

    (line,) = lines_of(stream)
    assert line.isprintable()


def test_a_value_with_spaces_or_quotes_is_quoted() -> None:
    stream = log_to("text")

    LOG.info("refused", extra={"fields": {"why": 'no "key" there', "empty": "", "pair": "a=b", "path": "C:\\x y"}})

    assert lines_of(stream)[0].endswith(r'refused why="no \"key\" there" empty="" pair="a=b" path="C:\\x y"')


def raise_and_log() -> None:
    try:
        int("first\nINFO second")
    except ValueError:
        LOG.exception("a part failed")


def test_a_traceback_is_a_field_of_its_event() -> None:
    stream = log_to("json")

    raise_and_log()

    (line,) = lines_of(stream)
    event = json.loads(line)
    assert event["message"] == "a part failed"
    assert event["traceback"].startswith("Traceback (most recent call last):")
    assert "ValueError: invalid literal" in event["traceback"]


def test_a_traceback_in_text_is_indented_below_its_event() -> None:
    stream = log_to("text")

    raise_and_log()

    first, *trace = lines_of(stream)
    assert first.endswith("ERROR a part failed")
    assert trace[0] == "    Traceback (most recent call last):"
    assert all(line.startswith("    ") for line in trace)


def test_kopf_is_quiet_but_its_warnings_name_their_object() -> None:
    stream = log_to("text")
    reference = {"namespace": "sports", "name": "cup-final", "uid": "1"}

    logging.getLogger("kopf.objects").info("Handler 'x' succeeded.", extra={"k8s_ref": reference})
    logging.getLogger("kopf.objects").warning("Patching failed", extra={"k8s_ref": reference})

    (line,) = lines_of(stream)
    assert line.endswith("WARNING sports/cup-final Patching failed")


def test_asyncio_is_heard_although_kopf_mutes_it() -> None:
    kopf_loggers.configure()
    stream = log_to("text")

    logging.getLogger("asyncio").error("Task exception was never retrieved")

    assert lines_of(stream)[-1].endswith("ERROR Task exception was never retrieved")


def test_a_level_hides_what_is_below_it() -> None:
    stream = log_to("text", level="warning")

    LOG.info("small")
    LOG.warning("large")

    (line,) = lines_of(stream)
    assert line.endswith("large")


AUDITED = {
    "namespace": "sports",
    "name": "cup-final",
    "uid": "0b2c",
    "vendor": "AlibabaCloud",
    "application": "app-1",
    "task": "task-1",
    "outcome": "stop_accepted",
}


def test_an_audit_line_is_shown_at_any_level_with_its_fields_in_order() -> None:
    stream = log_to("json", level="error")

    audit(**AUDITED, request_id="4C46", last_state="Running", cluster="prod-eu")

    event = json.loads(stream.getvalue())
    assert event["logger"] == "livetask.audit"
    assert list(event)[4:] == [*AUDITED, "request_id", "last_state", "cluster"]
    assert event["outcome"] == "stop_accepted"


def test_an_audit_line_in_text_has_all_fields_empty_ones_too() -> None:
    stream = log_to("text", level="error")

    audit(**AUDITED)

    assert lines_of(stream)[0].endswith(
        "INFO  sports/cup-final audit uid=0b2c vendor=AlibabaCloud application=app-1 task=task-1 "
        'outcome=stop_accepted request_id="" last_state="" cluster=""'
    )
