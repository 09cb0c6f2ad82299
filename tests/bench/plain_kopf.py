"""The plain kopf way to follow RelayTasks, as kopf's documentation teaches it; the benchmark's baseline.

A timer per object, httpx, `patch.status`, and `on.delete` with the stop. It is no straw man: it signs with the
operator's signature code, reads each Secret once, and writes the status only when it has changed.
CONNECTIONS caps the httpx pool, with a semaphore before it: what people do who know how httpx's pool behaves.

    VENDOR_URL=http://127.0.0.1:8900 kopf run --standalone --namespace sports tests/bench/plain_kopf.py
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import uuid4

import httpx
import kopf
import kubernetes

from livetask_operator.vendors.alibaba.signature import sign
from livetask_operator.vendors.contract import Credential

GROUP, VERSION, PLURAL = "livetask.dev", "v1alpha1", "relaytasks"
VENDOR_URL = os.environ["VENDOR_URL"]
CONNECTIONS = int(os.environ.get("CONNECTIONS", "0"))
INTERVAL_S = 5.0
STATES = {0: "Pending", 1: "Running", 2: "Stopped", 3: "Stopped", 4: "Stopped", 5: "Failed", 6: "Failed"}
RTC, LIVE = "2018-01-11", "2016-11-01"


@kopf.on.startup()
async def open_client(memo: kopf.Memo, **_: object) -> None:
    kubernetes.config.load_kube_config()  # type: ignore[no-untyped-call]  # as the library comes
    if CONNECTIONS:
        memo.http = httpx.AsyncClient(limits=httpx.Limits(max_connections=CONNECTIONS))
        memo.at_once = asyncio.Semaphore(CONNECTIONS)
    else:
        memo.http = httpx.AsyncClient()
        memo.at_once = contextlib.nullcontext()


@kopf.on.cleanup()
async def close_client(memo: kopf.Memo, **_: object) -> None:
    await memo.http.aclose()


@kopf.timer(GROUP, VERSION, PLURAL, interval=INTERVAL_S)
async def look(
    spec: kopf.Spec,
    status: kopf.Status,
    patch: kopf.Patch,
    meta: kopf.Meta,
    namespace: str | None,
    memo: kopf.Memo,
    **_: object,
) -> None:
    answer = await call(memo, "GetMPUTaskStatus", RTC, spec, namespace)
    said = answer.get("Status")
    state = STATES.get(said, "Unknown") if isinstance(said, int) else "Unknown"
    if status.get("state") != state:
        patch.status["observedGeneration"] = meta["generation"]
        patch.status["state"] = state
        patch.status["vendorStatus"] = str(said)


@kopf.on.delete(GROUP, VERSION, PLURAL)
async def stop(spec: kopf.Spec, namespace: str | None, memo: kopf.Memo, **_: object) -> None:
    await call(memo, "StopLiveMPUTask", LIVE, spec, namespace)


async def call(memo: kopf.Memo, action: str, version: str, spec: kopf.Spec, namespace: str | None) -> Mapping[str, Any]:
    """One signed call to the vendor."""
    url = httpx.URL(VENDOR_URL)
    async with memo.at_once:
        signed = sign(
            method="POST",
            host=url.netloc.decode(),
            action=action,
            version=version,
            params={"AppId": spec["alibabaCloud"]["appId"], "TaskId": spec["alibabaCloud"]["taskId"]},
            credential=credential(namespace or "", spec["credentialsSecretRef"]["name"]),
            date=datetime.now(UTC),
            nonce=uuid4().hex,
        )
        response = await memo.http.post(f"{VENDOR_URL}/?{signed.query}", headers=signed.headers)
    response.raise_for_status()
    answer: Mapping[str, Any] = response.json()
    return answer


@cache
def credential(namespace: str, name: str) -> Credential:
    """The access key in a Secret."""
    data = kubernetes.client.CoreV1Api().read_namespaced_secret(name, namespace).data or {}
    key_id, secret = (base64.b64decode(data[key]).decode() for key in ("accessKeyId", "accessKeySecret"))
    return Credential(key_id, secret)
