"""One namespace's objects cannot flood the log, and cannot hide another's lines in it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from livetask_operator.observability.log_flood import FloodGate
from livetask_operator.observability.logging import JsonLines


class Log:
    """A log with a gate, whose clock the test holds."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.stream = io.StringIO()
        self.handler = logging.StreamHandler(self.stream)
        self.handler.setFormatter(JsonLines())
        self.handler.addFilter(FloodGate(lambda: self.now_s))

    def write(self, namespace: str, count: int = 1, logger: str = "livetask.flood") -> None:
        for number in range(count):
            fields = {"namespace": namespace, "name": f"task-{number}"} if namespace else {}
            logging.getLogger(logger).warning("changed %s", number, extra={"fields": fields})

    def lines(self, namespace: str) -> list[dict[str, object]]:
        found = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        return [line for line in found if line.get("namespace", "") == namespace]


@pytest.fixture
def log() -> Iterator[Log]:
    log = Log()
    loggers = [logging.getLogger(name) for name in ("livetask.flood", "livetask.audit")]
    for logger in loggers:
        logger.addHandler(log.handler)
        logger.propagate = False
    yield log
    for logger in loggers:
        logger.removeHandler(log.handler)
        logger.propagate = True


def test_a_namespace_writes_a_thousand_lines_at_once_and_then_ten_a_second(log: Log) -> None:
    log.write("tenant", 5_000)
    at_once = len(log.lines("tenant"))

    for second in range(1, 11):
        log.now_s = float(second)
        log.write("tenant", 100)

    assert at_once == 1_000
    assert len(log.lines("tenant")) == 1_100


def test_another_namespaces_lines_are_all_there(log: Log) -> None:
    log.write("tenant", 5_000)

    log.write("victim", 3)

    assert len(log.lines("victim")) == 3


def test_the_next_line_tells_how_many_were_held_back(log: Log) -> None:
    log.write("tenant", 1_007)
    log.now_s = 1.0

    log.write("tenant", 2)

    *_, told, after = log.lines("tenant")
    assert told["lines_held_back"] == 7
    assert "lines_held_back" not in after


def test_lines_that_name_no_namespace_are_limited_by_their_words(log: Log) -> None:
    log.write("", 5_000)

    assert len(log.lines("")) == 1_000


def test_the_audit_trail_is_complete_whatever_happens(log: Log) -> None:
    log.write("tenant", 5_000, logger="livetask.audit")

    assert len(log.lines("tenant")) == 5_000


def test_sources_that_were_not_heard_of_for_long_are_forgotten(log: Log) -> None:
    gate = log.handler.filters[0]
    assert isinstance(gate, FloodGate)

    for number in range(10_050):
        log.write(f"namespace-{number}")

    assert len(gate._flows) == 10_000
