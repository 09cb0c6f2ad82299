"""Prometheus' own programs, for every test of the monitoring."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.monitoring.binaries import obtain


@pytest.fixture(scope="session")
def programs() -> Mapping[str, Path]:
    """prometheus, promtool, alertmanager and amtool. Fails, never skips, where they cannot be had."""
    return obtain()
