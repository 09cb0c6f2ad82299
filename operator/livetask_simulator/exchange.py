"""What passes between the HTTP side and a vendor: the request as it came, whom it claims to be from, and the reply.

Apart, so that a vendor is plain functions over these values and needs no web server to be tested.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qsl

from livetask_simulator.accounts import Accounts

OK = "OK"


@dataclass(frozen=True, kw_only=True)
class Received:
    """A request as it came over the wire. Header names are lower-case; repeated headers are joined by commas."""

    method: str
    path: str
    query: str
    """Everything after the question mark, still encoded."""
    headers: Mapping[str, str]
    body: bytes = b""

    def header(self, name: str) -> str:
        """A header's value, or "" where it was not sent."""
        return self.headers.get(name, "")

    def query_pairs(self) -> list[tuple[str, str]]:
        """The query's parameters, decoded, in the order sent. A plus sign is a space, as SDKs send it."""
        return parse_qsl(self.query, keep_blank_values=True)

    def form_pairs(self) -> list[tuple[str, str]]:
        """The parameters of a form body, decoded; none where the body is no form."""
        if not self.header("content-type").startswith("application/x-www-form-urlencoded"):
            return []
        return parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who a request claims to be from and what it asks for. Nothing of it is verified yet."""

    vendor: str
    account: str | None = None
    """The account that the named key belongs to; None where no account has such a key."""
    key_id: str = ""
    operation: str = ""
    version: str = ""
    app_id: str = ""
    task_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a vendor answers."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    outcome: str = OK
    """`OK`, or the vendor's error code."""
    request_id: str = ""
    throttled: bool = False
    stopped_task: bool | None = None
    """For a stop: whether it changed the state of a task. None for every other operation."""


class Vendor(Protocol):
    """One simulated cloud."""

    @property
    def name(self) -> str:
        """The vendor's name in the admin API and in the ledger."""

    @property
    def accounts(self) -> Accounts:
        """Its accounts and their keys."""

    @property
    def throttling_code(self) -> str:
        """The error code for an account that asks too often."""

    def claims(self, received: Received) -> bool:
        """Whether this request speaks the vendor's protocol."""

    def identify(self, received: Received) -> Identity:
        """Who asks for what, as far as the request says; never fails."""

    def handle(self, received: Received, identity: Identity) -> Reply:
        """Check the request as the vendor does and carry it out."""

    def refuse(self, identity: Identity, *, code: str, status: int, message: str, retry_after_ms: int | None) -> Reply:
        """An error in the vendor's own shape, for faults made to order."""

    def reset(self, account: str | None) -> None:
        """Put one account, or all, back to how it was added: keys stay; tasks, settings and quotas go."""
