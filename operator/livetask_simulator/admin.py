"""The admin API: HTTP and JSON under /_admin, without signatures. README.md has it in a table.

Apart from the clouds, which never read it; what a body's fields mean is in alibaba/orders.py and below.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from livetask_simulator.accounts import KeyTakenError, UnknownAccountError
from livetask_simulator.alibaba import orders
from livetask_simulator.alibaba.tasks import Task
from livetask_simulator.faults import Fault, FaultKind
from livetask_simulator.fields import FieldError, Fields
from livetask_simulator.world import World

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_CALL_FILTERS = {
    "vendor": "vendor",
    "account": "account",
    "keyId": "key_id",
    "operation": "operation",
    "version": "version",
    "appId": "app_id",
    "taskId": "task_id",
    "outcome": "outcome",
    "fault": "fault",
}
_FLAG_FILTERS = {"throttled": "throttled", "finished": "finished", "stoppedTask": "stopped_task"}


def admin_routes(world: World) -> list[web.RouteDef]:
    """All routes of the admin API."""
    admin = _Admin(world)
    account = "/_admin/alibaba/accounts/{account}"
    task = account + "/tasks/{app}/{task}"
    routes: list[tuple[str, str, Handler]] = [
        ("GET", "/_admin/health", admin.health),
        ("POST", "/_admin/reset", admin.reset),
        ("GET", "/_admin/calls", admin.calls),
        ("GET", "/_admin/counts", admin.counts),
        ("GET", "/_admin/faults", admin.show_faults),
        ("POST", "/_admin/faults", admin.add_fault),
        ("DELETE", "/_admin/faults", admin.clear_faults),
        ("GET", account, admin.show_account),
        ("PUT", account, admin.put_account),
        ("DELETE", account, admin.remove_account),
        ("PUT", account + "/keys/{key}", admin.put_key),
        ("DELETE", account + "/keys/{key}", admin.revoke_key),
        ("PUT", account + "/quotas/{operation}", admin.put_quota),
        ("GET", account + "/tasks", admin.show_tasks),
        ("GET", task, admin.show_task),
        ("PUT", task, admin.put_task),
        ("PATCH", task, admin.change_task),
        ("DELETE", task, admin.forget_task),
    ]
    return [
        *(web.route(method, path, _told(handler)) for method, path, handler in routes),
        web.route("*", "/_admin/{rest:.*}", _unknown),
    ]


def read_fault(fields: Fields) -> Fault:
    """A fault from the admin API or a script."""
    fault = Fault(
        kind=fields.choice("kind", FaultKind),
        vendor=fields.text_or_none("vendor"),
        account=fields.text_or_none("account"),
        key_id=fields.text_or_none("keyId"),
        operation=fields.text_or_none("operation"),
        app_id=fields.text_or_none("appId"),
        task_id=fields.text_or_none("taskId"),
        times=fields.integer_or_none("times"),
        skip=fields.integer("skip", 0),
        after_effect=fields.flag("afterEffect", False),
        delay_s=fields.seconds("delaySeconds", 0.0),
        status=fields.integer_or_none("status"),
        code=fields.text("code", ""),
        message=fields.text("message", ""),
        retry_after_ms=fields.integer_or_none("retryAfterMs"),
        body=fields.text_or_none("body"),
        headers=fields.text_map("headers"),
        size_bytes=fields.integer_or_none("sizeBytes"),
        interval_s=fields.seconds("intervalSeconds", 0.5),
    )
    fields.done()
    if fault.times == 0:
        raise FieldError("A fault that strikes 0 times is none; leave times out for every request.")
    return fault


def show_fault(fault: Fault) -> dict[str, object]:
    """A fault as the admin API shows it: what it matches and how often it struck."""
    return {
        "id": fault.fault_id,
        "kind": fault.kind,
        "vendor": fault.vendor,
        "account": fault.account,
        "keyId": fault.key_id,
        "operation": fault.operation,
        "appId": fault.app_id,
        "taskId": fault.task_id,
        "times": fault.times,
        "skip": fault.skip,
        "afterEffect": fault.after_effect,
        "status": fault.status,
        "code": fault.code,
        "struck": fault.struck,
    }


class _Admin:
    """The handlers, over one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._cloud = world.alibaba

    async def health(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def reset(self, request: web.Request) -> web.Response:
        account = request.query.get("account")
        if account is not None:
            self._cloud.accounts.require(account)
        self._world.reset(account)
        return _done()

    async def calls(self, request: web.Request) -> web.Response:
        wanted, since, limit = _filters(request)
        found = self._world.ledger.calls(wanted, since=since, limit=limit)
        return web.json_response({"calls": [call.to_json() for call in found]})

    async def counts(self, request: web.Request) -> web.Response:
        wanted, _, _ = _filters(request)
        return web.json_response(self._world.ledger.counts(wanted))

    async def show_faults(self, request: web.Request) -> web.Response:
        found = self._world.faults.all(request.query.get("account"))
        return web.json_response({"faults": [show_fault(fault) for fault in found]})

    async def add_fault(self, request: web.Request) -> web.Response:
        fault = self._world.faults.add(read_fault(await _body(request)))
        return web.json_response({"id": fault.fault_id}, status=201)

    async def clear_faults(self, request: web.Request) -> web.Response:
        fault_id = request.query.get("id")
        cleared = self._world.faults.clear(
            account=request.query.get("account"), fault_id=None if fault_id is None else _whole(fault_id, "id")
        )
        return web.json_response({"cleared": cleared})

    async def show_account(self, request: web.Request) -> web.Response:
        return web.json_response(orders.show_settings(self._cloud, _name(request, "account")))

    async def put_account(self, request: web.Request) -> web.Response:
        orders.put_settings(self._cloud, _name(request, "account"), await _body(request))
        return _done()

    async def remove_account(self, request: web.Request) -> web.Response:
        account = self._cloud.accounts.require(_name(request, "account"))
        self._world.reset(account)
        self._cloud.accounts.remove(account)
        return _done()

    async def put_key(self, request: web.Request) -> web.Response:
        orders.put_key(self._cloud, _name(request, "account"), _name(request, "key"), await _body(request))
        return _done()

    async def revoke_key(self, request: web.Request) -> web.Response:
        if not orders.revoke_key(self._cloud, _name(request, "account"), _name(request, "key")):
            raise LookupError(f"Account {_name(request, 'account')} has no key {_name(request, 'key')}.")
        return _done()

    async def put_quota(self, request: web.Request) -> web.Response:
        orders.put_quota(self._cloud, _name(request, "account"), _name(request, "operation"), await _body(request))
        return _done()

    async def show_tasks(self, request: web.Request) -> web.Response:
        account = self._cloud.accounts.require(_name(request, "account"))
        tasks = [orders.show_task(task, self._world.clock) for task in self._cloud.tasks.of_account(account)]
        return web.json_response({"tasks": tasks})

    async def show_task(self, request: web.Request) -> web.Response:
        return web.json_response(orders.show_task(self._task(request), self._world.clock))

    async def put_task(self, request: web.Request) -> web.Response:
        account, app, task_id = (_name(request, name) for name in ("account", "app", "task"))
        task = orders.put_task(self._cloud, account, app, task_id, await _body(request))
        return web.json_response(orders.show_task(task, self._world.clock), status=201)

    async def change_task(self, request: web.Request) -> web.Response:
        task = self._task(request)
        orders.change_task(self._cloud, task, self._world.clock, await _body(request))
        return web.json_response(orders.show_task(task, self._world.clock))

    async def forget_task(self, request: web.Request) -> web.Response:
        task = self._task(request)
        self._cloud.tasks.forget_task(_name(request, "account"), task.app_id, task.task_id)
        return _done()

    def _task(self, request: web.Request) -> Task:
        account, app, task_id = (_name(request, name) for name in ("account", "app", "task"))
        task = self._cloud.tasks.find(self._cloud.accounts.require(account), app, task_id)
        if task is None:
            raise LookupError(f"Account {account} has no task {task_id} of application {app}.")
        return task


def _told(handler: Handler) -> Handler:
    """Turn the errors of a bad order into answers that say what is wrong."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except (UnknownAccountError, LookupError) as error:
            return web.json_response({"error": str(error)}, status=404)
        except KeyTakenError as error:
            return web.json_response({"error": str(error)}, status=409)
        except FieldError as error:
            return web.json_response({"error": str(error)}, status=400)

    return answer


async def _unknown(request: web.Request) -> web.Response:
    return web.json_response({"error": f"The admin API has no {request.method} {request.path}."}, status=404)


async def _body(request: web.Request) -> Fields:
    text = await request.text()
    try:
        value: Any = json.loads(text) if text else {}
    except ValueError as error:
        raise FieldError(f"The body is not JSON: {error}.") from None
    return Fields(value, "the body")


def _filters(request: web.Request) -> tuple[dict[str, object], int, int | None]:
    wanted: dict[str, object] = {}
    since, limit = 0, None
    for name, value in request.query.items():
        if name in _CALL_FILTERS:
            wanted[_CALL_FILTERS[name]] = value
        elif name in _FLAG_FILTERS:
            wanted[_FLAG_FILTERS[name]] = value == "true"
        elif name == "since":
            since = _whole(value, name)
        elif name == "limit":
            limit = _whole(value, name)
        else:
            raise FieldError(f"Calls cannot be filtered by {name}.")
    return wanted, since, limit


def _whole(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise FieldError(f"{name} must be a whole number, and is {text!r}.")
    return int(text)


def _name(request: web.Request, name: str) -> str:
    return request.match_info[name]


def _done() -> web.Response:
    return web.json_response({})
