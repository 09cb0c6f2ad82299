"""Thousands of objects on the API server: made and deleted many at once, and watched with the time of each event."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp
import yaml

AT_ONCE = 8
"""Requests under way where thousands are made."""
CONNECTIONS = 40
LINE_BYTES_MAX = 2**20
RELAY_TASKS = "/apis/livetask.dev/v1alpha1/namespaces/{namespace}/relaytasks"

T = TypeVar("T")


async def many(work: Iterable[Callable[[], Awaitable[T]]], at_once: int = AT_ONCE) -> list[T]:
    """Do all of it, so much at once. Raises what the first that fails raises."""
    places = asyncio.Semaphore(at_once)

    async def one(each: Callable[[], Awaitable[T]]) -> T:
        async with places:
            return await each()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(each)) for each in work]
    return [task.result() for task in tasks]


def relay_task(name: str, block: Mapping[str, Mapping[str, object]], secret: str, interval_s: int) -> dict[str, Any]:
    """A RelayTask as a GitOps tool would apply it: with its labels and its tracking annotation."""
    return {
        "apiVersion": "livetask.dev/v1alpha1",
        "kind": "RelayTask",
        "metadata": {
            "name": name,
            "labels": {
                "app.kubernetes.io/name": "live-events",
                "app.kubernetes.io/part-of": "sports-production",
                "app.kubernetes.io/managed-by": "argocd",
                "argocd.argoproj.io/instance": "live-events-production",
            },
            "annotations": {"argocd.argoproj.io/tracking-id": f"live-events:livetask.dev/RelayTask:sports/{name}"},
        },
        "spec": {**block, "credentialsSecretRef": {"name": secret}, "pollIntervalSeconds": interval_s},
    }


class Api:
    """A client of the API server with the rights of a kubeconfig, and of a simulated cloud's orders."""

    def __init__(self, kubeconfig: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        user, cluster = config["users"][0]["user"], config["clusters"][0]["cluster"]
        self._url = cluster["server"]
        self._trust = ssl.create_default_context(cafile=cluster["certificate-authority"])
        self._trust.load_cert_chain(user["client-certificate"], user["client-key"])

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(ssl=self._trust, limit=CONNECTIONS)
        self._session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=60))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def get(self, path: str) -> Any:
        return await self._send("GET", self._url + path)

    async def create(self, path: str, body: Mapping[str, Any]) -> Any:
        return await self._send("POST", self._url + path, body)

    async def merge(self, path: str, patch: Mapping[str, Any]) -> Any:
        return await self._send("PATCH", self._url + path, patch, "application/merge-patch+json")

    async def delete(self, path: str) -> Any:
        return await self._send("DELETE", self._url + path)

    async def order(self, method: str, url: str, body: Mapping[str, Any]) -> Any:
        """An order to a simulated cloud."""
        return await self._send(method, url, body)

    async def version(self, path: str) -> str:
        """The resource version of a list as it is now."""
        return str((await self.get(f"{path}?limit=1"))["metadata"]["resourceVersion"])

    async def watch(self, path: str, version: str, seen: Callable[[float, str, Mapping[str, Any]], None]) -> None:
        """Tell of each event after a version, with the monotonic time of its arrival, until cancelled."""
        url = f"{self._url}{path}?watch=1&resourceVersion={version}&timeoutSeconds=3600"
        forever = aiohttp.ClientTimeout(total=None)
        async with self._session.get(url, timeout=forever, read_bufsize=LINE_BYTES_MAX) as stream:
            async for line in stream.content:
                event = json.loads(line)
                seen(time.monotonic(), event["type"], event["object"])
        raise RuntimeError(f"the API server ended the watch of {path}")

    async def _send(
        self, method: str, url: str, body: Mapping[str, Any] | None = None, kind: str = "application/json"
    ) -> Any:
        data = None if body is None else json.dumps(body)
        headers = {} if body is None else {"Content-Type": kind}
        async with self._session.request(method, url, data=data, headers=headers) as answer:
            text = await answer.text()
            if answer.status >= 400:
                raise RuntimeError(f"{method} {url}: {answer.status} {text}")
            return json.loads(text)


@dataclass(slots=True)
class Life:
    """When what was first seen of an object, in monotonic seconds."""

    seen: bool = False
    status_s: asyncio.Future[float] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    gone_s: asyncio.Future[float] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Watch:
    """Watches the RelayTasks of a namespace for as long as the `async with` lasts."""

    def __init__(self, api: Api, namespace: str) -> None:
        self._api = api
        self._path = RELAY_TASKS.format(namespace=namespace)
        self._lives: dict[str, Life] = {}

    async def __aenter__(self) -> Self:
        version = await self._api.version(self._path)
        self._task = asyncio.create_task(self._api.watch(self._path, version, self._seen))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def create(self, body: Mapping[str, Any], within_s: float) -> float:
        """Create an object. Returns how many seconds later it had a status. Raises TimeoutError."""
        life = self._life(body["metadata"]["name"])
        began_s = time.monotonic()
        await self._api.create(self._path, body)
        return await self._until(life, life.status_s, within_s) - began_s

    async def delete(self, name: str, within_s: float) -> float:
        """Delete an object. Returns how many seconds later it was gone. Raises TimeoutError."""
        life = self._life(name)
        began_s = time.monotonic()
        await self._api.delete(f"{self._path}/{name}")
        return await self._until(life, life.gone_s, within_s) - began_s

    async def _until(self, life: Life, moment: asyncio.Future[float], within_s: float) -> float:
        ends: list[asyncio.Future[Any]] = [moment, self._task]
        await asyncio.wait(ends, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            self._task.result()
        if not moment.done():
            seen = "" if life.seen else ", nor did the watch show it"
            raise TimeoutError(f"an object of {self._path} did not get on within {within_s:g} s{seen}")
        return moment.result()

    def _life(self, name: str) -> Life:
        return self._lives.setdefault(name, Life())

    def _seen(self, at_s: float, kind: str, body: Mapping[str, Any]) -> None:
        life = self._life(body["metadata"]["name"])
        life.seen = True
        if kind == "DELETED" and not life.gone_s.done():
            life.gone_s.set_result(at_s)
        elif body.get("status", {}).get("state") and not life.status_s.done():
            life.status_s.set_result(at_s)
