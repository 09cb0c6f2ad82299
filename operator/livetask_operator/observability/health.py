"""Whether the process lives and is ready, from the heartbeats of its parts. Pure but for the clock it is given."""

from __future__ import annotations

from collections.abc import Callable


class Health:
    """Heartbeats by name, and readiness. `monotonic` gives seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.monotonic = monotonic
        self._beats: dict[str, float] = {}
        self._required: dict[str, float] = {}
        self._reason = "starting"

    def beat(self, name: str) -> None:
        """A part says that it is alive."""
        self._beats[name] = self.monotonic()

    def require(self, name: str, within_s: float) -> None:
        """From now on this part must beat at least so often."""
        self._beats[name] = self.monotonic()
        self._required[name] = within_s

    def release(self, name: str) -> None:
        """This part need not beat any more: it ended on purpose."""
        self._required.pop(name, None)

    @property
    def ready(self) -> bool:
        """Whether the process does, or could at once do, its work. A standby is ready."""
        return not self._reason

    @property
    def not_ready_because(self) -> str:
        """Why it is not ready, in a few words; empty where it is."""
        return self._reason

    def become_ready(self) -> None:
        """The work is going on."""
        self._reason = ""

    def become_unready(self, because: str) -> None:
        """The work is not going on any more, or not yet, because …"""
        self._reason = because

    def report(self, now_s: float) -> tuple[bool, list[str]]:
        """Whether every required part beat in time, and a line about each."""
        healthy = True
        lines = []
        for name, within_s in sorted(self._required.items()):
            age_s = max(0.0, now_s - self._beats[name])
            late = age_s > within_s
            healthy = healthy and not late
            verdict = "LATE" if late else "ok"
            lines.append(f"{name}: {verdict}, last beat {age_s:.1f} s ago, {within_s:g} s allowed")
        return healthy, lines
