"""Random lives of many objects under one operator after the other, in fake time, and a judge of all that happens.

The judge knows what is so at the vendor, in the Secrets and of the objects, and the contract; nothing of the operator.
"""

from __future__ import annotations

import asyncio
import copy
from collections import defaultdict
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from livetask_operator.config import Config
from livetask_operator.kube.api import KubeError
from livetask_operator.reconcile.resource import FINALIZER, RELAY_TASKS
from livetask_operator.vendors.contract import Credential, TaskRef
from tests.faults.any_cloud import AnyCloud, AnyServer
from tests.faults.conditions import Histories
from tests.faults.truth import (
    ACCOUNTS,
    KEYS,
    condition_of,
    deleted_at,
    forbids,
    is_deleted,
    label_of,
    may_hold,
    may_say,
    stops,
    task_of,
)
from tests.kube.small_world import Body, CreepingTimeLoop, SecretStore, World, now, world
from tests.polling.fake_time import now_s

WRITES = ("status", "add", "remove")
SETTLES_S = 700.0
"""A key that was refused is tried every 5 minutes; what the watch swallowed is found within 5."""
QUIET_S = 400.0
STALE_AFTER_INTERVALS = 3
GRACE_S = 20.0
"""A call takes 10 seconds at most, its trial and its turn some more."""


@dataclass
class _Known:
    """What the judge remembers of an object that is being deleted."""

    since_s: float
    had_other_owner: bool = False
    was_orphan: bool = False
    task_was_over: bool = False


@dataclass
class Judge:
    """Keeps what was wrong. Times are the fake clock's."""

    server: AnyServer
    cloud: AnyCloud
    secrets: SecretStore
    histories: Histories = field(default_factory=Histories)
    wrong: list[str] = field(default_factory=list)
    stops: int = 0
    held: defaultdict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    """Which of KEYS each Secret ever held, by namespace and name."""
    named: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Which Secrets each object ever named, by uid."""
    vain: set[str] = field(default_factory=set)
    _deleted: dict[str, _Known] = field(default_factory=dict)

    def complaints(self) -> list[str]:
        return [*self.wrong, *self.histories.complaints]

    def written(self, body: Body) -> None:
        """A version of an object was stored."""
        self.histories.add(copy.deepcopy(body), now().wall)
        self.named[body["metadata"]["uid"]].add(body["spec"]["credentialsSecretRef"]["name"])
        self.watch_owners()

    def watch_owners(self) -> None:
        for body in self.server.bodies.values():
            if not is_deleted(body):
                continue
            known = self._deleted.setdefault(body["metadata"]["uid"], _Known(now_s()))
            known.was_orphan |= not stops(body)
            known.task_was_over |= not self.cloud.is_alive(task_of(body))
            known.had_other_owner |= any(
                task_of(other) == task_of(body) and stops(other) and not is_deleted(other)
                for other in self.server.bodies.values()
            )

    def stopping(self, credential: Credential, ref: TaskRef) -> None:
        """A stop is handed over in this moment."""
        self.stops += 1
        if self.cloud.stops_have == "vain":
            self.vain.add(ref.task)
        same = [body for body in self.server.bodies.values() if task_of(body) == ref.task]
        asking = [body for body in same if self._asks_for(body, credential)]
        if not asking:
            self.wrong.append(f"a stop of {ref.task} with {credential.key_id}, which no deleted object asks for")
        owners = [body for body in same if not is_deleted(body) and stops(body)]
        if asking and all(any(forbids(owner, body) for owner in owners) for body in asking):
            names = ", ".join(label_of(owner) for owner in owners)
            self.wrong.append(f"a stop of {ref.task}, which {names} follows")

    def _asks_for(self, body: Body, credential: Credential) -> bool:
        # The last key that the vendor accepted serves where the Secret that is named now is not there.
        named = self.named[body["metadata"]["uid"]]
        keys = {key for name in named for key in self.held[body["metadata"]["namespace"], name]}
        is_due = is_deleted(body) and now().wall >= deleted_at(body) + timedelta(
            seconds=body["spec"].get("stopDelaySeconds", 0)
        )
        is_owed = FINALIZER in body["metadata"]["finalizers"] and stops(body)
        return is_due and is_owed and any(KEYS[key]["id"] == credential.key_id for key in keys)

    def dropping(self, body: Body) -> None:
        """An object goes for good."""
        if not is_deleted(body):
            return  # before its finalizer was on it
        known = self._deleted[body["metadata"]["uid"]]
        if not self.cloud.is_alive(task_of(body)) or known.had_other_owner or known.was_orphan or known.task_was_over:
            return
        if task_of(body) in self.vain and self.cloud.failed_look_s >= known.since_s:
            return  # an accepted stop is enough where the look after it fails
        named = self.named[body["metadata"]["uid"]]
        keys = {key for name in named for key in self.held[body["metadata"]["namespace"], name]}
        if "seenWithKeyHash" not in body["status"] and "another account's" in keys:
            return  # nobody ever saw it, and the account that was named does not have it
        self.wrong.append(f"{label_of(body)} is gone, and {task_of(body)} runs on")


class Lives:
    """Objects, Secrets, a vendor and an operator; each method is something that happens."""

    def __init__(self, *, lists: bool = False, one_run: bool = False) -> None:
        self.cloud, self.server, self.secrets = AnyCloud(lists=lists, one_run=one_run), AnyServer(), SecretStore()
        self.cloud.keys |= ACCOUNTS
        self.judge = Judge(self.server, self.cloud, self.secrets)
        self.server.written, self.server.dropping = self.judge.written, self.judge.dropping
        self.cloud.stopping, self.cloud.changed = self.judge.stopping, lambda _: self.judge.watch_owners()
        self.server.watched, self.server.gone = self._tell, self._tell_gone
        self.secrets.data.clear()
        self._hears = True
        self._excused_s = float("-inf")
        """Until then Ready may be older than it should be: somebody else was not there."""
        self._runner = asyncio.Runner(loop_factory=CreepingTimeLoop)
        self._operator: AbstractAsyncContextManager[World] | None = None
        self._run(self._start())

    def close(self) -> None:
        self._run(self._kill())
        self._runner.close()

    # What happens

    def put_key(self, namespace: str, name: str, key: str | None) -> None:
        """A Secret holds one of KEYS from now on; None: it is deleted."""
        if key is None:
            self.secrets.data.pop(f"{namespace}/{name}", None)
            return
        self.judge.held[namespace, name].add(key)
        self.secrets.data[f"{namespace}/{name}"] = dict(KEYS[key])

    def does(self, act: Callable[[], object]) -> None:
        """Somebody does something at the API server or at the vendor."""

        async def now_it_happens() -> None:
            act()

        self._run(now_it_happens())

    def refuses(self, verb: str, error: KubeError | None) -> None:
        """The API server refuses a kind of request from now on; None: no more."""
        if error is None:
            self.server.refuses.pop(verb, None)
        else:
            self.server.refuses[verb] = error
        self.does(self._excuse)

    def deafens(self) -> None:
        """The watch is open and silent from now on."""
        self._hears = False

    def lists_again(self) -> None:
        """The watch is there again, after a list, which does not tell of what has gone."""
        self._hears = True
        self.does(self._excuse)
        self.does(self._list)

    def crashes(self) -> None:
        """The operator is killed and started again."""
        self._run(self._kill())
        self.wait(1.0)
        self._run(self._start())

    def wait(self, seconds: float) -> None:
        self._run(asyncio.sleep(seconds))

    # What is checked

    def judged(self) -> list[str]:
        """What was wrong so far."""
        return [*self.judge.complaints(), *self._run(self._about_age())]

    async def _about_age(self) -> list[str]:
        found = []
        for body in self.server.bodies.values():
            ready = condition_of(body, "Ready")
            if ready is None or ready["status"] != "True" or is_deleted(body):
                continue
            seen_s = max(self.cloud.shown.get(task_of(body), float("-inf")), self._excused_s)
            may_be_s = STALE_AFTER_INTERVALS * body["spec"].get("pollIntervalSeconds", 30) + GRACE_S
            if now_s() - seen_s > may_be_s:
                found.append(f"{label_of(body)} is Ready, and was last seen to run {now_s() - seen_s:.0f} s ago")
        return found

    def heals(self) -> None:
        """All that was broken is whole again, but what people have to mend: the Secrets."""
        self.cloud.looks_have = self.cloud.stops_have = None
        self.server.refuses.clear()
        self.server.loses.clear()
        self.lists_again()
        self.wait(SETTLES_S)

    def deletes_all(self) -> None:
        """Everybody goes."""
        for body in [body for body in self.server.bodies.values() if not is_deleted(body)]:
            self.does(lambda uid=body["metadata"]["uid"]: self.server.delete(uid))  # type: ignore[misc]
        self.wait(SETTLES_S)

    def unsettled(self) -> list[str]:
        """What differs from what the vendor's state and the Secrets define."""
        return [each for body in self.server.bodies.values() for each in self._differs(body)]

    def noise(self) -> list[str]:
        """What is written while nothing happens."""
        before, events = len(self.server.requests), len(self.secrets.events)
        self.wait(QUIET_S)
        written = [verb for verb in self.server.requests[before:] if verb in WRITES]
        return [*written, *(f"Event {reason}" for reason in self.secrets.events[events:])]

    def _differs(self, body: Body) -> list[str]:
        label, status, meta = label_of(body), body["status"], body["metadata"]
        ready = condition_of(body, "Ready") or {}
        is_ready = (ready.get("status"), ready.get("reason"))
        beside = next((kind for kind in ("Reconciling", "Stalled") if condition_of(body, kind)), None)
        if is_deleted(body):
            wanted = may_hold(body, self._key_of(body), is_alive=self.cloud.is_alive(task_of(body)))
            return (
                [] if is_ready[1] in wanted else [f"{label} is held by {is_ready[1]}, and {sorted(wanted)} may hold it"]
            )
        found = []
        if status["observedGeneration"] != meta["generation"]:
            found.append(f"{label}: generation {meta['generation']}, observed {status['observedGeneration']}")
        state = self.cloud.tasks.get(task_of(body))
        allowed = may_say(body, self._key_of(body), state, one_run=self.cloud.one_run)
        if (*is_ready, beside) not in allowed:
            found.append(f"{label} says {(*is_ready, beside)} and not {allowed}")
        asked = meta.get("annotations", {}).get("livetask.dev/requested-at")
        if asked is not None and not body["spec"].get("suspend") and status.get("lastHandledRequestedAt") != asked:
            found.append(f"{label}: asked {asked}, handled {status.get('lastHandledRequestedAt')}")
        if FINALIZER not in meta["finalizers"]:
            found.append(f"{label} has no finalizer")
        return found

    def _key_of(self, body: Body) -> str | None:
        name = f"{body['metadata']['namespace']}/{body['spec']['credentialsSecretRef']['name']}"
        data = self.secrets.data.get(name)
        return next((key for key, value in KEYS.items() if value == data), None)

    # How

    def _run(self, story: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(story)

    async def _start(self) -> None:
        self._operator = world(self.cloud, Config.default(), watch=False, server=self.server, store=self.secrets)
        self._stage = await self._operator.__aenter__()
        self._hears = True
        self._excuse()
        self._list()

    async def _kill(self) -> None:
        assert self._operator is not None
        self._hears = False
        for work in list(self._stage.follow._work):
            work.cancel()
        await self._operator.__aexit__(None, None, None)

    def _excuse(self) -> None:
        self._excused_s = now_s()

    def _list(self) -> None:
        for body in copy.deepcopy(list(self.server.bodies.values())):
            self._stage.follow.changed(RELAY_TASKS, body, listed=True)

    def _tell(self, body: Body) -> None:
        if self._hears:
            self._stage.follow.changed(RELAY_TASKS, body)

    def _tell_gone(self, uid: str) -> None:
        if self._hears:
            self._stage.follow.vanished(uid)
