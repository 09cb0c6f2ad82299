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
        self._notes: dict[str, tuple[str, bool]] = {}

    def beat(self, name: str, at_s: float | None = None) -> None:
        """A part says that it is alive, or was at a moment."""
        self._beats[name] = self.monotonic() if at_s is None else at_s

    def require(self, name: str, within_s: float) -> None:
        """From now on this part must beat at least so often."""
        self._beats[name] = self.monotonic()
        self._required[name] = within_s

    @property
    def ready(self) -> bool:
        """Whether the process does, or could at once do, its work. A standby is ready."""
        return not self._reason and all(goes_on for _, goes_on in self._notes.values())

    @property
    def not_ready_because(self) -> str:
        """Why it is not ready, in a few words; empty where it is."""
        missing = [words for _, (words, goes_on) in sorted(self._notes.items()) if not goes_on]
        return "; ".join([self._reason, *missing] if self._reason else missing)

    @property
    def notes(self) -> list[str]:
        """What else is to be known, though the work goes on."""
        return [words for _, (words, goes_on) in sorted(self._notes.items()) if goes_on]

    def note(self, part: str, words: str, *, work_goes_on: bool) -> None:
        """Something is not as it should be with a part; where its work does not go on the process is not ready."""
        self._notes[part] = (words, work_goes_on)

    def settle(self, part: str) -> None:
        """All is well with a part."""
        self._notes.pop(part, None)

    def become_ready(self) -> None:
        """The work is going on."""
        self._reason = ""

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
