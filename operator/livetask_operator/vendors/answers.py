"""Reading what a vendor says when nothing of it can be trusted: JSON, error codes, words, times in headers. Pure.

Apart from the vendors because none of this differs between them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

MAX_VENDOR_STATUS_CHARACTERS = 128
MAX_NESTED = 20_000
"""Objects and lists in an answer; the longest page has some hundreds. A megabyte full of them would take a hundred in
memory, and hold the event loop up while it is read."""
MAX_RETRY_AFTER_S = 120.0
"""Where Alibaba Cloud's SDK cuts it too."""


def json_object(body: bytes) -> Mapping[str, object] | None:
    """The object that an answer is; None for all else: no JSON, another kind of value, a name said twice, too much."""
    if body.count(b"{") + body.count(b"[") > MAX_NESTED:
        return None
    try:
        document = json.loads(body, object_pairs_hook=_once_each, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def clean_code(said: object) -> str:
    """An error code or a request id as far as it looks like one, 64 characters at most. Empty where it does not."""
    found = re.match(r"[A-Za-z0-9._-]{1,64}", said) if isinstance(said, str) else None
    return found[0] if found else ""


def printable(said: str, most: int = MAX_VENDOR_STATUS_CHARACTERS) -> str:
    """What fits into a status field: no control characters, no halves of characters, `most` characters."""
    shown = "".join(character if character.isprintable() else "?" for character in said.strip())
    return shown[:most]


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """HTTP's own `Retry-After`, seconds or a date; None where there is none that could be kept.

    A date is one of the vendor's clock: it is compared with the answer's own, and with ours only where it has none.
    """
    said = headers.get("retry-after", "").strip()
    until = _http_date(said)
    if until is not None:
        wait_s = (until - (_http_date(headers.get("date", "")) or now)).total_seconds()
    else:
        wait_s = float(said) if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", said) else 0.0
    return min(wait_s, MAX_RETRY_AFTER_S) if wait_s > 0 else None


def skew_words(headers: Mapping[str, str], now: datetime) -> str:
    """How far this clock is from the vendor's, by its `Date`; empty where that does not tell."""
    theirs = _http_date(headers.get("date", ""))
    about = coarse(now - theirs) if theirs else ""
    return f"the clock of this machine is {about} the vendor's" if about else ""


def coarse(skew: timedelta) -> str:
    """How far this clock is off, in words that stay the same from poll to poll. Empty below two minutes.

    No bound lies where skews do: at the vendors' windows (5 and 15 minutes), at whole and half hours (a wrong zone).
    """
    minutes = abs(skew).total_seconds() / 60
    if minutes < 2:
        return ""
    if minutes < 12:
        size = "some minutes"
    elif minutes < 24:
        size = "about 20 minutes"
    elif minutes < 50:
        size = "about half an hour"
    elif minutes < 100:
        size = "about an hour"
    elif minutes < 36 * 60:
        size = f"about {int(minutes / 60 + 0.4)} hours"
    else:
        size = "more than a day"
    return f"{size} {'ahead of' if skew > timedelta() else 'behind'}"


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a name is said twice")
    return document


def _no_number(word: str) -> object:
    raise ValueError(f"{word} is not JSON")


def _http_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
