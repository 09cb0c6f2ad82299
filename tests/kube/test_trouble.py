"""What keeps a look or a stop from being done: its own reason, a Warning, what to do; and recovery by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.reconcile.checker import contradictions
from tests.stage.tenant import Tenant, until

Change = Callable[[Tenant], object]


@dataclass(frozen=True)
class Cause:
    """Something that goes wrong, and how it is mended."""

    name: str
    reason: str
    kind: str
    breaks: Change
    mends: Change
    says: str
    within_s: float = 5

    def __str__(self) -> str:
        return self.name


def fault(kind: str, **settings: object) -> Change:
    return lambda tenant: tenant.fault(kind, **settings)


def calm(tenant: Tenant) -> None:
    tenant.cloud.clear_faults(tenant.account)


def good_secret(tenant: Tenant) -> None:
    tenant.put_secret()


NO_SECRET = Cause(
    "the Secret does not exist",
    "SecretNotFound",
    "Reconciling",
    lambda tenant: tenant.drop_secret(),
    good_secret,
    "create secret generic alibaba --from-literal=accessKeyId=… --from-literal=accessKeySecret=…",
)
NO_KEY = Cause(
    "the Secret lacks a key",
    "SecretKeyMissing",
    "Reconciling",
    lambda tenant: tenant.put_secret(accessKeyId=tenant.key_id),
    good_secret,
    "has no key accessKeySecret; add it (keys found: accessKeyId)",
)
VENDOR_CAUSES = [
    Cause(
        "the key is wrong",
        "CredentialsRejected",
        "Stalled",
        lambda tenant: tenant.cloud.add_key(tenant.account, tenant.key_id, "an0ther-s3cr3t"),
        lambda tenant: tenant.cloud.add_key(tenant.account, tenant.key_id, tenant.secret_key),
        "does not accept the key in Secret",
    ),
    Cause(
        "the key is switched off",
        "CredentialsRejected",
        "Stalled",
        lambda tenant: tenant.cloud.add_key(tenant.account, tenant.key_id, tenant.secret_key, active=False),
        lambda tenant: tenant.cloud.add_key(tenant.account, tenant.key_id, tenant.secret_key),
        "it is used within 5 seconds",
    ),
    Cause(
        "the key may not do this",
        "PermissionDenied",
        "Stalled",
        lambda tenant: tenant.cloud.add_key(tenant.account, tenant.key_id, tenant.secret_key, allow=["StartMPUTask"]),
        lambda tenant: tenant.cloud.add_key(tenant.account, tenant.key_id, tenant.secret_key),
        "Grant it that right at the vendor",
    ),
    Cause(
        "the account is overdue",
        "AccountSuspended",
        "Stalled",
        fault("error", code="OperationDenied", status=403),
        calm,
        "Settle the account's bill",
    ),
    Cause(
        "the account is overdue, said inside a 200",
        "AccountSuspended",
        "Stalled",
        fault("answer", status=200, body='{"RequestId": "R1", "Code": "App.ChargeOverDue", "Message": "pay"}'),
        calm,
        "App.ChargeOverDue",
    ),
    Cause(
        "the clocks differ",
        "ClockSkew",
        "Stalled",
        fault("error", code="InvalidTimeStamp.Expired", status=400),
        calm,
        "Set the clock",
    ),
    Cause(
        "the vendor refuses the ids",
        "InvalidRequest",
        "Stalled",
        fault("error", code="InvalidAppId", status=400),
        calm,
        "Check these ids",
    ),
    Cause("the account is throttled", "Throttled", "Reconciling", fault("throttle"), calm, "asks too often"),
    Cause(
        "the vendor is down", "VendorUnavailable", "Reconciling", fault("answer", status=503), calm, "cannot be reached"
    ),
    Cause("the vendor breaks the line", "VendorUnavailable", "Reconciling", fault("reset"), calm, "cannot be reached"),
    Cause("the vendor hangs", "VendorUnavailable", "Reconciling", fault("hang"), calm, "did not answer", within_s=14),
    Cause("the answer is not JSON", "InvalidResponse", "Reconciling", fault("garbage"), calm, "does not document"),
    Cause("the answer is huge", "InvalidResponse", "Reconciling", fault("huge"), calm, "does not document"),
    Cause("the answer is a redirect", "InvalidResponse", "Reconciling", fault("redirect"), calm, "does not document"),
]


@pytest.mark.parametrize("cause", [NO_SECRET, NO_KEY, *VENDOR_CAUSES], ids=str)
def test_each_cause_has_its_reason_and_heals_by_itself(tenant: Tenant, cause: Cause) -> None:
    tenant.starts("shown")
    cause.breaks(tenant)

    relay = tenant.relay("shown")

    held = relay.holds(cause.kind, cause.reason, within_s=cause.within_s)
    assert relay.condition("Ready")["status"] == "Unknown"
    assert relay.condition("Ready")["reason"] == cause.reason
    assert cause.says in held["message"]
    assert contradictions(relay.body()) == []
    relay.tells(cause.reason, "Warning")

    cause.mends(tenant)

    relay.reaches("Running", "Running", within_s=20)
    assert contradictions(relay.body()) == []


@pytest.mark.parametrize("cause", VENDOR_CAUSES, ids=str)
def test_each_cause_blocks_a_deletion_with_words_and_both_ways_out_work(tenant: Tenant, cause: Cause) -> None:
    tenant.starts("mended")
    tenant.starts("orphaned")
    relays = [tenant.relay(name, pollIntervalSeconds=3600) for name in ("mended", "orphaned")]
    for relay in relays:
        relay.reaches("Running")
    cause.breaks(tenant)
    mended, orphaned = relays

    for relay in relays:
        relay.delete()

    for relay in relays:
        held = relay.holds(cause.kind, cause.reason, within_s=cause.within_s)
        assert cause.says in held["message"]
        assert held["message"].startswith("Not stopped yet. ")
        assert f"kubectl -n {tenant.namespace} patch rlt {relay.name} --type merge" in held["message"]
        relay.tells(cause.reason, "Warning")
    orphaned.edit(deletionPolicy="Orphan")
    orphaned.is_gone(within_s=12)
    cause.mends(tenant)
    mended.is_gone(within_s=35)
    assert [call.stopped_task for call in tenant.stops("mended")][-1] is True
    task = tenant.cloud.task(tenant.account, tenant.app, "mended")
    assert task is not None
    assert task.status == 3


@pytest.mark.parametrize(
    ("breaks", "reason"),
    [(NO_SECRET.breaks, "SecretNotFound"), (NO_KEY.breaks, "SecretKeyMissing")],
    ids=["gone", "key"],
)
def test_a_secret_that_never_worked_blocks_a_deletion_until_it_does(
    tenant: Tenant, breaks: Change, reason: str
) -> None:
    tenant.starts("blocked")
    breaks(tenant)
    relay = tenant.relay("blocked")
    relay.reaches(reason=reason)

    relay.delete()

    held = relay.holds("Stalled", reason, within_s=4)
    assert "Not stopped yet. Secret" in held["message"]
    tenant.put_secret()
    relay.is_gone(within_s=8)
    assert [call.outcome for call in tenant.stops("blocked")] == ["OK"]


def test_a_secret_that_goes_with_the_task_does_not_block_it(tenant: Tenant) -> None:
    tenant.starts("together")
    relay = tenant.relay("together")
    relay.reaches("Running")
    tenant.drop_secret()
    relay.reaches(reason="SecretNotFound", within_s=15)

    relay.delete()

    relay.is_gone(within_s=4)
    assert [call.outcome for call in tenant.stops("together")] == ["OK"]


def test_a_single_failed_look_changes_nothing_and_the_second_is_told(tenant: Tenant) -> None:
    tenant.starts("hiccup")
    relay = tenant.relay("hiccup", pollIntervalSeconds=30)
    relay.reaches("Running")
    version = relay.body()["metadata"]["resourceVersion"]
    tenant.fault("answer", status=503)
    relay.ask("now")
    until(lambda: relay.status().get("lastHandledRequestedAt") == "now", "the failed look", within_s=8)
    assert relay.condition("Ready")["status"] == "True"
    assert not relay.condition("Reconciling")

    relay.holds("Reconciling", "VendorUnavailable", within_s=15)

    assert relay.condition("Ready")["status"] == "True"
    assert relay.body()["metadata"]["resourceVersion"] != version


def test_ready_does_not_outlive_what_is_known(tenant: Tenant) -> None:
    tenant.starts("stale")
    relay = tenant.relay("stale", pollIntervalSeconds=5)
    relay.reaches("Running")

    tenant.fault("answer", status=503)

    relay.reaches("Running", "VendorUnavailable", within_s=25)
    assert relay.condition("Ready")["status"] == "Unknown"


def test_a_refused_key_is_tried_sparingly_and_once_for_all_its_objects(tenant: Tenant) -> None:
    for number in range(20):
        tenant.starts(f"task-{number}")
    tenant.put_secret(accessKeyId=tenant.key_id, accessKeySecret="wr0ng-s3cr3t")

    relays = [tenant.relay(f"task-{number}") for number in range(20)]
    for relay in relays:
        relay.holds("Stalled", "CredentialsRejected", within_s=10)

    assert len(tenant.looks()) <= 3, "a wrong key asked again and again locks an account"
    tenant.put_secret()
    for relay in relays:
        relay.reaches("Running", within_s=12)


def test_a_rotated_key_is_in_use_within_five_seconds(tenant: Tenant) -> None:
    tenant.starts("rotated")
    relay = tenant.relay("rotated", pollIntervalSeconds=3600)
    relay.reaches("Running")
    new_key = f"{tenant.key_id}new"
    tenant.cloud.add_key(tenant.account, new_key, "n3w-s3cr3t")

    tenant.put_secret(accessKeyId=new_key, accessKeySecret="n3w-s3cr3t")

    until(lambda: tenant.cloud.calls(key_id=new_key), "a call with the new key", within_s=6)
    relay.reaches("Running")
