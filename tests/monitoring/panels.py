"""What the dashboard shows: its panels in order, each with its queries and with what it is for. Pure data.

Apart from `dashboard.py`, which makes Grafana's JSON of them, and from `drawing.py`, which makes a picture of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.monitoring import queries as q

STATES = {
    "Running": "#56a64b",
    "Succeeded": "#37872d",
    "Pending": "#3274d9",
    "Preloading": "#8ab8ff",
    "Stopped": "#8e8e8e",
    "Paused": "#a352cc",
    "Expired": "#6e6e6e",
    "Unknown": "#ff9830",
    "Failed": "#e02f44",
    "NotFound": "#ad0317",
    "(not looked at)": "#f2cc0c",
}
"""Each state has its colour, everywhere."""
BAD = {state: STATES[state] for state in ("Failed", "NotFound", "Expired", "Unknown")}
"""Where all is broken, a green `Running` of before nobody could look would say the contrary."""
STATE_HEADINGS = ("state", "last state")


@dataclass(frozen=True)
class Panel:
    """One panel. `kind` as Grafana calls it; sizes in Grafana's units, of which a row has 24."""

    kind: str
    title: str
    says: str
    queries: tuple[tuple[str, str], ...]
    """Each with how its series are named, by their labels."""
    width: int
    height: int = 8
    unit: str = "short"
    red_from: float | None = None
    red_below: float | None = None
    stacked: bool = False
    colours: Mapping[str, str] = field(default_factory=dict)
    """By the names of series, or by the states in a table."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """A table's columns in order, each with its heading. `Value #A` is what the first query says; `Value`: the only."""
    times: tuple[str, ...] = ()
    """A table's headings over points in time."""


def stat(title: str, query: str, says: str, red_from: float | None = None, red_below: float | None = None) -> Panel:
    return Panel("stat", title, says, ((query, ""),), 4, 4, red_from=red_from, red_below=red_below)


def table(
    title: str,
    queries: tuple[str, ...],
    columns: Mapping[str, str],
    width: int,
    says: str,
    *,
    height: int = 8,
    times: tuple[str, ...] = (),
    colours: Mapping[str, str] = STATES,
) -> Panel:
    named = tuple((query, "") for query in queries)
    return Panel("table", title, says, named, width, height, columns=columns, times=times, colours=colours)


def graph(
    title: str,
    queries: Mapping[str, str],
    says: str,
    *,
    unit: str = "short",
    width: int = 8,
    stacked: bool = False,
    colours: Mapping[str, str] | None = None,
) -> Panel:
    """`queries` by how their series are named."""
    named = tuple((query, name) for name, query in queries.items())
    return Panel("timeseries", title, says, named, width, unit=unit, stacked=stacked, colours=colours or {})


ROWS: Mapping[str, tuple[Panel, ...]] = {
    "Now": (
        stat("On the air", q.ON_THE_AIR, "Relays that their vendor shows running."),
        stat("Down", q.DOWN, "Relays that failed, or that their vendor does not know.", red_from=1),
        stat("Unwatched", q.UNWATCHED, "Not looked at for three intervals, or never: nobody knows how they are.", 1),
        stat("Deletions held up", q.HELD_UP, "Deleted, and their stop is held up: they may run on and cost money.", 1),
        stat("Keys refused", q.KEYS_REFUSED, "Secrets whose key the vendor refuses.", 1),
        stat(
            "Operators at work",
            q.LEADERS,
            "Processes that hold the Lease, one for each shard. While there is none, nothing here is true any more.",
            red_below=1,
        ),
    ),
    "What is broken, and since when": (
        table(
            "What needs a look",
            (q.BROKEN, q.SINCE, q.LAST_SEEN),
            {
                "task_namespace": "namespace",
                "task": "task",
                "vendor": "vendor",
                "account": "account",
                "state": "last state",
                "reason": "reason",
                "Value #B": "since",
                "Value #C": "last seen",
            },
            16,
            "Relays that are down, tasks that nobody watches, words that are not known, preloads that came to nothing. "
            "What to do about each reason: crds/reasons.md.",
            times=("since", "last seen"),
            height=9,
            colours=BAD,
        ),
        table(
            "What holds deletions up",
            (q.HELD_UP_BY,),
            {"task_namespace": "namespace", "task": "task", "reason": "held up by", "Value": "due since"},
            8,
            "What is in the way of the stop, and since when that is due.",
            times=("due since",),
            height=9,
        ),
    ),
    "What runs where": (
        graph(
            "Relays by state", {"{{state}}": q.BY_STATE}, "How many are in which state.", stacked=True, colours=STATES
        ),
        table(
            "Tasks by vendor, account and namespace",
            (q.BY_PLACE,),
            {
                "kind": "kind",
                "vendor": "vendor",
                "account": "account",
                "task_namespace": "namespace",
                "state": "state",
                "Value": "objects",
            },
            16,
            "How many objects of which state are followed where.",
        ),
    ),
    "How close each account is to its quota": (
        Panel(
            "bargauge",
            "Quota used",
            "Calls, of those that the configuration allows the account.",
            ((q.QUOTA_USED, "{{account}} {{call}}"),),
            8,
            unit="percentunit",
            red_from=0.9,
        ),
        graph(
            "Times slower than asked for",
            {"{{account}} {{call}}": q.SLOWER},
            "1: each object is looked at as often as it asks. 4: a quarter as often, its account has too many.",
        ),
        graph(
            "Calls in line",
            {"{{who}}: {{account}}": q.IN_LINE},
            "Who waits for the quota: people (deletions, edits), or polls, of which two at most stand in line.",
        ),
    ),
    "What the vendors answer": (
        graph(
            "Answers",
            {"{{vendor}} {{outcome}}": q.ANSWERS},
            "Calls a second by what came of them: ok, or the reason.",
            unit="reqps",
            stacked=True,
        ),
        graph(
            "How long an answer takes",
            {"{{vendor}} {{call}}": q.ANSWER_TIME},
            "19 of 20 calls take no longer.",
            unit="s",
        ),
        graph("How large an answer is", {"{{vendor}} {{call}}": q.ANSWER_SIZE}, "On average.", unit="bytes"),
    ),
    "Keys and stops": (
        table(
            "Keys",
            (q.KEYS_ACCEPTED_AT, q.KEYS_REFUSED_SINCE),
            {
                "task_namespace": "namespace",
                "secret": "secret",
                "vendor": "vendor",
                "Value #A": "accepted",
                "Value #B": "refused since",
                "reason": "refused because",
            },
            14,
            "When the vendor last accepted what is in the Secret now: from then on the key before it may be revoked. "
            "Empty after a change, until the new one is accepted.",
            times=("accepted", "refused since"),
            height=6,
        ),
        table(
            "Stops",
            (q.STOPS,),
            {"vendor": "vendor", "outcome": "outcome", "Value": "times"},
            10,
            "What became of stops since this operator began to work. The audit in its log names each.",
            height=6,
        ),
    ),
    "The operator itself": (
        graph("Who leads", {"{{pod}}": q.LEADER}, "1: the Pod that works. A gap: nobody did.", width=6),
        graph(
            "How late it is",
            {"loop": q.LOOP_LATE, "polls, {{vendor}}": q.POLLS_LATE},
            "The event loop, and 19 of 20 polls against when they were due.",
            unit="s",
            width=6,
        ),
        graph(
            "Processor and memory",
            {"cores {{pod}}": q.CORES, "GiB {{pod}}": q.MEMORY},
            "Of each Pod.",
            width=6,
        ),
        graph(
            "Writes to the API server",
            {"{{kind}} {{outcome}}": q.WRITES, "Events dropped": q.EVENTS_DROPPED},
            "By kind and by what came of them. None while nothing changes.",
            unit="wps",
            width=6,
        ),
    ),
}
