"""An operator that reaches the API server through a proxy, in a namespace of its own, for as long as a `with` lasts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.controlplane import ControlPlane
from tests.faults.proxy import Proxy, in_front_of_api_server
from tests.stage.processes import Cloud, Operator


@contextmanager
def behind_proxy(
    plane: ControlPlane,
    kubeconfig: Path,
    cloud: Cloud,
    folder: Path,
    namespace: str,
    arguments: Sequence[str],
    program: type[Operator] = Operator,
) -> Iterator[tuple[Proxy, Operator]]:
    """The namespace is made; in the end the operator has to end well."""
    plane.kubectl("create", "namespace", namespace)
    proxy, through = in_front_of_api_server(kubeconfig, folder / "proxy")
    with proxy:
        operator = program(through, cloud.url, folder / "operator", arguments=arguments)
        yield proxy, operator
        assert operator.stop() == 0
