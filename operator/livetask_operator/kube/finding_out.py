"""What is found out about one object for `livetask-operator explain`, all with the rights of who asks.

The operator names no object of another namespace, and its port tells of none: who else follows the same task is asked
of the API server, which shows people what they may see. What may not be seen is said, and nothing fails for it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from kubernetes.aio import client

from livetask_operator.explain.case import Case, Lease, Other, Others, Told, Unknown
from livetask_operator.explain.known import Known
from livetask_operator.explain.story import nobody_works
from livetask_operator.explain.target import KINDS, Target
from livetask_operator.kube.api import (
    REQUEST_TIMEOUT_S,
    KubeError,
    NotServed,
    ObjectApi,
    ObjectGone,
    Refused,
    Unavailable,
    translated,
)
from livetask_operator.kube.connection import Connection
from livetask_operator.kube.port_forward import MAX_ANSWER_BYTES, get
from livetask_operator.kube.scope import EVERYTHING, Scope
from livetask_operator.reconcile.preload_resource import PreloadTask
from livetask_operator.reconcile.resource import (
    GROUP,
    RELAY_TASKS,
    VERSION,
    RelayTask,
    Resource,
    UnreadableResource,
    moment,
)
from livetask_operator.vendors.contract import PreloadVendor, RelayVendor

PORT = 8080
PORT_NAME = "http"
EVENTS = 200
OTHERS_AT_MOST = 50


class NotExplained(Exception):
    """There is nothing to show. One line: what is in the way, and what to do."""


@dataclass(frozen=True, slots=True)
class Operators:
    """Where the operator that follows it is."""

    url: str | None
    """Of its port; None: in the Pod that holds the Lease."""
    lease_namespace: str
    lease_name: str


class FindingOut:
    """Asks the API server, and the operator. `relay` and `preload` vendors by block, by their names alone."""

    def __init__(
        self, connection: Connection, relay: Mapping[str, RelayVendor], preload: Mapping[str, PreloadVendor]
    ) -> None:
        self._api = connection.api
        self._objects = client.CustomObjectsApi(connection.api)
        self._core = client.CoreV1Api(connection.api)
        self._leases = client.CoordinationV1Api(connection.api)
        self._relay = relay
        self._preload = preload

    async def case(self, target: Target, operators: Operators) -> Case:
        """All that can be found out. Raises NotExplained where there is no such object, or it may not be seen."""
        plural, body, now = await self._object(target)
        task = self._read(plural, body)
        events, others, lease = await asyncio.gather(
            self._events(task), self._others(task), self._lease(operators, now)
        )
        known = await self._known(task, plural, operators, lease, now)
        return Case(task, now, events, others, lease, known)

    async def _object(self, target: Target) -> tuple[str, Mapping[str, Any], datetime]:
        plurals = list(KINDS) if target.plural is None else [target.plural]
        answers = await asyncio.gather(*(self._get(plural, target) for plural in plurals), return_exceptions=True)
        found = [answer for answer in answers if not isinstance(answer, BaseException)]
        label = f"{target.namespace}/{target.name}"
        if len(found) > 1:
            raise NotExplained(
                f"There is a RelayTask and a PreloadTask {label}; say which: relaytask/{label} or preloadtask/{label}"
            )
        if found:
            return found[0]
        kinds = " or ".join(KINDS[plural] for plural in plurals)
        errors = [answer for answer in answers if isinstance(answer, BaseException)]
        for error in errors:
            if not isinstance(error, KubeError):
                raise error
        worst = next((error for error in errors if not isinstance(error, ObjectGone)), None)
        match worst:
            case None:
                look = f"kubectl -n {target.namespace} get livetasks"
                raise NotExplained(f"There is no {kinds} {label}; those that there are: {look}")
            case NotServed():
                raise NotExplained("The cluster serves no such kind; install the CRDs: kubectl apply -k crds/")
            case Refused():
                raise NotExplained(f"You may not get it: {worst}")
            case _:
                raise NotExplained(f"The API server does not answer as it should: {worst}")

    async def _get(self, plural: str, target: Target) -> tuple[str, Mapping[str, Any], datetime]:
        with translated(f"get {plural} {target.namespace}/{target.name}"):
            answer: Any = await self._objects.get_namespaced_custom_object_with_http_info(
                GROUP, VERSION, target.namespace, plural, target.name, _request_timeout=REQUEST_TIMEOUT_S
            )
        headers = {name.lower(): value for name, value in (answer.headers or {}).items()}
        date = headers.get("date")
        body: Mapping[str, Any] = answer.data
        return plural, body, parsedate_to_datetime(date).astimezone(UTC) if date else datetime.now(UTC)

    def _read(self, plural: str, body: Mapping[str, Any]) -> Resource:
        try:
            if plural == RELAY_TASKS:
                return RelayTask.from_body(body, self._relay)
            return PreloadTask.from_body(body, self._preload)
        except UnreadableResource as error:
            raise NotExplained(f"{error}; a newer version of this command may know it") from error

    async def _events(self, task: Resource) -> list[Told] | Unknown:
        try:
            with translated("list Events"):
                answer = await self._core.list_namespaced_event(
                    task.namespace,
                    field_selector=f"involvedObject.uid={task.uid}",
                    limit=EVENTS,
                    _request_timeout=REQUEST_TIMEOUT_S,
                )
        except Refused:
            return Unknown(f"you may not list Events in {task.namespace}")
        except KubeError as error:
            return Unknown(str(error))
        except ValueError:  # as with a time in the year 10000, which the API server takes from whoever may write Events
            return Unknown(f"one cannot be read; see them all: kubectl -n {task.namespace} get events")
        items = sorted(answer.items, key=lambda item: (_at(item), int(item.metadata.resource_version or 0)))
        return [
            Told(_at(item), item.reason or "", item.message or "", item.type == "Warning", item.count or 1)
            for item in items
        ]

    async def _others(self, task: Resource) -> Others | Unknown | None:
        if not isinstance(task, RelayTask):
            return None
        for scope in (EVERYTHING, Scope((task.namespace,))):
            try:
                return Others(await self._same_task(task, scope), everywhere=not scope.namespaces)
            except Refused:
                continue
            except KubeError as error:
                return Unknown(str(error))
        return Unknown(f"you may not list RelayTasks in {task.namespace}")

    async def _same_task(self, task: RelayTask, scope: Scope) -> list[Other]:
        found = []
        async for body in ObjectApi(self._api, RELAY_TASKS, scope).list_same_task(task):
            try:
                other = RelayTask.from_body(body, self._relay)
            except UnreadableResource:
                continue
            if other.uid != task.uid and other.ref.identity == task.ref.identity:
                found.append(Other(other.label, other.deletion_policy.value, other.is_deleted))
            if len(found) == OTHERS_AT_MOST:
                break
        return sorted(found, key=lambda each: (each.deleted, each.label))

    async def _lease(self, operators: Operators, now: datetime) -> Lease | Unknown:
        label = f"{operators.lease_namespace}/{operators.lease_name}"
        try:
            with translated(f"get the Lease {label}"):
                lease = await self._leases.read_namespaced_lease(
                    operators.lease_name, operators.lease_namespace, _request_timeout=REQUEST_TIMEOUT_S
                )
        except ObjectGone:
            return Lease(label, "", None, 0.0)
        except Refused:
            return Unknown(f"you may not get the Lease {label}")
        except KubeError as error:
            return Unknown(str(error))
        spec = lease.spec or client.V1LeaseSpec()
        renewed = None if spec.renew_time is None else spec.renew_time.astimezone(UTC)
        return Lease(label, spec.holder_identity or "", renewed, float(spec.lease_duration_seconds or 15))

    async def _known(
        self, task: Resource, plural: str, operators: Operators, lease: Lease | Unknown, now: datetime
    ) -> Known | Unknown:
        path = f"/explain/{plural}/{task.namespace}/{task.name}"
        try:
            if operators.url is not None:
                return _read_known(task, *await read_url(operators.url.rstrip("/") + path))
            if isinstance(lease, Unknown):
                return Unknown("only the Lease tells which Pod works; --operator URL asks one")
            if not lease.holder or nobody_works(lease, now):
                return Unknown("none works")
            namespace, pod = operators.lease_namespace, lease.holder.rpartition("_")[0]
            return _read_known(task, *await get(self._api, namespace, pod, await self._port(namespace, pod), path))
        except ObjectGone:
            return Unknown("there is no Pod of the holder's name, so it runs elsewhere: --operator URL asks it there")
        except Refused:
            return Unknown(f"you may not port-forward to its Pod (pods/portforward in {operators.lease_namespace})")
        except KubeError as error:
            return Unknown(str(error))

    async def _port(self, namespace: str, name: str) -> int:
        """The Pod's port of HTTP; the usual one where the Pod may not be read. Raises ObjectGone."""
        try:
            with translated(f"get Pod {namespace}/{name}"):
                pod = await self._core.read_namespaced_pod(name, namespace, _request_timeout=REQUEST_TIMEOUT_S)
        except Refused:
            return PORT
        containers = () if pod.spec is None else pod.spec.containers
        ports = [port for each in containers for port in each.ports or () if port.name == PORT_NAME]
        return int(ports[0].container_port) if ports else PORT


async def read_url(url: str) -> tuple[int, bytes]:
    """The status and the body. Raises Unavailable."""
    timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S)
    with translated(f"get {url}"):
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            body = bytearray()
            async for chunk in answer.content.iter_any():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    raise Unavailable(f"get {url}: the answer is too long")
            return answer.status, bytes(body)


def _read_known(task: Resource, status: int, body: bytes) -> Known | Unknown:
    if status == 503:
        return Unknown("what answers there is a standby, or only begins to work")
    if status == 404:
        followed = body.strip() == b"not followed"
        not_its = (
            "it does not follow this object; of several operators name the Lease of the one that does: --lease-name"
        )
        return Unknown(not_its if followed else "it is older than this command")
    try:
        known = Known.from_json(json.loads(body))
    except ValueError as error:
        return Unknown(f"what answers there is no operator that this command knows ({status}: {error})")
    return known if known.uid == task.uid else Unknown("it knows another object of this name, that is gone by now")


def _at(event: Any) -> datetime:
    at = event.last_timestamp or event.event_time or event.first_timestamp or event.metadata.creation_timestamp
    return at.astimezone(UTC) if at is not None else moment("1970-01-01T00:00:00Z")
