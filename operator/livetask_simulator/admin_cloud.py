"""The orders that every simulated cloud takes through the admin API: accounts, keys, quotas and tasks.

Apart from admin.py, because these are the same for every vendor; what their fields mean is in the vendor's orders.py.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any, Generic, Protocol, TypeVar

from aiohttp import web

from livetask_simulator.accounts import Accounts
from livetask_simulator.fields import FieldError, Fields
from livetask_simulator.world import World

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Route = tuple[str, str, Handler]


class Cloud(Protocol):
    """As much as is the same of every simulated cloud."""

    @property
    def name(self) -> str: ...

    @property
    def accounts(self) -> Accounts: ...


C = TypeVar("C", bound=Cloud)
C_contra = TypeVar("C_contra", bound=Cloud, contravariant=True)
T = TypeVar("T")


class Orders(Protocol[C_contra, T]):
    """A vendor's orders.py, for its cloud and its tasks."""

    def put_settings(self, cloud: C_contra, account: str, fields: Fields, /) -> None: ...

    def show_settings(self, cloud: C_contra, account: str, /) -> dict[str, object]: ...

    def put_key(self, cloud: C_contra, account: str, key_id: str, fields: Fields, /) -> None: ...

    def revoke_key(self, cloud: C_contra, account: str, key_id: str, /) -> bool: ...

    def put_quota(self, cloud: C_contra, account: str, operation: str, fields: Fields, /) -> None: ...

    def tasks(self, cloud: C_contra, account: str, /) -> list[T]: ...

    def find_task(self, cloud: C_contra, account: str, app_id: str, task_id: str, /) -> T | None: ...

    def put_task(self, cloud: C_contra, account: str, app_id: str, task_id: str, fields: Fields, /) -> T: ...

    def change_task(self, cloud: C_contra, task: T, fields: Fields, /) -> None: ...

    def forget_task(self, cloud: C_contra, account: str, task: T, /) -> None: ...

    def show_task(self, cloud: C_contra, task: T, /) -> dict[str, object]: ...


class CloudAdmin(Generic[C, T]):
    """The handlers of one cloud, under /_admin/{cloud}/accounts."""

    def __init__(self, world: World, cloud: C, orders: Orders[C, T]) -> None:
        self._world = world
        self._cloud = cloud
        self._orders = orders

    def routes(self) -> list[Route]:
        account = f"/_admin/{self._cloud.name}/accounts/{{account}}"
        task = account + "/tasks/{app}/{task}"
        return [
            ("GET", account, self.show_account),
            ("PUT", account, self.put_account),
            ("DELETE", account, self.remove_account),
            ("PUT", account + "/keys/{key}", self.put_key),
            ("DELETE", account + "/keys/{key}", self.revoke_key),
            ("PUT", account + "/quotas/{operation}", self.put_quota),
            ("GET", account + "/tasks", self.show_tasks),
            ("GET", task, self.show_task),
            ("PUT", task, self.put_task),
            ("PATCH", task, self.change_task),
            ("DELETE", task, self.forget_task),
        ]

    async def show_account(self, request: web.Request) -> web.Response:
        return web.json_response(self._orders.show_settings(self._cloud, name_of(request, "account")))

    async def put_account(self, request: web.Request) -> web.Response:
        self._orders.put_settings(self._cloud, name_of(request, "account"), await body_of(request))
        return done()

    async def remove_account(self, request: web.Request) -> web.Response:
        account = self._cloud.accounts.require(name_of(request, "account"))
        self._world.reset(account)
        self._cloud.accounts.remove(account)
        return done()

    async def put_key(self, request: web.Request) -> web.Response:
        account, key_id = name_of(request, "account"), name_of(request, "key")
        self._orders.put_key(self._cloud, account, key_id, await body_of(request))
        return done()

    async def revoke_key(self, request: web.Request) -> web.Response:
        account, key_id = name_of(request, "account"), name_of(request, "key")
        if not self._orders.revoke_key(self._cloud, account, key_id):
            raise LookupError(f"Account {account} has no key {key_id}.")
        return done()

    async def put_quota(self, request: web.Request) -> web.Response:
        account, operation = name_of(request, "account"), name_of(request, "operation")
        self._orders.put_quota(self._cloud, account, operation, await body_of(request))
        return done()

    async def show_tasks(self, request: web.Request) -> web.Response:
        account = self._cloud.accounts.require(name_of(request, "account"))
        tasks = [self._orders.show_task(self._cloud, task) for task in self._orders.tasks(self._cloud, account)]
        return web.json_response({"tasks": tasks})

    async def show_task(self, request: web.Request) -> web.Response:
        return web.json_response(self._orders.show_task(self._cloud, self._task(request)))

    async def put_task(self, request: web.Request) -> web.Response:
        account, app_id, task_id = (name_of(request, name) for name in ("account", "app", "task"))
        task = self._orders.put_task(self._cloud, account, app_id, task_id, await body_of(request))
        return web.json_response(self._orders.show_task(self._cloud, task), status=201)

    async def change_task(self, request: web.Request) -> web.Response:
        task = self._task(request)
        self._orders.change_task(self._cloud, task, await body_of(request))
        return web.json_response(self._orders.show_task(self._cloud, task))

    async def forget_task(self, request: web.Request) -> web.Response:
        self._orders.forget_task(self._cloud, name_of(request, "account"), self._task(request))
        return done()

    def _task(self, request: web.Request) -> T:
        account, app_id, task_id = (name_of(request, name) for name in ("account", "app", "task"))
        task = self._orders.find_task(self._cloud, self._cloud.accounts.require(account), app_id, task_id)
        if task is None:
            raise LookupError(f"Account {account} has no task {task_id} of application {app_id}.")
        return task


async def body_of(request: web.Request) -> Fields:
    """The order's fields; raises FieldError for what is not a JSON object."""
    text = await request.text()
    try:
        value: Any = json.loads(text) if text else {}
    except ValueError as error:
        raise FieldError(f"The body is not JSON: {error}.") from None
    return Fields(value, "the body")


def name_of(request: web.Request, name: str) -> str:
    """A part of the path, decoded."""
    return request.match_info[name]


def done() -> web.Response:
    """The answer to an order that has nothing to tell."""
    return web.json_response({})
