"""The command `livetask-simulator`."""

import argparse
import asyncio
import json
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from livetask_simulator.accounts import KeyTakenError
from livetask_simulator.alibaba import orders
from livetask_simulator.fields import FieldError, Fields
from livetask_simulator.script import load_script
from livetask_simulator.server import running
from livetask_simulator.world import World

USAGE_ERROR = 2
EPILOG = """\
examples:
  livetask-simulator --account sports=LTAIsports:secret
  livetask-simulator --listen 127.0.0.1:8900 --script evening.yaml

The signature of every request is checked. The admin API under /_admin needs none: keep it on a loopback address.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT. Returns the exit code: 0, or 2 where the arguments or the script are wrong."""
    options = _parser().parse_args(arguments)
    _log(options.log_level, options.log_format)
    world = World()
    try:
        for account in options.account:
            _add_account(world, account)
        if options.script is not None:
            load_script(world, options.script)
        host, port = _address(options.listen)
    except (FieldError, KeyTakenError, LookupError, OSError) as error:
        sys.stderr.write(f"livetask-simulator: {error}\n")
        return USAGE_ERROR
    return asyncio.run(_serve(world, host, port))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="livetask-simulator",
        description="Simulated vendor clouds for live-stream relay tasks: strict about signatures, quotas and "
        "parameters, and misbehaving on command.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--listen", default="127.0.0.1:0", metavar="HOST:PORT", help="where to listen; port 0 picks one (%(default)s)"
    )
    parser.add_argument(
        "--account",
        action="append",
        default=[],
        metavar="NAME=KEYID:SECRET",
        help="an Alibaba Cloud account and a key of it; may be given several times, also for one account",
    )
    parser.add_argument(
        "--script", type=Path, metavar="FILE.yaml", help="accounts, keys, tasks and faults to begin with"
    )
    parser.add_argument(
        "--log-level", choices=["debug", "info", "warning"], default="info", help="debug shows each call (%(default)s)"
    )
    parser.add_argument("--log-format", choices=["text", "json"], default="text", help="on stderr (%(default)s)")
    return parser


async def _serve(world: World, host: str, port: int) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stopped.set)
    try:
        async with running(world, host=host, port=port) as simulator:
            sys.stdout.write(f"livetask-simulator listens on {simulator.url}\n")
            sys.stdout.flush()
            await stopped.wait()
    except OSError as error:
        sys.stderr.write(f"livetask-simulator: cannot listen on {host}:{port}: {error.strerror}\n")
        return 1
    return 0


def _add_account(world: World, text: str) -> None:
    name, _, key = text.partition("=")
    key_id, _, secret = key.partition(":")
    if not (name and key_id and secret):
        raise FieldError("--account takes NAME=KEYID:SECRET.")  # without what was given: it may hold the secret
    orders.put_settings(world.alibaba, name, Fields({}, "--account"))
    orders.put_key(world.alibaba, name, key_id, Fields({"secret": secret}, "--account"))


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise FieldError(f"--listen takes HOST:PORT, and is {text}.")
    return host, int(port)


def _log(level: str, log_format: str) -> None:
    handler = logging.StreamHandler()
    if log_format == "json":
        handler.setFormatter(_JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {"time": self.formatTime(record), "level": record.levelname.lower(), "message": record.getMessage()}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)
