"""The command: `livetask-operator run`, `explain`, `check` and `version`. The one place that joins all rooms."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import platform
import shutil
import socket
import sys
import time
import uuid
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import httpx
import uvloop

from livetask_operator.config import Config, ConfigError, describe, load
from livetask_operator.explain.case import Case
from livetask_operator.explain.story import explained
from livetask_operator.explain.target import BadTarget, Target
from livetask_operator.kube.connection import NoCluster, connect
from livetask_operator.kube.finding_out import FindingOut, NotExplained, Operators
from livetask_operator.kube.process import Options, Vendors, run
from livetask_operator.kube.scope import BadScope, Scope, read_lease_name, read_namespace
from livetask_operator.observability import logging
from livetask_operator.observability.enquiries import Enquiries
from livetask_operator.observability.health import Health
from livetask_operator.observability.http import Address, ListenError, ObservabilityServer, parse_address
from livetask_operator.observability.metrics import Metrics
from livetask_operator.reconcile.resource import GROUP
from livetask_operator.reconcile.resource import VERSION as API_VERSION
from livetask_operator.vendors.catalogue import preload_vendors, relay_vendors
from livetask_operator.vendors.transport import NoTrust, Transport

VERSION = version("livetask-operator")
NOT_EXPLAINED = 1
BAD_USAGE = 2
NOT_A_TERMINAL = 80
"""Columns of what is piped."""
HOME, LEASE = "livetask-system", "livetask-operator"
"""The operator's namespace and its Lease, as manifests/ have them."""
CYCLES_AFTER = 5_000
"""New objects until they are looked through for cycles: each poll makes some hundreds, and hardly a cycle."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit code: 2 for bad options or a bad configuration, with one line on stderr."""
    options = _parser().parse_args(arguments)
    if options.command == "version":
        print(_version_line())  # noqa: T201 - what the command says to who typed it
        return 0
    if options.command == "explain":
        return _explain(options)
    try:
        config = Config.default() if options.config is None else load(options.config)
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return BAD_USAGE
    if options.command == "check":
        print("\n".join(describe(config)))  # noqa: T201
        return 0
    logging.configure(options.log_level, options.log_format, sys.stderr)
    gc.freeze()  # modules live as long as the process
    gc.set_threshold(CYCLES_AFTER)
    try:
        address, process = parse_address(options.listen), _run_options(options)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_run(process, address, config))
    except (BadScope, NoCluster, NoTrust, ListenError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return BAD_USAGE


async def _run(options: Options, address: Address, config: Config) -> int:
    user_agent = options.user_agent
    metrics, health, enquiries = Metrics(), Health(time.monotonic), Enquiries()
    server = ObservabilityServer(health, metrics, enquiries)
    await server.start(address)
    try:
        async with Transport(
            f"{user_agent} ({config.cluster_name})" if config.cluster_name else user_agent
        ) as transport:
            return await run(options, config, _vendors(config, transport), metrics, health, enquiries)
    finally:
        await server.close()


def _explain(options: argparse.Namespace) -> int:
    """Show what there is to know of one object. Returns the exit code: 1 where it cannot be shown."""
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else NOT_A_TERMINAL
    operators = Operators(options.operator, options.lease_namespace, options.lease_name)
    try:
        case = asyncio.run(_find_out(Target.read(options.object), operators))
    except (BadTarget, NoCluster) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return BAD_USAGE
    except NotExplained as error:
        print(error, file=sys.stderr)  # noqa: T201
        return NOT_EXPLAINED
    print("\n".join(explained(case, columns)))  # noqa: T201
    return 0


async def _find_out(target: Target, operators: Operators) -> Case:
    vendors = _vendors(Config.default(), Transport("", http=httpx.AsyncBaseTransport()))  # their names; nothing is sent
    async with connect(f"livetask-operator-explain/{VERSION}") as connection:
        return await FindingOut(connection, vendors.relay, vendors.preload).case(target, operators)


def _run_options(options: argparse.Namespace) -> Options:
    """What the command line says. Raises BadScope where a word of it cannot be meant."""
    lease_namespace = options.lease_namespace
    return Options(
        scope=Scope.read(options.namespace, options.selector),
        leader_elect=options.leader_elect,
        lease_name=read_lease_name(options.lease_name),
        lease_namespace="" if lease_namespace is None else read_namespace(lease_namespace, "--lease-namespace"),
        identity=f"{os.environ.get('POD_NAME') or socket.gethostname()}_{uuid.uuid4().hex[:8]}",
        user_agent=f"livetask-operator/{VERSION}",
    )


def _version_line() -> str:
    """What is to be said in a report: this version, the API that it serves, and what it runs on."""
    runs_on = f"Python {platform.python_version()}, kopf {version('kopf')}, kubernetes {version('kubernetes')}"
    return f"livetask-operator {VERSION} ({GROUP}/{API_VERSION}; {runs_on})"


def _vendors(config: Config, transport: Transport) -> Vendors:
    """Every vendor by the block of the spec that names its tasks."""
    relay = relay_vendors(
        transport,
        alibaba_status_endpoint=config.alibaba_status_endpoint,
        alibaba_status_version=config.alibaba_status_call.version,
        alibaba_live_endpoint=config.endpoints.alibaba_live,
        tencent_endpoint=config.endpoints.tencent_trtc,
        huawei_endpoint=config.endpoints.huawei_live,
        status_words=config.status_words,
    )
    preload = preload_vendors(transport, alibaba_live_endpoint=config.endpoints.alibaba_live)
    return Vendors(
        relay={vendor.block: vendor for vendor in relay.values()},
        preload={vendor.block: vendor for vendor in preload.values()},
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="livetask-operator",
        description="Follows live-stream relay tasks at cloud vendors as Kubernetes resources, and stops a task at its "
        "vendor when its resource is deleted.",
    )
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    check = commands.add_parser(
        "check",
        help="say what is wrong with a configuration file, or what it comes to",
        description="Reads a configuration file and prints what it comes to. Needs no cluster. "
        "Exits with 2 and one line on stderr where something is wrong with it.",
    )
    check.add_argument("--config", type=Path, required=True, metavar="FILE", help="the configuration file (YAML)")

    explain = commands.add_parser(
        "explain",
        help="say all there is to know of one task, on one screen",
        description="Says what one RelayTask or PreloadTask is, what its vendor last said, when it is asked next and "
        "why not sooner, whether its key is accepted, who else follows its task, what is in its way and what to do. "
        "It reads with your own rights (KUBECONFIG), and says what it may not read. What only the working operator "
        "knows it asks the Pod that holds the Lease, through a port-forward (the right: pods/portforward).",
        epilog="Exits with 0; with 1 where the object is not there or may not be read; with 2 where it makes no sense, "
        "or there is no way to a cluster.",
    )
    explain.add_argument(
        "object",
        metavar="[KIND/]NAMESPACE/NAME",
        help="as in sports/cup-final, or relaytask/sports/cup-final where there is a PreloadTask of that name, too",
    )
    explain.add_argument(
        "--operator", metavar="URL", help="where the working operator's port is, as in http://127.0.0.1:8080"
    )
    explain.add_argument(
        "--lease-namespace", default=HOME, metavar="NS", help=f"where the operator's Lease is (default {HOME})"
    )
    explain.add_argument(
        "--lease-name", default=LEASE, metavar="NAME", help=f"its name, as of one of several shards (default {LEASE})"
    )

    commands.add_parser(
        "version",
        help="say which version this is, and which API it serves",
        description="Prints one line: the version, the API that it serves, and what it runs on. Needs no cluster.",
    )

    run_command = commands.add_parser(
        "run",
        help="run the operator",
        description="Runs the operator against the cluster of KUBECONFIG, or of the pod it runs in.",
    )
    add = run_command.add_argument
    add("--config", type=Path, metavar="FILE", help="the configuration file (YAML); without one the defaults hold")
    add(
        "--namespace",
        action="append",
        default=[],
        metavar="NS",
        help="follow this namespace alone; may be repeated (default: all)",
    )
    add(
        "--selector",
        metavar="LABELS",
        help="follow only objects with these labels, as kubectl -l takes them; how to divide them among several "
        "operators: manifests/scaling.md",
    )
    add(
        "--leader-elect",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="act only while holding a Lease (the default)",
    )
    add(
        "--lease-name",
        default=LEASE,
        metavar="NAME",
        help=f"default {LEASE}; each shard needs one of its own, and the right to it (manifests/scaling.md)",
    )
    add("--lease-namespace", metavar="NS", help="else POD_NAMESPACE, else the context's")
    add(
        "--listen",
        default="0.0.0.0:8080",
        metavar="HOST:PORT",
        help="default 0.0.0.0:8080: /healthz, /readyz, /metrics, /explain",
    )
    add("--log-level", choices=("debug", "info", "warning", "error"), default="info", help="default info")
    add("--log-format", choices=("text", "json"), default="text", help="default text")
    return parser


if __name__ == "__main__":
    sys.exit(main())
