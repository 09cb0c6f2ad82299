"""A node's port-forward, for Pods whose processes run here: what the API server asks a kubelet for, and no more.

It speaks `v4.channel.k8s.io` as a kubelet does: of the one port a channel with its bytes and one with its errors, each
of which begins with the port's number.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import WSMsgType, web

from tests.controlplane import ControlPlane
from tests.controlplane.certificates import Authority
from tests.controlplane.ports import free_ports
from tests.stage.objects import Objects

PROTOCOL = "v4.channel.k8s.io"
NODE = "stage"


class Kubelet:
    """The node `stage`, for as long as the `with` lasts. `ports`: where a Pod's process listens, by the Pod's name."""

    def __init__(self, plane: ControlPlane, objects: Objects, folder: Path) -> None:
        self.ports: dict[str, int] = {}
        self.asked: list[tuple[str, str]] = []
        """Pod and port of each port-forward that came here."""
        folder.mkdir(parents=True, exist_ok=True)
        certificate, key = Authority(folder).server("kubelet", ("127.0.0.1",))
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.load_cert_chain(certificate, key)
        (self._port,) = free_ports(1)
        self._objects = objects
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="kubelet", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._runner = asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(10)
        self._objects.create("/api/v1/nodes", {"metadata": {"name": NODE}})
        status = {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self._port}},
        }
        self._objects.merge(f"/api/v1/nodes/{NODE}/status", {"status": status})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def take_on(self, namespace: str, pod: str, port: int) -> None:
        """A Pod runs here, and its process listens on a port of this machine."""
        body = {"metadata": {"name": pod}, "target": {"apiVersion": "v1", "kind": "Node", "name": NODE}}
        self._objects.create(f"/api/v1/namespaces/{namespace}/pods/{pod}/binding", body)
        self.ports[pod] = port

    async def _serve(self) -> web.AppRunner:
        application = web.Application()
        application.router.add_get("/portForward/{namespace}/{pod}", self._forward)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self._port, ssl_context=self._tls).start()
        return runner

    async def _forward(self, request: web.Request) -> web.WebSocketResponse:
        forwarded = web.WebSocketResponse(protocols=[PROTOCOL])
        await forwarded.prepare(request)
        pod, port = request.match_info["pod"], int(request.query["port"])
        self.asked.append((pod, request.query["port"]))
        number = port.to_bytes(2, "little")
        await forwarded.send_bytes(b"\x00" + number)
        await forwarded.send_bytes(b"\x01" + number)
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.ports.get(pod, 1))
        except OSError as error:
            await forwarded.send_bytes(b"\x01" + f"nothing listens: {error}".encode())
            await forwarded.close()
            return forwarded
        answering = asyncio.create_task(self._answer(reader, forwarded))
        async for message in forwarded:
            if message.type is WSMsgType.BINARY and message.data[:1] == b"\x00":
                writer.write(message.data[1:])
                await writer.drain()
        answering.cancel()
        writer.close()
        return forwarded

    @staticmethod
    async def _answer(reader: asyncio.StreamReader, forwarded: web.WebSocketResponse) -> None:
        while content := await reader.read(4096):
            await forwarded.send_bytes(b"\x00" + content)
