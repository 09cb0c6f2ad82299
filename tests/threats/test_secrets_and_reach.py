"""Mallory wants to read another's Secret, to have a key sent somewhere, or the operator ask an address inside."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.controlplane import ControlPlane
from tests.stage.objects import Objects, live_tasks, secrets
from tests.stage.processes import Operator
from tests.stage.tenant import Tenant, until
from tests.threats.mallory import Mallory

OTHERS_SECRETS = [
    {"name": "alibaba", "namespace": "victim"},
    {"name": "victim/alibaba"},
    {"name": "../../victim/secrets/alibaba"},
    {"name": "..%2f..%2fvictim%2fsecrets%2falibaba"},
    {"name": "alibaba?namespace=victim"},
    {"name": "alibaba\n"},
    {"name": ".."},
]
HOSTS = [
    "127.0.0.1",
    "169.254.169.254",
    "evil.example.com/",
    "x@evil.example.com",
    "evil.example.com#",
    "cn-north-4.evil",
    "cn-north-4:8080",
    "cn-north-4\n",
    "[::1]",
    "%31",
    "--",
    "{region}",
]


class Recorder:
    """A vendor that writes down all it is sent, as it comes over the wire, and answers with a redirect."""

    def __init__(self, redirect_to: str) -> None:
        self.requests: list[str] = []
        requests = self.requests

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(errors="replace")
                requests.append(f"{self.requestline}\n{self.headers}\n{body}")
                self.send_response(307)
                self.send_header("Location", redirect_to)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST = do_DELETE = do_PUT = handle_any  # noqa: N815 - the library's names

            def log_message(self, *_: object) -> None:
                """Nothing: the requests are kept."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class Inside:
    """An address inside the cluster that nobody but the cluster should reach; it counts who comes."""

    def __init__(self) -> None:
        self.visits = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.settimeout(0.1)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/latest/meta-data"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                visitor, _ = self.socket.accept()
            except TimeoutError:
                continue
            self.visits += 1
            visitor.close()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()
        self.socket.close()


@pytest.fixture
def inside() -> Iterator[Inside]:
    inside = Inside()
    yield inside
    inside.stop()


@pytest.fixture
def recorder(inside: Inside) -> Iterator[Recorder]:
    recorder = Recorder(inside.url)
    yield recorder
    recorder.stop()


def relay_body(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "livetask.dev/v1alpha1",
        "kind": "RelayTask",
        "metadata": {"name": "attack"},
        "spec": {
            "alibabaCloud": {"appId": "app", "taskId": "task"},
            "credentialsSecretRef": {"name": "alibaba"},
            **spec,
        },
    }


def refusal(mallory: Mallory, body: dict[str, Any]) -> httpx.Response:
    path = f"{live_tasks('RelayTask', mallory.namespace)}?fieldValidation=Strict"
    return mallory.objects.answer("POST", path, body)


def test_no_reference_leads_to_a_secret_of_another_namespace(mallory: Mallory) -> None:
    answers = [refusal(mallory, relay_body(credentialsSecretRef=reference)) for reference in OTHERS_SECRETS]

    for reference, answer in zip(OTHERS_SECRETS, answers, strict=True):
        assert answer.status_code in (400, 422), (reference, answer.text)
        assert "credentialsSecretRef" in answer.text


def test_a_secret_of_the_same_name_in_another_namespace_is_not_used(mallory: Mallory, victim: Tenant) -> None:
    victim.starts("cup-final")
    victim.relay("cup-final").reaches("Running")
    mallory.drop_secret()

    mallory.names("attack", victim, "cup-final")

    until(lambda: "SecretNotFound" in json.dumps(mallory_status(mallory, "attack")), "SecretNotFound")
    shown = json.dumps([mallory_status(mallory, "attack"), events(mallory)])
    assert not any(told in shown for told in (victim.key_id, victim.secret_key, f"{victim.namespace}/"))


def test_what_edit_grants_ends_at_the_namespace_and_leaves_the_status_to_the_operator(
    mallory: Mallory, victim: Tenant
) -> None:
    victim.starts("cup-final")
    victim.relay("cup-final").reaches("Running")
    mallory.relay("own")
    theirs = live_tasks("RelayTask", victim.namespace, "cup-final")
    own_status = f"{live_tasks('RelayTask', mallory.namespace, 'own')}/status"
    merge = "application/merge-patch+json"

    answers = [
        mallory.objects.answer("GET", secrets(victim.namespace, "alibaba")),
        mallory.objects.answer("GET", theirs),
        mallory.objects.answer("DELETE", theirs),
        mallory.objects.answer("PATCH", theirs, {"spec": {"deletionPolicy": "Orphan"}}, merge),
        mallory.objects.answer("PATCH", own_status, {"status": {"seenWithKeyHash": "3f9a3f9a3f9a3f9a"}}, merge),
        mallory.objects.answer("GET", secrets("livetask-system")),
        mallory.objects.answer(
            "POST", "/api/v1/namespaces/livetask-system/serviceaccounts/livetask-operator/token", {}
        ),
    ]

    assert [answer.status_code for answer in answers] == [403] * len(answers)


def test_a_status_that_is_created_along_with_an_object_does_not_count(mallory: Mallory) -> None:
    body = relay_body() | {
        "status": {"observedGeneration": 1, "state": "Running", "seenWithKeyHash": "3f9a3f9a3f9a3f9a"}
    }

    answer = refusal(mallory, body)

    assert answer.status_code == 201
    assert answer.json()["status"] == {"observedGeneration": -1}


def test_no_region_chooses_another_host(mallory: Mallory) -> None:
    def named(region: str) -> dict[str, Any]:
        body = relay_body(huaweiCloud={"projectId": "p", "region": region, "taskId": "t"})
        del body["spec"]["alibabaCloud"]
        return body

    answers = [refusal(mallory, named(region)) for region in HOSTS]

    for region, answer in zip(HOSTS, answers, strict=True):
        assert answer.status_code == 422, (region, answer.text)
        assert "spec.huaweiCloud.region" in answer.text


def test_nobody_is_asked_but_the_configured_endpoints_and_no_key_goes_along_with_anothers_task(
    plane: ControlPlane,
    admin: Objects,
    operators_kubeconfig: Path,
    victim: Tenant,
    mallory: Mallory,
    recorder: Recorder,
    inside: Inside,
    tmp_path: Path,
) -> None:
    token = yaml.safe_load(operators_kubeconfig.read_text())["users"][0]["user"]["token"]
    addresses = {"domainName": "127.0.0.1.example.com", "playUrls": [inside.url, f"{inside.url}?x=1"]}
    victim.relay("theirs")
    mallory.relay("relay", taskId="own")
    mallory.preload("preload", streams=["a"], alibabaCloud=addresses)
    mallory.secret("huawei", accessKeyId="HPUAmallory", secretAccessKey="mallorys")
    for number, region in enumerate(("localhost", "internal", "127-0-0-1")):
        block = {"projectId": "p", "region": region, "taskId": "t"}
        mallory.relay(f"region-{number}", alibabaCloud=None, huaweiCloud=block, credentialsSecretRef={"name": "huawei"})
    namespaces = ("--namespace", victim.namespace, "--namespace", mallory.namespace)
    operator = Operator(
        operators_kubeconfig, recorder.url, tmp_path / "own", arguments=("--no-leader-elect", *namespaces)
    )
    try:
        wanted = (victim.key_id, mallory.key_id, "HPUAmallory", "DescribeLiveStreamPreloadTasks")
        until(lambda: all(any(each in sent for sent in recorder.requests) for each in wanted), "all have been asked")
    finally:
        operator.stop()

    sent = "\n".join(recorder.requests)
    assert inside.visits == 0, "neither a URL that is named nor a redirect is followed"
    assert token not in sent
    assert not any(secret in sent for secret in (victim.secret_key, mallory.secret_key, "mallorys"))
    for request in recorder.requests:
        keys = [key for key in (victim.key_id, mallory.key_id, "HPUAmallory") if key in request]
        assert len(keys) == 1, "each request is made with one tenant's key"
        assert (f"app-{victim.namespace}" in request) == (keys == [victim.key_id]), request


def mallory_status(mallory: Mallory, name: str) -> Any:
    return mallory.objects.get(live_tasks("RelayTask", mallory.namespace, name)).get("status", {})


def events(mallory: Mallory) -> Any:
    return mallory.objects.get(f"/api/v1/namespaces/{mallory.namespace}/events")
