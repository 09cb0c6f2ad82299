"""What the series of N objects cost as prometheus_client keeps them: a Gauge child for each, all written at once.

Prints one JSON object: how long the writing holds a process up, and what memory the children take.
"""

from __future__ import annotations

import json
import os
import sys
import time

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.exposition import generate_latest

from tests.bench.measure import resident_mib

TASK = ("kind", "task_namespace", "task")
TIMES = 5


def main() -> None:
    objects = int(sys.argv[1])
    before_mib = resident_mib(os.getpid())
    registry = CollectorRegistry()
    status = Gauge(
        "task_status", "Its state.", (*TASK, "vendor", "account", "state", "ready", "reason"), registry=registry
    )
    since = Gauge("task_status_since_timestamp_seconds", "Since when.", TASK, registry=registry)
    seen = Gauge("task_last_seen_timestamp_seconds", "Last seen.", TASK, registry=registry)
    for number in range(objects):
        names = ("RelayTask", "thousands", f"o-{number}")
        account = f"key-{number % 20:012}"
        status.labels(*names, "AlibabaCloud", account, "Running", "True", "Running").set(1)
        since.labels(*names).set(1_795_291_201.0)
        seen.labels(*names).set(1_795_291_201.0 + number)
    mib = resident_mib(os.getpid()) - before_mib
    took_s = []
    for _ in range(TIMES):
        began_s = time.perf_counter()
        generate_latest(registry)
        took_s.append(time.perf_counter() - began_s)
    print(json.dumps({"held_up_ms": sorted(took_s)[TIMES // 2] * 1000, "mib": mib}))


if __name__ == "__main__":
    main()
