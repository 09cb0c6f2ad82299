"""What goes wrong at a vendor or with its key, the word for it, and how it is mended: one table for all vendors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from livetask_operator.reconcile.reasons import NEEDS_PERSON, Reason
from tests.stage.vendors import Alibaba, Customer, Huawei, HuaweiByToken, Side, Tencent

Change = Callable[[Customer], object]


def settled(customer: Customer) -> None:
    customer.at.settle()


@dataclass(frozen=True)
class Cause:
    """Something that goes wrong, and how it is mended."""

    name: str
    reason: str
    breaks: Change
    says: str
    """A part of the message; may name the vendor's `{title}`, `{secret}`, `{lacks}` and `{create}`."""
    mends: Change = settled
    young: bool = False
    """In the first minutes of an object's life it is not yet Stalled: in a sync this often comes a little later."""
    before: bool = False
    """It blocks a deletion only where it was there before the first look."""
    blocks: bool = True
    """Whether it blocks a deletion."""
    ready: str = "Unknown"
    slow: bool = False
    """It takes as long as a call may take."""

    @property
    def kind(self) -> str:
        """The condition that a living object shows it by."""
        return "Reconciling" if self.young else self.kind_deleted

    @property
    def kind_deleted(self) -> str:
        """The condition that an object shows it by when it is being deleted."""
        return "Stalled" if Reason(self.reason) in NEEDS_PERSON else "Reconciling"

    def words(self, side: type[Side]) -> str:
        """That part, as it reads at a vendor."""
        literals = " ".join(f"--from-literal={key}=…" for key in side.secret_keys)
        return self.says.format(
            title=side.title, secret=side.secret, lacks=side.lacks, create=f"secret generic {side.secret} {literals}"
        )


def fault(kind: str, **settings: object) -> Change:
    return lambda customer: customer.fault(kind, **settings)


def setting(**settings: object) -> Change:
    return lambda customer: customer.at.set(**settings)


KEY_CAUSES = (
    Cause(
        "the Secret does not exist",
        "SecretNotFound",
        lambda customer: customer.drop_secret(),
        "create {create}); it is used within 5 seconds",
        mends=lambda customer: customer.put_secret(),
        young=True,
        before=True,
    ),
    Cause(
        "the Secret lacks a key",
        "SecretKeyMissing",
        lambda customer: customer.put_secret(**customer.at.half_key),
        "{lacks}",
        mends=lambda customer: customer.put_secret(),
        young=True,
        before=True,
    ),
    Cause(
        "the key is wrong",
        "CredentialsRejected",
        lambda customer: customer.at.take_key_for_wrong(),
        "{title} does not accept the key in Secret",
    ),
    Cause(
        "the key is switched off",
        "CredentialsRejected",
        lambda customer: customer.at.accept_key(active=False),
        "it is used within 5 seconds",
    ),
    Cause(
        "the key may not do this",
        "PermissionDenied",
        lambda customer: customer.at.accept_key(allow=[]),
        "Grant it that right at the vendor",
    ),
)
CAUSES = (
    Cause(
        "the task is unknown",
        "TaskNotFound",
        lambda customer: customer.at.forget("shown"),
        "{title} does not know task shown",
        mends=lambda customer: customer.at.start("shown"),
        young=True,
        blocks=False,
        ready="False",
    ),
    Cause(
        "the vendor refuses the ids",
        "InvalidRequest",
        lambda customer: customer.at.refuse_ids(),
        "Check these ids",
    ),
    Cause("the clocks differ", "ClockSkew", setting(clockSkewSeconds=3600), "Set the clock"),
    Cause("the account is throttled", "Throttled", fault("throttle"), "{title} says that the account asks too often"),
    Cause("the vendor is down", "VendorUnavailable", fault("answer", status=503), "{title} cannot be reached"),
    Cause("the vendor breaks the line", "VendorUnavailable", fault("reset"), "{title} cannot be reached"),
    Cause("the vendor hangs", "VendorUnavailable", fault("hang"), "did not answer", slow=True),
    Cause("the answer is not JSON", "InvalidResponse", fault("garbage"), "does not document"),
    Cause("the answer is huge", "InvalidResponse", fault("huge"), "does not document"),
    Cause("the answer is a redirect", "InvalidResponse", fault("redirect"), "does not document"),
    Cause("the answer is compressed", "InvalidResponse", fault("gzip-bomb"), "does not document"),
    # Of these a stop has its effect, and only its answer is lost: they keep no task running.
    Cause("the answer is cut off", "InvalidResponse", fault("truncated"), "does not document", blocks=False),
    Cause("the answer drips", "VendorUnavailable", fault("drip"), "did not answer", blocks=False, slow=True),
)
OWN_CAUSES = {
    Alibaba: (
        Cause("the account is overdue", "AccountSuspended", setting(service="overdue"), "Settle the account's bill"),
        Cause(
            "the account is overdue, said inside a 200",
            "AccountSuspended",
            fault("answer", status=200, body='{"RequestId": "R1", "Code": "App.ChargeOverDue", "Message": "pay"}'),
            "App.ChargeOverDue",
        ),
    ),
    Tencent: (
        Cause(
            "the service is not enabled, said inside a 200",
            "AccountSuspended",
            setting(service="notEnabled"),
            "or enable the service",
        ),
        Cause(
            "the vendor has trouble, said inside a 200",
            "VendorUnavailable",
            fault("error", code="FailedOperation.QueryTaskInfoFailed"),
            "it has trouble of its own",
        ),
    ),
    Huawei: (
        # The gateway has one answer for a key that it does not accept and for an account that does not pay.
        Cause(
            "the account is overdue",
            "CredentialsRejected",
            setting(service="overdue"),
            "an account that is overdue is told the same",
        ),
        Cause(
            "an error inside a 200, where this vendor has none",
            "InvalidResponse",
            fault("answer", status=200, body='{"error_code": "LIVE.100011001", "error_msg": "x", "request_id": "R1"}'),
            "an error and a success in one",
        ),
        Cause("the region has no such service", "EndpointNotFound", setting(regions=["other"]), "Check `endpoints`"),
    ),
}


@dataclass(frozen=True)
class Case:
    """A cause at a vendor."""

    side: type[Side]
    cause: Cause

    def __str__(self) -> str:
        return f"{self.side.secret}, {self.cause.name}"


CASES = [
    Case(side, cause)
    for side in cast("list[type[Side]]", [Alibaba, Tencent, Huawei, HuaweiByToken])
    for cause in (*KEY_CAUSES, *(() if side is HuaweiByToken else (*CAUSES, *OWN_CAUSES[side])))
]
