"""What to do: the commands of a message, each on a line to be copied, and a sentence for each reason without one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from livetask_operator.reconcile.reasons import Reason

COMMAND = re.compile(r"kubectl (?:[^'()]*'[^']*'|[^'()]*(?=\)))")
"""As `reconcile/words.py` writes them: up to the end of what is in quotes, else up to a closing bracket."""

NOTHING = "nothing"
_ANOTHER_RUN = "Another run has the same id at Alibaba Cloud, elsewhere a new one, and so a new object"

TO_DO: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.PENDING: "nothing, where it has only just been started; else begin the stream",
        Reason.RUNNING: NOTHING,
        Reason.PAUSED: "go on with it or stop it at the vendor: paused, it may cost money",
        Reason.STOPPED: f"nothing; or delete this object. {_ANOTHER_RUN}",
        Reason.TASK_FAILED: f"mend what the vendor names, then start it again. {_ANOTHER_RUN}",
        Reason.TASK_NOT_FOUND: "start it with this id, or make a new object with the right one",
        Reason.UNKNOWN_VENDOR_STATUS: "look at it in the vendor's console, and have the word put into `statusWords`",
        Reason.SUSPENDED: "set spec.suspend to false, to have it followed again",
        Reason.PRELOADING: NOTHING,
        Reason.SUCCEEDED: NOTHING,
        Reason.PRELOAD_FAILED: "preload again what failed, with a new PreloadTask",
        Reason.EXPIRED: "preload it again, with a new PreloadTask",
        Reason.SECRET_NOT_FOUND: "create the Secret",
        Reason.SECRET_KEY_MISSING: "put the missing key into the Secret",
        Reason.SECRET_FORBIDDEN: "have the operator's administrator give its ServiceAccount `get` on Secrets here",
        Reason.CREDENTIALS_REJECTED: "put a key into the Secret that the vendor accepts",
        Reason.PERMISSION_DENIED: "grant the key that right at the vendor",
        Reason.INVALID_REQUEST: "check the ids; where they are wrong, make a new object with the right ones",
        Reason.CLOCK_SKEW: "have the clock of the operator's node set",
        Reason.ACCOUNT_SUSPENDED: "pay the vendor's bill, or enable the service there",
        Reason.ENDPOINT_NOT_FOUND: "check the region; have `endpoints` in the operator's configuration checked",
        Reason.TASK_NOT_VISIBLE: "put a key of the right account into the Secret",
        Reason.THROTTLED: "nothing; if it stays, ask for less often, or find out who else uses the account",
        Reason.VENDOR_UNAVAILABLE: "nothing; if it stays, see the vendor's status page and the cluster's way out",
        Reason.INVALID_RESPONSE: "nothing; if it stays, have the operator's log read",
        Reason.STALE: "have the operator's log and metrics read: no look was tried",
        Reason.STOP_PENDING: "nothing, if it may be stopped",
        Reason.STOPPING: NOTHING,
        Reason.STOP_NOT_CONFIRMED: "look at the task in the vendor's console; the stop is sent again",
        Reason.STOPS_HELD: "have the operator's administrator say why stops are held",
    }
)
"""Of each reason that a condition may have."""


def without_commands(message: str) -> tuple[str, list[str]]:
    """A message with a number in the place of each command, and the commands."""
    commands: list[str] = []

    def number(found: re.Match[str]) -> str:
        commands.append(found[0])
        return f"[{len(commands)}]"

    return COMMAND.sub(number, message).replace("([", "[").replace("])", "]"), commands


def to_do(reason: str) -> str:
    """The sentence for a reason; of one that a newer operator wrote there is none."""
    return next((words for known, words in TO_DO.items() if known == reason), "see the message")
