"""Secrets are read once for all who wait for them, and one that cannot be read holds up no other."""

from __future__ import annotations

import asyncio

from tests.kube.small_world import refusal, run, within, world
from tests.polling.fake_time import now_s


def test_a_secret_that_cannot_be_read_does_not_keep_others_from_being_read_again() -> None:
    async def story() -> float:
        async with world() as stage:
            stage.secrets.data["sports/lost"] = {"id": "key-2", "key": "secret"}
            good = stage.server.create("good", block={"taskId": "1"}, pollIntervalSeconds=3600)
            lost = stage.server.create("lost", block={"taskId": "2"}, credentialsSecretRef={"name": "lost"})
            for uid in (good, lost):
                await within(8, lambda uid=uid: stage.server.ready(uid) == "True/Running", "Running")  # type: ignore[misc]
            stage.secrets.refuses["sports/lost"] = refusal(500, "InternalError", "unable to decrypt")
            await asyncio.sleep(30)

            stage.secrets.data["sports/alibaba"] = {"id": "key-3", "key": "secret"}

            changed_s = now_s()
            await within(60, lambda: "key-3" in [key for _, key in stage.vendor.looks], "the new key")
            return now_s() - changed_s

    assert run(story()) <= 5


def test_a_hundred_objects_that_begin_together_read_their_secret_once() -> None:
    async def story() -> int:
        async with world() as stage:
            stage.secrets.takes_s = 2.0
            uids = [stage.server.create(f"task-{number}", block={"taskId": str(number)}) for number in range(100)]
            await asyncio.sleep(2.5)
            reads = len(stage.secrets.reads)
            await within(20, lambda: all(stage.server.ready(uid) == "True/Running" for uid in uids), "all Running")
            return reads

    assert run(story()) == 1


def test_a_reading_is_not_lost_with_the_object_that_asked_first() -> None:
    async def story() -> int:
        async with world() as stage:
            stage.secrets.takes_s = 2.0
            first = stage.server.create("first", block={"taskId": "1"})
            second = stage.server.create("second", block={"taskId": "2"})
            await asyncio.sleep(1.0)
            stage.server.drop(first)
            await within(8, lambda: stage.server.ready(second) == "True/Running", "Running")
            return len(stage.secrets.reads)

    assert run(story()) == 1


def test_a_tenant_with_a_thousand_secrets_does_not_delay_anothers_rotation() -> None:
    async def story() -> float:
        async with world() as stage:
            uid = stage.server.create("victim", "news", block={"taskId": "victim"}, pollIntervalSeconds=3600)
            stage.secrets.data["news/alibaba"] = {"id": "key-2", "key": "secret"}
            await within(8, lambda: stage.server.ready(uid) == "True/Running", "Running")
            for number in range(1_000):  # none of them exists
                secret = {"name": f"missing-{number}"}
                stage.server.create(f"task-{number}", block={"taskId": str(number)}, credentialsSecretRef=secret)
            await asyncio.sleep(3)

            stage.secrets.data["news/alibaba"] = {"id": "key-3", "key": "secret"}

            changed_s = now_s()
            await within(60, lambda: "key-3" in [key for _, key in stage.vendor.looks], "the new key")
            return now_s() - changed_s

    assert run(story()) <= 5


def test_a_new_object_does_not_wait_behind_another_tenants_thousand() -> None:
    async def story() -> float:
        async with world() as stage:
            for number in range(1_000):
                secret = {"name": f"missing-{number}"}
                stage.server.create(f"task-{number}", block={"taskId": str(number)}, credentialsSecretRef=secret)
            await asyncio.sleep(3)
            stage.secrets.data["news/alibaba"] = {"id": "key-2", "key": "secret"}
            uid = stage.server.create("victim", "news", block={"taskId": "victim"})
            began_s = now_s()
            await within(60, lambda: stage.server.ready(uid) == "True/Running", "Running")
            return now_s() - began_s

    assert run(story()) <= 2


def test_of_a_secret_only_the_credential_is_kept() -> None:
    async def story() -> str:
        async with world() as stage:
            stage.secrets.data["sports/alibaba"] |= {"tls.key": "another program's", "notes": "x" * 1_000_000}
            uid = stage.server.create()
            await within(8, lambda: stage.server.ready(uid) == "True/Running", "Running")
            return repr([entry.content and entry.content.keys for entry in stage.follow.secrets._entries.values()])

    kept = run(story())

    assert kept == "[{'AlibabaCloud': Credential()}]"


def test_a_change_beside_the_key_makes_nobody_ask_the_vendor() -> None:
    async def story() -> int:
        async with world() as stage:
            uid = stage.server.create(pollIntervalSeconds=3600)
            await within(8, lambda: stage.server.ready(uid) == "True/Running", "Running")
            looks = len(stage.vendor.looks)
            for number in range(10):
                stage.secrets.data["sports/alibaba"] = {"id": "key-1", "key": "secret", "notes": str(number)}
                await asyncio.sleep(4)
            return len(stage.vendor.looks) - looks

    assert run(story()) == 0


def test_a_secret_is_not_read_any_more_when_its_last_user_is_gone() -> None:
    async def story() -> tuple[int, int]:
        async with world() as stage:
            stage.secrets.data["sports/other"] = {"id": "key-2", "key": "secret"}
            first = stage.server.create("first", block={"taskId": "1"})
            second = stage.server.create("second", block={"taskId": "2"}, credentialsSecretRef={"name": "other"})
            for uid in (first, second):
                await within(8, lambda uid=uid: stage.server.ready(uid) == "True/Running", "Running")  # type: ignore[misc]
            stage.server.edit(second, credentialsSecretRef={"name": "alibaba"})
            await asyncio.sleep(1)
            stage.follow.vanished(first)
            in_use = len(stage.follow.secrets._entries)
            stage.follow.vanished(second)
            reads = len(stage.secrets.reads)
            await asyncio.sleep(20)
            assert len(stage.secrets.reads) == reads
            return in_use, len(stage.follow.secrets._entries)

    assert run(story()) == (1, 0)
