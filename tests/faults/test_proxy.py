"""The proxy that other tests break things with: each of its faults is what it says, and passing on changes nothing."""

from __future__ import annotations

import contextlib
import gc
import json
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from livetask_simulator.client import Simulator
from tests.faults.proxy import Exchange, Proxy, everything
from tests.stage.objects import Objects, wait_for
from tests.stage.processes import Cloud, Operator
from tests.stage.tenant import Tenant

Through = tuple[Proxy, Path]


@pytest.fixture
def client(api_proxy: Through) -> Iterator[httpx.Client]:
    """Somebody with the operator's rights, who knows the proxy's certificate alone."""
    config = yaml.safe_load(api_proxy[1].read_text())
    trust = ssl.create_default_context(cafile=config["clusters"][0]["cluster"]["certificate-authority"])
    token = config["users"][0]["user"]["token"]
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=api_proxy[0].url, verify=trust, headers=headers, timeout=20, trust_env=False) as client:
        yield client


RELAYS = "/apis/livetask.dev/v1alpha1/relaytasks"


def is_list(exchange: Exchange) -> bool:
    return exchange.path == RELAYS and not exchange.is_watch


class Watch:
    """A watch in a thread of its own: the lines that came, and how it ended."""

    def __init__(self, client: httpx.Client, path: str) -> None:
        self.lines: list[Any] = []
        self.error: Exception | None = None
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(client, path), daemon=True)
        self._thread.start()

    def _run(self, client: httpx.Client, path: str) -> None:
        try:
            with client.stream("GET", path, params={"watch": "true", "timeoutSeconds": "15"}) as answer:
                for line in answer.iter_lines():
                    self.lines.append(json.loads(line))
        except httpx.HTTPError as error:
            self.error = error
        self.ended.set()

    def has(self, name: str) -> bool:
        return any(line["object"]["metadata"]["name"] == name for line in self.lines)


def test_an_operator_works_through_it_and_all_that_it_says_is_in_the_trace(
    api_proxy: Through, cloud_proxy: Proxy, namespace: str, objects: Objects, cloud: Cloud, tmp_path: Path
) -> None:
    tenant = Tenant(namespace, objects, cloud.admin, labels={"operator": "own"})
    tenant.starts("cup-final")
    arguments = ("--no-leader-elect", "--namespace", namespace)
    operator = Operator(api_proxy[1], cloud_proxy.url, tmp_path / "operator", arguments=arguments)
    relay = tenant.relay("cup-final")

    relay.reaches("Running")
    relay.delete()
    relay.is_gone()

    assert operator.stop() == 0
    stops = [each for each in cloud_proxy.trace if each.headers["x-acs-action"] == "StopLiveMPUTask"]
    assert [each.status for each in stops] == [200]
    assert len(tenant.stops()) == 1
    patches = [each for each in api_proxy[0].trace if each.method == "PATCH"]
    assert patches[0].path == relay.path
    assert patches[1].path == f"{relay.path}/status"
    assert all(each.status == 200 for each in patches)
    assert all(each.arrived_s <= (each.forwarded_s or 0) <= (each.answered_s or 0) for each in patches)


def test_what_is_held_in_front_of_the_server_arrives_when_it_is_let_go(
    api_proxy: Through, client: httpx.Client
) -> None:
    rule = api_proxy[0].hold_before(is_list)
    answers: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: answers.append(client.get(RELAYS)))
    thread.start()

    held = rule.wait()

    assert held.forwarded_s is None
    assert client.get(RELAYS).status_code == 200, "it was to hold one"
    rule.let_go()
    thread.join(10)
    assert [answer.status_code for answer in answers] == [200]
    assert answers[0].json()["kind"] == "RelayTaskList"


def test_what_is_held_for_a_sender_that_is_gone_never_arrives(api_proxy: Through, client: httpx.Client) -> None:
    rule = api_proxy[0].hold_before(is_list)
    with pytest.raises(httpx.ReadTimeout):
        client.get(RELAYS, timeout=0.3)
    held = rule.wait()

    wait_for(lambda: api_proxy[0].is_over(held), "its end", 5)
    rule.let_go()

    assert client.get(RELAYS).status_code == 200
    assert held.forwarded_s is None


def test_an_answer_is_held_after_the_server_did_what_was_asked(cloud_proxy: Proxy, cloud: Cloud) -> None:
    rule = cloud_proxy.hold_after(lambda exchange: exchange.method == "PUT")
    thread = threading.Thread(target=lambda: Simulator(cloud_proxy.url).add_account("held-back"))
    thread.start()

    held = rule.wait()

    assert held.status == 200
    assert cloud.admin.tasks("held-back") == [], "the cloud knows it"
    assert thread.is_alive()
    rule.let_go()
    thread.join(10)
    assert not thread.is_alive()


def test_a_reset_is_a_reset_and_no_good_bye(cloud_proxy: Proxy) -> None:
    with cloud_proxy.reset(), socket.create_connection(("127.0.0.1", cloud_proxy.port)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: cloud\r\n\r\n")

        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_requests_are_refused_reset_and_answered_in_the_servers_place(api_proxy: Through, client: httpx.Client) -> None:
    proxy = api_proxy[0]

    with proxy.refuse_as_kubernetes(is_list, 429, "TooManyRequests", headers={"Retry-After": "7"}, times=1) as rule:
        answer = client.get(RELAYS)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
        assert answer.json()["reason"] == "TooManyRequests"
        assert client.get(RELAYS).status_code == 200
        assert len(rule.caught) == 1
    with proxy.reset(is_list), pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        client.get(RELAYS)
    proxy.refuse()
    with pytest.raises(httpx.ConnectError, match="refused"):
        client.get(RELAYS)
    proxy.listen()
    assert client.get(RELAYS).status_code == 200
    assert [(each.status, each.forwarded_s is not None) for each in proxy.trace] == [
        (429, False),
        (200, True),
        (None, False),
        (200, True),
    ]


def test_a_watch_streams_goes_silent_while_it_stays_open_and_is_cut(
    api_proxy: Through, client: httpx.Client, namespace: str, objects: Objects, cloud: Cloud
) -> None:
    proxy, tenant = api_proxy[0], Tenant(namespace, objects, cloud.admin)
    watch = Watch(client, RELAYS)
    tenant.relay("before")
    wait_for(lambda: watch.has("before"), "the watch tells", 5)

    with proxy.silence(lambda exchange: exchange.is_watch) as silence:
        tenant.relay("meanwhile")
        silence.wait()
        time.sleep(0.2)  # nothing comes: there is no condition to wait for
        assert not watch.has("meanwhile")
        assert not watch.ended.is_set()
    wait_for(lambda: watch.has("meanwhile"), "what was pent up", 5)

    proxy.cut(lambda exchange: exchange.is_watch)

    assert watch.ended.wait(5)
    assert isinstance(watch.error, httpx.ReadError | httpx.RemoteProtocolError)


def test_it_leaves_no_connection_behind_however_many_were_under_way(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda told: left.append(told.exc_value))

    for turn in range(6):
        with Proxy(cloud.url) as proxy:
            rule = proxy.hold_after(everything, times=10)
            asking = [threading.Thread(target=ask_and_be_cut_off, args=(proxy.url,)) for _ in range(20)]
            for thread in asking:
                thread.start()
            if turn % 2:
                rule.wait()
        for thread in asking:
            thread.join()
    del proxy, rule
    gc.collect()

    assert left == []


def ask_and_be_cut_off(url: str) -> None:
    with contextlib.suppress(httpx.HTTPError):
        httpx.get(f"{url}/_admin/tally", timeout=10, trust_env=False)
