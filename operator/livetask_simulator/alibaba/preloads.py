"""Preloads of the simulated Alibaba Cloud: what they are, how they go on, and how long they are remembered.

Apart from the operations, because the admin API and scripts act on preloads too, and from relay tasks, with which they
have nothing in common.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from livetask_simulator.clock import Clock

REMEMBERED_S = 3 * 24 * 3600.0
LASTS_S = 3600.0


class ListShape(StrEnum):
    """How the list of preloads is written: the vendor documents both."""

    NESTED = "nested"
    """`{"PreloadTask": […]}`, as its SDKs read it."""
    PLAIN = "plain"
    """`[…]`, as its page shows it."""


class Phase(StrEnum):
    """What the list can be filtered by."""

    COMPLETE = "complete"
    PENDING = "pending"
    PRELOADING = "preloading"
    FAILED = "failed"


@dataclass(frozen=True)
class Stage:
    """From `after_s` seconds after its creation on, a preload shows these words."""

    after_s: float
    process: str
    status: str


DEFAULT_LIFE = (Stage(0.0, "0%", "Success"), Stage(2.0, "50%", "Success"), Stage(4.0, "100%", "Success"))


@dataclass(frozen=True, kw_only=True)
class PreloadSettings:
    """How the cloud treats one account's preloads."""

    domains: frozenset[str] | None = None
    """The account's domains; None: any is one."""
    shape: ListShape = ListShape.NESTED
    forget_after_s: float = REMEMBERED_S
    life: tuple[Stage, ...] = DEFAULT_LIFE
    """How preloads go on that are set through the API."""


@dataclass(kw_only=True)
class Preload:
    """One preload of one URL. Times are monotonic seconds."""

    task_id: str
    domain: str
    play_url: str
    area: str
    created_s: float
    starts_s: float
    ends_s: float
    life: tuple[Stage, ...]
    description: str | None = None
    """None: what goes with the status."""

    def stage(self, now_s: float) -> Stage:
        """What it shows at this moment."""
        age_s = now_s - self.created_s
        reached = [stage for stage in self.life if stage.after_s <= age_s]
        return reached[-1] if reached else Stage(0.0, "0%", "Success")

    def become(self, now_s: float, stages: Sequence[Stage]) -> None:
        """Go on so from now on, by stages counted from now; what was planned for later is dropped."""
        age_s = now_s - self.created_s
        past = tuple(stage for stage in self.life if stage.after_s < age_s)
        self.life = (*past, *(Stage(age_s + stage.after_s, stage.process, stage.status) for stage in stages))

    def describe(self, now_s: float) -> str:
        """The vendor's Description."""
        if self.description is not None:
            return self.description
        return "InternalError" if self.stage(now_s).status.lower() == "failed" else "Successfully"

    def phase(self, now_s: float) -> Phase:
        """The filter's word for it."""
        stage = self.stage(now_s)
        if "InternalError" in (self.describe(now_s), stage.status) or stage.status.lower() == "failed":
            return Phase.FAILED
        if stage.process == "100%":
            return Phase.COMPLETE
        has_begun = stage.process not in ("", "0%") and stage.status.lower() != "pending"
        return Phase.PRELOADING if has_begun else Phase.PENDING


class Preloads:
    """All preloads, by account and id."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._preloads: dict[str, dict[str, Preload]] = {}
        self._settings: dict[str, PreloadSettings] = {}

    def settings(self, account: str) -> PreloadSettings:
        """How the cloud treats an account."""
        return self._settings.get(account, PreloadSettings())

    def set_settings(self, account: str, settings: PreloadSettings) -> None:
        """Treat an account otherwise from now on."""
        self._settings[account] = settings

    def add(self, account: str, preload: Preload) -> None:
        """Have a preload; one of that id is replaced."""
        self._preloads.setdefault(account, {})[preload.task_id] = preload

    def find(self, account: str, task_id: str) -> Preload | None:
        """The preload, unless the cloud never knew it or has forgotten it."""
        return next((preload for preload in self.of_account(account) if preload.task_id == task_id), None)

    def of_account(self, account: str) -> Iterator[Preload]:
        """The preloads that the cloud remembers for an account, the newest first."""
        oldest_s = self._clock.monotonic() - self.settings(account).forget_after_s
        known = sorted(self._preloads.get(account, {}).values(), key=lambda each: (-each.created_s, each.task_id))
        return (preload for preload in known if preload.created_s > oldest_s)

    def forget_preload(self, account: str, task_id: str) -> None:
        """Make a preload unknown."""
        self._preloads.get(account, {}).pop(task_id, None)

    def forget(self, account: str | None) -> None:
        """Drop preloads and settings of one account, or of all where None."""
        if account is None:
            self._preloads.clear()
            self._settings.clear()
        else:
            self._preloads.pop(account, None)
            self._settings.pop(account, None)
