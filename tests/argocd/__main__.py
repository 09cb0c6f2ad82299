"""Obtains the programs of these tests; with --cached it only says, by the exit code, whether all are there already."""

from __future__ import annotations

import argparse
import sys

from tests.argocd import flux, programs


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.argocd", description=__doc__)
    parser.add_argument("--cached", action="store_true", help="build and download nothing")
    if parser.parse_args().cached:
        return 0 if programs.is_cached() and flux.is_cached() else 1
    print(programs.obtain())
    print(flux.KIT.obtain(), flux.crds())
    return 0


if __name__ == "__main__":
    sys.exit(main())
