"""The ways in which kopf is known to stop a handler, or to go deaf, without a word: each is shut here.

One more is shut by who writes, which is not kopf: `test_api_server_writes.py`. That none of them is open in a whole
operator is shown in `test_api_server.py`.
"""

from __future__ import annotations

import asyncio
from typing import Any

import kopf
import pytest

from livetask_operator.kube import watching
from livetask_operator.kube.scope import EVERYTHING
from livetask_operator.kube.watching import registry, settings
from tests.kube.small_world import run


def test_kopf_has_nothing_that_it_could_stop_without_a_word() -> None:
    """No timer, no daemon, no index, no handler of its own for creations, changes and deletions: it tells of events."""
    handlers = registry(None, None, lambda _: None)  # type: ignore[arg-type]

    assert not handlers._spawning.get_all_handlers(), "a timer or daemon whose patch is refused dies for ever"
    assert not handlers._indexing.get_all_handlers(), "an index makes the start quadratic"
    assert not handlers._changing.get_all_handlers(), "a deletion handler that gives up takes the finalizer off"
    assert len(handlers._watching.get_all_handlers()) == 2


def test_kopf_never_runs_out_of_tries_and_never_waits_on_a_silent_watch_for_ever() -> None:
    ours = settings(EVERYTHING)
    backoffs = iter(ours.networking.error_backoffs)  # type: ignore[arg-type]

    assert all(next(backoffs) < 12 for _ in range(10_000))
    assert ours.watching.inactivity_timeout is not None
    assert isinstance(ours.persistence.diffbase_storage, kopf.DiffBaseStorage)
    assert ours.watching.client_timeout is not None


async def for_ever() -> None:
    await asyncio.Event().wait()


async def breaks_off() -> None:
    await asyncio.sleep(0.1)
    raise ValueError("half a line")


def test_when_one_of_kopfs_tasks_ends_all_of_them_end_and_nobody_elses() -> None:
    """A watch that fails leaves the others to themselves; and kopf's own end takes with it whatever began after it."""

    async def story() -> list[bool]:
        roots = [asyncio.create_task(breaks_off()), asyncio.create_task(for_ever())]
        left = asyncio.create_task(for_ever(), name="watcher for preloadtasks.v1alpha1.livetask.dev@None")
        ours = asyncio.create_task(for_ever(), name="a stop under way")
        with pytest.raises(ValueError, match="half a line"):
            await watching._until_one_ends(roots)
        return [*(task.done() for task in roots), left.done(), ours.done()]

    assert run(story()) == [True, True, True, False]


def test_kopf_that_breaks_off_begins_anew_less_and_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> int:
        begun = 0

        async def spawn_tasks(**_: Any) -> list[asyncio.Task[None]]:
            nonlocal begun
            begun += 1
            return [asyncio.create_task(breaks_off())]

        monkeypatch.setattr(kopf, "spawn_tasks", spawn_tasks)
        following = asyncio.create_task(
            watching.watch(
                None,  # type: ignore[arg-type]  # nobody logs in
                None,  # type: ignore[arg-type]  # and nothing is followed
                EVERYTHING,
                asyncio.Event(),
                heard=lambda _: None,
                begun=lambda: None,
            )
        )
        await asyncio.sleep(120)
        assert not following.done()
        following.cancel()
        return begun

    assert 6 <= run(story()) <= 9, "at once, and after 2, 4, 8, 16, 30, 30 … s"
