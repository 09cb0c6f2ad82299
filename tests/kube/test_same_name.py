"""An object that is gone and another that has its name at once: nothing of the one is written to the other."""

from __future__ import annotations

import asyncio

import pytest
from kubernetes.aio import client, config

from livetask_operator.kube.api import Conflict, ObjectApi
from livetask_operator.kube.turns import Account
from livetask_operator.polling.scheduler import Taken
from livetask_operator.reconcile.resource import RELAY_TASKS, RelayTask
from tests.controlplane import ControlPlane
from tests.kube.small_world import run, within, world
from tests.reconcile.given import VENDORS, relay_body


async def test_the_api_server_keeps_the_status_of_one_object_from_another_of_its_name(
    crds: ControlPlane, namespace: str
) -> None:
    kind = {"apiVersion": "livetask.dev/v1alpha1", "kind": "RelayTask"}
    meta = {"name": "liquid", "labels": {"operator": "own"}}  # the shared operator passes it over
    body = {**kind, "metadata": meta, "spec": relay_body()["spec"]}
    async with await config.new_client_from_config(str(crds.kubeconfig), persist_config=False) as connection:  # type: ignore[no-untyped-call]
        api, objects = ObjectApi(connection, RELAY_TASKS), client.CustomObjectsApi(connection)
        arguments = ("livetask.dev", "v1alpha1", namespace, RELAY_TASKS)
        await objects.create_namespaced_custom_object(*arguments, body)
        old = RelayTask.from_body(await api.get(namespace, "liquid"), VENDORS)
        set_once = await api.patch_status(old, {"state": "Running", "vendorStatus": "1"})
        taken_away = await api.patch_status(old, {"vendorStatus": None, "taskId": None})
        await objects.delete_namespaced_custom_object(*arguments, "liquid")
        await objects.create_namespaced_custom_object(*arguments, body)

        with pytest.raises(Conflict):
            await api.patch_status(old, {"state": "Running"})

        assert set_once["status"] == {"observedGeneration": -1, "state": "Running", "vendorStatus": "1"}
        assert taken_away["status"] == {"observedGeneration": -1, "state": "Running"}
        assert (await api.get(namespace, "liquid"))["status"] == {"observedGeneration": -1}


@pytest.mark.parametrize("at_once_bytes", [4_000_000, 1], ids=["at once", "in pages, as it is too much to be held"])
async def test_all_who_name_a_task_are_found(
    crds: ControlPlane, namespace: str, at_once_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livetask_operator.kube.api.AT_ONCE_BYTES", at_once_bytes)
    kind = {"apiVersion": "livetask.dev/v1alpha1", "kind": "RelayTask"}
    async with await config.new_client_from_config(str(crds.kubeconfig), persist_config=False) as connection:  # type: ignore[no-untyped-call]
        api, objects = ObjectApi(connection, RELAY_TASKS), client.CustomObjectsApi(connection)
        arguments = ("livetask.dev", "v1alpha1", namespace, RELAY_TASKS)
        for name, task in (("one", f"{namespace}-1"), ("two", f"{namespace}-1"), ("other", f"{namespace}-2")):
            meta = {"name": name, "labels": {"operator": "own"}}  # the shared operator passes it over
            body = {**kind, "metadata": meta, "spec": relay_body(block={"taskId": task})["spec"]}
            await objects.create_namespaced_custom_object(*arguments, body)
        one = RelayTask.from_body(await api.get(namespace, "one"), VENDORS)

        found = [body["metadata"]["name"] async for body in api.list_same_task(one)]

    assert sorted(found) == ["one", "two"]


def test_an_object_that_was_replaced_during_a_look_is_forgotten_and_its_heir_followed() -> None:
    async def story() -> tuple[list[str], int]:
        async with world() as stage:
            stage.vendor.takes_s = 2.0
            stage.server.gone = None  # the watch never tells that the old one went
            old = stage.server.create(uid="old")
            await within(5, lambda: stage.vendor.looks, "a look")
            stage.server.drop(old)
            new = stage.server.create(uid="new", generation=7)
            await within(8, lambda: stage.server.ready(new) == "True/Running", "Running")
            await within(8, lambda: old not in stage.follow._records, "the old one forgotten")
            return list(stage.follow._records), stage.server.body(new)["status"]["observedGeneration"]

    assert run(story()) == (["new"], 7)


def test_an_object_that_is_gone_before_its_look_has_begun_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> int:
        async with world() as stage:
            uid = stage.server.create()
            await within(10, lambda: stage.server.ready(uid) == "True/Running", "Running")
            begin = stage.follow._turns._begin

            def begin_as_it_goes(taken: Taken[str, Account]) -> None:
                begin(taken)
                stage.follow.vanished(taken.key)

            stage.follow._turns._begin = begin_as_it_goes
            looks = len(stage.vendor.looks)
            await within(60, lambda: len(stage.vendor.looks) > looks, "its last look")
            await asyncio.sleep(60)
            return len(stage.vendor.looks) - looks

    assert run(story()) == 1
    assert "a fault in the operator" not in caplog.text
