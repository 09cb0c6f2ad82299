"""The dashboard's picture: it is one that programs can read, it shows what it is given, and it is not of yesterday."""

from __future__ import annotations

from xml.etree import ElementTree

from tests.monitoring.drawing import Shown, svg
from tests.monitoring.made import FOLDER
from tests.monitoring.panels import ROWS, Panel

HOUR_S = 3600.0


def texts(picture: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(picture).iter() if element.tag.endswith("text")]


def drawn(*shown: Shown) -> str:
    return svg("livetask-operator", {"Now": shown}, 0.0, HOUR_S)


def panel(kind: str, **more: object) -> Panel:
    return Panel(kind, "A panel", "", (("up", ""),), 8, **more)  # type: ignore[arg-type]


def test_a_table_shows_its_cells_under_their_headings() -> None:
    table = panel("table", columns={"task": "task", "Value": "since"})

    shown = texts(drawn(Shown(table, rows=[{"task": "cup-final <live>", "since": "3 minutes ago"}])))

    assert shown.index("task") < shown.index("cup-final <live>") < shown.index("3 minutes ago")


def test_a_number_is_red_where_it_should_wake_somebody() -> None:
    down = panel("stat", red_from=1)

    assert "#e02f44" in drawn(Shown(down, values={"": 1.0}))
    assert "#e02f44" not in drawn(Shown(down, values={"": 0.0}))


def test_a_graph_keeps_within_its_panel_and_names_its_lines() -> None:
    graph = panel("timeseries", stacked=True)
    series = {"Running": [(0.0, 3.0), (HOUR_S, 4.0)], "Failed": [(HOUR_S, 1.0)]}

    picture = ElementTree.fromstring(drawn(Shown(graph, series=series)))

    lines = [element.attrib["points"] for element in picture.iter() if element.tag.endswith("polyline")]
    places = [tuple(map(float, place.split(","))) for line in lines for place in line.split()]
    width, height = float(picture.attrib["width"]), float(picture.attrib["height"])
    assert all(0 <= x <= width and 0 <= y <= height for x, y in places)
    assert {"Running", "Failed"} <= set(texts(ElementTree.tostring(picture, encoding="unicode")))


def test_the_picture_beside_the_page_has_every_panel() -> None:
    titles = {panel.title for panels in ROWS.values() for panel in panels}

    assert titles <= set(texts((FOLDER / "dashboard.svg").read_text())), "make picture"
