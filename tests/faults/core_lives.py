"""Random lives of a few objects of one task, decided on by the pure functions alone: thousands in a few seconds.

The operator's I/O is the shortest that can be: who is due is looked at, or let go, at once. What is left out here
(lines, quotas, caches, conflicts, a watch) is in `lives.py`, which is slower by as much.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from livetask_operator.reconcile import stopping
from livetask_operator.reconcile.reasons import MAY_PASS, NEEDS_PERSON, Reason
from livetask_operator.reconcile.resource import DeletionPolicy, RelayTask
from livetask_operator.reconcile.settle import Seen, Track, settle
from livetask_operator.reconcile.status import RelayTaskStatus
from livetask_operator.reconcile.stopping import Hold, LeaveRunning, LetGo, LookFirst, Orphan, Wait
from livetask_operator.reconcile.trouble import Trouble
from livetask_operator.vendors.contract import Observation, State
from tests.faults.any_cloud import ERRORS
from tests.faults.conditions import Histories
from tests.faults.truth import ACCOUNTS, HASHES, HOME, KEYS, condition_of, forbids, label_of, may_hold, may_say
from tests.reconcile.given import at, body_of, relay_task, trouble, with_status

NAMESPACES = ("sports", "news")
FAULTS = sorted(
    {Reason(error.reason) for error in ERRORS.values()} & (NEEDS_PERSON | MAY_PASS),
)
STEPS = 22


@dataclass
class Thing:
    """An object, and what an operator process remembers of it."""

    task: RelayTask
    track: Track
    accepted: bool = False
    waits_since_s: float | None = None
    had_other_owner: bool = False
    was_orphan: bool = False
    task_was_over: bool = False


@dataclass
class CoreLife:
    """One sequence. `wrong` has what should not have happened."""

    chance: random.Random
    one_run: bool
    now_s: float = 0.0
    state: State | None = State.RUNNING
    keys: dict[str, str | None] = field(default_factory=lambda: dict.fromkeys(NAMESPACES, "good"))
    ever: dict[str, set[str | None]] = field(default_factory=lambda: {name: {"good"} for name in NAMESPACES})
    look_fault: Reason | None = None
    stop_fault: str | None = None
    held: bool = False
    things: dict[str, Thing] = field(default_factory=dict)
    histories: Histories = field(default_factory=Histories)
    wrong: list[str] = field(default_factory=list)
    story: list[str] = field(default_factory=list)
    writes: int = 0
    _made: int = 0
    _was_vain: bool = False

    def play(self) -> None:
        """Anything happens, then nothing fails any more."""
        self._create()
        for _ in range(STEPS):
            act = self.chance.choice(_ACTS)
            self.story.append(f"{self.now_s:7.1f} {act.__name__}")
            act(self)
            self._round()
        self.story.append("heals")
        self.look_fault = self.stop_fault = None
        self.held = False
        for _ in range(6):
            self.now_s += 60.0
            self._round(all_look=True)
        before = self.writes
        self._round(all_look=True)
        if self.writes != before:
            self.wrong.append("something is written though nothing happens")
        self._judge_end()

    # What happens

    def _create(self) -> None:
        self._made += 1
        policy, delay = self.chance.choice(["Stop", "Stop", "Orphan"]), self.chance.choice([0, 0, 20])
        task = relay_task(
            f"o{self._made}",
            self.chance.choice(NAMESPACES),
            deletionPolicy=policy,
            stopDelaySeconds=delay,
            pollIntervalSeconds=self.chance.choice([5, 30]),
        )
        task = replace(task, created=at(self.now_s).wall.replace(microsecond=0))
        self.things[task.uid] = Thing(task, self._track(task))
        self._written(self.things[task.uid])

    def _edit(self) -> None:
        if (thing := self._any()) is None:
            return
        task = thing.task
        changed = self.chance.choice(
            [
                replace(task, suspend=not task.suspend),
                replace(task, deletion_policy=self.chance.choice(list(DeletionPolicy))),
                replace(task, stop_delay_s=self.chance.choice([0, 20])),
            ]
        )
        thing.task = replace(changed, generation=task.generation + (changed != task))
        self._written(thing)

    def _ask(self) -> None:
        if (thing := self._any()) is not None:
            thing.task = replace(thing.task, requested_at=f"at {self.now_s}")
            self._written(thing)

    def _delete(self) -> None:
        thing = self._any()
        if thing is not None and not thing.task.is_deleted:
            now = at(self.now_s).wall.replace(microsecond=0)
            thing.task = replace(thing.task, deleted=now, generation=thing.task.generation + 1)
            self._written(thing)

    def _change_key(self) -> None:
        namespace = self.chance.choice(NAMESPACES)
        self.keys[namespace] = self.chance.choice([*KEYS, "good", None])
        self.ever[namespace].add(self.keys[namespace])

    def _change_task(self) -> None:
        self.state = self.chance.choice([*(state for state in State if state is not State.NOT_FOUND), None])

    def _fail(self) -> None:
        self.look_fault = self.chance.choice([None, *FAULTS])
        self.stop_fault = self.chance.choice([None, "lost", "vain", *FAULTS])

    def _hold(self) -> None:
        self.held = not self.held

    def _restart(self) -> None:
        for thing in self.things.values():
            thing.track, thing.accepted, thing.waits_since_s = self._track(thing.task), False, None

    def _time_passes(self) -> None:
        self.now_s += self.chance.choice([0.3, 1.0, 6.0, 31.0, 95.0, 130.0])

    def _any(self) -> Thing | None:
        return self.chance.choice(list(self.things.values())) if self.things else None

    # What the operator does about it

    def _round(self, *, all_look: bool = False) -> None:
        """Everybody has a step, in any order."""
        order = list(self.things)
        self.chance.shuffle(order)
        for uid in order:
            thing = self.things[uid]
            self._note_owners()
            if thing.task.is_deleted:
                self._release(thing)
            elif thing.task.suspend:
                self._settle(thing)
            elif all_look or thing.task.request_waits or self.chance.random() < 0.7:
                request = thing.task.requested_at if thing.task.request_waits else None
                thing.track = thing.track.after(self._look(thing.task), at(self.now_s).mono, request)
                self._settle(thing)
            else:
                self._settle(thing)

    def _settle(self, thing: Thing) -> None:
        self._write(thing, settle(thing.task, thing.track, at(self.now_s)))

    def _write(self, thing: Thing, status: RelayTaskStatus) -> None:
        if status != thing.task.status:
            thing.task = with_status(thing.task, status)
            self.writes += 1
            self._written(thing)

    def _written(self, thing: Thing) -> None:
        self.histories.add(body_of(thing.task), at(self.now_s).wall)

    def _look(self, task: RelayTask) -> Seen | Trouble:
        key = self.keys[task.namespace]
        if isinstance(found := self._credential(task, self.look_fault), Trouble):
            return found
        state = self.state if found == HOME else None
        hash_ = HASHES[key]
        if state is not None and not (self.one_run and state is State.STOPPED):
            return Seen(Observation(state, state.value), hash_)
        ended = Observation(State.STOPPED, "NotExist") if self.one_run else None
        return Seen(Observation(State.NOT_FOUND, "NotExist", if_seen=ended), hash_)

    def _credential(self, task: RelayTask, fault: Reason | None) -> str | Trouble:
        """The account that the key in the Secret is of, or why it cannot be used."""
        key = self.keys[task.namespace]
        if key in (None, "half"):
            return trouble(Reason.SECRET_NOT_FOUND if key is None else Reason.SECRET_KEY_MISSING, task)
        if fault is not None:
            return trouble(fault, task)
        values = KEYS[key or ""]
        account = ACCOUNTS.get((values["id"], values["key"]))
        return trouble(Reason.CREDENTIALS_REJECTED, task) if account is None else account

    def _release(self, thing: Thing) -> None:
        task, now = thing.task, at(self.now_s)
        decision = stopping.stop_is_due(
            task,
            [other.task for other in self.things.values()],
            now,
            due=stopping.stop_due(task, 0),
            crd_deleted=False,
            stops_held=self.held,
            waited_s=0.0 if thing.waits_since_s is None else now.mono - thing.waits_since_s,
        )
        match decision:
            case Orphan() | LeaveRunning():
                self._goes(thing)
            case Hold():
                self._write(thing, stopping.held_status(task, now))
            case Wait(due):
                self._write(thing, stopping.pending_status(task, due, now))
            case LookFirst():
                thing.waits_since_s = thing.waits_since_s or now.mono
            case _:
                self._stop(thing)

    def _stop(self, thing: Thing) -> None:
        task, now = thing.task, at(self.now_s)
        fault = Reason(self.stop_fault) if self.stop_fault in FAULTS else None
        account = self._credential(task, fault)
        if isinstance(account, Trouble):
            self._write(thing, stopping.blocked_status(task, account, now))
            return
        self._judge_stop(thing)
        if account != HOME or self.state is None or self.state.is_gone:
            refusal = trouble(Reason.INVALID_REQUEST, task)
            verdict = stopping.after_unsettled_stop(task, self._look(task), refusal)
        else:
            self.state = self.state if self.stop_fault == "vain" else State.STOPPED
            self._was_vain |= self.stop_fault == "vain"
            if self.stop_fault == "lost":
                self._write(thing, stopping.blocked_status(task, trouble(Reason.VENDOR_UNAVAILABLE, task), now))
                return
            verdict = stopping.after_accepted_stop(task, self._look(task))
        match verdict:
            case LetGo():
                self._goes(thing)
            case Trouble() as cause:
                self._write(thing, stopping.blocked_status(task, cause, now))
            case _:
                self._write(thing, stopping.unconfirmed_status(task, now))

    # What is checked

    def _note_owners(self) -> None:
        for thing in self.things.values():
            if thing.task.is_deleted:
                others = [other.task for other in self.things.values() if other is not thing]
                thing.had_other_owner |= any(not each.is_deleted and _stops(each) for each in others)
                thing.was_orphan |= not _stops(thing.task)
                thing.task_was_over |= self.state is None or not self.state.is_alive

    def _judge_stop(self, thing: Thing) -> None:
        body = body_of(thing.task)
        if not _stops(thing.task) or self.held or at(self.now_s).wall < stopping.stop_due(thing.task, 0):
            self.wrong.append(f"{label_of(body)} is stopped, and should not be now")
        for other in self.things.values():
            owns = not other.task.is_deleted and _stops(other.task) and forbids(body_of(other.task), body)
            if other is not thing and owns:
                self.wrong.append(f"{label_of(body)} is stopped, and {other.task.label} follows its task")

    def _goes(self, thing: Thing) -> None:
        self._note_owners()
        del self.things[thing.task.uid]
        if self.state is None or not self.state.is_alive:
            return
        never_seen = thing.task.status.seen_with_key_hash is None
        others_key = never_seen and "another account's" in self.ever[thing.task.namespace]
        unseen_end = self._was_vain and self.look_fault is not None
        if not (thing.had_other_owner or thing.was_orphan or thing.task_was_over or others_key or unseen_end):
            self.wrong.append(f"{thing.task.label} is gone, and its task runs on")

    def _judge_end(self) -> None:
        for thing in self.things.values():
            body, key = body_of(thing.task), self.keys[thing.task.namespace]
            ready = condition_of(body, "Ready") or {}
            is_alive = self.state is not None and self.state.is_alive
            if thing.task.is_deleted:
                if ready.get("reason") not in may_hold(body, key, is_alive=is_alive):
                    self.wrong.append(f"{thing.task.label} is held by {ready.get('reason')}")
                continue
            beside = next((kind for kind in ("Reconciling", "Stalled") if condition_of(body, kind)), None)
            shown = (ready.get("status", ""), ready.get("reason", ""), beside)
            allowed = may_say(body, key, self.state, one_run=self.one_run)
            if shown not in allowed:
                self.wrong.append(f"{thing.task.label} says {shown} and not {allowed}")
            if thing.task.request_waits and not thing.task.suspend:
                self.wrong.append(f"{thing.task.label} was asked for, and not looked at")

    def _track(self, task: RelayTask) -> Track:
        return Track(since_s=at(self.now_s).mono, interval_s=float(task.poll_interval_s))


def _stops(task: RelayTask) -> bool:
    return task.deletion_policy is DeletionPolicy.STOP


_ACTS: list[Callable[[CoreLife], None]] = [
    *[CoreLife._create] * 3,
    *[CoreLife._edit] * 3,
    CoreLife._ask,
    *[CoreLife._delete] * 4,
    *[CoreLife._change_key] * 3,
    *[CoreLife._change_task] * 2,
    *[CoreLife._fail] * 3,
    CoreLife._hold,
    CoreLife._restart,
    *[CoreLife._time_passes] * 5,
]
