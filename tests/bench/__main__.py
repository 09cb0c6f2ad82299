"""`python -m tests.bench`: plays the scenes on one stage, and says what was measured."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import report
from tests.bench.api import Api
from tests.bench.measure import load, machine
from tests.bench.plot import svg
from tests.bench.scenes import ALL, SCENES
from tests.bench.stage import FIRST, Options, Stage
from tests.conftest import ROOT
from tests.controlplane import ControlPlane
from tests.controlplane.binaries import ControlPlaneUnavailable

POLLS_PER_TASK = 30
SAMPLES = 300
BUILD = ROOT / "build"
FAILED, INTERRUPTED = 1, 130
BEGAN_S = time.monotonic()


def say(words: str) -> None:
    """What it does, while it does it."""
    print(f"bench {time.monotonic() - BEGAN_S:6.1f} s  {words}", flush=True)


def words(error: BaseException) -> str:
    """What failed; of several things at once, the first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


async def play(names: Sequence[str], options: Options, folder: Path) -> tuple[list[report.Row], list[str]]:
    """Play scenes. Returns their rows, and which of them failed: the others are played all the same."""
    say("starting a control plane of its own: etcd, kube-apiserver, kube-controller-manager")
    with ControlPlane(say=say) as cluster:
        async with Api(cluster.kubeconfig) as api:
            stage = Stage(options, cluster, api, folder, say)
            failed = []
            try:
                await stage.open()
                for name in names:
                    say(f"== {name} (load {load()})")
                    try:
                        stage.measured += await ALL[name](stage)
                    except Exception as error:
                        say(f"the scene {name} failed: {words(error)}")
                        failed.append(name)
            finally:
                await stage.close()
            return report.merged(stage.measured), failed


def section(rows: list[report.Row], measured_on: Mapping[str, str]) -> str:
    """The README's words about it."""
    where = ", ".join(measured_on[name] for name in ("cpu", "memory", "python"))
    lines = [
        f"`make bench N={measured_on['tasks']}`: a real control plane, the simulated clouds and the operator on",
        f"{measured_on['cores']} cores ({where}; {measured_on['at'][:10]}). Plain kopf is a timer per object, httpx",
        "and `patch.status`, as kopf's documentation teaches it, and the same with httpx's pool capped at 8. The bare",
        "loop is aiohttp with the same signed calls and nothing else. All of it is in [tests/bench](tests/bench).",
    ]
    return "\n".join([*lines, "", report.table(rows)])


def show(rows: list[report.Row], options: Options, names: Sequence[str], *, readme: bool) -> None:
    """Print the table, and write it as JSON and as a picture."""
    measured_on = machine() | {"tasks": str(options.tasks), "polls": str(options.polls), "load": load()}
    measured_on |= {"at": datetime.now(UTC).isoformat(timespec="seconds"), "scenes": " ".join(names)}
    BUILD.mkdir(exist_ok=True)
    (BUILD / "bench.json").write_text(json.dumps(report.document(rows, measured_on), indent=1) + "\n")
    (BUILD / "bench.md").write_text(report.table(rows) + "\n")
    title = f"livetask-operator with {options.tasks:,} tasks, against its targets"
    (BUILD / "bench.svg").write_text(svg(rows, title))
    if readme:
        page = ROOT / "README.md"
        page.write_text(report.placed(page.read_text(), section(rows, measured_on)))
    print(f"\n{report.table(rows)}\n")
    for note in report.notes(rows):
        print(f"- {note}")
    print(f"\nMeasured on {', '.join(f'{name} {value}' for name, value in measured_on.items())}.")
    print("Also in build/bench.json, build/bench.md and build/bench.svg.")
    missed = report.misses(rows)
    print(f"{len(missed)} of {sum(row.met is not None for row in rows)} targets missed.")


def main() -> int:
    os.chdir(ROOT)
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--tasks", type=int, default=FIRST, help="how many objects (N=), at least 1000")
    parser.add_argument("--polls", type=int, help="over how many polls memory must not grow (POLLS=), else 30 per task")
    parser.add_argument("--samples", type=int, default=SAMPLES, help="how many creations and deletions are timed")
    parser.add_argument("--no-lease", action="store_true", help="run the operator without its Lease")
    parser.add_argument("--readme", action="store_true", help="put the table into README.md, too (README=1)")
    parser.add_argument("--keep", type=Path, help="a folder in which the logs are kept")
    parser.add_argument("scenes", nargs="*", help=f"of {', '.join(ALL)} (ONLY=); else all but the last")
    arguments = parser.parse_args()
    names = arguments.scenes or list(SCENES)
    if unknown := set(names) - ALL.keys():
        parser.error(f"there is no scene {', '.join(sorted(unknown))}; there are {', '.join(ALL)}")
    if arguments.tasks < FIRST:
        parser.error(f"N is {arguments.tasks}, and must be {FIRST} at least")
    polls = arguments.polls or POLLS_PER_TASK * arguments.tasks
    options = Options(arguments.tasks, polls, arguments.samples, lease=not arguments.no_lease)
    if arguments.keep is not None:
        arguments.keep.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="livetask-bench-", dir=arguments.keep))
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    try:
        rows, failed = asyncio.run(play(names, options, folder))
    except KeyboardInterrupt:
        say("interrupted; all that was started has ended")
        return INTERRUPTED
    except (ControlPlaneUnavailable, TimeoutError, RuntimeError) as error:
        print(f"\nThe benchmark failed: {error}", file=sys.stderr)
        return FAILED
    finally:
        if arguments.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    show(rows, options, names, readme=arguments.readme)
    for name in failed:
        print(f"The scene {name} failed; its figures are missing.", file=sys.stderr)
    return FAILED if failed else 0


if __name__ == "__main__":
    sys.exit(main())
