"""The admin API's paths for preloads, under /_admin/alibaba/accounts/{account}/preloads.

Apart from admin_cloud.py, because no other vendor has preloads. What the fields mean is in preload_orders.py.
"""

from aiohttp import web

from livetask_simulator.admin_cloud import Route, body_of, done, name_of
from livetask_simulator.alibaba.gateway import AlibabaCloud
from livetask_simulator.alibaba.preload_orders import change_preload, put_preload, show_preload
from livetask_simulator.alibaba.preloads import Preload


class PreloadAdmin:
    """The handlers, over one cloud."""

    def __init__(self, cloud: AlibabaCloud) -> None:
        self._cloud = cloud

    def routes(self) -> list[Route]:
        preloads = f"/_admin/{self._cloud.name}/accounts/{{account}}/preloads"
        preload = preloads + "/{task}"
        return [
            ("GET", preloads, self.show_all),
            ("POST", preloads, self.add),
            ("GET", preload, self.show),
            ("PATCH", preload, self.change),
            ("DELETE", preload, self.forget),
        ]

    async def show_all(self, request: web.Request) -> web.Response:
        account = self._cloud.accounts.require(name_of(request, "account"))
        shown = [show_preload(self._cloud, preload) for preload in self._cloud.preloads.of_account(account)]
        return web.json_response({"preloads": shown})

    async def add(self, request: web.Request) -> web.Response:
        preload = put_preload(self._cloud, name_of(request, "account"), await body_of(request))
        return web.json_response(show_preload(self._cloud, preload), status=201)

    async def show(self, request: web.Request) -> web.Response:
        return web.json_response(show_preload(self._cloud, self._preload(request)))

    async def change(self, request: web.Request) -> web.Response:
        preload = self._preload(request)
        change_preload(self._cloud, preload, await body_of(request))
        return web.json_response(show_preload(self._cloud, preload))

    async def forget(self, request: web.Request) -> web.Response:
        self._cloud.preloads.forget_preload(name_of(request, "account"), self._preload(request).task_id)
        return done()

    def _preload(self, request: web.Request) -> Preload:
        account, task_id = name_of(request, "account"), name_of(request, "task")
        preload = self._cloud.preloads.find(self._cloud.accounts.require(account), task_id)
        if preload is None:
            raise LookupError(f"Account {account} has no preload {task_id}.")
        return preload
