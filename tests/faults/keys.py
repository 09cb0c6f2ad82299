"""Keys of a customer at any vendor: issued, expired and revoked as the vendor's console or its STS would.

Apart from `tests/stage/vendors.py`, whose customers have one good key for ever.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.stage.objects import secrets
from tests.stage.vendors import Alibaba, Customer, HuaweiByToken, Tencent

TOKENS = {Alibaba: "securityToken", Tencent: "token"}
"""Under which key a Secret holds the token of a temporary key; Huawei Cloud names it as Alibaba Cloud does."""


class Keys:
    """A customer's keys. `used` is every value that a Secret ever held, `ids` those of the keys, the newest last."""

    def __init__(self, customer: Customer) -> None:
        self.customer = customer
        self.used: list[str] = []
        self.ids: list[str] = []
        self._newest: dict[str, Any] = {}

    def issue(self, *, temporary: bool = False) -> dict[str, str]:
        """A new key that the vendor accepts, as a Secret holds it; a temporary one has a token."""
        at, random = self.customer.at, uuid4().hex
        self.ids.append(f"{'STS.' if temporary else 'AK'}{random[:20]}")
        token = f"t0ken+/{uuid4().hex}=="
        if isinstance(at, HuaweiByToken):
            self._newest, values = {"auth_token": token}, {"authToken": token}
        else:
            self._newest = {"secret": f"{uuid4().hex}/+=~"}
            values = dict(zip(at.secret_keys, (self.ids[-1], self._newest["secret"]), strict=True))
        if temporary and not isinstance(at, HuaweiByToken):
            self._newest["token"] = values[TOKENS.get(type(at), "securityToken")] = token
        self._put()
        self.used += values.values()
        return values

    def expire(self) -> None:
        """The newest key is temporary, and its time is over."""
        self._put(token_expired=True)

    def revoke(self, key_id: str) -> None:
        self._orders.revoke_key(self.customer.account, key_id)

    def into_secret(self, values: dict[str, str]) -> None:
        """Replace what the customer's Secret holds, with one write, as a rotation does."""
        path = secrets(self.customer.namespace, self.customer.at.secret)
        held = self.customer.objects.get(path)["data"]
        self.customer.objects.merge(path, {"data": dict.fromkeys(held), "stringData": values})
        self.used += values.values()

    def _put(self, **settings: Any) -> None:
        self._orders.add_key(self.customer.account, self.ids[-1], **self._newest, **settings)

    @property
    def _orders(self) -> Any:
        cloud = self.customer.cloud
        return {Alibaba: cloud, Tencent: cloud.tencent}.get(type(self.customer.at), cloud.huawei)
