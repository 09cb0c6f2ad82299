"""Numbers from where they are true: a process's CPU and memory from the kernel, and percentiles of what was timed."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Sequence
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
CLOCK_FIELDS = (11, 12)
"""utime and stime, counted behind the command's name, which may hold spaces. Source: proc(5)."""


def cpu_s(pid: int) -> float:
    """The CPU time that a process has used, user and system together."""
    return read_cpu_s(Path(f"/proc/{pid}/stat").read_text())


def read_cpu_s(stat: str) -> float:
    fields = stat.rpartition(")")[2].split()
    return sum(int(fields[index]) for index in CLOCK_FIELDS) / TICKS_PER_S


def resident_mib(pid: int) -> float:
    """The memory of a process that is resident."""
    return read_resident_mib(Path(f"/proc/{pid}/status").read_text())


def read_resident_mib(status: str) -> float:
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent do not exceed; NaN of nothing."""
    if not values:
        return math.nan
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def machine() -> dict[str, str]:
    """What it was measured on."""
    cpu = Path("/proc/cpuinfo").read_text()
    model = next((line.partition(":")[2].strip() for line in cpu.splitlines() if line.startswith("model name")), "")
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal:"))
    return {
        "cpu": model or platform.machine(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{int(memory.split()[1]) / 1024 / 1024:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def load() -> str:
    """The load averages, which say what neighbours were doing."""
    return " ".join(f"{each:.1f}" for each in os.getloadavg())
