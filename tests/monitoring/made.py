"""The files of `manifests/monitoring/` that are made from others: what each must say. `make monitoring` writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import yaml

from tests.conftest import ROOT
from tests.monitoring.dashboard import dashboard

FOLDER = ROOT / "manifests" / "monitoring"
RULES = FOLDER / "rules.yaml"

HEAD = """\
# Made from rules.yaml by `make monitoring`: the same rules, for the Prometheus operator.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: livetask-operator
  namespace: livetask-system
  labels:
    app.kubernetes.io/name: livetask-operator
spec:
"""


def prometheus_rule() -> str:
    """The rules as an object, with the comments that they have as a file."""
    _, groups, body = RULES.read_text(encoding="utf-8").partition("groups:\n")
    indented = "".join(f"  {line}" if line.strip() else line for line in (groups + body).splitlines(keepends=True))
    made = HEAD + indented
    assert yaml.safe_load(made)["spec"] == yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return made


MADE: Mapping[str, Callable[[], str]] = {"prometheusrule.yaml": prometheus_rule, "dashboard.json": dashboard}


def write() -> None:
    for name, make in MADE.items():
        (FOLDER / name).write_text(make(), encoding="utf-8")
