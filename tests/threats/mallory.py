"""Who may create, edit and delete tasks and Secrets in one namespace, and means harm.

Apart from `tests/stage`: there everybody has the administrator's rights, here what counts is that Mallory has not.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import httpx
import yaml

from livetask_simulator.client import Simulator
from tests.controlplane import ControlPlane
from tests.stage.objects import Objects, live_tasks, secrets, wait_for
from tests.stage.tenant import Tenant

HANDS = 4
"""Requests that Mallory has under way at once."""


class WithToken(Objects):
    """A client of the API server with a service account's rights and no more."""

    def __init__(self, kubeconfig: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        user, cluster = config["users"][0]["user"], config["clusters"][0]["cluster"]
        self._client = httpx.Client(
            base_url=cluster["server"],
            verify=ssl.create_default_context(cafile=cluster["certificate-authority"]),
            headers={"Authorization": f"Bearer {user['token']}"},
            timeout=20,
            trust_env=False,
        )

    def answer(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> httpx.Response:
        """The API server's answer, whatever it is."""
        return self._client.request(method, path, json=body, headers={"Content-Type": kind})


class Mallory(Tenant):
    """A tenant with the built-in role `edit` in one namespace."""

    objects: WithToken

    @classmethod
    def moves_in(cls, namespace: str, plane: ControlPlane, cloud: Simulator) -> Self:
        plane.kubectl("create", "namespace", namespace)
        plane.kubectl("-n", namespace, "create", "serviceaccount", "mallory")
        account = f"{namespace}:mallory"
        plane.kubectl(
            "-n", namespace, "create", "rolebinding", "m", "--clusterrole=edit", f"--serviceaccount={account}"
        )
        objects = WithToken(plane.kubeconfig_of(namespace, "mallory"))
        tasks = live_tasks("RelayTask", namespace)
        wait_for(lambda: objects.answer("GET", tasks).status_code == 200, "the role to take the tasks in", 15)
        return cls(namespace, objects, cloud)

    def leaves(self) -> None:
        """Hold the connection no longer."""
        self.objects.__exit__(None, None, None)

    def names(self, name: str, victim: Tenant, task: str, **spec: Any) -> None:
        """Create a RelayTask that names somebody else's task."""
        self.relay(name, **{"alibabaCloud": {"appId": victim.app, "taskId": task}, **spec})

    def secret(self, name: str, **values: str) -> None:
        """Create a Secret."""
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": values}
        self.objects.create(secrets(self.namespace), body)

    def wrong_key_of(self, victim: Tenant, name: str, secret: str) -> None:
        """Create a Secret with somebody else's key id, and not its secret."""
        self.secret(name, accessKeyId=victim.key_id, accessKeySecret=secret)

    def set_key(self, secret_name: str, **values: str) -> None:
        """Change a Secret."""
        self.objects.merge(secrets(self.namespace, secret_name), {"stringData": values})

    def edit(self, name: str, **spec: Any) -> None:
        self.objects.merge(live_tasks("RelayTask", self.namespace, name), {"spec": spec})


def at_once(doing: Callable[[int], object], numbers: Iterable[int]) -> None:
    """Do something with each number, several at a time. Raises what any of them raised."""
    with ThreadPoolExecutor(HANDS) as hands:
        for done in [hands.submit(doing, number) for number in numbers]:
            done.result()


@contextmanager
def without_end(doing: Callable[[int], object], pause_s: float = 0.0) -> Iterator[Callable[[], int]]:
    """Do something over and over, several at a time, until the `with` ends; yields how often it was done.

    What is refused is tried again: Mallory does not give up. `pause_s` is how long each hand rests in between.
    """
    over, done = threading.Event(), [0] * HANDS

    def work(hand: int) -> None:
        number = hand
        while not over.is_set():
            try:
                doing(number)
            except (RuntimeError, httpx.HTTPError):
                time.sleep(0.01)  # a conflict, or too many requests
            number += HANDS
            done[hand] += 1
            over.wait(pause_s)

    hands = [threading.Thread(target=work, args=(hand,), daemon=True) for hand in range(HANDS)]
    for hand in hands:
        hand.start()
    try:
        yield lambda: sum(done)
    finally:
        over.set()
        for hand in hands:
            hand.join()
