"""Our own reads and writes of objects: status, finalizer, other owners. Refusals become a small tree of errors.

kopf writes nothing here: a patch of kopf's that is refused can end a handler for ever without a word.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import aiohttp
from kubernetes.aio import client

from livetask_operator.kube.scope import EVERYTHING, Scope
from livetask_operator.reconcile.resource import FINALIZER, GROUP, VERSION, RelayTask, Resource

REQUEST_TIMEOUT_S = 10.0
AT_ONCE_BYTES = 4 * 1024 * 1024
PAGE = 100
"""An object may be a megabyte, and a page is held in memory whole."""
JSON_PATCH = "application/json-patch+json"


class KubeError(Exception):
    """The API server did not do what was asked."""


class ObjectGone(KubeError):
    """The object is not there any more, or another one has its name."""


class Conflict(KubeError):
    """The object changed since it was read: read it again and decide again."""


class Refused(KubeError):
    """The API server will not do this: rights, schema, size. Trying the same again at once is no use."""


class Unavailable(KubeError):
    """The API server is away or busy: try again later."""


class NotServed(Unavailable):
    """The API server does not serve this kind, or not yet."""


Place = str | None
"""A namespace; None: all of them, read at once."""


class ObjectApi:
    """The objects of one kind. `scope` confines what is read to namespaces, and tells which of it is followed."""

    def __init__(self, api: client.ApiClient, plural: str, scope: Scope = EVERYTHING) -> None:
        self.plural = plural
        self.places: Sequence[Place] = scope.namespaces or (None,)
        self._objects = client.CustomObjectsApi(api)
        self._selector = {"label_selector": scope.selector} if scope.selector else {}

    async def get(self, namespace: str, name: str) -> Mapping[str, Any]:
        """The object as it is now. Raises ObjectGone."""
        with translated(f"get {namespace}/{name}"):
            body = await self._objects.get_namespaced_custom_object(
                GROUP, VERSION, namespace, self.plural, name, _request_timeout=REQUEST_TIMEOUT_S
            )
        return _mapping(body)

    async def patch_status(self, task: Resource, patch: Mapping[str, Any]) -> Mapping[str, Any]:
        """Set fields of the status of this very object; None takes one away. Raises Conflict where it was refused.

        A JSON patch, as the API server ignores the uid in a merge patch of a subresource: the status would be written
        to another object that has the same name by now.
        """
        operations: list[dict[str, Any]] = [{"op": "test", "path": "/metadata/uid", "value": task.uid}]
        for name, value in patch.items():
            operations.append({"op": "add", "path": f"/status/{name}", "value": "" if value is None else value})
            if value is None:  # it was set first because what is not there cannot be removed
                operations.append({"op": "remove", "path": f"/status/{name}"})
        with translated(f"patch the status of {task.label}", unprocessable_is_conflict=True):
            answer = await self._objects.patch_namespaced_custom_object_status(
                GROUP,
                VERSION,
                task.namespace,
                self.plural,
                task.name,
                operations,
                _content_type=JSON_PATCH,
                _request_timeout=REQUEST_TIMEOUT_S,
            )
        return _mapping(answer)

    async def add_finalizer(self, task: RelayTask) -> Mapping[str, Any]:
        """Put the finalizer on the object as it was read. Raises Conflict where it has changed since."""
        if task.finalizers.some:
            add: dict[str, Any] = {"op": "add", "path": "/metadata/finalizers/-", "value": FINALIZER}
        else:
            add = {"op": "add", "path": "/metadata/finalizers", "value": [FINALIZER]}
        return await self._patch_finalizers(task, [add])

    async def remove_finalizer(self, task: RelayTask) -> Mapping[str, Any]:
        """Take our finalizer, and no other, off the object as it was read. Raises Conflict, ObjectGone."""
        path = f"/metadata/finalizers/{task.finalizers.ours_at}"
        return await self._patch_finalizers(
            task, [{"op": "test", "path": path, "value": FINALIZER}, {"op": "remove", "path": path}]
        )

    async def _patch_finalizers(self, task: RelayTask, operations: list[dict[str, Any]]) -> Mapping[str, Any]:
        guards = [
            {"op": "test", "path": "/metadata/uid", "value": task.uid},
            {"op": "test", "path": "/metadata/resourceVersion", "value": task.resource_version},
        ]
        with translated(f"patch the finalizers of {task.label}", unprocessable_is_conflict=True):
            answer = await self._objects.patch_namespaced_custom_object(
                GROUP,
                VERSION,
                task.namespace,
                self.plural,
                task.name,
                [*guards, *operations],
                _content_type=JSON_PATCH,
                _request_timeout=REQUEST_TIMEOUT_S,
            )
        return _mapping(answer)

    async def list_same_task(self, task: RelayTask) -> AsyncIterator[Mapping[str, Any]]:
        """Each object that names the same vendor task id, in this moment, whatever its labels. Raises KubeError."""
        selector = f"{task.vendor.task_field}={task.ref.task}"
        for place in self.places:
            bodies = await self._list_at_once(place, selector)
            if bodies is not None:
                for body in bodies:
                    yield body
                continue
            async for body in self._list(place, field_selector=selector):
                yield body

    @property
    def selects(self) -> bool:
        """Whether labels decide which objects are followed."""
        return bool(self._selector)

    async def each(self, place: Place) -> AsyncIterator[Mapping[str, Any]]:
        """Each object of a place that is followed: its selector has it. One page at a time is in memory.

        Raises KubeError, where some may have been told already.
        """
        async for body in self._list(place, **self._selector):
            yield body

    async def can_list(self, place: Place) -> None:
        """Return where the objects of a place can be listed. Raises KubeError.

        Costs next to nothing: one object is read, whatever its labels. With a selector it would be as many as it takes
        to find one that has them; from the API server's cache (resourceVersion 0), which knows no limit, all.
        """
        with translated(f"list {self.plural}"):
            await self._list_page(place, None, {"limit": 1})

    async def _list_at_once(self, place: Place, selector: str) -> list[Mapping[str, Any]] | None:
        """What a field selector finds, without pages; None where it is too much to be held, or cannot be had so.

        Such a list comes from the API server's cache, and is as new as one from its store: measured with 10,000 objects
        8 ms, and 30 to 280 ms in pages, which it has to read and decode all objects for.
        """
        arguments: dict[str, Any] = {"field_selector": selector, "_request_timeout": REQUEST_TIMEOUT_S}
        with translated(f"list {self.plural}"):
            if place is None:
                answer = await self._objects.list_custom_object_for_all_namespaces_without_preload_content(
                    GROUP, VERSION, self.plural, **arguments
                )
            else:
                answer = await self._objects.list_namespaced_custom_object_without_preload_content(
                    GROUP, VERSION, place, self.plural, **arguments
                )
            async with answer:
                text = bytearray()
                async for chunk in answer.content.iter_any():
                    text += chunk
                    if len(text) > AT_ONCE_BYTES:
                        answer.close()
                        return None
                return json.loads(text)["items"] if answer.status == 200 else None

    async def _list(self, place: Place, **selectors: str) -> AsyncIterator[Mapping[str, Any]]:
        token: str | None = None
        while True:
            with translated(f"list {self.plural}"):
                page = _mapping(await self._list_page(place, token, selectors))
            for body in page["items"]:
                yield body
            token = page["metadata"].get("continue") or None
            if token is None:
                break

    async def _list_page(self, place: Place, token: str | None, options: Mapping[str, Any]) -> object:
        arguments: dict[str, Any] = {"limit": PAGE, "_request_timeout": REQUEST_TIMEOUT_S, **options}
        if token is not None:
            arguments["_continue"] = token
        if place is None:
            return await self._objects.list_custom_object_for_all_namespaces(GROUP, VERSION, self.plural, **arguments)
        return await self._objects.list_namespaced_custom_object(GROUP, VERSION, place, self.plural, **arguments)

    async def crd_is_deleted(self) -> bool:
        """Whether the CRD itself is being deleted: then its objects go as with `Orphan`."""
        with translated(f"get the CRD of {self.plural}"):
            body = await self._objects.get_cluster_custom_object(
                "apiextensions.k8s.io",
                "v1",
                "customresourcedefinitions",
                f"{self.plural}.{GROUP}",
                _request_timeout=REQUEST_TIMEOUT_S,
            )
        return "deletionTimestamp" in _mapping(body)["metadata"]

    async def takes_new_objects(self) -> bool:
        """Whether an object of this kind can be created, which everybody may ask: not while its CRD is being deleted.

        Discovery says so before the first object is deleted with its CRD: measured on kube-apiserver 1.36.
        """
        with translated(f"ask what {self.plural} take"):
            found = await self._objects.get_api_resources(GROUP, VERSION, _request_timeout=REQUEST_TIMEOUT_S)
        verbs = [resource.verbs for resource in found.resources if resource.name == self.plural]
        if not verbs:
            raise NotServed(f"{self.plural} are not served")
        return "create" in verbs[0]


@contextmanager
def translated(what: str, *, unprocessable_is_conflict: bool = False) -> Iterator[None]:
    """Turn what the client raises into this room's errors."""
    try:
        yield
    except client.ApiException as error:
        reason, said = _status(error)
        message = f"{what}: {error.status} {said}"
        if error.status == 404 and reason == "NotFound":
            raise ObjectGone(message) from None
        if error.status == 409:
            # Its own words alone: a name may have these letters in it, as "liquid" has "uid".
            raise (ObjectGone if "Precondition failed: UID" in said else Conflict)(message) from None
        if error.status == 422 and unprocessable_is_conflict:
            raise Conflict(message) from None
        if error.status is None or error.status >= 500 or error.status in _MAY_PASS:
            raise (NotServed if error.status == 404 else Unavailable)(message) from None
        raise Refused(message) from None
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise Unavailable(f"{what}: {type(error).__name__}") from None


_MAY_PASS = (401, 404, 408, 429)
"""A token that is just being renewed; a 404 that names no object is a kind that is not served, or not yet."""


def _status(error: client.ApiException) -> tuple[str, str]:
    """The API server's reason, empty where it was not its own answer, and its words on one line."""
    try:
        status = json.loads(error.body or "")
        reason, text = str(status["reason"]), str(status["message"])
    except (TypeError, ValueError, KeyError):
        reason, text = "", str(error.reason)
    return reason, " ".join(text.split())[:500]


def _mapping(body: object) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise Unavailable(f"the API server answered with a {type(body).__name__} where an object was expected")
    return body
