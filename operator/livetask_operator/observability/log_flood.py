"""How many log lines one namespace may cause: what is done to its objects must not fill the disk, nor hide the rest.

Apart from what a line looks like. The audit trail is not limited: it has a line for each effect outside the cluster.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

AT_ONCE = 1_000
"""An outage over a namespace with a thousand tasks is told in full."""
THEN_PER_S = 10.0
AUDIT_LOGGER = "livetask.audit"
MAX_SOURCES = 10_000

Source = tuple[str, str]
"""A logger, and a namespace; where a line names none, its words before they are filled in."""


@dataclass(slots=True)
class _Flow:
    allowed: float
    at_s: float
    held_back: int = 0


class FloodGate(logging.Filter):
    """Lets each source write 1,000 lines at once, and 10 a second.

    The next line that gets through has a field `lines_held_back` that tells how many did not.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._flows: OrderedDict[Source, _Flow] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line is written."""
        if record.name == AUDIT_LOGGER:
            return True
        fields = getattr(record, "fields", None)
        fields = fields if isinstance(fields, Mapping) else {}
        flow = self._flow((record.name, str(fields.get("namespace") or record.msg)))
        if flow.allowed < 1:
            flow.held_back += 1
            return False
        flow.allowed -= 1
        if flow.held_back:
            record.fields = {**fields, "lines_held_back": flow.held_back}
            flow.held_back = 0
        return True

    def _flow(self, source: Source) -> _Flow:
        now_s = self._monotonic()
        flow = self._flows.pop(source, None) or _Flow(AT_ONCE, now_s)
        flow.allowed = min(AT_ONCE, flow.allowed + (now_s - flow.at_s) * THEN_PER_S)
        flow.at_s = now_s
        self._flows[source] = flow
        if len(self._flows) > MAX_SOURCES:
            self._flows.popitem(last=False)
        return flow
