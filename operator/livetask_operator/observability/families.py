"""The metrics that are made when they are asked for, of what is there at that moment: their names, labels and meaning.

Apart from `metrics.py`, whose metrics are kept up to date all the time. Nothing is kept for these: who is gone is shown
no more.
"""

from __future__ import annotations

from livetask_operator.observability.exposition import Family

UNPROVEN = "(unproven)"
"""The account of keys that no vendor has accepted yet, all together: who only names an account's key must not show up
as that account. No account in the configuration can have this name."""

_ACCOUNT = ("account", "call", "vendor")
_TASK = ("kind", "task_namespace", "task")
_SECRET = ("task_namespace", "secret", "vendor")

VENDOR_CALLS = Family(
    "livetask_vendor_calls_total",
    "counter",
    "Calls to vendors, by what came of them: ok, cancelled, or the reason as in conditions.",
    ("account", "call", "outcome", "vendor"),
)

OBJECTS = Family(
    "livetask_objects",
    "gauge",
    "Objects that are followed, by their state and the reason of their Ready; both are empty before the first look.",
    ("kind", "vendor", "task_namespace", "state", "reason"),
)
UNREADABLE = Family(
    "livetask_unreadable_objects",
    "gauge",
    "Objects that the API server let through and this operator cannot read: nobody follows them. The log names them.",
    (),
)
DELETIONS_WAITING = Family(
    "livetask_deletions_waiting",
    "gauge",
    "Deleted objects that are still there, by what they wait for: the reason of their Ready.",
    ("reason",),
)

ROUND_FACTOR = Family(
    "livetask_account_round_factor",
    "gauge",
    "How many times longer than it wishes an object of the account waits for its next look: 1 is in time.",
    _ACCOUNT,
)
ROUND_SECONDS = Family(
    "livetask_account_round_seconds",
    "gauge",
    "How long until each object of the account was asked about once, as it goes now; ended tasks may wait longer.",
    _ACCOUNT,
)
QUOTA_LIMIT = Family(
    "livetask_quota_limit_per_second",
    "gauge",
    "Calls a second that the configuration allows the account.",
    _ACCOUNT,
)
QUOTA_RATE = Family(
    "livetask_quota_rate_per_second",
    "gauge",
    "Calls a second that may go out now: less after throttling answers, 0 in a pause.",
    _ACCOUNT,
)
QUOTA_USED = Family("livetask_quota_used_per_second", "gauge", "Calls of the last second.", _ACCOUNT)
QUOTA_LEFT = Family(
    "livetask_quota_left_per_second",
    "gauge",
    "Calls a second that could go out besides those of the last second.",
    _ACCOUNT,
)
QUOTA_WAITING = Family(
    "livetask_quota_waiting",
    "gauge",
    "Calls that wait for their turn, by who waits: people (deletions, new, edited or asked for) or polls.",
    (*_ACCOUNT, "who"),
)

TASK_STATUS = Family(
    "livetask_task_status",
    "gauge",
    "1 for each object that is followed, with its state, and status and reason of its Ready as labels.",
    (*_TASK, "vendor", "account", "state", "ready", "reason"),
)
TASK_STATUS_SINCE = Family(
    "livetask_task_status_since_timestamp_seconds",
    "gauge",
    "Since when Ready has its status; before the first, when the object was created.",
    _TASK,
)
TASK_LAST_SEEN = Family(
    "livetask_task_last_seen_timestamp_seconds",
    "gauge",
    "When the vendor last told of the task; not there before it did so to this process.",
    _TASK,
)
TASK_DELETION_BLOCKED = Family(
    "livetask_task_deletion_blocked_since_timestamp_seconds",
    "gauge",
    "Since when a deleted object should be gone and a cause, the reason, holds it up.",
    (*_TASK, "reason"),
)
SECRET_ACCEPTED = Family(
    "livetask_secret_accepted_timestamp_seconds",
    "gauge",
    "Until when the Secret is known to hold what its vendor accepts; not there from a change until it is accepted.",
    _SECRET,
)
SECRET_REFUSED = Family(
    "livetask_secret_refused_timestamp_seconds",
    "gauge",
    "Since when the vendor refuses what the Secret holds now.",
    (*_SECRET, "reason"),
)

ACCOUNTS = (ROUND_FACTOR, ROUND_SECONDS, QUOTA_LIMIT, QUOTA_RATE, QUOTA_USED, QUOTA_LEFT, QUOTA_WAITING)
PER_OBJECT = (
    TASK_STATUS,
    TASK_STATUS_SINCE,
    TASK_LAST_SEEN,
    TASK_DELETION_BLOCKED,
    SECRET_ACCEPTED,
    SECRET_REFUSED,
)
"""One series or more for each object or Secret; `objectMetrics: false` leaves them out."""
MADE_WHEN_ASKED = (VENDOR_CALLS, OBJECTS, UNREADABLE, DELETIONS_WAITING, *ACCOUNTS, *PER_OBJECT)
