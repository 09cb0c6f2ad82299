"""The closed list of reasons: one word for one cause, the same in conditions and Events and for every vendor.

Another word is added here, in `crds/reasons.md` and in the tests together.
"""

from __future__ import annotations

from enum import StrEnum

from livetask_operator.reconcile.preload_status import PreloadState
from livetask_operator.vendors.contract import State


class Reason(StrEnum):
    """Why a condition is as it is. The word is the Event's reason too (design, section 2)."""

    # states
    PENDING = "Pending"
    RUNNING = "Running"
    PAUSED = "Paused"
    STOPPED = "Stopped"
    TASK_FAILED = "TaskFailed"
    TASK_NOT_FOUND = "TaskNotFound"
    UNKNOWN_VENDOR_STATUS = "UnknownVendorStatus"
    SUSPENDED = "Suspended"
    PRELOADING = "Preloading"
    SUCCEEDED = "Succeeded"
    PRELOAD_FAILED = "PreloadFailed"
    EXPIRED = "Expired"
    # looks where a person must act
    SECRET_NOT_FOUND = "SecretNotFound"  # noqa: S105 - a word, not a secret
    SECRET_KEY_MISSING = "SecretKeyMissing"  # noqa: S105
    SECRET_FORBIDDEN = "SecretForbidden"  # noqa: S105
    CREDENTIALS_REJECTED = "CredentialsRejected"
    PERMISSION_DENIED = "PermissionDenied"
    INVALID_REQUEST = "InvalidRequest"
    CLOCK_SKEW = "ClockSkew"
    ACCOUNT_SUSPENDED = "AccountSuspended"
    ENDPOINT_NOT_FOUND = "EndpointNotFound"
    TASK_NOT_VISIBLE = "TaskNotVisible"
    # looks that may go better by themselves
    THROTTLED = "Throttled"
    VENDOR_UNAVAILABLE = "VendorUnavailable"
    INVALID_RESPONSE = "InvalidResponse"
    STALE = "Stale"
    # deletion
    STOP_PENDING = "StopPending"
    STOPPING = "Stopping"
    STOP_NOT_CONFIRMED = "StopNotConfirmed"
    STOPS_HELD = "StopsHeld"
    # Events alone
    STOP_ACCEPTED = "StopAccepted"
    ALREADY_GONE = "AlreadyGone"
    LEFT_RUNNING = "LeftRunning"
    ORPHANED = "Orphaned"

    @property
    def is_warning(self) -> bool:
        """Whether Events with this reason are of type Warning."""
        return self in _WARNINGS


NEEDS_PERSON = frozenset(
    {
        Reason.SECRET_NOT_FOUND,
        Reason.SECRET_KEY_MISSING,
        Reason.SECRET_FORBIDDEN,
        Reason.CREDENTIALS_REJECTED,
        Reason.PERMISSION_DENIED,
        Reason.INVALID_REQUEST,
        Reason.CLOCK_SKEW,
        Reason.ACCOUNT_SUSPENDED,
        Reason.ENDPOINT_NOT_FOUND,
        Reason.TASK_NOT_VISIBLE,
    }
)

MAY_PASS = frozenset({Reason.THROTTLED, Reason.VENDOR_UNAVAILABLE, Reason.INVALID_RESPONSE})

FORGIVEN_WHILE_YOUNG = frozenset({Reason.SECRET_NOT_FOUND, Reason.SECRET_KEY_MISSING, Reason.TASK_NOT_FOUND})
"""In a sync the Secret or the task itself often comes a little later than the object."""

_WARNINGS = (
    NEEDS_PERSON
    | MAY_PASS
    | {
        Reason.STALE,
        Reason.TASK_FAILED,
        Reason.TASK_NOT_FOUND,
        Reason.UNKNOWN_VENDOR_STATUS,
        Reason.PRELOAD_FAILED,
        Reason.EXPIRED,
        Reason.LEFT_RUNNING,
        Reason.STOP_NOT_CONFIRMED,
    }
)

REASON_OF_STATE = {
    State.PENDING: Reason.PENDING,
    State.RUNNING: Reason.RUNNING,
    State.PAUSED: Reason.PAUSED,
    State.STOPPED: Reason.STOPPED,
    State.FAILED: Reason.TASK_FAILED,
    State.NOT_FOUND: Reason.TASK_NOT_FOUND,
    State.UNKNOWN: Reason.UNKNOWN_VENDOR_STATUS,
}

REASON_OF_PRELOAD = {
    PreloadState.PENDING: Reason.PENDING,
    PreloadState.PRELOADING: Reason.PRELOADING,
    PreloadState.SUCCEEDED: Reason.SUCCEEDED,
    PreloadState.FAILED: Reason.PRELOAD_FAILED,
    PreloadState.EXPIRED: Reason.EXPIRED,
    PreloadState.NOT_FOUND: Reason.TASK_NOT_FOUND,
    PreloadState.UNKNOWN: Reason.UNKNOWN_VENDOR_STATUS,
}

SEEN_REASONS = frozenset(REASON_OF_STATE.values()) | frozenset(REASON_OF_PRELOAD.values())
"""Reasons of a Ready that tells what the vendor said, not why it could not be asked."""
