"""`make picture`: plays the evening for some minutes, and draws what the dashboard shows of it."""

from __future__ import annotations

import math
import re
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.conftest import ROOT, with_crds
from tests.controlplane import ControlPlane
from tests.monitoring.binaries import obtain
from tests.monitoring.drawing import Shown, svg
from tests.monitoring.made import FOLDER
from tests.monitoring.panels import ROWS, Panel
from tests.monitoring.scene import Scene, follow, watch
from tests.monitoring.servers import Prometheus
from tests.stage.objects import Objects
from tests.stage.processes import Cloud

QUIET_S, TROUBLED_S = 100.0, 200.0
STEP_S = 4.0
VARIABLES = {"$__rate_interval": "30s", "$vendor": ".*", "$namespace": ".*", "$account": ".*"}


def draw(say: Callable[[str], None]) -> Path:
    """Play it, and draw it. Returns the picture's file."""
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="livetask-evening-")))
        cluster = with_crds(ends.enter_context(ControlPlane(say=say)))
        cluster.kubectl("apply", "-k", str(ROOT / "manifests"))
        cloud = Cloud(folder)
        ends.callback(cloud.stop)
        scene = Scene(ends.enter_context(Objects(cluster)), cloud)
        kubeconfig = cluster.kubeconfig_of("livetask-system", "livetask-operator")
        operator = follow(scene, kubeconfig, cloud, folder / "operator")
        ends.callback(operator.process.stop)
        prometheus = watch(obtain()["prometheus"], operator, folder, scrape_s=2)
        ends.callback(prometheus.stop)
        began_s = time.time()
        scene.opens()
        say(f"picture: all is well, for {QUIET_S:.0f} s")
        time.sleep(QUIET_S)
        scene.goes_wrong()
        say(f"picture: things go wrong, for {TROUBLED_S:.0f} s")
        time.sleep(TROUBLED_S)
        picture = FOLDER / "dashboard.svg"
        picture.write_text(_drawn(prometheus, began_s, time.time()), encoding="utf-8")
        scene.leaves()
    return picture


def _drawn(prometheus: Prometheus, from_s: float, to_s: float) -> str:
    rows = {title: [_shown(prometheus, panel, from_s, to_s) for panel in panels] for title, panels in ROWS.items()}
    return svg("livetask-operator", rows, from_s, to_s)


def _shown(prometheus: Prometheus, panel: Panel, from_s: float, to_s: float) -> Shown:
    queries = [(_filled_in(query), name) for query, name in panel.queries]
    if panel.kind == "table":
        return Shown(panel, rows=_rows(prometheus, panel, [query for query, _ in queries], to_s))
    if panel.kind == "timeseries":
        series = {}
        for query, name in queries:
            for each in prometheus.query_range(query, from_s, to_s, STEP_S):
                points = [(float(at), float(value)) for at, value in each["values"]]
                series[_named(name, each["metric"])] = [point for point in points if not math.isnan(point[1])]
        return Shown(panel, series=dict(sorted(series.items())))
    ((query, name),) = queries
    return Shown(
        panel, values={_named(name, each["metric"]): float(each["value"][1]) for each in prometheus.query(query)}
    )


def _filled_in(query: str) -> str:
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    return query


def _named(legend: str, labels: Mapping[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), legend)


def _rows(prometheus: Prometheus, panel: Panel, queries: Sequence[str], now_s: float) -> list[dict[str, str]]:
    """As Grafana merges them: one row for all answers whose labels agree as far as both have them."""
    merged: list[dict[str, str]] = []
    for letter, query in zip("ABC", queries, strict=False):
        value = "Value" if len(queries) == 1 else f"Value #{letter}"
        for each in prometheus.query(query):
            labels = {name: text for name, text in each["metric"].items() if name != "__name__"}
            found = [row for row in merged if all(row.get(name, text) == text for name, text in labels.items())]
            row = found[0] if found else {}
            if not found:
                merged.append(row)
            row |= labels | {value: each["value"][1]}
    return [
        {heading: _cell(row.get(name, ""), heading in panel.times, now_s) for name, heading in panel.columns.items()}
        for row in merged
    ]


def _cell(text: str, is_time: bool, now_s: float) -> str:
    if not is_time or not text:
        return text
    ago_s = now_s - float(text) / 1000
    if ago_s < 10:
        return "a few seconds ago"
    return f"{ago_s:.0f} seconds ago" if ago_s < 90 else f"{ago_s / 60:.0f} minutes ago"
