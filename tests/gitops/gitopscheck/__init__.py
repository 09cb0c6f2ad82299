"""Argo CD's own code and kstatus's, asked by tests: the Go program beside this, as one process for many questions."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from tests.programs import Kit, Program

KIT = Kit("Argo CD and kstatus", Path(__file__).parent, (Program("gitopscheck", ".", 150),))

Body = Mapping[str, Any]
Argo = Literal["Healthy", "Progressing", "Degraded", "Suspended"]
"""A health, as far as our objects have it."""
Diff = Literal["three-way", "structured-merge", "server-side"]
"""How an Application can have Git and the cluster compared."""


class GitopsCheckError(RuntimeError):
    """The program cannot answer; the message has its words."""


class GitopsCheck:
    """For as long as the `with` lasts. Raises ProgramUnavailable where the program cannot be had."""

    def __init__(self, folder: Path) -> None:
        """`folder`: where it may keep its log."""
        program = KIT.obtain()["gitopscheck"]
        self._log = folder / "gitopscheck.log"
        self._alone = threading.Lock()
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(BrokenPipeError):  # it has ended already
            self.process.communicate()  # there are no more questions: it ends by itself

    def kstatus(self, body: Body) -> str:
        """What kstatus computes."""
        return str(self._ask("kstatus", object=body)["Status"])

    def customize(self, overrides: Mapping[str, Body]) -> None:
        """Judge by these scripts from now on, by `group/Kind`, as in the key `resource.customizations`."""
        self._ask("customize", overrides=overrides)

    def connect(self, kubeconfig: Path) -> None:
        """Work with this API server from now on."""
        self._ask("connect", path=str(kubeconfig))

    def settings_of(self, namespace: str) -> None:
        """Judge as an Argo CD in this namespace would from now on, by its ConfigMap argocd-cm."""
        self._ask("settings", namespace=namespace)

    def health(self, body: Body) -> tuple[str, str]:
        """The health of an object, and the words beside it."""
        found = self._ask("health", object=body)
        return str(found["status"]), str(found.get("message", ""))

    def actions(self, body: Body) -> list[dict[str, Any]]:
        """The buttons that an object has, by name."""
        return list(self._ask("actions", object=body))

    def act(self, body: Body, action: str) -> dict[str, Any]:
        """The object as an action makes it."""
        return dict(self._ask("act", object=body, action=action))

    def watched(self, body: Body) -> dict[str, Any]:
        """What of an object counts in an update: where neither this nor the health changes, nothing is refreshed."""
        return dict(self._ask("watched", object=body))

    def diff(self, config: Body, live: Body, how: Diff) -> tuple[Any, Any] | None:
        """What is live and what Git would have there; None where Argo CD sees no difference."""
        found = self._ask("diff", config=config, object=live, mode=how)
        return (found["live"], found["predicted"]) if found["modified"] else None

    def _ask(self, op: str, **question: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with self._alone:
            with suppress(BrokenPipeError):  # it has ended, and says why
                self.process.stdin.write(json.dumps({"op": op, **question}) + "\n")
                self.process.stdin.flush()
            said = self.process.stdout.readline()
        if not said:
            raise GitopsCheckError(f"gitopscheck ended when it was asked for {op}: {self._log.read_text()[-2000:]}")
        answer = json.loads(said)
        if "error" in answer:
            raise GitopsCheckError(f"{op}: {answer['error']}")
        return answer.get("answer")
