"""A container's user is a number: no entry in /etc/passwd, no USER in the environment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stage.processes import Operator
from tests.stage.tenant import Tenant

NO_ENTRY = """
import pwd

def getpwuid(uid):
    raise KeyError(f"getpwuid(): uid not found: {uid}")

pwd.getpwuid = getpwuid
"""


def test_it_follows_also_as_a_user_without_a_name(
    own_tenant: Tenant, own_operator: Callable[..., Operator], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(NO_ENTRY)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    own_tenant.starts("cup-final")

    own_operator()

    own_tenant.relay("cup-final").reaches("Running", "Running")
