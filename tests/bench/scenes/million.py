"""The pure scheduler with a million objects in simulated time: runs `python -m tests.bench.a_million`.

That prints one JSON object as its last line: {"rows": [{"key": …, "figure": …, "unit": …, "ours": …, "target": …}, …]};
a target is {"value": …, "at_least": …, "stretch": …} or absent.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from importlib.util import find_spec

from tests.bench.report import Row, Target
from tests.bench.stage import Stage
from tests.conftest import ROOT

MODULE = "tests.bench.a_million"


async def play(stage: Stage) -> list[Row]:
    if find_spec(MODULE) is None:
        return []
    stage.say("the pure scheduler, with 1,000,000 objects in 10,000 accounts, in simulated time")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", MODULE, stdout=asyncio.subprocess.PIPE, env=env
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
            await process.wait()
    if process.returncode != 0:
        raise RuntimeError(f"{MODULE} ended with {process.returncode}")
    return read_rows(output.decode())


def read_rows(output: str) -> list[Row]:
    """The rows in the last line of what it printed."""
    rows = json.loads(output.strip().splitlines()[-1])["rows"]
    return [Row(**{**row, "target": Target(**row["target"]) if row.get("target") else None}) for row in rows]
