"""A token in a file that somebody else renews: the newest goes with each request.

Apart from the connection, and in the client library's place: that reads a kubeconfig's `tokenFile` once for good, and
a Pod's token once a minute. A token that is refused meanwhile would cost the leader its Lease, though a good one is
there.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kubernetes.aio import client

log = logging.getLogger("livetask.connection")


class TokenFile:
    """To be called before each request: reads the file again where it is another than before."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[int, int, int] | None = None
        self._said = ""

    def __call__(self, configuration: client.Configuration) -> None:
        """Put the newest token into the configuration; where none can be read, the last one stays."""
        try:
            found = self._path.stat()  # of what a Secret's or an account's link leads to: it is exchanged as a whole
            mark = (found.st_ino, found.st_mtime_ns, found.st_size)
            if mark == self._read:
                return
            token = self._path.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            self._say(f"the token in {self._path} cannot be read ({type(error).__name__}); the last one goes on")
            return
        if not token:
            self._say(f"{self._path} holds no token; the last one goes on")
            return
        configuration.api_key["BearerToken"] = f"Bearer {token}"
        self._read, self._said = mark, ""

    def _say(self, words: str) -> None:
        if words != self._said:
            self._said = words
            log.warning("%s", words)


def named_in(documents: Sequence[tuple[Path, Mapping[str, Any]]], user: str) -> Path | None:
    """The token file that kubeconfigs name for a user; the first that knows the user counts, as for kubectl."""
    for path, document in documents:
        for entry in document.get("users") or ():
            if entry.get("name") == user:
                named = (entry.get("user") or {}).get("tokenFile")
                return path.parent / os.path.expanduser(named) if named else None
    return None
