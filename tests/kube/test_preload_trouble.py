"""What keeps preloads from being looked at: its own reason, a Warning, what to do; and recovery by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.reconcile.checker import contradictions
from tests.stage.tenant import Preload, Tenant

Neighbour = Callable[[str], Tenant]
Change = Callable[[Tenant], object]


@dataclass(frozen=True)
class Cause:
    """Something that keeps preloads from being looked at, the condition that tells it, and how it is mended."""

    name: str
    reason: str
    kind: str
    says: str
    breaks: Change
    mends: Change = lambda tenant: tenant.cloud.clear_faults(tenant.account)


def good_key(tenant: Tenant) -> None:
    tenant.cloud.add_key(tenant.account, tenant.key_id, tenant.secret_key)


HALF_A_LIST = '{"RequestId": "R1", "TotalNum": 5, "TotalPage": 1, "PreloadTasks": []}'
OVERDUE = '{"RequestId": "R1", "Code": "OperationDenied", "Message": "pay"}'
CAUSES = [
    Cause(
        "no-secret",
        "SecretNotFound",
        "Reconciling",
        "create secret generic alibaba --from-literal=accessKeyId=… --from-literal=accessKeySecret=…",
        lambda tenant: tenant.drop_secret(),
        lambda tenant: tenant.put_secret(),
    ),
    Cause(
        "wrong-key",
        "CredentialsRejected",
        "Stalled",
        "does not accept the key in Secret",
        lambda tenant: tenant.cloud.add_key(tenant.account, tenant.key_id, "an0ther-s3cr3t"),
        good_key,
    ),
    Cause(
        "no-right",
        "PermissionDenied",
        "Stalled",
        "call DescribeLiveStreamPreloadTasks",
        lambda tenant: tenant.cloud.add_key(
            tenant.account, tenant.key_id, tenant.secret_key, allow=["StopLiveMPUTask"]
        ),
        good_key,
    ),
    Cause(
        "unknown-domain",
        "InvalidRequest",
        "Stalled",
        "Check the domain, the task ids and the URLs",
        lambda tenant: tenant.cloud.add_account(tenant.account, domains=["another.example.com"]),
        lambda tenant: tenant.cloud.add_account(tenant.account, domains=[tenant.domain]),
    ),
    Cause(
        "error-in-a-200",
        "AccountSuspended",
        "Stalled",
        "Settle the account's bill",
        lambda tenant: tenant.fault("answer", status=200, body=OVERDUE),
    ),
    Cause("throttled", "Throttled", "Reconciling", "asks too often", lambda tenant: tenant.fault("throttle")),
    Cause(
        "down",
        "VendorUnavailable",
        "Reconciling",
        "cannot be reached",
        lambda tenant: tenant.fault("answer", status=503),
    ),
    Cause("no-json", "InvalidResponse", "Reconciling", "does not document", lambda tenant: tenant.fault("garbage")),
    Cause(
        "half-a-list",
        "InvalidResponse",
        "Reconciling",
        "could not be read to the end",
        lambda tenant: tenant.fault("answer", status=200, body=HALF_A_LIST),
    ),
]


@pytest.fixture
def troubled(neighbour: Neighbour) -> list[tuple[Cause, Tenant]]:
    """A tenant for each cause, all at once."""
    return [(cause, neighbour(cause.name)) for cause in CAUSES]


def test_each_cause_has_its_reason_and_heals_by_itself(troubled: list[tuple[Cause, Tenant]]) -> None:
    preloads: list[Preload] = []
    for cause, tenant in troubled:
        tenant.preloads("opening")
        cause.breaks(tenant)
        preloads.append(tenant.preload("opening", streams=["opening"]))

    for (cause, _), preload in zip(troubled, preloads, strict=True):
        held = preload.holds(cause.kind, cause.reason, within_s=5)
        assert cause.says in held["message"], cause
        ready = preload.condition("Ready")
        assert (ready["status"], ready["reason"]) == ("Unknown", cause.reason), cause
        assert contradictions(preload.body()) == [], cause
        preload.tells(cause.reason, "Warning")

    for cause, tenant in troubled:
        cause.mends(tenant)

    for preload in preloads:
        preload.reaches("Succeeded", "Succeeded", within_s=20)
        preload.tells("Succeeded", "Normal")
        assert contradictions(preload.body()) == []
