"""Grafana's JSON of the panels: a dashboard that imports as it is, with a variable for the datasource."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from string import ascii_uppercase
from typing import Any

from tests.monitoring.panels import ROWS, STATE_HEADINGS, Panel

SCHEMA_VERSION = 39
"""Of Grafana 11; a newer one brings it up to date when it is imported."""
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS = 24
Json = dict[str, Any]


def dashboard() -> str:
    """The file `dashboard.json`."""
    body: Json = {
        "title": "livetask-operator",
        "uid": "livetask-operator",
        "description": "What runs where, what is broken and since when, and how the operator and its vendors are.",
        "tags": ["livetask"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "time": {"from": "now-1h", "to": "now"},
        "refresh": "10s",
        "timezone": "browser",
        "annotations": {"list": []},
        "links": [],
        "templating": {"list": list(_variables())},
        "panels": list(_placed()),
    }
    return json.dumps(body, indent=1, ensure_ascii=False) + "\n"


def _variables() -> Iterator[Json]:
    yield {"name": "datasource", "label": "Source", "type": "datasource", "query": "prometheus", "refresh": 1}
    for name, label, query in (
        ("vendor", "Vendor", "label_values(livetask_task_status, vendor)"),
        ("namespace", "Namespace", "label_values(livetask_task_status, task_namespace)"),
        ("account", "Account", 'label_values(livetask_task_status{vendor=~"$vendor"}, account)'),
    ):
        yield {
            "name": name,
            "label": label,
            "type": "query",
            "datasource": SOURCE,
            "definition": query,
            "query": {"query": query, "refId": name},
            "refresh": 2,  # with each change of the time range, so that a new tenant is there
            "sort": 1,
            "multi": True,
            "includeAll": True,
            "allValue": ".*",
            "current": {"text": ["All"], "value": ["$__all"]},
        }


def _placed() -> Iterator[Json]:
    """The panels with their places: left to right, a line below the other."""
    y = number = 0
    for title, panels in ROWS.items():
        number += 1
        yield {
            "id": number,
            "type": "row",
            "title": title,
            "collapsed": False,
            "panels": [],
            "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1},
        }
        y += 1
        x = 0
        for panel in panels:
            number += 1
            assert x + panel.width <= COLUMNS, f"{panel.title} does not fit in its row"
            yield _panel(panel) | {"id": number, "gridPos": {"x": x, "y": y, "w": panel.width, "h": panel.height}}
            x += panel.width
        y += max(panel.height for panel in panels)


def _panel(panel: Panel) -> Json:
    made: Json = {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.says,
        "datasource": SOURCE,
        "targets": [
            _target(panel, letter, query, name)
            for letter, (query, name) in zip(ascii_uppercase, panel.queries, strict=False)
        ],
    }
    kinds = {"stat": _stat, "table": _table, "timeseries": _timeseries, "bargauge": _bargauge}
    return made | kinds[panel.kind](panel)


def _target(panel: Panel, letter: str, expression: str, legend: str) -> Json:
    now = panel.kind != "timeseries"
    return {
        "refId": letter,
        "datasource": SOURCE,
        "expr": expression,
        "instant": now,
        "range": not now,
        "format": "table" if panel.kind == "table" else "time_series",
        "legendFormat": legend or "__auto",
    }


def _stat(panel: Panel) -> Json:
    return {
        "options": {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "background", "graphMode": "none"},
        "fieldConfig": {"defaults": {"unit": panel.unit, **_thresholds(panel)}, "overrides": []},
    }


def _bargauge(panel: Panel) -> Json:
    return {
        "options": {
            "reduceOptions": {"calcs": ["lastNotNull"]},
            "orientation": "horizontal",
            "displayMode": "basic",
        },
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0, "max": 1, **_thresholds(panel)}, "overrides": []},
    }


def _thresholds(panel: Panel) -> Json:
    """From which value on it is red."""
    first, then, at = "green", "red", panel.red_from
    if panel.red_below is not None:
        first, then, at = "red", "green", panel.red_below
    steps: list[Json] = [{"color": first, "value": None}]
    if at is not None:
        steps.append({"color": then, "value": at})
    return {"color": {"mode": "thresholds"}, "thresholds": {"mode": "absolute", "steps": steps}}


def _timeseries(panel: Panel) -> Json:
    custom: Json = {"lineWidth": 1, "fillOpacity": 60 if panel.stacked else 10, "showPoints": "never"}
    if panel.stacked:
        custom["stacking"] = {"mode": "normal", "group": "A"}
    return {
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom"},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "fieldConfig": {
            "defaults": {"unit": panel.unit, "min": 0, "custom": custom},
            "overrides": [
                _override(name, [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}])
                for name, colour in panel.colours.items()
            ],
        },
    }


def _table(panel: Panel) -> Json:
    organised = {
        "excludeByName": {"Time": True, **dict.fromkeys(_left_out(panel), True)},
        "indexByName": {name: index for index, name in enumerate(panel.columns)},
        "renameByName": dict(panel.columns),
    }
    return {
        "options": {"showHeader": True, "cellHeight": "sm"},
        "transformations": [
            *([{"id": "merge", "options": {}}] if len(panel.queries) > 1 else []),
            {"id": "organize", "options": organised},
        ],
        "fieldConfig": {
            "defaults": {"custom": {"align": "auto", "filterable": True}},
            "overrides": [
                *(_override(name, [{"id": "unit", "value": "dateTimeFromNow"}]) for name in panel.times),
                *(
                    _state_colours(heading, panel.colours)
                    for heading in STATE_HEADINGS
                    if heading in panel.columns.values()
                ),
            ],
        },
    }


def _left_out(panel: Panel) -> Iterable[str]:
    """The value columns that say nothing: 1 for each row."""
    named = (
        ["Value"]
        if len(panel.queries) == 1
        else [f"Value #{letter}" for letter in ascii_uppercase[: len(panel.queries)]]
    )
    return [name for name in (*named, "kind") if name not in panel.columns]


def _state_colours(heading: str, colours: Mapping[str, str]) -> Json:
    shown = {state: {"color": colour, "index": index} for index, (state, colour) in enumerate(colours.items())}
    return _override(
        heading,
        [
            {"id": "mappings", "value": [{"type": "value", "options": shown}]},
            {"id": "custom.cellOptions", "value": {"type": "color-text"}},
        ],
    )


def _override(name: str, properties: list[Json]) -> Json:
    return {"matcher": {"id": "byName", "options": name}, "properties": properties}
