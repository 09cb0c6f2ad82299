"""A company's proxy: the only way to the vendors, and one that opens TLS and closes it again under a CA of its own.

It is apart because it stands between the two: who asks through it believes to talk to the vendor, and behind it is the
simulated cloud.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests.controlplane.certificates import Authority

CONNECT = re.compile(rb"CONNECT ([^ ]+) HTTP/1\.1\r\n")
CHUNK = 65536
PATIENCE_S = 20.0


class Proxy:
    """Leads every CONNECT to one cloud, for as long as the `with` lasts. `asked` is who was asked for."""

    def __init__(self, folder: Path, cloud_url: str, hosts: tuple[str, ...]) -> None:
        folder.mkdir()
        authority = Authority(folder)
        self.ca = authority.certificate
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(*authority.server("proxy", hosts))
        cloud = urlsplit(cloud_url)
        self._cloud = (cloud.hostname, cloud.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.asked: list[str] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._listen, name="proxy", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._lead, args=(caller,), name="proxied", daemon=True).start()

    def _lead(self, caller: socket.socket) -> None:
        caller.settimeout(PATIENCE_S)
        with contextlib.suppress(OSError), caller:
            found = CONNECT.match(_head(caller))
            if found is None:
                caller.sendall(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n")
                return
            self.asked.append(found[1].decode())
            caller.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with (
                self._tls.wrap_socket(caller, server_side=True) as opened,
                socket.create_connection(self._cloud, PATIENCE_S) as cloud,
            ):
                back = threading.Thread(target=_pass_on, args=(cloud, opened), name="answers", daemon=True)
                back.start()
                _pass_on(opened, cloud)
                back.join(PATIENCE_S)


def _head(caller: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        chunk = caller.recv(CHUNK)
        if not chunk:
            break
        head += chunk
    return head


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    """What one says to the other, until either falls silent."""
    with contextlib.suppress(OSError):
        while chunk := source.recv(CHUNK):
            target.sendall(chunk)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
