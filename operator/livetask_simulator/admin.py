"""The admin API: HTTP and JSON under /_admin, without signatures. README.md has it in a table.

Apart from the clouds, which never read it. What goes for the whole simulator is here, one cloud's in admin_cloud.py.
"""

from aiohttp import web

from livetask_simulator.accounts import KeyTakenError, UnknownAccountError
from livetask_simulator.admin_cloud import CloudAdmin, Handler, Route, body_of, done
from livetask_simulator.alibaba import orders as alibaba_orders
from livetask_simulator.alibaba.preload_admin import PreloadAdmin
from livetask_simulator.faults import Fault, FaultKind
from livetask_simulator.fields import FieldError, Fields
from livetask_simulator.huawei import orders as huawei_orders
from livetask_simulator.tencent import orders as tencent_orders
from livetask_simulator.world import World

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
    routes: list[Route] = [
        ("GET", "/_admin/health", admin.health),
        ("POST", "/_admin/reset", admin.reset),
        ("GET", "/_admin/calls", admin.calls),
        ("GET", "/_admin/counts", admin.counts),
        ("GET", "/_admin/rows", admin.rows),
        ("GET", "/_admin/tally", admin.tally),
        ("GET", "/_admin/faults", admin.show_faults),
        ("POST", "/_admin/faults", admin.add_fault),
        ("DELETE", "/_admin/faults", admin.clear_faults),
        *CloudAdmin(world, world.alibaba, alibaba_orders).routes(),
        *CloudAdmin(world, world.tencent, tencent_orders).routes(),
        *CloudAdmin(world, world.huawei, huawei_orders).routes(),
        *PreloadAdmin(world.alibaba).routes(),
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

    async def health(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def reset(self, request: web.Request) -> web.Response:
        account = request.query.get("account")
        if account is not None:
            self._world.require_account(account)
        self._world.reset(account)
        return done()

    async def calls(self, request: web.Request) -> web.Response:
        wanted, since, limit = _filters(request)
        found = self._world.ledger.calls(wanted, since=since, limit=limit)
        return web.json_response({"calls": [call.to_json() for call in found]})

    async def counts(self, request: web.Request) -> web.Response:
        wanted, _, _ = _filters(request)
        return web.json_response(self._world.ledger.counts(wanted))

    async def rows(self, request: web.Request) -> web.Response:
        wanted, since, limit = _filters(request)
        found = self._world.ledger.calls(wanted, since=since, limit=limit)
        return web.json_response({"rows": [call.to_row() for call in found]})

    async def tally(self, _request: web.Request) -> web.Response:
        return web.json_response(self._world.ledger.tally())

    async def show_faults(self, request: web.Request) -> web.Response:
        found = self._world.faults.all(request.query.get("account"))
        return web.json_response({"faults": [show_fault(fault) for fault in found]})

    async def add_fault(self, request: web.Request) -> web.Response:
        fault = self._world.faults.add(read_fault(await body_of(request)))
        return web.json_response({"id": fault.fault_id}, status=201)

    async def clear_faults(self, request: web.Request) -> web.Response:
        fault_id = request.query.get("id")
        cleared = self._world.faults.clear(
            account=request.query.get("account"), fault_id=None if fault_id is None else _whole(fault_id, "id")
        )
        return web.json_response({"cleared": cleared})


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
