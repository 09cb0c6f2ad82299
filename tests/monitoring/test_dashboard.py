"""The dashboard of `manifests/monitoring/` by itself: whether Grafana can import it as it is."""

from __future__ import annotations

import json
import re
from itertools import combinations
from typing import Any

from tests.monitoring.made import FOLDER
from tests.monitoring.panels import ROWS

VARIABLES = ("datasource", "vendor", "namespace", "account")


def body() -> dict[str, Any]:
    return dict(json.loads((FOLDER / "dashboard.json").read_text()))


def test_it_imports_without_edits() -> None:
    dashboard = body()
    panels = dashboard["panels"]
    queried = [
        *panels,
        *(target for panel in panels for target in panel.get("targets", [])),
        *dashboard["templating"]["list"],
    ]
    sources = [each["datasource"] for each in queried if "datasource" in each]
    variables = [each["name"] for each in dashboard["templating"]["list"]]

    assert "id" not in dashboard  # the number that it would have in somebody else's Grafana
    assert [each["id"] for each in panels] == list(range(1, len(panels) + 1))
    assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources)
    assert len(sources) > len(panels)
    titles = [panel.title for panels in ROWS.values() for panel in panels]
    assert len(set(titles)) == len(titles)
    assert tuple(variables) == VARIABLES
    used = set(re.findall(r"\$\{?(\w+)", " ".join(t["expr"] for p in panels for t in p.get("targets", []))))
    assert used <= {*variables, "__rate_interval"}


def test_no_panel_lies_over_another() -> None:
    places = [(each["title"], each["gridPos"]) for each in body()["panels"]]

    for (one, a), (other, b) in combinations(places, 2):
        apart_x = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        apart_y = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        assert apart_x or apart_y, f"{one} and {other}"
    assert max(place["x"] + place["w"] for _, place in places) == 24
