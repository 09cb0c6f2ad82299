"""Two replicas with a Lease, and who starts them again when they end, as a kubelet does."""

from __future__ import annotations

import signal
import statistics
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from tests.stage.processes import Operator

LEASE_LOST = "this process ends, another goes on"
EXCUSED_AFTER_S = 30.0
"""Who could not renew the Lease, or was frozen, may end so much later: not before it runs again, with little time."""
LOOK_EVERY_S = 0.5
RSS_EVERY_S = 1.0
WINDOW = 15
LED_BEFORE_FIRST_S = 45.0
"""A process that has just begun to lead still grows: it reads all objects, and freezes what lives long."""
AT_LEAST_BETWEEN_S = 90.0


class Memory:
    """What one process holds, a sample a second, in MiB."""

    def __init__(self) -> None:
        self._began_s: float | None = None
        self._first: list[float] = []
        self._first_s = 0.0
        self._last: deque[float] = deque(maxlen=WINDOW)
        self._last_s = 0.0

    def sample(self, mib: float, now_s: float) -> None:
        self._began_s = now_s if self._began_s is None else self._began_s
        if now_s - self._began_s < LED_BEFORE_FIRST_S:
            return
        if len(self._first) < WINDOW:
            self._first.append(mib)
            self._first_s = now_s
        self._last.append(mib)
        self._last_s = now_s

    @property
    def growth(self) -> float | None:
        """The last quarter of a minute beside the first one that counts; None where they are too near."""
        if self._last_s - self._first_s < AT_LEAST_BETWEEN_S:
            return None
        return statistics.median(self._last) / statistics.median(self._first) - 1.0

    @property
    def told(self) -> str:
        if not self._first:
            return "-"
        return f"{statistics.median(self._first):.1f} -> {statistics.median(self._last):.1f} MiB"


class Replica:
    """One of them, through all its lives."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        self.memory = Memory()
        self.expected_end = False
        self.frozen = False
        self._log_began = 0

    def last_words(self) -> str:
        """What the log says of the life that has just ended."""
        return self.operator.log.read_text(errors="replace")[self._log_began :]

    def begin_again(self) -> None:
        self._log_began = len(self.operator.log.read_text(errors="replace"))
        self.memory = Memory()
        self.expected_end = self.frozen = False
        self.operator.start()

    def leads(self) -> bool:
        return not self.frozen and "livetask_leader 1.0" in (self.operator.answer("/metrics") or "")


class Replicas:
    """Both, watched by a thread. `unplanned` names the ends that nothing explains."""

    def __init__(self, kubeconfig: Path, cloud_url: str, folder: Path, count: int = 2) -> None:
        self.unplanned: list[str] = []
        self.ends = 0
        self.all = [
            Replica(Operator(kubeconfig, cloud_url, folder / f"replica-{number}", arguments=(), waits=False))
            for number in range(count)
        ]
        self.measure_from_s = float("inf")
        """What a process holds counts from then on: before, not each kind of fault has struck it."""
        self._excused_until_s = 0.0
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="kubelet", daemon=True)
        self._thread.start()

    def excuse(self, for_s: float) -> None:
        """The Lease may be lost without anybody's fault, for so long and a while after."""
        self._excused_until_s = max(self._excused_until_s, time.monotonic() + for_s + EXCUSED_AFTER_S)

    def kill(self, replica: Replica, number: signal.Signals) -> None:
        with self._lock:
            if replica.operator.process.returncode is None:
                replica.expected_end = True
                if replica.frozen:
                    self.thaw(replica)
                replica.operator.process.send(number)

    def freeze(self, replica: Replica, for_s: float) -> None:
        with self._lock:
            self.excuse(for_s)
            if replica.operator.process.returncode is None:
                replica.frozen = True
                replica.operator.process.send(signal.SIGSTOP)

    def thaw(self, replica: Replica) -> None:
        with self._lock:
            if replica.frozen and replica.operator.process.returncode is None:
                replica.operator.process.send(signal.SIGCONT)
            replica.frozen = False

    def growth(self) -> tuple[float | None, str]:
        """Of the one that leads: how much it grew while it led, and from what to what."""
        leader = next((each for each in self.all if each.leads()), None)
        return (None, "nobody leads") if leader is None else (leader.memory.growth, leader.memory.told)

    def stop(self) -> Sequence[int]:
        self._over.set()
        self._thread.join()
        for replica in self.all:
            self.thaw(replica)
        return [replica.operator.process.stop(15) for replica in self.all]

    def _watch(self) -> None:
        sample_at_s = 0.0
        while not self._over.wait(LOOK_EVERY_S):
            now_s = time.monotonic()
            with self._lock:
                for replica in self.all:
                    if replica.operator.process.returncode is not None:
                        self._begin_again(replica, now_s)
            if now_s >= sample_at_s:
                sample_at_s = now_s + RSS_EVERY_S
                for replica in self.all if now_s >= self.measure_from_s else ():
                    if not replica.frozen and replica.leads():
                        replica.memory.sample(_rss_mib(replica.operator.process.pid), now_s)

    def _begin_again(self, replica: Replica, now_s: float) -> None:
        self.ends += 1
        code, words = replica.operator.process.returncode, replica.last_words()
        lost = LEASE_LOST in words and now_s < self._excused_until_s
        if not replica.expected_end and not lost:
            why = "lost its Lease without a cause" if LEASE_LOST in words else words[-1500:]
            self.unplanned.append(f"{replica.operator.log} ended with {code}: {why}")
        replica.begin_again()


def _rss_mib(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return pages * 4096 / 2**20
